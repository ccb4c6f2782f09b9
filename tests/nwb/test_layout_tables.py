from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.nwb.layout_tables import column_tables, with_column_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nwb-layout.md"


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_column_tables(page) == page, "run: python -m nwb_mepp.nwb.layout_tables docs/nwb-layout.md"


def test_the_tables_name_every_column_with_its_unit() -> None:
    tables = column_tables()
    assert "| `amplitude` | float64 | V or A |" in tables["mepps"]
    assert "| `area` | float64 | (V or A) s |" in tables["mepps"]
    assert "| `rate_hz` | float64 | Hz |" in tables["mepp_detections"]
    assert "| `settings` | text, may be absent |  | Every other setting" in tables["MEPPDetector"]
    assert tables["source_files"].count("\n") == 8


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(
        ValueError, match="expected '<!-- columns: mepps -->' and then '<!-- end -->' in the page"
    ):
        with_column_tables("# Page")
