from __future__ import annotations

import pytest

from builders.benchmark import bounds_of, scores_of
from nwb_mepp.ml.benchmark import (
    BenchmarkPlan,
    BenchmarkResults,
    Condition,
    Outcome,
)

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
def results() -> BenchmarkResults:
    """Results that nobody measured: two recordings of everything."""
    detectors = ("miniunet", "threshold")
    plan = BenchmarkPlan(
        detectors=detectors, levels=(6.0, 10.0), n_recordings=2, n_silent=2, n_varied=2, n_filtered=2
    )
    scores = {"miniunet": scores_of(9, 1, 1, 0.92), "threshold": scores_of(5, 5, 5)}
    silent = {name: scores_of(0, 0, 1) for name in detectors}
    outcomes = {
        condition.name: [
            Outcome(
                scores=silent if "silence" in condition.name else scores,
                bounds=bounds_of((8, 2, 2), (10, 0, 0)) if condition.bounded else None,
            )
        ]
        * 2
        for condition in plan.conditions()
    }
    return BenchmarkResults(plan=plan, outcomes=outcomes)
