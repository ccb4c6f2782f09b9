"""The tables of ``docs/nwb-layout.md``, made from the definitions that the writer uses.

``python -m nwb_mepp.nwb.layout_tables docs/nwb-layout.md`` brings the page up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from ndx_mepp import NAMESPACE, MEPPQuantity
from pynwb import get_type_map

from nwb_mepp.core.mepps import MEASURES
from nwb_mepp.core.results import SUMMARY_COLUMNS
from nwb_mepp.nwb.header import SOURCE_COLUMNS
from nwb_mepp.nwb.mepp_tables import CURATED_COLUMNS, INTERVAL_COLUMNS

__all__ = ["column_tables", "with_column_tables"]


def column_tables() -> dict[str, str]:
    """Return the columns of the tables that are written, as Markdown, by the name of the table."""
    mepps = [(name, unit, text) for name, (unit, text) in INTERVAL_COLUMNS.items()]
    mepps += [(measure.column, measure.unit, measure.description) for measure in MEASURES]
    summary = [(column.name, column.unit, column.description) for column in SUMMARY_COLUMNS]
    source = [(name, "", text) for name, text in SOURCE_COLUMNS.items()]
    return {
        "mepps": _markdown(mepps),
        "mepps_curated": _markdown((name, "", text) for name, text in CURATED_COLUMNS.items()),
        "mepp_detections": _markdown(summary),
        "source_files": _markdown(source),
        **{name: _typed(name) for name in ("MEPPTable", "MEPPSummary", "MEPPDetector")},
    }


def _markdown(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = ["| column | unit | what it says |", "|---|---|---|"]
    for name, unit, text in rows:
        stated = unit.replace("{u}", "V or A" if unit == "{u}" else "(V or A)")
        lines.append(f"| `{name}` | {stated} | {text} |")
    return "\n".join(lines)


def _typed(type_name: str) -> str:
    """Return what the extension adds to the core type that one of its types extends."""
    spec = get_type_map().namespace_catalog.get_spec(NAMESPACE, type_name)
    lines = ["| name | type | holds | unit | what it says |", "|---|---|---|---|---|"]
    for part in [*spec.datasets, *spec.attributes]:
        if spec.is_inherited_spec(part):
            continue
        kind = getattr(part, "data_type_inc", None)
        has_unit = kind == MEPPQuantity.__name__
        unit = part.get_attribute("unit").doc.removeprefix("Unit: ").removesuffix(".") if has_unit else ""
        shown = f"`{kind}`" if kind else "attribute"
        optional = "" if part.required else ", may be absent"
        meaning = part.doc.partition(" Unit: ")[0]
        lines.append(f"| `{part.name}` | {shown} | {part.dtype}{optional} | {unit} | {meaning} |")
    return "\n".join(lines)


def with_column_tables(page: str) -> str:
    """Return a page with its tables renewed, each between ``<!-- columns: NAME -->`` and ``<!-- end -->``.

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
