"""The recordings of the calibration: seeds of their own, made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import DetectionError
from nwb_mepp.ml.training import calibration_set
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM, CalibrationSet, drawn_scenario
from nwb_mepp.ml.training.recorded_noise import RecordedNoise
from nwb_mepp.ml.training.settings import VALIDATION_SEEDS_FROM
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM, LEVELS, reference_scenario


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with the seeds of all recordings that are simulated."""
    seeds: list[int] = []
    simulate = calibration_set.simulate_recording

    def spy(scenario: object, *, seed: int) -> object:
        seeds.append(seed)
        return simulate(scenario, seed=seed)  # type: ignore[arg-type]

    monkeypatch.setattr(calibration_set, "simulate_recording", spy)
    return seeds


def test_recordings_are_made_once_from_seeds_of_their_own(tmp_path: Path, used: list[int]) -> None:
    first = list(CalibrationSet(tmp_path).drawn(2))
    assert all(VALIDATION_SEEDS_FROM + 10**6 < seed < BENCHMARK_SEEDS_FROM for seed in used)
    again = list(CalibrationSet(tmp_path).drawn(2))
    assert used == [CALIBRATION_SEEDS_FROM, CALIBRATION_SEEDS_FROM + 1]
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.trace, same.trace)
        np.testing.assert_array_equal(one.truth_s, same.truth_s)
        assert one.duration_s == pytest.approx(len(one.trace) / 5000.0)
        assert 10.0 <= one.duration_s <= 60.0
        # Whitened noise has SD 1; MEPPs only add to it.
        assert 0.5 < np.median(np.abs(one.trace)) / 0.6745 < 3.0


def test_recordings_made_at_once_are_those_made_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_set, "LEVELS", (6.0,))
    one_by_one = list(CalibrationSet(tmp_path / "a").drawn(2))
    together = CalibrationSet(tmp_path / "b")
    assert list(together.add(n_drawn=2, n_reference=1, n_jobs=2)) == [1, 2, 3]
    for one, same in zip(one_by_one, together.drawn(2), strict=True):
        np.testing.assert_array_equal(one.trace, same.trace)
    # What is there is not made again.
    assert list(together.add(n_drawn=3, n_reference=1)) == [4]
    with pytest.raises(DetectionError, match=r"simulated recording 500000007 died .*`n_jobs`"):
        calibration_set._crashed(together._drawn(7), "crash")


def test_reference_recordings_are_there_for_each_level(tmp_path: Path, used: list[int]) -> None:
    levels = CalibrationSet(tmp_path).reference(1)
    assert tuple(levels) == LEVELS
    (one,) = levels[LEVELS[0]]
    assert len(used) == 1
    assert CALIBRATION_SEEDS_FROM + 10**6 < used[0] < BENCHMARK_SEEDS_FROM
    assert one.duration_s == reference_scenario(level=2.0, index=0).duration_s


def test_reference_recordings_are_those_of_their_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_set, "LEVELS", (2.0, 10.0))
    levels = CalibrationSet(tmp_path).reference(1)
    # They are made only after all were asked for. Noise and times are the same at each level.
    (low,), (high,) = levels[2.0], levels[10.0]
    np.testing.assert_array_equal(low.truth_s, high.truth_s)
    assert high.trace.max() > 1.2 * low.trace.max()


def test_three_in_ten_have_real_noise_and_only_these_are_made_anew_for_another(
    tmp_path: Path, used: list[int]
) -> None:
    values = np.random.default_rng(5).standard_normal(50_000).astype(np.float32)
    one = RecordedNoise(
        path=Path("a.abf"), sha256="a", mark="a" * 64, sampling_rate_hz=5000.0, stretches=(values,)
    )
    recordings = CalibrationSet(tmp_path, noise=[one])
    in_noise = [number for number in range(1000) if recordings.in_recorded_noise(number)]
    assert 250 < len(in_noise) < 350
    assert not any(CalibrationSet(tmp_path).in_recorded_noise(number) for number in in_noise)
    number = in_noise[0] + 1
    taken = list(recordings.drawn(number))
    assert len(used) == number - 1
    assert 0.75 * 10.0 <= taken[-1].duration_s <= 10.0 / 0.75  # as long as the noise is, at its pace
    there = set(tmp_path.iterdir())
    other = CalibrationSet(tmp_path, noise=[replace(one, mark="b" * 64)])
    list(other.drawn(number))
    new = {path.name.split("-")[0] for path in set(tmp_path.iterdir()) - there}
    assert len(set(tmp_path.glob("drawn*")) - there) == 1
    assert new == {"drawn", "noise"}
    assert len(used) == number - 1
    # Those in simulated noise are what they are without any real noise.
    list(CalibrationSet(tmp_path).drawn(number))
    assert len(used) == number


def test_a_quarter_of_the_drawn_recordings_hold_no_mepp_half_of_them_artifacts() -> None:
    scenarios = [drawn_scenario(CALIBRATION_SEEDS_FROM + number) for number in range(400)]
    silent = [one for one in scenarios if one.rate_hz == 0.0 and one.bursts_per_s == 0.0]
    # A quarter, and 12 % of the 54 % that are as drawn: 31 %.
    assert len(silent) / 400 == pytest.approx(0.31, abs=0.06)
    with_artifacts = [one for one in silent if any(one.artifacts.values())]
    assert 0.3 < len(with_artifacts) / len(silent) < 0.75
    # Recordings of the training have 0.2 to 20 MEPPs per second. 15 % have 0.02 to 0.4, whose logarithms are
    # drawn evenly, so that three in four of these have less than 0.2; 6 % have 20 to 100.
    fewer = [one for one in scenarios if 0.0 < one.rate_hz < 0.2]
    more = [one for one in scenarios if one.rate_hz > 20.0]
    assert len(fewer) / 400 == pytest.approx(0.15 * np.log(10.0) / np.log(20.0), abs=0.04)
    assert len(more) / 400 == pytest.approx(0.06, abs=0.03)
    assert min(one.rate_hz for one in fewer) >= 0.02
    assert max(one.rate_hz for one in more) <= 100.0
    assert not any(one.bursts_per_s for one in (*fewer, *more))
    durations_s = [one.duration_s for one in scenarios]
    assert 10.0 <= min(durations_s) < 12.0
    assert 50.0 < max(durations_s) <= 60.0
