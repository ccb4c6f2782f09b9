"""The summary in NWB files: writing and reading a ``DynamicTable``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.nwb.file_interface import NwbContents

if TYPE_CHECKING:
    from hdmf.common import DynamicTable
    from pynwb import NWBFile, ProcessingModule

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
# Replaces {u} in the description of a column, because the rows can differ in unit.
CHANNEL_UNIT = "amplitude_unit"

_KINDS = {"int64": int, "float64": float, "bool": bool, "text": str}


def icephys_module(file: NWBFile) -> ProcessingModule:
    """Return ``/processing/icephys``, creating it if necessary."""
    if ICEPHYS in file.processing:
        return file.processing[ICEPHYS]
    return file.create_processing_module(name=ICEPHYS, description="Intracellular electrophysiology.")


def summary_table(rows: Sequence[SummaryRow]) -> DynamicTable:
    """Return the summary table of at least one row."""
    from hdmf.common import DynamicTable, VectorData

    columns = []
    for column in SummaryRow.columns():
        values = [getattr(row, column.attribute) for row in rows]
        columns.append(
            VectorData(
                name=column.name,
                description=column.describe(CHANNEL_UNIT),
                data=values if column.dtype == "text" else np.array(values, dtype=column.dtype),
            )
        )
    return DynamicTable(
        name=SUMMARY_TABLE,
        description="What each detector found on each channel, pooled over sweeps; one row each, also where "
        "nothing was found.",
        columns=columns,
        colnames=[column.name for column in columns],
    )


def read_summary(file: NwbContents) -> list[SummaryRow]:
    """Return the rows of the summary table, or none if the file has no such table.

    An optional column that the table lacks is filled as absent.

    Raises
    ------
    ReadError
        If the table lacks a column that is not optional.
    """
    module = file.processing.get(ICEPHYS)
    table = module.data_interfaces.get(SUMMARY_TABLE) if module is not None else None
    if table is None:
        return []
    there = getattr(table, "colnames", ())
    missing = [one.name for one in SummaryRow.columns() if not one.optional and one.name not in there]
    if missing:
        raise ReadError(
            f"expected the columns of nwb-mepp in /{SUMMARY_PATH}, found none named {missing[0]!r}; another "
            "program or version wrote the table: rename it or write a new file."
        )
    values = {
        column.attribute: [_KINDS[column.dtype](value) for value in table[column.name][:]]
        for column in SummaryRow.columns()
        if column.name in there
    }
    return [
        SummaryRow(**{name: cells[number] for name, cells in values.items()}) for number in range(len(table))
    ]
