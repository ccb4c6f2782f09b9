"""Whitening: noise of any color comes out white with SD 1, however the trace is cut and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d
from scipy.signal import bessel, butter, freqz, sosfilt, sosfiltfilt, welch

from builders.traces import NOISE_SD, segments_of, trace_of
from nwb_mepp.conditioning import (
    TILE_GRID,
    ChannelNoise,
    WhitenedTrace,
    compress,
    design_whitening,
    survey,
    whiten,
)
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.simulation import Scenario, simulate_recording


def white_of(segments: list[Segment]) -> list[WhitenedTrace]:
    return whiten(segments, noise=survey(segments, polarity="positive"))


def whole(trace: WhitenedTrace, *, margin: int = 0) -> np.ndarray:
    """Return all tiles, joined by what each margin repeats of its neighbors."""

    def parts() -> Iterator[np.ndarray]:
        for index in range(trace.n_tiles):
            tile = trace.read_tile(index, margin=margin)
            first = 0 if index == 0 else margin
            last = len(tile) if index == trace.n_tiles - 1 else len(tile) - margin
            yield tile[first:last]

    return np.concatenate(list(parts()))


SCENARIOS = {
    "white": {"pink_part": 0.0, "lowpass_hz": None},
    "pink": {"white_part": 0.0, "pink_exponent": 1.4},
    "low-passed, drifting": {"lowpass_hz": 1200.0, "drift_per_sqrt_s": 20.0 * NOISE_SD},
    "humming": {"hum_amplitudes": (0.1e-3, 0.05e-3), "hum_phase_drift": 0.1},
    "step 0.3 SD": {"step": 0.3 * NOISE_SD},
    "step 1 SD": {"step": NOISE_SD},
    "step 1.5 SD": {"step": 1.5 * NOISE_SD},
    "2.5 kHz": {"sampling_rate_hz": 2_500.0, "lowpass_hz": None},
    "20 kHz": {"sampling_rate_hz": 20_000.0},
    "11.025 kHz": {"sampling_rate_hz": 11_025.0},
}


@pytest.mark.parametrize("kind", SCENARIOS)
def test_noise_comes_out_with_a_known_sd_and_a_flat_spectrum_though_there_are_mepps(kind: str) -> None:
    scenario = replace(Scenario(duration_s=30.0, noise_sd=NOISE_SD), **SCENARIOS[kind])  # type: ignore[arg-type]
    rate_hz = scenario.sampling_rate_hz
    (trace,) = white_of(segments_of(simulate_recording(scenario, seed=6).values, rate_hz=rate_hz))
    # What was learned beside MEPPs is applied to the same noise without them.
    alone = simulate_recording(replace(scenario, rate_hz=0.0), seed=6).values
    noise = whole(replace(trace, segment=segments_of(alone, rate_hz=rate_hz)[0]))
    # At a low rate part of the band is missing, and with it that part of the variance.
    expected_sd = np.sqrt(min(rate_hz / 5_000.0, 1.0))
    assert noise.std() == pytest.approx(expected_sd, abs=0.06)
    frequencies_hz, density = welch(noise, fs=trace.sampling_rate_hz, nperseg=500)
    band = (frequencies_hz >= 30.0) & (frequencies_hz <= 0.75 * min(rate_hz, 5_000.0) / 2.0)
    assert (density[band] / np.median(density[band])).std() < 0.2


def test_a_trace_whose_median_absolute_deviation_is_zero_is_not_blown_up() -> None:
    scenario = Scenario(
        duration_s=30.0,
        noise_sd=NOISE_SD,
        pink_part=0.0,
        lowpass_hz=None,
        step=5.0 * NOISE_SD,
        rate_hz=0.0,
    )
    (trace,) = white_of(segments_of(simulate_recording(scenario, seed=6).values))
    # The rounding error may be overestimated, never underestimated.
    assert 0.2 < whole(trace).std() < 1.1


def bessel_of(poles: int, corner_hz: float) -> Callable[[np.ndarray], np.ndarray]:
    sections = bessel(poles, corner_hz, fs=10_000.0, output="sos", norm="mag")
    return lambda values: np.asarray(sosfilt(sections, values))


def zero_phase(values: np.ndarray) -> np.ndarray:
    return np.asarray(sosfiltfilt(butter(8, 1000.0, fs=10_000.0, output="sos"), values))


def smoothed(values: np.ndarray) -> np.ndarray:
    return np.asarray(uniform_filter1d(values, 10))


def interpolated(values: np.ndarray) -> np.ndarray:
    """Sample at 2 kHz and draw lines in between."""
    slow = sosfiltfilt(butter(4, 800.0, fs=10_000.0, output="sos"), values)
    return np.interp(np.arange(len(values)), np.arange(0, len(values), 5), slow[::5])


def as_stored(values: np.ndarray) -> np.ndarray:
    return (values - 0.07).astype(np.float32)


def as_converted(values: np.ndarray) -> np.ndarray:
    return np.round(values / 3e-6) * 3e-6 - 0.07


# What a filter passes up to the frequency given: half of the power or more.
FILTERS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "Bessel 8 poles 1 kHz": (bessel_of(8, 1000.0), 1000.0),
    "Bessel 4 poles 500 Hz": (bessel_of(4, 500.0), 500.0),
    "zero phase": (zero_phase, 900.0),
    "moving average": (smoothed, 440.0),
    "interpolated": (interpolated, 500.0),
}


# Noise of half a minute without a filter, which several tests send through each of them.
QUIET = Scenario(duration_s=30.0, rate_hz=0.0, noise_sd=NOISE_SD, lowpass_hz=None, resting_level=0.0)


@cache
def unfiltered() -> np.ndarray:
    return simulate_recording(QUIET, seed=2).values


@cache
def drifting() -> np.ndarray:
    return simulate_recording(replace(QUIET, drift_per_sqrt_s=8.0 * NOISE_SD), seed=6).values


@cache
def whitened_as(store: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The drifting noise without a filter, as it is stored."""
    return whole(white_of(segments_of(store(drifting())))[0])


