"""The tables of ``docs/nwb-layout.md``, generated from the schema.

``python -m nwb_mepp.nwb.layout_tables docs/nwb-layout.md`` brings the page up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from nwb_mepp.core.columns import FIRST_VERSION, Column
from nwb_mepp.core.schema import (
    DETECTOR_COLUMNS,
    DETECTOR_OPTIONAL,
    SAMPLES,
    CurationColumns,
    EventColumns,
    LinkedSamples,
    SummaryColumns,
)
from nwb_mepp.nwb.header import SOURCE_COLUMNS
from nwb_mepp.nwb.stimuli import COMMAND_COLUMNS

__all__ = ["column_tables", "with_column_tables"]


def column_tables() -> dict[str, str]:
    """Return the columns of the tables that are written, as Markdown, by the name of the table."""
    source = [Column[Any](name, "", text, dtype="text") for name, text in SOURCE_COLUMNS.items()]
    events = EventColumns
    return {
        "mepps": _markdown([events.start_s, events.stop_s, SAMPLES, *events.measures()]),
        "linked samples": _markdown(LinkedSamples.columns()),
        "mepps_curated": _markdown(CurationColumns.columns()),
        "mepp_detections": _markdown(SummaryColumns.columns()),
        "MEPPDetector": _markdown(DETECTOR_COLUMNS, optional=DETECTOR_OPTIONAL),
        "source_files": _markdown(source),
        "protocol_epochs": _markdown(COMMAND_COLUMNS),
    }


def _markdown(columns: Iterable[Column[Any]], *, optional: Collection[str] = ()) -> str:
    lines = ["| column | holds | unit | what it says |", "|---|---|---|---|"]
    for column in columns:
        holds = "references" if column is SAMPLES else str(column.dtype)
        absent = ", may be absent" if column.name in optional else ""
        says = column.description
        if column.since != FIRST_VERSION:
            says += f" Not in files written before ndx-mepp {column.since}."
        lines.append(f"| `{column.name}` | {holds}{absent} | {column.unit_in('V or A')} | {says} |")
    return "\n".join(lines)


def with_column_tables(page: str) -> str:
    """Return a page with updated tables, each between ``<!-- columns: NAME -->`` and ``<!-- end -->``.

    Raises
    ------
    ValueError
        If the page lacks the markers of a table.
    """
    for name, table in column_tables().items():
        start, stop = f"<!-- columns: {name} -->", "<!-- end -->"
        before, found, rest = page.partition(start)
        _, closed, after = rest.partition(stop)
        if not (found and closed):
            raise ValueError(f"expected {start!r} and then {stop!r} in the page, found one missing.")
        page = f"{before}{start}\n{table}\n{stop}{after}"
    return page


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.write_text(with_column_tables(place.read_text(encoding="utf-8")), encoding="utf-8")
