from __future__ import annotations

from functools import partial

import pytest

from builders.benchmark import bounds_of, scores_of
from nwb_mepp.ml.benchmark import LevelScores, level_table
from nwb_mepp.ml.benchmark.tables import (
    by_level_table,
    curve_table,
    difference_cell,
    f1_cell,
    gap_cell,
    gap_closed,
    overlap_table,
)


@pytest.fixture
def scores() -> LevelScores:
    """F1: oracle 0.5, ceiling 1, a good detector 0.75, a poor one 0.5, one that finds nothing."""
    return LevelScores(
        level=6.0,
        by_detector={
            "good": [scores_of(3, 1, 1)] * 2,
            "poor": [scores_of(2, 2, 2)] * 2,
            "blind": [scores_of(0, 4, 0)] * 2,
        },
        bounds=[bounds_of((2, 2, 2), (4, 0, 0))] * 2,
    )


def cells(table: str) -> dict[str, list[str]]:
    """Return the cells of each row after the one that names it."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    return {row[1] if row[0] == "6" else row[0]: row for row in rows}


def test_a_row_gives_f1_and_its_difference_to_the_oracle(scores: LevelScores) -> None:
    rows = cells(level_table([scores]))
    assert rows["good"][2:6] == ["0.750 (0.750 to 0.750)", "0.750", "0.750", "+0.250 (+0.250 to +0.250)"]
    assert rows["poor"][2:6] == ["0.500 (0.500 to 0.500)", "0.500", "0.500", "+0.000 (+0.000 to +0.000)"]
    assert rows["good"][6:] == ["0.500", "0.500", "+0.00 (0.00)", "+0.00 (0.00)", "+0.0 % (0.0)", "-"]
    assert rows["blind"][3:5] == ["nan", "0.000"]
    assert rows["*oracle* (3 SD)"][2:6] == ["0.500 (0.500 to 0.500)", "0.500", "0.500", ""]
    assert rows["*ceiling* (3 SD)"][5:8] == ["+0.500 (+0.500 to +0.500)", "0.900", "0.900"]


def test_the_gap_reaches_from_the_oracle_to_the_ceiling(scores: LevelScores) -> None:
    assert gap_closed(scores, "good").value == 0.5
    assert gap_closed(scores, "poor").value == 0.0
    assert gap_closed(scores, "blind").value == -1.0
    assert cells(by_level_table([scores], gap_cell))["good"][1] == "0.50 (0.50 to 0.50)"


def test_detectors_are_compared_with_one_of_them_on_the_same_recordings(scores: LevelScores) -> None:
    table = by_level_table([scores], partial(difference_cell, other="good"), without="good")
    assert cells(table) == {
        "poor": ["poor", "-0.250 (-0.250 to -0.250)"],
        "blind": ["blind", "-0.750 (-0.750 to -0.750)"],
    }
    assert by_level_table([scores], f1_cell).splitlines()[0] == "| detector | level 6 |"


def test_what_is_known_of_borders_is_given_whole_and_in_patches(scores: LevelScores) -> None:
    measured, best = overlap_table([scores]).splitlines()[2:]
    assert measured.endswith("| 0.850 / 0.860 |")
    assert best.endswith("| 0.950 / 0.960 |")


def test_a_curve_has_a_column_for_each_value() -> None:
    table = curve_table("gain", [("0.001", {"some": 0.9}), ("1000", {"some": 0.95})])
    assert table.splitlines()[0] == "| gain | 0.001 | 1000 |"
    assert table.splitlines()[2] == "| some | 0.900 | 0.950 |"