@pytest.mark.parametrize("store", [as_stored, as_converted])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_leaves_the_density_below_it_and_nothing_above_is_lifted(
    name: str, store: Callable[[np.ndarray], np.ndarray]
) -> None:
    filter_, passed_hz = FILTERS[name]
    before, after = whitened_as(store), whole(white_of(segments_of(store(filter_(drifting()))))[0])
    (frequencies_hz, full), (_, left) = (welch(v, fs=5_000.0, nperseg=500) for v in (before, after))
    band = (frequencies_hz >= 30.0) & (frequencies_hz <= passed_hz)
    assert left[band].mean() == pytest.approx(full[band].mean(), rel=0.05)
    assert np.percentile(left[band] / full[band], 5.0) > 0.8
    assert left[frequencies_hz > passed_hz].max() < 1.5 * full[band].mean()
    assert left[frequencies_hz > 2_000.0].mean() < 0.1 * full[band].mean() or name.endswith("1 kHz")
    assert after.std() < before.std()


@pytest.mark.parametrize("name", FILTERS)
def test_a_mepp_behind_a_filter_stands_out_as_without(name: str) -> None:
    filter_, _ = FILTERS[name]
    time_s = np.arange(3_000) / 10_000.0
    since_s = np.maximum(time_s - 0.1, 0.0)
    mepp = 1e-3 * (np.exp(-since_s / 2.5e-3) - np.exp(-since_s / 0.4e-3))
    heights = []
    for change in (np.asarray, filter_):
        (trace,) = white_of(segments_of(as_converted(change(unfiltered()))))
        (alone,) = segments_of(change(mepp))
        white = whole(replace(trace, segment=alone))
        # All that a detector of any kind could gather of it, in SD of the noise.
        heights.append(np.sqrt(np.sum(white**2)))
    assert heights[1] == pytest.approx(heights[0], rel=0.06)


