"""Whoever follows ``docs/how-to/add-a-column.md`` has a column."""

from __future__ import annotations

import re
from pathlib import Path

from builders.how_to import HOW_TO, PROJECT, followed, run_in

PAGE = (HOW_TO / "add-a-column.md").read_text("utf-8")


def test_the_page_leads_to_a_column_that_passes_its_test_and_is_documented(tmp_path: Path) -> None:
    changed = followed("add-a-column.md", tmp_path, needs="nwb-layout.md")
    assert changed == ["nwb_mepp/core/schema.py", "nwb_mepp/measurement/event_table.py"]
    run_in(tmp_path, "-m", "pytest", "-q", "tests/measurement/test_rise_slope.py")
    (command,) = re.findall(r"^python (-m nwb_mepp\S+ \S+)$", PAGE, re.MULTILINE)
    run_in(tmp_path, *command.split())
    row = "| `rise_slope` | float64 | (V or A)/s | Mean slope from 10 % to 90 % of the amplitude, signed."
    assert row in (tmp_path / "docs" / "nwb-layout.md").read_text("utf-8")
    assert row not in (PROJECT / "docs" / "nwb-layout.md").read_text("utf-8")
