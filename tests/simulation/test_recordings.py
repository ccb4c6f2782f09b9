"""Simulated recordings: what the truth says can be measured on the clean trace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.polarity import Polarity
from nwb_mepp.simulation import Scenario, Simulated, simulate_recording
from nwb_mepp.simulation.noise import quantize

# 50 kHz, so that times read from samples are good to 20 us.
FINE = Scenario(duration_s=20.0, sampling_rate_hz=50_000.0, rate_hz=1.0)


@pytest.fixture(
    scope="module", params=[(Polarity.POSITIVE, 1.0), (Polarity.NEGATIVE, 1.0), (Polarity.POSITIVE, 3.0)]
)
def isolated(request: pytest.FixtureRequest) -> tuple[Simulated, np.ndarray]:
    """Return a recording and which of its MEPPs have 80 ms for themselves before and after."""
    polarity, power = request.param
    simulated = simulate_recording(replace(FINE, polarity=Polarity(polarity), power=power), seed=11)
    onsets_s = np.concatenate([[-1.0], simulated.truth.start_s, [FINE.duration_s]])
    gaps_s = np.diff(onsets_s)
    # The slowest MEPPs last longer; what is left of them after 80 ms must not matter either.
    alone = (gaps_s[:-1] > 0.08) & (gaps_s[1:] > 0.08)
    assert alone.sum() >= 8
    return simulated, np.flatnonzero(alone)


def test_onset_peak_amplitude_and_end_sit_where_the_clean_trace_says(
    isolated: tuple[Simulated, np.ndarray],
) -> None:
    simulated, alone = isolated
    truth, rate_hz = simulated.truth, FINE.sampling_rate_hz
    for i in alone:
        first = int(np.ceil(truth.start_s[i] * rate_hz))
        stretch = simulated.clean[first - 100 : first + 3_900]
        height = abs(truth.amplitude[i])
        assert np.all(stretch[:100] < 1e-3 * height)
        # The onset lies between the last sample without the MEPP and the first with it.
        assert stretch[101] > stretch[99]
        peak = int(np.argmax(stretch))
        assert (first - 100 + peak) / rate_hz == pytest.approx(truth.peak_s[i], abs=1.01 / rate_hz)
        assert stretch[peak] == pytest.approx(height, rel=2e-3)
        below = peak + int(np.argmax(stretch[peak:] < np.exp(-1.0) * height))
        assert (first - 100 + below) / rate_hz == pytest.approx(truth.stop_s[i], abs=1.6 / rate_hz)
        assert np.sign(truth.amplitude[i]) == simulated.scenario.polarity.sign


def test_rise_and_decay_measured_on_the_clean_trace_are_the_true_ones(
    isolated: tuple[Simulated, np.ndarray],
) -> None:
    simulated, alone = isolated
    truth, rate_hz = simulated.truth, FINE.sampling_rate_hz
    for i in alone:
        first = int(truth.start_s[i] * rate_hz)
        stretch = simulated.clean[first : first + 3_900] / abs(truth.amplitude[i])
        peak = int(np.argmax(stretch))
        low, high = np.interp([0.1, 0.9], stretch[: peak + 1], np.arange(peak + 1))
        assert (high - low) / rate_hz == pytest.approx(truth.rise_10_90_s[i], rel=0.02)
        late = peak + np.array([3.0, 4.0]) * truth.decay_tau_s[i] * rate_hz
        values = np.interp(late, np.arange(len(stretch)), stretch)
        assert 1.0 / np.log(values[0] / values[1]) == pytest.approx(1.0, rel=0.07)


def test_polarity_turns_the_trace_but_not_the_clean_sum() -> None:
    up = simulate_recording(replace(FINE, duration_s=5.0, noise_sd=0.0, resting_level=0.0), seed=1)
    down = simulate_recording(
        replace(FINE, duration_s=5.0, noise_sd=0.0, resting_level=0.0, polarity=Polarity.NEGATIVE), seed=1
    )
    np.testing.assert_array_equal(up.values, up.clean)
    np.testing.assert_array_equal(down.values, -up.clean)
    np.testing.assert_array_equal(down.truth.amplitude, -up.truth.amplitude)


def test_the_same_seed_gives_the_same_recording_another_seed_another() -> None:
    scenario = Scenario(duration_s=3.0, rate_hz=5.0, artifacts={"pop": 2}, hum_amplitudes=(1e-4,))
    first, second, other = (simulate_recording(scenario, seed=seed) for seed in (8, 8, 9))
    np.testing.assert_array_equal(first.values, second.values)
    for name in ("start_s", "peak_s", "stop_s", "amplitude", "rise_10_90_s", "decay_tau_s"):
        np.testing.assert_array_equal(getattr(first.truth, name), getattr(second.truth, name))
    assert not np.array_equal(first.values, other.values)
    assert len(first.truth) != len(other.truth) or not np.array_equal(
        first.truth.start_s, other.truth.start_s
    )


def test_mepps_noise_and_artifacts_are_drawn_from_streams_of_their_own() -> None:
    scenario = Scenario(duration_s=3.0, rate_hz=5.0)
    plain = simulate_recording(scenario, seed=2)
    silent = simulate_recording(replace(scenario, rate_hz=0.0), seed=2)
    disturbed = simulate_recording(replace(scenario, artifacts={"stimulus": 3}), seed=2)
    np.testing.assert_allclose(plain.values - silent.values, plain.clean, atol=1e-12)
    np.testing.assert_array_equal(disturbed.clean, plain.clean)
    # Three stimulus artifacts last at most 1.6 ms each.
    assert 0 < np.count_nonzero(disturbed.values != plain.values) <= 3 * 17


@pytest.mark.parametrize("level", [2.0, 10.0])
def test_level_is_mean_amplitude_over_the_sd_of_white_and_pink_noise_together(level: float) -> None:
    scenario = Scenario(
        duration_s=30.0, noise_sd=0.5e-3 / level, giant_fraction=0.0, slow_fraction=0.0, rate_hz=20.0
    )
    simulated = simulate_recording(scenario, seed=1)
    noise = simulated.values - scenario.resting_level - simulated.clean
    assert noise.std() == pytest.approx(scenario.noise_sd, rel=0.05)
    assert simulated.truth.amplitude.mean() / noise.std() == pytest.approx(level, rel=0.07)


@pytest.mark.parametrize("law", ["lognormal", "normal"])
def test_amplitudes_have_the_mean_and_variation_asked_for(law: str) -> None:
    scenario = Scenario(
        duration_s=50.0,
        sampling_rate_hz=2_000.0,
        rate_hz=20.0,
        amplitude_law=law,
        amplitude_cv=0.3,
        giant_fraction=0.0,
        slow_fraction=0.0,
        decay_cv=0.0,
        rise_cv=0.0,
    )
    truth = simulate_recording(scenario, seed=3).truth
    assert truth.amplitude.mean() == pytest.approx(0.5e-3, rel=0.04)
    assert truth.amplitude.std() / truth.amplitude.mean() == pytest.approx(0.3, abs=0.03)
    assert truth.amplitude.min() > 0.0
    np.testing.assert_allclose(truth.decay_tau_s, 2.5e-3)
    np.testing.assert_allclose(truth.rise_10_90_s, 0.7e-3)


def test_giants_are_larger_and_distant_ones_smaller_and_slower() -> None:
    base = Scenario(
        duration_s=10.0,
        sampling_rate_hz=2_000.0,
        rate_hz=20.0,
        giant_fraction=0.0,
        slow_fraction=0.0,
        rise_s=0.4e-3,
    )
    plain = simulate_recording(base, seed=3).truth
    giant = simulate_recording(replace(base, giant_fraction=1.0), seed=3).truth
    slow = simulate_recording(replace(base, slow_fraction=1.0), seed=3).truth
    larger = giant.amplitude / plain.amplitude
    assert larger.min() >= 2.5
    assert larger.max() <= 5.0
    np.testing.assert_allclose(slow.amplitude, 0.5 * plain.amplitude)
    slower = slow.decay_tau_s / plain.decay_tau_s
    assert slower.min() >= 2.0
    assert slower.max() <= 3.0
    np.testing.assert_array_less(plain.rise_10_90_s, slow.rise_10_90_s)


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(ValueError, match="expected amplitude_law 'lognormal' or 'normal', found 'gamma'"):
        simulate_recording(Scenario(duration_s=1.0, amplitude_law="gamma"), seed=0)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    duration_s=st.floats(0.01, 3.0),
    rate_hz=st.floats(0.0, 100.0),
    bursts_per_s=st.floats(0.0, 2.0),
)
def test_true_intervals_are_sorted_and_do_not_overlap(
    seed: int, duration_s: float, rate_hz: float, bursts_per_s: float
) -> None:
    scenario = Scenario(
        duration_s=duration_s, sampling_rate_hz=4_000.0, rate_hz=rate_hz, bursts_per_s=bursts_per_s
    )
    simulated = simulate_recording(scenario, seed=seed)
    truth = simulated.truth
    assert simulated.values.shape == simulated.clean.shape == (round(duration_s * 4_000.0),)
    assert np.all(truth.start_s < truth.stop_s)
    assert np.all(truth.stop_s[:-1] <= truth.start_s[1:])
    assert np.all(truth.stop_s <= duration_s)
    assert np.all(truth.start_s < truth.peak_s)


def test_a_converter_gives_whole_steps_and_clips() -> None:
    step = 30.5e-6
    scenario = Scenario(duration_s=5.0, rate_hz=5.0, giant_fraction=1.0, step=step, full_scale=20 * step)
    values = simulate_recording(scenario, seed=0).values
    codes = values / step
    np.testing.assert_allclose(codes, np.round(codes), atol=1e-6)
    level = round(scenario.resting_level / step)
    assert codes.max() == pytest.approx(level + 20)


def test_drift_is_a_random_walk_of_the_stated_size() -> None:
    scenario = Scenario(
        duration_s=2.0, sampling_rate_hz=2_000.0, rate_hz=0.0, noise_sd=0.0, drift_per_sqrt_s=0.3e-3
    )
    ends = [simulate_recording(scenario, seed=seed).values[-1] for seed in range(200)]
    assert np.mean(ends) == pytest.approx(-0.075, abs=1e-4)
    assert np.std(ends) == pytest.approx(0.3e-3 * np.sqrt(2.0), rel=0.15)


def test_hum_and_trace_go_where_they_belong() -> None:
    scenario = Scenario(duration_s=10.0, rate_hz=0.0, noise_sd=0.0, hum_amplitudes=(2e-4, 0.0, 1e-4))
    simulated = simulate_recording(scenario, seed=0)
    trace = simulated.trace(channel="Im", unit="A")
    assert (trace.channel, trace.unit, trace.sampling_rate_hz) == ("Im", "A", 10_000.0)
    np.testing.assert_array_equal(trace.values(), simulated.values)
    lines = 2.0 * np.abs(np.fft.rfft(trace.values())) / 100_000
    assert lines[[500, 1_000, 1_500]] == pytest.approx([2e-4, 0.0, 1e-4], abs=1e-9)


def test_resting_level_is_rounded_to_the_converter_too() -> None:
    scenario = Scenario(duration_s=1.0, rate_hz=0.0, noise_sd=0.0, step=2e-3)
    values = simulate_recording(scenario, seed=0).values
    # -75 mV is 37.5 steps of 2 mV.
    assert np.unique(values).tolist() == pytest.approx([quantize(np.array([-0.0750001]), step=2e-3)[0]])


def test_noise_that_swings_is_as_strong_in_the_mean_and_uneven_from_second_to_second() -> None:
    steady = Scenario(duration_s=200.0, sampling_rate_hz=2_000.0, rate_hz=0.0, resting_level=0.0)
    swinging = replace(steady, noise_swing=0.4)
    even, uneven = (simulate_recording(scenario, seed=1).values for scenario in (steady, swinging))
    assert uneven.std() == pytest.approx(even.std(), rel=0.1)
    spread = [np.log(values.reshape(-1, 1_000).std(axis=1)).std() for values in (even, uneven)]
    assert spread[1] == pytest.approx(np.hypot(0.4, spread[0]), rel=0.2)
