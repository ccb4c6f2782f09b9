from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import DetectionError
from nwb_mepp.detectors import get_detector
from nwb_mepp.ml.benchmark import Condition, recordings, run_conditions
from nwb_mepp.ml.benchmark.result_cache import ResultCache


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """What is worked out, recording by recording, while a test runs."""
    told = []
    work = recordings._do

    def do(task: recordings._Task) -> tuple[str, recordings.Outcome]:
        told.append((task.key, tuple(map(str, task.detectors))))
        return work(task)

    monkeypatch.setattr(recordings, "_do", do)
    return told


def test_the_number_of_processes_makes_no_difference(short: Condition) -> None:
    names = ("miniunet", "threshold")
    alone, together = (
        run_conditions({short: 2}, detectors=names, n_jobs=n_jobs)["short"] for n_jobs in (1, 2)
    )
    assert [list(one.scores) for one in (*alone, *together)] == [list(names)] * 4
    for one, other in zip(alone, together, strict=True):
        for name in names:
            assert one.scores[name].to_json() == other.scores[name].to_json()
    assert alone[0].scores["miniunet"].counts[:2].sum() == len(short.simulate(0).truth)


def test_an_interrupted_run_goes_on_where_it_was(
    short: Condition, tmp_path: Path, done: list[tuple[str, tuple[str, ...]]]
) -> None:
    def run(n_recordings: int, *names: str) -> list[recordings.Outcome]:
        cache = ResultCache(tmp_path / "kept", detectors=names)
        return run_conditions({short: n_recordings}, detectors=names, cache=cache)["short"]

    (first,) = run(1, "threshold")
    told: list[None] = []
    cache = ResultCache(tmp_path / "kept", detectors=("threshold",))
    again, _ = run_conditions(
        {short: 2}, detectors=("threshold",), cache=cache, on_done=lambda: told.append(None)
    )["short"]
    assert len(told) == 2
    assert again.scores["threshold"].to_json() == first.scores["threshold"].to_json()
    both = run(2, "template", "threshold")
    assert done == [
        ("short-000", ("threshold",)),
        ("short-001", ("threshold",)),
        ("short-000", ("template",)),
        ("short-001", ("template",)),
    ]
    assert [list(one.scores) for one in both] == [["template", "threshold"]] * 2


def test_bounds_are_computed_where_they_are_asked_for(short: Condition) -> None:
    import dataclasses

    bounded = dataclasses.replace(short, bounded=True)
    (with_bounds,) = run_conditions({bounded: 1}, detectors=("threshold",))["short"]
    (without,) = run_conditions({short: 1}, detectors=("threshold",))["short"]
    assert without.bounds is None
    assert with_bounds.bounds is not None
    np.testing.assert_array_equal(
        with_bounds.bounds.oracle[:, :2].sum(axis=1), with_bounds.scores["threshold"].counts[:2].sum()
    )


def test_a_detector_without_a_registered_name_stays_in_this_process(short: Condition) -> None:
    with pytest.raises(ValueError, match="expected names of detectors for several processes"):
        run_conditions({short: 1}, detectors=(get_detector("threshold"),), n_jobs=2)


def test_a_process_that_dies_silently_is_reported(short: Condition) -> None:
    task = recordings._Task(condition=short, number=3, detectors=("threshold",), bounded=False)
    with pytest.raises(DetectionError, match=r"recording 3 of 'short ones' died .*`n_processes`"):
        recordings._crashed(task, "it was killed")
