"""The MEPPs of an output folder as a Parquet file, written while they pass on to the CSV table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nwb_mepp._utils.ownership import owned_file
from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.core.safe_text import storable
from nwb_mepp.core.units import ELECTRICAL_UNITS
from nwb_mepp.workflows.batch.tables import Row

__all__ = ["PARQUET", "require_pyarrow", "with_parquet"]

PARQUET = "mepps.parquet"
# So many rows are kept in memory, and make one group of the file.
_GROUP_ROWS = 50_000
_TYPES = {"float64": "float64", "int64": "int64", "bool": "bool_", "text": "string"}


def require_pyarrow() -> Any:
    """Return the library that writes Parquet.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "expected the package pyarrow, which writes Parquet, found none; install it with pip install "
            "'nwb-mepp[parquet]', or leave the tables as CSV."
        ) from error
    return pyarrow


def with_parquet(rows: Iterable[Row], columns: Sequence[Column[Any]], folder: Path) -> Iterator[Row]:
    """Yield rows as they come, and write them to the Parquet file of a folder, which is there at the end.

    Values are in SI units, exact, and NaN where unknown; each column has its description, and its unit if it
    has one, in the metadata of its field. Where the unit depends on the channel, ``amplitude_unit`` says it.

    Parameters
    ----------
    rows : iterable of mapping of str to object
        In SI units.
    columns : sequence of Column
    folder : Path

    Raises
    ------
    OutputError
        If it cannot be written, or a file of someone else bears its name.
    MissingDependencyError
        If pyarrow is not installed.
    """
    arrow = require_pyarrow()
    schema = arrow.schema([_field(arrow, column) for column in columns])
    with (
        owned_file(folder / PARQUET) as temporary,
        arrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        group: list[Row] = []
        for row in rows:
            group.append(row)
            if len(group) == _GROUP_ROWS:
                writer.write_batch(_batch(arrow, group, columns, schema))
                group = []
            yield row
        writer.write_batch(_batch(arrow, group, columns, schema))


def _field(arrow: Any, column: Column[Any]) -> Any:
    unit = column.unit_in(" or ".join(ELECTRICAL_UNITS))
    metadata = {"description": column.description, **({"unit": unit} if unit else {})}
    return arrow.field(column.name, getattr(arrow, _TYPES[column.dtype])(), metadata=metadata)


def _batch(arrow: Any, rows: Sequence[Row], columns: Sequence[Column[Any]], schema: Any) -> Any:
    arrays = []
    for column, field in zip(columns, schema, strict=True):
        values: list[Any] = [row[column.name] for row in rows]
        if column.dtype == "text":
            values = [storable(str(value)) for value in values]
        arrays.append(arrow.array(values, type=field.type))
    return arrow.record_batch(arrays, schema=schema)
