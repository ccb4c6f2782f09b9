"""All tables that a run leaves in its folder: CSV, and a workbook or a Parquet file where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nwb_mepp._utils.ownership import is_ours
from nwb_mepp.core.errors import MissingDependencyError, OutputError
from nwb_mepp.workflows.batch.folder_tables import FAILURES, TABLES, refuse_foreign_tables, write_tables
from nwb_mepp.workflows.batch.parquet_table import PARQUET, require_pyarrow
from nwb_mepp.workflows.batch.plan import Failure
from nwb_mepp.workflows.batch.tables import Decimal, Units
from nwb_mepp.workflows.batch.workbook import WORKBOOK, require_openpyxl, write_workbook
from nwb_mepp.workflows.batch.written_tables import WrittenTables
from nwb_mepp.workflows.limits import LimitOptions

__all__ = ["check_run_tables", "write_run_tables"]


def check_run_tables(folder: Path, *, workbook: bool, parquet: bool) -> None:
    """Check, before any work is done, that the tables of a run can be written.

    Raises
    ------
    OutputError
        If files of someone else bear their names.
    MissingDependencyError
        If the library of one that is asked for is not installed.
    """
    if workbook:
        require_openpyxl()
    if parquet:
        require_pyarrow()
    further = (*([WORKBOOK] if workbook else ()), *([PARQUET] if parquet else ()))
    refuse_foreign_tables(folder, (*TABLES, FAILURES, *further))


def write_run_tables(
    folder: Path,
    outputs: Sequence[Path],
    *,
    limits: LimitOptions,
    written: WrittenTables,
    units: Units,
    decimal: Decimal,
    columns: Mapping[Path, Mapping[str, str]],
    workbook: bool,
    parquet: bool,
) -> tuple[tuple[Path, ...], tuple[Failure, ...]]:
    """Write the tables of a folder; a workbook or Parquet file of an earlier run is brought up to date.

    Parameters
    ----------
    folder, outputs, limits, written, units, decimal, columns
        As for :func:`~nwb_mepp.workflows.batch.folder_tables.write_tables`.
    workbook, parquet : bool
        Write ``mepps.xlsx`` or ``mepps.parquet``, even if there is none yet.

    Returns
    -------
    tuple of (Path, ...) and (Failure, ...)
        The tables; the files whose rows are missing in them, and the tables that could not be written.
    """
    failures: list[Failure] = []
    parquet, workbook = (
        asked or is_ours(folder / name) for asked, name in ((parquet, PARQUET), (workbook, WORKBOOK))
    )
    if parquet:
        try:
            require_pyarrow()
        except MissingDependencyError as error:
            parquet = False
            failures.append(_not_this(folder / PARQUET, error))
    try:
        tables, missing = write_tables(
            folder,
            outputs,
            limits=limits,
            written=written,
            units=units,
            decimal=decimal,
            columns=columns,
            parquet=parquet,
        )
    except OutputError as error:
        # What is done stays done; the next batch writes the tables of all outputs.
        reason = f"the NWB files are there, but not the tables: {error}"
        return (), (Failure(path=folder, reason=reason),)
    failures = [*missing, *failures]
    if workbook:
        try:
            tables = (*tables, write_workbook(folder, units=units, decimal=decimal))
        except (OutputError, MissingDependencyError) as error:
            failures.append(_not_this(folder / WORKBOOK, error))
    return tables, tuple(failures)


def _not_this(path: Path, error: Exception) -> Failure:
    return Failure(path=path, reason=f"the CSV tables are there, but not this: {error}")
