"""Decisions made before meet a new detection by their times."""

from __future__ import annotations

import pytest

from builders.reviews import row_at
from nwb_mepp.curation.beginnings import checksum, with_decisions


def status(rows: list[dict[str, object]]) -> list[tuple[float, object]]:
    return [(round(float(str(row["peak_s"])), 4), row["status"]) for row in rows]


def test_decisions_are_carried_to_what_is_found_at_the_same_time() -> None:
    found = [row_at(0.1, amplitude=2e-3), row_at(0.2), row_at(0.301), row_at(0.5)]
    decided = [
        row_at(0.1, status="accepted", note="large", reviewer="anna"),
        row_at(0.2, status="rejected"),
        row_at(0.3, status="moved", touched="moved", amplitude=3e-3),
        row_at(0.35, status="accepted"),
        row_at(0.4, status="added", touched="added", source="hand"),
        row_at(0.45),
    ]
    rows = with_decisions(found, decided)
    assert status(rows) == [
        (0.1, "accepted"),
        (0.2, "rejected"),
        (0.3, "moved"),
        (0.35, "accepted"),
        (0.4, "added"),
        (0.5, "unreviewed"),
    ]
    assert (rows[0]["amplitude"], rows[0]["note"], rows[0]["reviewer"]) == (2e-3, "large", "anna")
    assert rows[2]["amplitude"] == 3e-3  # as the person left it


def test_what_was_merged_does_not_come_back() -> None:
    merged = row_at(0.2, status="added", touched="added", stop_index=2200)
    assert status(with_decisions([row_at(0.2), row_at(0.215)], [merged])) == [(0.2, "added")]
    other_sweep = [row_at(0.2), row_at(0.215, sweep=1)]
    assert status(with_decisions(other_sweep, [merged])) == [(0.2, "added"), (0.215, "unreviewed")]


@pytest.mark.parametrize("change", [{"amplitude": 2e-3}, {"note": "x"}, {"status": "accepted"}])
def test_any_change_of_a_table_is_noticed(change: dict[str, object]) -> None:
    rows = [row_at(0.1), row_at(0.2)]
    assert checksum(rows, []) == checksum([row_at(0.1), row_at(0.2)], [])
    assert checksum([rows[0], {**rows[1], **change}], []) != checksum(rows, [])
    assert checksum(rows, [(0.1, 0.2)]) != checksum(rows, [])
