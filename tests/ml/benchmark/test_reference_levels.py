from __future__ import annotations

import pytest

from builders.benchmark import bounds_of, scores_of
from nwb_mepp.detectors import MatchedFilter
from nwb_mepp.ml.benchmark import (
    LevelScores,
    level_table,
    reference_table,
    run_reference,
)
from nwb_mepp.ml.benchmark.bounds import THRESHOLDS


class Mine(MatchedFilter):
    name = "mine"


def test_one_recording_of_one_level_is_scored_for_a_detector_of_ones_own() -> None:
    told: list[int] = []
    scores = run_reference(level=10.0, detectors=(Mine(),), n_recordings=1, on_recording=told.append)
    assert told == [1]
    n_true = scores.counts("mine")[0, :2].sum()
    assert n_true == scores.oracle_counts[0, :2].sum() == scores.ceiling_counts[0, :2].sum() > 10
    assert 2.5 <= scores.oracle_threshold <= 6.5
    # At ten noise SD there is nothing that the ceiling misses, and it takes no noise for a MEPP.
    assert scores.ceiling_counts.tolist() == [[n_true, 0, 0]]
    table = level_table([scores]).splitlines()
    assert [line.split("|")[2].strip().split(" ")[0] for line in table[2:]] == [
        "mine",
        "*oracle*",
        "*ceiling*",
    ]


def test_the_threshold_of_oracle_and_ceiling_is_the_best_of_the_level() -> None:
    scores = LevelScores(
        level=6.0,
        by_detector={"some": [scores_of(2, 0, 0)] * 2},
        bounds=[bounds_of((1, 1, 1), (2, 0, 0)), bounds_of((2, 0, 3), (2, 0, 1))],
    )
    assert scores.oracle_threshold == scores.ceiling_threshold == THRESHOLDS[2]
    assert scores.oracle_counts.tolist() == [[1, 1, 1], [2, 0, 3]]
    assert scores.ceiling_counts.tolist() == [[2, 0, 0], [2, 0, 1]]
    assert scores.ceiling_ious.tolist() == [[0.9, 0.9]] * 2


def test_a_table_of_chosen_levels_needs_a_single_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from nwb_mepp.ml.benchmark import tables

    asked = []

    def record(*, level: float, detectors: tuple[str, ...], n_recordings: int) -> LevelScores:
        asked.append((level, detectors, n_recordings))
        return LevelScores(level=level, by_detector={}, bounds=[])

    monkeypatch.setattr(tables, "run_reference", record)
    monkeypatch.setattr(tables, "level_table", lambda levels: f"{len(levels)} levels")
    assert reference_table(("threshold",), levels=(3.0, 6.0), n_recordings=2) == "2 levels"
    assert asked == [(3.0, ("threshold",), 2), (6.0, ("threshold",), 2)]
