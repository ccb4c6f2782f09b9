"""The distribution that networks are trained on: what it covers, and what is kept from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.simulation import (
    ARTIFACTS,
    BENCHMARK_SEEDS_FROM,
    LEVELS,
    draw_scenario,
    reference_scenario,
    simulate_recording,
)

N_DRAWN = 400


@pytest.mark.parametrize("seed", [BENCHMARK_SEEDS_FROM, BENCHMARK_SEEDS_FROM + 10**6])
def test_seeds_of_the_benchmark_are_refused(seed: int) -> None:
    with pytest.raises(
        ValueError, match=rf"below 1000000000, found {seed}; seeds from there on are reserved"
    ):
        draw_scenario(seed)


@settings(max_examples=100)
@given(seed=st.integers(0, BENCHMARK_SEEDS_FROM - 1))
def test_every_scenario_lies_within_physiology(seed: int) -> None:
    scenario = draw_scenario(seed)
    assert scenario == draw_scenario(seed)
    assert 0.2e-3 <= scenario.amplitude_mean <= 1.2e-3
    assert 1.5 <= scenario.amplitude_mean / scenario.noise_sd <= 16.0 + 1e-9
    assert 0.0 <= scenario.rate_hz <= 20.0
    assert 1.2e-3 <= scenario.decay_s <= 8e-3
    assert 0.0 < scenario.rise_s <= 0.45 * scenario.decay_s
    assert scenario.sampling_rate_hz in {5e3, 1e4, 2e4}
    assert 0.0 <= scenario.step <= 1.5 * scenario.noise_sd + 1e-12
    assert set(scenario.artifacts) <= set(ARTIFACTS)
    assert 0.0 <= scenario.noise_swing <= 0.5
    assert 0.1 <= scenario.drift_per_sqrt_s / scenario.noise_sd <= 40.0 + 1e-9
    assert np.hypot(scenario.white_part, scenario.pink_part) == pytest.approx(1.0)
    assert len(scenario.hum_amplitudes) <= 8
    assert min(abs(scenario.hum_hz - mains_hz) for mains_hz in (50.0, 60.0)) <= 0.1


def test_all_that_is_to_be_seen_is_drawn() -> None:
    drawn = [draw_scenario(seed) for seed in range(N_DRAWN)]

    def share(condition: list[bool]) -> float:
        return sum(condition) / N_DRAWN

    assert share([scenario.rate_hz == 0.0 for scenario in drawn]) == pytest.approx(0.12, abs=0.06)
    assert share([scenario.bursts_per_s > 0.0 for scenario in drawn]) == pytest.approx(0.22, abs=0.07)
    assert share([scenario.step > 0.0 for scenario in drawn]) == pytest.approx(0.3, abs=0.08)
    assert share([scenario.noise_swing > 0.0 for scenario in drawn]) == pytest.approx(0.3, abs=0.08)
    assert share([any(scenario.hum_amplitudes) for scenario in drawn]) == pytest.approx(0.6, abs=0.08)
    assert share([any(scenario.artifacts.values()) for scenario in drawn]) > 0.5
    assert {scenario.sampling_rate_hz for scenario in drawn} == {5e3, 1e4, 2e4}
    assert {scenario.amplitude_law for scenario in drawn} == {"lognormal", "normal"}
    kinds = {kind for scenario in drawn for kind, count in scenario.artifacts.items() if count}
    assert kinds == set(ARTIFACTS)
    assert share([scenario.noise_growth > 1.0 for scenario in drawn]) == pytest.approx(0.08, abs=0.045)
    assert share([scenario.noise_pulses_per_s > 0.0 for scenario in drawn]) == pytest.approx(0.05, abs=0.035)
    assert share([scenario.telegraph_step > 0.0 for scenario in drawn]) == pytest.approx(0.08, abs=0.045)


def test_recordings_are_filtered_and_converted_as_labs_do() -> None:
    chains = [scenario.chain for scenario in map(draw_scenario, range(1000)) if scenario.chain is not None]
    filters = [one for chain in chains for one in chain.filters]
    lowpasses = [one for one in filters if one.lowpass_hz is not None]
    assert len(lowpasses) == pytest.approx(450, abs=50)
    cutoffs_hz = np.array([one.cutoff_hz for one in lowpasses])
    assert 150.0 <= cutoffs_hz.min() < 200.0
    assert 5000.0 < cutoffs_hz.max() <= 10_000.0
    assert np.mean((cutoffs_hz >= 400.0) & (cutoffs_hz <= 3000.0)) > 0.7
    kinds = {"bessel", "butterworth", "rc", "gaussian", "moving_average", "notch", "ac_coupling"}
    assert {one.kind for one in filters} == kinds
    poles = {(one.kind, one.poles) for one in lowpasses if one.kind in ("bessel", "butterworth")}
    assert poles == {("bessel", 4), ("bessel", 8), *(("butterworth", n) for n in (2, 4, 8))}
    assert {one.zero_phase for one in lowpasses if one.kind == "butterworth"} == {False, True}
    assert {chain.oversampling for chain in chains} == {1, 2, 4}
    slow = [chain for chain in chains if chain.converter_hz is not None]
    assert len(slow) == pytest.approx(80, abs=30)
    assert {chain.between for chain in slow} == {"lines", "hold"}
    steps = np.array([chain.step_sd for chain in chains])
    assert np.sum(steps > 0.0) == pytest.approx(225, abs=45)
    assert 0.01 <= steps[steps > 0.0].min() < 0.02
    assert 1.4 < steps.max() <= 1.6


def test_drawn_scenarios_can_be_simulated() -> None:
    for seed in range(12):
        simulated = simulate_recording(replace(draw_scenario(seed), duration_s=2.0), seed=seed)
        assert np.isfinite(simulated.values).all()


@pytest.mark.parametrize("level", LEVELS)
def test_reference_recordings_are_those_the_benchmark_defines(level: float) -> None:
    scenarios = [reference_scenario(level=level, index=index) for index in range(12)]
    for index, scenario in enumerate(scenarios):
        assert (scenario.duration_s, scenario.sampling_rate_hz) == (60.0, 10_000.0)
        assert scenario.amplitude_mean == 0.5e-3
        assert scenario.noise_sd == pytest.approx(0.5e-3 / level)
        assert scenario.rate_hz == (0.5, 1.0, 3.0)[index % 3]
        assert (scenario.bursts_per_s > 0.0) == (index % 4 == 3)
        assert scenario.hum_amplitudes == (0.03e-3, 0.015e-3, 0.01e-3)
        assert set(scenario.artifacts) == {"spike", "step", "slow_bump", "negative_decay"}
        assert 2 <= sum(scenario.artifacts.values()) <= 7
        # 3 mV over the 60 s.
        assert scenario.drift_per_sqrt_s * np.sqrt(60.0) == pytest.approx(3e-3)
    assert len({tuple(scenario.artifacts.values()) for scenario in scenarios}) > 6


def test_artifacts_of_a_reference_recording_are_the_same_at_each_level() -> None:
    at_two, at_ten = (reference_scenario(level=level, index=5) for level in (2.0, 10.0))
    assert replace(at_two, noise_sd=0.0) == replace(at_ten, noise_sd=0.0)
