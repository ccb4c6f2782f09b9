"""The summary of every detector and channel as a ``DynamicTable``, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBFile, ProcessingModule

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.results import SUMMARY_COLUMNS, SummaryRow
from nwb_mepp.nwb.mepp_tables import with_unit

__all__ = [
    "CHANNEL_UNIT",
    "ICEPHYS",
    "SUMMARY_PATH",
    "SUMMARY_TABLE",
    "icephys_module",
    "read_summary",
    "summary_table",
]

ICEPHYS = "icephys"
SUMMARY_TABLE = "mepp_detections"
SUMMARY_PATH = f"processing/{ICEPHYS}/{SUMMARY_TABLE}"
# What stands for {u} in the description of a column: rows can differ.
CHANNEL_UNIT = "amplitude_unit"

_TYPES = {field.name: str(field.type) for field in fields(SummaryRow)}
_DTYPES = {"int": np.int64, "float": np.float64}


def icephys_module(file: NWBFile) -> ProcessingModule:
    """Return ``/processing/icephys``, made if absent."""
    if ICEPHYS in file.processing:
        return file.processing[ICEPHYS]
    return file.create_processing_module(name=ICEPHYS, description="Intracellular electrophysiology.")


def summary_table(rows: Sequence[SummaryRow]) -> DynamicTable:
    """Return the summary table; ``rows`` are at least one."""
    columns = []
    for column in SUMMARY_COLUMNS:
        values = [getattr(row, column.name) for row in rows]
        dtype = _DTYPES.get(_TYPES[column.name])
        columns.append(
            VectorData(
                name=column.name,
                description=with_unit(column.description, column.unit, channel_unit=CHANNEL_UNIT),
                data=values if dtype is None else np.array(values, dtype=dtype),
            )
        )
    return DynamicTable(
        name=SUMMARY_TABLE,
        description="What each detector found on each channel, pooled over sweeps; one row each, also where "
        "nothing was found.",
        columns=columns,
        colnames=[column.name for column in SUMMARY_COLUMNS],
    )


def read_summary(file: NWBFile) -> list[SummaryRow]:
    """Return the rows of the summary table, none if the file has no such table.

    Raises
    ------
    ReadError
        If the table lacks one of our columns.
    """
    module = file.processing.get(ICEPHYS)
    table = module.data_interfaces.get(SUMMARY_TABLE) if module is not None else None
    if table is None:
        return []
    missing = [column.name for column in SUMMARY_COLUMNS if column.name not in getattr(table, "colnames", ())]
    if missing:
        raise ReadError(
            f"expected the columns of nwb-mepp in /processing/{ICEPHYS}/{SUMMARY_TABLE}, found none named "
            f"{missing[0]!r}; the table is of another program or version: rename it or write a new file."
        )
    columns = {column.name: table[column.name][:] for column in SUMMARY_COLUMNS}
    return [_row({name: values[number] for name, values in columns.items()}) for number in range(len(table))]


def _row(values: dict[str, object]) -> SummaryRow:
    kinds = {"int": int, "float": float, "str": str}
    return SummaryRow(**{name: kinds[_TYPES[name]](value) for name, value in values.items()})
