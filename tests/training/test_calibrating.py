"""Calibration of a network on simulated recordings, here of a stand-in without TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.conditioning import WhitenedTrace
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM
from nwb_mepp.training import calibrating
from nwb_mepp.training.calibrating import CALIBRATION_SEEDS_FROM, Scored, best_threshold, calibrate


def output(trace: WhitenedTrace) -> np.ndarray:
    """Say yes where the mean of 9 samples stands out of the noise."""
    white = np.concatenate([trace.read_tile(index) for index in range(trace.n_tiles)])
    smooth = np.convolve(np.clip(white, -5.0, 5.0), np.full(9, 1.0 / 9.0), mode="same")
    return (1.0 / (1.0 + np.exp(-4.0 * (smooth - 1.5)))).astype(np.float32)


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with the seeds of all recordings that are simulated."""
    used: list[int] = []
    simulate = calibrating.simulate_recording

    def spy(scenario: object, *, seed: int) -> object:
        used.append(seed)
        return simulate(scenario, seed=seed)  # type: ignore[arg-type]

    monkeypatch.setattr(calibrating, "simulate_recording", spy)
    return used


def test_calibration_tells_mepps_from_noise_on_seeds_of_its_own(
    monkeypatch: pytest.MonkeyPatch, seeds: list[int]
) -> None:
    monkeypatch.setattr(calibrating, "_LEVELS", (3.0, 10.0))
    monkeypatch.setattr(calibrating, "LEVELS", (10.0,))
    model = calibrate(output, sampling_rate_hz=5000.0, n_recordings=1)
    assert len(model.mepps) == 2
    assert 0.0 < model.null_rate_hz < 50.0
    low, high = model.probability([0.1] * 20 + [0.999] * 20, duration_s=20.0)[[0, -1]]
    assert low < 0.5 < high
    threshold, f1_by_level = best_threshold(output, model, sampling_rate_hz=5000.0, n_recordings=1)
    assert 0.0 < threshold < 1.0
    assert list(f1_by_level) == [10.0]
    assert f1_by_level[10.0] > 0.6
    # Two recordings with MEPPs, two without, one at the level of the reference; all different.
    assert len(set(seeds)) == 5
    assert all(CALIBRATION_SEEDS_FROM <= seed < BENCHMARK_SEEDS_FROM for seed in seeds)


def test_candidates_within_5_ms_of_a_mepp_are_true_each_mepp_once() -> None:
    scored = Scored(
        time_s=np.array([0.101, 0.104, 0.2, 0.306]),
        score=np.array([0.5, 0.9, 0.9, 0.9]),
        truth_s=np.array([0.1, 0.3, 0.5]),
        duration_s=1.0,
    )
    assert scored.is_mepp.tolist() == [True, False, False, False]