@pytest.fixture(scope="module", params=[10_000.0, 11_025.0, 5_000.0])
def surveyed(request: pytest.FixtureRequest) -> tuple[list[Segment], ChannelNoise, np.ndarray]:
    scenario = Scenario(
        duration_s=45.0, sampling_rate_hz=request.param, hum_amplitudes=(0.05e-3,), hum_phase_drift=0.1
    )
    segments = segments_of(simulate_recording(scenario, seed=1).values, rate_hz=request.param)
    noise = survey(segments, polarity="positive")
    return segments, noise, whole(whiten(segments, noise=noise)[0])


@pytest.mark.parametrize(("block_s", "margin"), [(1.0, 0), (7.0, 0), (7.0, 128), (1.0, 777)])
def test_result_does_not_depend_on_how_much_is_read_at_a_time(
    surveyed: tuple[list[Segment], ChannelNoise, np.ndarray], block_s: float, margin: int
) -> None:
    segments, noise, expected = surveyed
    assert noise.hum is not None
    anew = replace(noise, hum=replace(noise.hum))  # without what the first reading kept
    (trace,) = whiten(segments, noise=anew, block_s=block_s)
    assert trace.tile % TILE_GRID == 0
    values = whole(trace, margin=margin)
    np.testing.assert_allclose(
        values[margin : len(values) - margin], expected, rtol=0, atol=1e-9, strict=True
    )


def test_a_margin_beyond_the_border_is_the_reflected_trace() -> None:
    samples = simulate_recording(Scenario(duration_s=2.0), seed=0).values
    (trace,) = white_of(segments_of(samples, rate_hz=5_000.0))
    tile = trace.read_tile(0, margin=400)
    # A symmetric filter of a reflected trace is reflected itself.
    np.testing.assert_allclose(tile[:400], tile[401:801][::-1], atol=1e-9)


def test_polarity_turns_mepps_upright() -> None:
    simulated = simulate_recording(Scenario(duration_s=20.0, rate_hz=2.0), seed=0)
    up, down = segments_of(simulated.values), segments_of(-simulated.values)
    upright = whole(whiten(up, noise=survey(up, polarity="positive"))[0])
    turned = whole(whiten(down, noise=survey(down, polarity="negative"))[0])
    np.testing.assert_allclose(turned, upright, atol=1e-9)


def test_level_of_the_trace_does_not_pass() -> None:
    samples = simulate_recording(Scenario(duration_s=20.0, resting_level=0.0), seed=0).values
    for rate_hz in (10_000.0, 11_025.0):
        low, high = segments_of(samples, rate_hz=rate_hz), segments_of(samples - 10.0, rate_hz=rate_hz)
        np.testing.assert_allclose(whole(white_of(high)[0]), whole(white_of(low)[0]), atol=1e-6)


def test_one_filter_serves_all_segments_and_tiny_ones_do_not_spoil_it() -> None:
    rng = np.random.default_rng(0)
    traces = [trace_of(NOISE_SD * rng.standard_normal(10_000), start_s=2.0 * i) for i in range(40)]
    # A test pulse is left out of each sweep, shortly after its start.
    pulses = [(2.0 * i + 0.002, 2.0 * i + 0.1) for i in range(40)]
    whitened = white_of(list(cut_segments(traces, excluded=pulses)))
    assert [trace.segment.n_samples for trace in whitened[:2]] == [20, 9_000]
    assert len({trace.taps.tobytes() for trace in whitened}) == 1
    noise = np.concatenate([whole(trace) for trace in whitened[1::2]])
    assert noise.std() == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 50, 999])
