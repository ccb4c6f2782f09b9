from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nwb_mepp.ml.benchmark import BenchmarkPlan, curves, level_condition
from nwb_mepp.ml.benchmark.conditions import INVERTED, PLAIN, SILENCE
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM, LEVELS, reference_scenario


def test_the_reference_recording_is_the_one_that_is_defined() -> None:
    scenarios = [level_condition(6.0).scenario(number) for number in range(12)]
    assert [scenario.rate_hz for scenario in scenarios] == [0.5, 1.0, 3.0] * 4
    assert [scenario.bursts_per_s > 0 for scenario in scenarios] == [False, False, False, True] * 3
    assert all(scenario.noise_sd == pytest.approx(0.5e-3 / 6.0) for scenario in scenarios)
    assert all(2 <= sum(scenario.artifacts.values()) <= 7 for scenario in scenarios)
    assert scenarios[0].hum_amplitudes == (0.03e-3, 0.015e-3, 0.01e-3)
    assert LEVELS == (2.0, 3.0, 4.0, 6.0, 10.0)
    assert BENCHMARK_SEEDS_FROM == 1_000_000_000


def test_recordings_called_silent_hold_no_mepps_whatever_else_they_hold() -> None:
    quiet, disturbed, coarse = (condition.scenario(3) for condition in SILENCE)
    assert [scenario.rate_hz + scenario.bursts_per_s for scenario in (quiet, disturbed, coarse)] == [0.0] * 3
    assert (quiet.artifacts, quiet.hum_amplitudes, quiet.drift_per_sqrt_s) == ({}, (), 0.0)
    assert disturbed.artifacts == reference_scenario(level=6.0, index=3).artifacts
    assert coarse.step == coarse.noise_sd


def test_curves_reach_from_one_end_of_what_occurs_to_the_other() -> None:
    ends = {curve.name: (curve.points[0][0], curve.points[-1][0]) for curve in curves()}
    assert ends == {
        "rate": (0.2, 20.0),
        "decay": (1.2, 8.0),
        "hum": (0.0, 30.0),
        "drift": (0.0, 10.0),
        "step": (0.0, 1.5),
        "sampling": (2.5, 50.0),
        "gain": (0.001, 1000.0),
    }
    plain = reference_scenario(level=6.0, index=0)
    points = {curve.name: dict(curve.points) for curve in curves()}
    assert points["hum"][10.0].scenario(0).hum_amplitudes == pytest.approx((0.3e-3, 0.15e-3, 0.1e-3))
    assert points["drift"][2.0].scenario(0).drift_per_sqrt_s == 2.0 * plain.drift_per_sqrt_s
    assert points["step"][1.5].scenario(0).step == pytest.approx(0.125e-3)
    assert points["sampling"][2.5].stored_at_hz == 2500.0
    # Rises keep their share of the decay between 0.4 and 1.5 ms.
    assert points["decay"][8.0].scenario(0).rise_s == 1.5e-3
    assert points["decay"][1.2].scenario(0).rise_s == 0.4e-3


def test_what_is_not_changed_is_recorded_once_for_all_curves() -> None:
    shared = [curve.name for curve in curves() if any(one is PLAIN for _, one in curve.points)]
    assert shared == ["decay", "hum", "drift", "step", "gain"]
    assert PLAIN.scenario(0) == reference_scenario(level=6.0, index=0)
    plan = BenchmarkPlan(detectors=("miniunet",), levels=(3.0,), n_recordings=5, n_silent=4, n_varied=2)
    names = [condition.name for condition in plan.conditions()]
    assert len(names) == len(set(names))
    counts = {condition.name: number for condition, number in plan.conditions().items()}
    assert (counts["level-3"], counts["silence-noise"], counts["plain"], counts["rate-20"]) == (5, 4, 2, 2)


def test_no_two_parts_share_their_noise_and_training_refuses_all_seeds() -> None:
    first = [level_condition(6.0).seeds_from, SILENCE[0].seeds_from, PLAIN.seeds_from]
    assert min(np.diff(first)) >= 1_000_000
    assert min(first) == BENCHMARK_SEEDS_FROM


def test_a_gain_scales_samples_and_truth_alike() -> None:
    upright, inverted = PLAIN.simulate(0), INVERTED.simulate(0)
    np.testing.assert_array_equal(inverted.values, -upright.values)
    np.testing.assert_array_equal(inverted.truth.amplitude, -upright.truth.amplitude)
    assert INVERTED.polarity == "negative"


def test_another_sampling_rate_stores_the_same_recording() -> None:
    points = {curve.name: dict(curve.points) for curve in curves()}["sampling"]
    short = [
        replace(points[rate_khz], changes={**points[rate_khz].changes, "duration_s": 3.0})
        for rate_khz in (50.0, 20.0, 10.0)
    ]
    fast, middle, slow = (condition.simulate(0) for condition in short)
    assert [one.scenario.sampling_rate_hz for one in (fast, middle, slow)] == [50e3, 20e3, 10e3]
    assert [len(one.values) for one in (fast, middle, slow)] == [150_000, 60_000, 30_000]
    np.testing.assert_array_equal(slow.truth.peak_s, fast.truth.peak_s)
    # What is lost lies above 4.5 to 5 kHz: of the power of the white noise behind its 3 kHz low-pass (56 %
    # of all) 5.4 %, of the 1/f noise (44 %) ln(25 / 4.5) / ln(25 / 0.0005) = 16 %; together 10 %, or 0.32 in
    # amplitude.
    noise_sd = fast.scenario.noise_sd
    for values in (middle.values[::2], slow.values):
        assert np.std((values - fast.values[::5])[200:-200]) < 0.33 * noise_sd
