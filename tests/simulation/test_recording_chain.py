"""Filters against their definitions, converters by hand, and what the truth says of filtered MEPPs."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.signal import bessel, butter, filtfilt, freqz, lfilter

from nwb_mepp.core.polarity import Polarity
from nwb_mepp.simulation import (
    Filter,
    RecordingChain,
    Scenario,
    Truth,
    add_mepps,
    draw_scenario,
    reference_scenario,
    simulate_recording,
)
from nwb_mepp.simulation.noise import growing_strength, pulsing_strength, random_telegraph

RATE_HZ = 20_000.0
# Every MEPP alone, on a grid fine enough to read times from.
CLEAN = Scenario(
    duration_s=8.0,
    sampling_rate_hz=50_000.0,
    rate_hz=2.0,
    noise_sd=0.0,
    resting_level=0.0,
    polarity=Polarity.NEGATIVE,
)
LOW_PASSES = [
    Filter(kind="bessel", cutoff_hz=1000.0, poles=8),
    Filter(kind="bessel", cutoff_hz=150.0),
    Filter(kind="butterworth", cutoff_hz=1000.0, poles=8, zero_phase=True),
    Filter(kind="rc", cutoff_hz=500.0),
    Filter(kind="gaussian", cutoff_hz=500.0),
    Filter(kind="moving_average", cutoff_hz=500.0),
]


def impulse_response(one: Filter) -> np.ndarray:
    """Return the answer to an impulse amid 2 s."""
    impulse = np.zeros(40_000)
    impulse[20_000] = 1.0
    return one.apply(impulse, sampling_rate_hz=RATE_HZ)


@pytest.mark.parametrize("one", LOW_PASSES, ids=lambda one: one.words)
def test_half_of_the_power_passes_at_the_cutoff_and_all_at_zero(one: Filter) -> None:
    response = impulse_response(one)
    at_hz = np.array([0.0, one.cutoff_hz])
    _, gain = freqz(response, worN=at_hz, fs=RATE_HZ)
    # Two passes leave half of the amplitude, one leaves half of the power. A mean over whole samples only
    # comes near, 18 for 17.7.
    passes = 2 if one.kind == "butterworth" else 1
    assert abs(gain[0]) == pytest.approx(1.0, abs=1e-6)
    assert abs(gain[1]) == pytest.approx(0.5 ** (0.5 * passes), rel=0.02)


@pytest.mark.parametrize("poles", [4, 8])
def test_bessel_and_butterworth_are_those_of_scipy(poles: int) -> None:
    noise = np.random.default_rng(1).standard_normal(4000)
    noise[0] = 0.0  # a filter at rest
    designs = {
        "bessel": bessel(poles, 2000.0, fs=RATE_HZ, norm="mag"),
        "butterworth": butter(poles, 2000.0, fs=RATE_HZ),
    }
    for kind, (b, a) in designs.items():
        one = Filter(kind=kind, cutoff_hz=2000.0, poles=poles)  # type: ignore[arg-type]
        np.testing.assert_allclose(
            one.apply(noise, sampling_rate_hz=RATE_HZ), lfilter(b, a, noise), atol=1e-9
        )
        both = replace(one, zero_phase=True).apply(noise, sampling_rate_hz=RATE_HZ)
        # Apart from the ends, which they continue differently.
        np.testing.assert_allclose(both[500:-500], filtfilt(b, a, noise)[500:-500], atol=1e-6)


def test_a_zero_phase_filter_is_symmetric_and_a_causal_one_answers_afterwards() -> None:
    for one in LOW_PASSES:
        response = impulse_response(one)
        if one.zero_phase or one.kind == "gaussian":
            np.testing.assert_allclose(response[19_000:20_000], response[21_000:20_000:-1], atol=1e-12)
        else:
            np.testing.assert_allclose(response[:20_000], 0.0, atol=1e-12)


def test_notch_and_ac_coupling_remove_what_they_are_for_and_leave_the_rest() -> None:
    time_s = np.arange(100_000) / RATE_HZ
    hum, fast = (np.sin(2.0 * np.pi * f_hz * time_s) for f_hz in (50.0, 400.0))
    notch = Filter(kind="notch", cutoff_hz=50.0)
    seen = notch.apply(hum + fast, sampling_rate_hz=RATE_HZ)
    assert np.std((seen - fast)[60_000:]) < 0.03
    coupling = Filter(kind="ac_coupling", cutoff_hz=1.0, poles=1)
    np.testing.assert_allclose(
        coupling.apply(np.full(1000, -0.07), sampling_rate_hz=RATE_HZ), 0.0, atol=1e-12
    )
    # A step decays with 1 / (2 pi f) = 0.159 s.
    step = np.where(time_s >= 1.0, 1.0, 0.0)
    left = coupling.apply(step, sampling_rate_hz=RATE_HZ)[round((1.0 + 0.159155) * RATE_HZ)]
    assert left == pytest.approx(np.exp(-1.0), rel=0.01)


def test_a_filter_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a filter among bessel, .*, found 'elliptic'"):
        Filter(kind="elliptic", cutoff_hz=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected a cutoff above 0 Hz, found 0"):
        Filter(kind="rc", cutoff_hz=0.0)
    with pytest.raises(ValueError, match="below half the sampling rate of 20000 Hz, found 10000 Hz"):
        Filter(kind="rc", cutoff_hz=10_000.0).apply(np.zeros(10), sampling_rate_hz=RATE_HZ)
    with pytest.raises(ValueError, match="expected an oversampling of 1 or more, found 0"):
        RecordingChain(oversampling=0)
    with pytest.raises(ValueError, match="expected between 'lines' or 'hold', found 'splines'"):
        RecordingChain(between="splines")  # type: ignore[arg-type]


def test_the_converter_samples_rounds_and_only_then_is_interpolated() -> None:
    ramp = np.arange(9.0)
    lines = RecordingChain(converter_hz=2.0)

    def tens(values: np.ndarray) -> np.ndarray:
        return np.round(values / 10.0) * 10.0

    assert lines.sampled(ramp, file_hz=8.0, digitize=tens).tolist() == [0, 0, 0, 0, 0, 2.5, 5, 7.5, 10]
    held = replace(lines, between="hold")
    assert held.sampled(ramp, file_hz=8.0).tolist() == [0, 0, 0, 0, 4, 4, 4, 4, 8]
    assert RecordingChain(oversampling=3).sampled(ramp, file_hz=8.0).tolist() == [0, 3, 6]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_chain_that_does_nothing_changes_no_value(seed: int) -> None:
    scenario = replace(reference_scenario(level=6.0, index=3), duration_s=10.0, step=2e-5)
    plain = simulate_recording(scenario, seed=seed)
    chained = simulate_recording(replace(scenario, chain=RecordingChain()), seed=seed)
    np.testing.assert_array_equal(plain.values, chained.values)
    for one in fields(Truth):
        np.testing.assert_array_equal(getattr(plain.truth, one.name), getattr(chained.truth, one.name))


def test_events_and_all_else_pass_the_filter_together() -> None:
    scenario = replace(reference_scenario(level=6.0, index=3), duration_s=10.0, resting_level=0.0)
    one = Filter(kind="bessel", cutoff_hz=800.0, poles=8)
    plain = simulate_recording(scenario, seed=1)
    seen = simulate_recording(replace(scenario, chain=RecordingChain(filters=(one,))), seed=1)
    np.testing.assert_allclose(seen.values, one.apply(plain.values, sampling_rate_hz=10_000.0), atol=1e-15)
    np.testing.assert_allclose(seen.clean, one.apply(plain.clean, sampling_rate_hz=10_000.0), atol=1e-15)


@pytest.mark.parametrize("one", LOW_PASSES, ids=lambda one: one.words)
def test_the_truth_is_that_of_the_filtered_clean_trace(one: Filter) -> None:
    chain = RecordingChain(filters=(one,))
    seen = simulate_recording(replace(CLEAN, chain=chain), seed=5)
    truth, rate_hz = seen.truth, CLEAN.sampling_rate_hz
    gaps_s = np.diff(np.concatenate([[-1.0], truth.start_s, [CLEAN.duration_s]]))
    alone = np.flatnonzero((gaps_s[:-1] > 0.1) & (gaps_s[1:] > 0.1))
    assert len(alone) >= 4
    for i in alone:
        first = round((truth.start_s[i] - 0.02) * rate_hz)
        stretch = seen.clean[first : first + 5000]
        peak = int(np.argmax(stretch))
        height = stretch[peak]
        assert -truth.amplitude[i] == pytest.approx(height, rel=2e-3)
        assert truth.peak_s[i] == pytest.approx((first + peak) / rate_hz, abs=5e-5)
        low, high = np.interp([0.1, 0.9], stretch[: peak + 1] / height, np.arange(peak + 1))
        assert truth.rise_10_90_s[i] == pytest.approx((high - low) / rate_hz, rel=0.02)
        end = peak + int(np.argmax(stretch[peak:] < np.exp(-1.0) * height))
        assert truth.stop_s[i] == pytest.approx((first + end) / rate_hz, abs=5e-5)
        # Nothing is to be seen well before the onset, and less than a tenth at it.
        onset = round(truth.start_s[i] * rate_hz) - first
        assert np.max(stretch[: onset - round(2.0 * (high - low))]) < 0.01 * height
        assert stretch[onset] < 0.1 * height


def test_a_centered_filter_moves_no_peak_far_and_a_causal_one_by_its_delay() -> None:
    unfiltered = simulate_recording(CLEAN, seed=5).truth

    def moved_s(one: Filter) -> float:
        truth = simulate_recording(replace(CLEAN, chain=RecordingChain(filters=(one,))), seed=5).truth
        return float(np.median(truth.peak_s - unfiltered.peak_s))

    # The group delay at frequency 0 of the eight-pole filter is 3.18 / (2 pi f): 0.51 ms at 1 kHz.
    assert moved_s(LOW_PASSES[0]) == pytest.approx(0.51e-3, abs=0.1e-3)
    assert abs(moved_s(LOW_PASSES[2])) < 0.1e-3


def test_without_a_filter_landmarks_stay_and_a_slow_filter_lengthens_the_fall() -> None:
    unfiltered = simulate_recording(CLEAN, seed=5).truth
    coupled = Filter(kind="ac_coupling", cutoff_hz=0.01, poles=1)
    truth = simulate_recording(replace(CLEAN, chain=RecordingChain(filters=(coupled,))), seed=5).truth
    for one in fields(Truth):
        np.testing.assert_allclose(
            getattr(truth, one.name), getattr(unfiltered, one.name), rtol=0.01, atol=1e-5
        )
    slow = RecordingChain(filters=(Filter(kind="rc", cutoff_hz=100.0),))
    slowed = simulate_recording(replace(CLEAN, chain=slow), seed=5).truth
    assert np.all(slowed.decay_tau_s > unfiltered.decay_tau_s)


def test_the_step_is_relative_to_the_noise_behind_the_filters() -> None:
    scenario = Scenario(duration_s=20.0, rate_hz=0.0, noise_sd=1e-4, resting_level=-0.07)
    slow = Filter(kind="bessel", cutoff_hz=150.0)
    filtered = simulate_recording(replace(scenario, chain=RecordingChain(filters=(slow,))), seed=3)
    coarse = simulate_recording(replace(scenario, chain=RecordingChain(filters=(slow,), step_sd=1.5)), seed=3)
    steps = np.diff(np.unique(np.round(coarse.values, 9)))
    assert steps.min() == pytest.approx(1.5 * filtered.values.std(), rel=0.01)
    assert coarse.values.mean() == pytest.approx(-0.07, abs=steps.min())
    assert filtered.values.std() < 0.75e-4


def test_oversampled_recordings_have_the_rate_of_the_file_and_pass_faster_filters() -> None:
    chain = RecordingChain(filters=(Filter(kind="butterworth", cutoff_hz=8000.0),), oversampling=4)
    scenario = replace(CLEAN, sampling_rate_hz=10_000.0, chain=chain, duration_s=2.0)
    seen = simulate_recording(scenario, seed=5)
    assert seen.values.shape == seen.clean.shape == (20_000,)
    np.testing.assert_array_equal(seen.values, -seen.clean)
    plain = simulate_recording(replace(scenario, chain=None), seed=5)
    assert np.corrcoef(seen.clean, plain.clean)[0, 1] > 0.999


def test_noise_grows_and_pulses_where_it_is_told_to() -> None:
    scenario = Scenario(duration_s=20.0, rate_hz=0.0, noise_sd=1e-4, resting_level=0.0)
    plain = simulate_recording(scenario, seed=3).values
    grown = simulate_recording(replace(scenario, noise_growth=2.7, noise_growth_s=4.0), seed=3).values
    ratio = grown / plain
    np.testing.assert_allclose(ratio[:159_990], 1.0)
    # Half way it has grown by the root.
    assert ratio[180_000] == pytest.approx(2.7**0.5, rel=1e-3)
    assert ratio[-1] == pytest.approx(2.7)
    pulsing = replace(scenario, noise_pulses_per_s=0.2, noise_pulse_factor=4.0, noise_pulse_s=0.5)
    ratio = simulate_recording(pulsing, seed=3).values / plain
    assert set(np.round(ratio, 6).tolist()) == {1.0, 4.0}
    n_strong = int(np.sum(ratio > 2.0))
    # Poisson: four pulses of 5000 samples are expected; some may overlap or be cut off.
    assert 0 < n_strong <= 12 * 5000


def test_a_telegraph_switches_between_two_levels_and_changes_nothing_else() -> None:
    scenario = Scenario(duration_s=20.0, rate_hz=1.0)
    plain = simulate_recording(scenario, seed=3)
    noisy = simulate_recording(replace(scenario, telegraph_step=1e-4, telegraph_per_s=20.0), seed=3)
    added = np.round((noisy.values - plain.values) / 1e-4, 6)
    assert set(added.tolist()) == {0.0, 1.0}
    # 400 expected, SD 20.
    assert 320 < np.sum(np.abs(np.diff(added))) < 480
    np.testing.assert_array_equal(noisy.truth.peak_s, plain.truth.peak_s)


def test_strengths_and_states_repeat_with_their_seed() -> None:
    both = [
        (
            pulsing_strength(
                1000,
                sampling_rate_hz=100.0,
                pulses_per_s=1.0,
                factor=2.0,
                pulse_s=0.1,
                rng=np.random.default_rng(1),
            ),
            random_telegraph(1000, sampling_rate_hz=100.0, switches_per_s=5.0, rng=np.random.default_rng(1)),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(both[0], both[1])
    assert growing_strength(3, sampling_rate_hz=1.0, factor=1.0, over_s=1.0).tolist() == [1.0] * 3


def test_recorded_noise_brings_its_own_filters() -> None:
    chain = RecordingChain(filters=(Filter(kind="bessel", cutoff_hz=300.0),))
    scenario = Scenario(duration_s=2.0, rate_hz=5.0)
    given = np.zeros(20_000)
    plain, chained = (
        add_mepps(given, scenario=one, seed=1) for one in (scenario, replace(scenario, chain=chain))
    )
    np.testing.assert_array_equal(plain.values, chained.values)
    np.testing.assert_array_equal(plain.truth.amplitude, chained.truth.amplitude)


def test_what_is_drawn_for_training_can_be_recorded() -> None:
    for seed in range(30):
        simulated = simulate_recording(replace(draw_scenario(seed), duration_s=2.0), seed=seed)
        truth = simulated.truth
        assert np.isfinite(simulated.values).all()
        for one in fields(Truth):
            assert np.isfinite(getattr(truth, one.name)).all()
        assert np.all(np.diff(truth.start_s) >= 0.0)
        assert np.all(truth.stop_s >= truth.start_s)