def test_segments_shorter_than_the_filter_are_whitened_too(n_samples: int) -> None:
    samples = simulate_recording(Scenario(duration_s=10.0), seed=0).values
    trace = trace_of(samples)
    segments = [
        Segment(trace=trace, start=0, stop=n_samples),
        Segment(trace=trace, start=n_samples, stop=100_000),
    ]
    short, long = white_of(segments)
    assert whole(short).shape == (short.n_samples,)
    assert short.n_samples == -(-n_samples // 2)
    assert np.isfinite(whole(short)).all()
    assert np.isfinite(whole(long)).all()


@settings(max_examples=30)
@given(
    exponent=st.floats(-1.0, 2.0),
    scale=st.floats(1e-12, 1e6),
    n_frequencies=st.integers(100, 501),
    highest=st.floats(0.2, 0.9),
)
def test_designed_filter_is_symmetric_blocks_the_level_and_scales_the_noise_to_1(
    exponent: float, scale: float, n_frequencies: int, highest: float
) -> None:
    rate_hz = 5_000.0
    frequencies_hz = np.linspace(0.0, rate_hz / 2.0, n_frequencies)
    density = scale * np.maximum(frequencies_hz, 10.0) ** -exponent
    taps = design_whitening(density, sampling_rate_hz=rate_hz, highest_hz=highest * rate_hz / 2.0)
    assert len(taps) == 2 * n_frequencies - 1
    np.testing.assert_allclose(taps, taps[::-1], rtol=0, atol=1e-12 * np.abs(taps).max())
    assert abs(taps.sum()) < 1e-9 * np.abs(taps).sum()
    at_hz, response = freqz(taps, worN=1 << 15, fs=rate_hz)
    passed = np.abs(response) ** 2 * np.interp(at_hz, frequencies_hz, density)
    assert np.trapezoid(passed, at_hz) == pytest.approx(1.0, rel=0.02)


@given(value=st.floats(-1e12, 1e12))
def test_compression_is_odd_rising_and_linear_for_small_values(value: float) -> None:
    bent = compress([value, -value, value + abs(value) + 1.0])
    assert bent.dtype == np.float32
    assert bent[0] == -bent[1]
    assert bent[2] > bent[0]
    assert abs(bent[0]) <= abs(value) * (1.0 + 1e-6)
    if abs(value) < 0.4:
        assert bent[0] == pytest.approx(value, rel=0.002, abs=1e-30)


def test_half_a_recording_without_signal_does_not_blow_up_the_noise_of_the_rest() -> None:
    samples = simulate_recording(Scenario(duration_s=20.0, rate_hz=0.0, step=0.05 * NOISE_SD), seed=0).values
    samples[:100_000] = samples[0]
    (trace,) = white_of(segments_of(samples))
    assert whole(trace)[55_000:].std() == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("name", FILTERS)
def test_filter_for_events_shapes_a_mepp_as_filter_and_whitening_do(name: str) -> None:
    filter_, _ = FILTERS[name]
    since_s = np.maximum(np.arange(4_000) / 10_000.0 - 0.2, 0.0)
    mepp = 1e-3 * (np.exp(-since_s / 2.5e-3) - np.exp(-since_s / 0.4e-3))
    (trace,) = white_of(segments_of(as_converted(filter_(unfiltered()))))
    seen = whole(replace(trace, segment=segments_of(filter_(mepp))[0]))
    expected = whole(replace(trace, segment=segments_of(mepp)[0], taps=trace.event_taps))
    energies = np.sqrt(np.sum(seen**2)), np.sqrt(np.sum(expected**2))
    assert energies[1] == pytest.approx(energies[0], rel=0.2)
    assert np.correlate(seen, expected, "full").max() > 0.9 * energies[0] * energies[1]


def test_without_a_filter_the_filter_for_events_is_that_of_the_trace() -> None:
    for step in (0.0, 1.5 * NOISE_SD):
        scenario = Scenario(duration_s=20.0, noise_sd=NOISE_SD, pink_exponent=1.5, step=step)
        (trace,) = white_of(segments_of(simulate_recording(scenario, seed=2).values))
        np.testing.assert_allclose(trace.event_taps, trace.taps, rtol=0, atol=1e-3 * np.abs(trace.taps).max())


def test_gain_saturates_at_the_floor() -> None:
    density = np.where(np.arange(501) < 100, 2.0, 1e-9)
    taps = design_whitening(density, sampling_rate_hz=1000.0, highest_hz=450.0, floor=0.02)
    at_hz, response = freqz(taps, worN=1 << 14, fs=1000.0)
    below, above = (np.abs(np.interp(hz, at_hz, np.abs(response))) for hz in (50.0, 300.0))
    assert above / below == pytest.approx(np.sqrt(2.02 / 0.02), rel=0.02)
