"""The tables of an output folder: all MEPPs and summaries of all outputs in it, and what failed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from nwb_mepp._utils.atomic_files import hold
from nwb_mepp._utils.limits import Limits
from nwb_mepp._utils.ownership import owned_file, refuse_foreign, remove_ours
from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.core.columns import Column
from nwb_mepp.core.safe_text import csv_cell, from_csv_cell
from nwb_mepp.nwb import FileTables, read_fingerprint, read_tables
from nwb_mepp.workflows.batch.explanation import explain
from nwb_mepp.workflows.batch.parquet_table import PARQUET, with_parquet
from nwb_mepp.workflows.batch.plan import Failure
from nwb_mepp.workflows.batch.tables import (
    Decimal,
    Row,
    Rows,
    Units,
    column_name,
    event_columns,
    rows_of,
    summary_columns,
    write_csv,
)
from nwb_mepp.workflows.batch.written_tables import WrittenTables
from nwb_mepp.workflows.limits import LimitOptions

__all__ = [
    "FAILURES",
    "TABLES",
    "refuse_foreign_tables",
    "session_columns",
    "write_failures",
    "write_tables",
]

TABLES = ("mepps.csv", "summary.csv")
FAILURES = "failures.csv"
_UNITS: tuple[Units, ...] = ("si", "lab")


class _Output(NamedTuple):
    """An NWB file in the folder, and how it is named in the tables."""

    path: Path
    file: str


def refuse_foreign_tables(folder: Path, names: Iterable[str]) -> None:
    """Check that the tables to be written would replace none but those of nwb-mepp.

    Parameters
    ----------
    folder : Path
    names : iterable of str

    Raises
    ------
    OutputError
        If a file of someone else bears the name of one.
    """
    for name in names:
        refuse_foreign(folder / name)


def write_tables(
    folder: Path,
    outputs: Sequence[Path],
    *,
    limits: LimitOptions,
    written: WrittenTables,
    units: Units = "si",
    decimal: Decimal = "point",
    columns: Mapping[Path, Mapping[str, str]] | None = None,
    parquet: bool = False,
) -> tuple[tuple[Path, ...], tuple[Failure, ...]]:
    """Write the tables of all outputs in a folder, those of earlier batches included, sorted by name.

    Parameters
    ----------
    folder : Path
    outputs : sequence of Path
        Those of this batch, which are known to be sound; the others are read in a process of its own.
    limits : LimitOptions
        For reading each of the others.
    written : WrittenTables
        What was put into outputs of this batch, so that they need not be read again.
    units : {"si", "lab"}
    decimal : {"point", "comma"}
    columns : mapping of Path to mapping of str to str, optional
        What the table of sessions says of outputs of this batch, for columns at the end. What it said of
        those of earlier batches is taken from the tables that are replaced.
    parquet : bool, default False
        Write the MEPPs as Parquet, too.

    Returns
    -------
    tuple of (Path, ...) and (Failure, ...)
        The tables, and the files whose rows are missing in them.

    Raises
    ------
    OutputError
        If a table cannot be written, or another batch writes those of the folder for longer than 10 s.
    """
    failures: list[Failure] = []
    summaries: list[Row] = []

    def event_rows() -> Iterator[Row]:
        for one in _rows_of_all(folder, outputs, limits=limits, written=written):
            if isinstance(one, Failure):
                failures.append(one)
            else:
                summaries.extend(one.summaries)
                yield from one.events

    paths = tuple(folder / name for name in TABLES)
    known = {
        **session_columns(paths[1]),
        **{path.relative_to(folder).as_posix(): own for path, own in (columns or {}).items() if own},
    }
    names = tuple(dict.fromkeys(name for own in known.values() for name in own))
    extra: tuple[Column[Any], ...] = tuple(
        Column(name, dtype="text", description="From the table of sessions.") for name in names
    )

    def completed(rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            own = known.get(str(row["file"]), {})
            yield {**row, **{name: own.get(name, "") for name in names}}

    # The first pass over the files gives both tables.
    tables = zip(paths, (event_columns(), summary_columns()), (event_rows(), summaries), strict=True)
    # Another batch that ends now lists our outputs, too, as it looks for them after this.
    with hold(paths[0]):
        for path, own, rows in tables:
            with owned_file(path) as temporary, _text_file(temporary) as stream:
                every = completed(rows)
                if parquet and path.name == TABLES[0]:
                    every = with_parquet(every, (*own, *extra), folder)
                write_csv(stream, (*own, *extra), every, units=units, decimal=decimal)
    return (*paths, *([folder / PARQUET] if parquet else ())), tuple(failures)


def session_columns(table: Path) -> dict[str, dict[str, str]]:
    """Return the columns of an earlier table that are not ours, by file; none if there is no such table."""
    ours = {name for one in _UNITS for name in _headings(one)}
    try:
        lines = table.read_text("utf-8").splitlines()
        rows = list(csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ","))
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    return {
        from_csv_cell(row.get("file") or ""): {
            name: from_csv_cell(text) for name, text in row.items() if name and name not in ours and text
        }
        for row in rows
    }


def _headings(units: Units) -> list[str]:
    return [column_name(column, units=units) for column in summary_columns()]


def _rows_of_all(
    folder: Path, outputs: Sequence[Path], *, limits: LimitOptions, written: WrittenTables
) -> Iterator[Rows | Failure]:
    ours = set(outputs)
    # Hidden files are outputs that are being written.
    there = {path for path in folder.rglob("*.nwb") if not path.name.startswith(".") and path.is_file()}
    # Files are named relative to the tables, so that all can be moved together.
    every = sorted(
        (_Output(path, path.relative_to(folder).as_posix()) for path in ours | there),
        key=lambda one: one.file,
    )

    def excess(one: _Output, why: str) -> Failure:
        if why == "crash":
            return _missing(one, "the process that read it was killed or ran out of memory.")
        return _missing(one, limits.excess(one.path, why))

    def limits_of(one: _Output) -> Limits:
        return limits.of(one.path)

    others = run_jobs(
        [one for one in every if one.path not in ours],
        work=_read_other,
        on_crash=excess,
        n_processes=1,  # gives the results in order
        limits=limits_of,
    )
    for one in every:
        if one.path in ours:
            yield rows_of(written.of(one.path) or read_tables(one.path), file=one.file)
        elif isinstance(other := next(others), Failure):
            yield other
        elif other is not None:
            yield rows_of(other, file=one.file)


def _read_other(one: _Output) -> FileTables | Failure | None:
    try:
        if read_fingerprint(one.path) is None:
            return None
        return read_tables(one.path)
    except Exception as error:
        return _missing(one, explain(error))


def _missing(one: _Output, sentence: str) -> Failure:
    failure = Failure.because(one.path, sentence)
    return Failure(path=one.path, reason=f"its MEPPs are missing in the tables: {failure.reason}")


def write_failures(
    folder: Path, failures: Sequence[Failure], *, worded: Callable[[str], str]
) -> tuple[Path, ...]:
    """Write the list of failures, or remove that of an earlier batch.

    Parameters
    ----------
    folder : Path
    failures : sequence of Failure
    worded : callable (reason) -> str

    Returns
    -------
    tuple of Path
        The table, if there is one.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = folder / FAILURES
    if not failures:
        remove_ours(path)
        return ()
    with owned_file(path) as temporary, _text_file(temporary) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "reason"])
        writer.writerows([csv_cell(one.path.as_posix()), csv_cell(worded(one.reason))] for one in failures)
    return (path,)


def _text_file(path: Path) -> IO[str]:
    # A name that is no text is written as it is.
    return path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
