from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nwb_mepp.ml.benchmark import (
    BenchmarkPlan,
    BenchmarkResults,
    Bounds,
    Condition,
    Outcome,
    RecordingScores,
)
from nwb_mepp.ml.benchmark.bounds import THRESHOLDS

# No part of the benchmark records with these, and training does not come so far.
SPARE_SEEDS_FROM = 900_000_000


@pytest.fixture
def short() -> Condition:
    """Recordings of 4 s with some fifteen large MEPPs."""
    changes = {"duration_s": 4.0, "rate_hz": 4.0}
    return Condition(
        name="short", words="short ones", level=10.0, changes=changes, seeds_from=SPARE_SEEDS_FROM
    )


@pytest.fixture
def scores_of() -> Callable[..., RecordingScores]:
    def make(matched: int, missed: int, false: int, iou: float = 0.5) -> RecordingScores:
        return RecordingScores(
            counts=np.array([matched, missed, false]),
            iou=iou,
            iou_patches=iou,
            peak_error_s=np.zeros(matched),
            onset_error_s=np.zeros(matched),
            amplitude_error=np.zeros(matched),
            decay_error=np.full(matched, np.nan),
        )

    return make


@pytest.fixture
def bounds_of() -> Callable[..., Bounds]:
    def make(oracle: tuple[int, int, int], ceiling: tuple[int, int, int]) -> Bounds:
        """Bounds whose best threshold is the third: at every other one nothing is found."""
        rows = np.zeros((2, len(THRESHOLDS), 3), dtype=np.int64)
        rows[:, :, 1] = sum(oracle[:2])
        rows[:, 2] = oracle, ceiling
        ious = np.zeros(len(THRESHOLDS))
        ious[2] = 0.9
        return Bounds(
            oracle=rows[0],
            ceiling=rows[1],
            ceiling_iou=ious,
            ceiling_iou_patches=ious,
            border_iou=0.95,
            border_iou_patches=0.96,
            measured_iou=0.85,
            measured_iou_patches=0.86,
        )

    return make


@pytest.fixture
def results(scores_of: Callable[..., RecordingScores], bounds_of: Callable[..., Bounds]) -> BenchmarkResults:
    """Results that nobody measured: two recordings of everything."""
    detectors = ("miniunet", "threshold")
    plan = BenchmarkPlan(detectors=detectors, levels=(6.0, 10.0), n_recordings=2, n_silent=2, n_varied=2)
    scores = {"miniunet": scores_of(9, 1, 1, 0.92), "threshold": scores_of(5, 5, 5)}
    silent = {name: scores_of(0, 0, 1) for name in detectors}
    outcomes = {
        condition.name: [
            Outcome(
                scores=silent if condition.name.startswith("silence") else scores,
                bounds=bounds_of((8, 2, 2), (10, 0, 0)) if condition.bounded else None,
            )
        ]
        * 2
        for condition in plan.conditions()
    }
    return BenchmarkResults(plan=plan, outcomes=outcomes)
