"""The first pass over a channel: what it measures of the noise, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.signal import bessel, butter, sosfilt, sosfiltfilt, sosfreqz

from builders.traces import NOISE_SD, segments_of, trace_of, white_noise
from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.simulation import Scenario, simulate_recording

NOISES = {
    "white": {"white_part": 1.0, "pink_part": 0.0, "lowpass_hz": None},
    "behind a low-pass": {"white_part": 1.0, "pink_part": 0.0, "lowpass_hz": 1500.0},
    "pink": {"white_part": 0.0, "pink_part": 1.0},
    "both": {},
}


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("rate_hz", [5_000.0, 20_000.0])
def test_noise_sd_is_that_of_the_noise_above_10_hz_though_there_are_mepps(kind: str, rate_hz: float) -> None:
    scenario = Scenario(
        duration_s=30.0,
        sampling_rate_hz=rate_hz,
        rate_hz=1.0,
        noise_sd=NOISE_SD,
        drift_per_sqrt_s=8.0 * NOISE_SD,
        **NOISES[kind],  # type: ignore[arg-type]
    )
    alone = simulate_recording(replace(scenario, rate_hz=0.0), seed=4).values
    sections = butter(4, 10.0, "highpass", fs=rate_hz, output="sos")
    expected = sosfiltfilt(sections, alone).std()
    found = survey(segments_of(simulate_recording(scenario, seed=4).values, rate_hz=rate_hz))
    # One segment of 0.2 s in five holds a MEPP, which raises the quantile that is taken by some per cent.
    assert found.noise_sd == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("step_sd", [0.3, 1.0, 1.5])
def test_noise_sd_of_a_coarsely_quantized_trace_includes_the_rounding_error(step_sd: float) -> None:
    scenario = Scenario(
        duration_s=30.0, noise_sd=NOISE_SD, pink_part=0.0, lowpass_hz=None, step=step_sd * NOISE_SD
    )
    found = survey(segments_of(simulate_recording(scenario, seed=4).values))
    # The rounding error of a uniform quantizer has the SD step / sqrt(12).
    assert found.noise_sd == pytest.approx(NOISE_SD * np.sqrt(1.0 + step_sd**2 / 12.0), rel=0.1)
    assert found.converter_step == pytest.approx(step_sd * NOISE_SD, rel=1e-6)


def test_noise_sd_survives_a_trace_whose_median_absolute_deviation_is_zero() -> None:
    step = 5.0 * NOISE_SD
    scenario = Scenario(duration_s=30.0, noise_sd=NOISE_SD, pink_part=0.0, lowpass_hz=None, step=step)
    values = simulate_recording(scenario, seed=4).values
    assert np.median(np.abs(values - np.median(values))) == 0.0
    # Not below the rounding error, which is all that is known, nor beyond it and the noise together.
    found = survey(segments_of(values))
    assert 0.99 * step / np.sqrt(12.0) <= found.noise_sd <= 1.2 * np.hypot(step / np.sqrt(12.0), NOISE_SD)


@cache
def unfiltered() -> np.ndarray:
    scenario = Scenario(duration_s=20.0, lowpass_hz=None, resting_level=0.0)
    return simulate_recording(scenario, seed=3).values


@pytest.mark.parametrize("level", [0.0, -0.07])
@pytest.mark.parametrize(
    ("poles", "zero_phase", "corner_hz"), [(4, False, 500.0), (8, False, 1000.0), (8, True, 1000.0)]
)
def test_bandwidth_behind_a_filter_is_where_hardly_anything_is_left(
    poles: int, zero_phase: bool, corner_hz: float, level: float
) -> None:
    sections = bessel(poles, corner_hz, fs=10_000.0, output="sos", norm="mag")
    apply = sosfiltfilt if zero_phase else sosfilt
    filtered = apply(sections, unfiltered())
    found = survey(segments_of((filtered + level).astype(np.float32)))
    frequencies_hz, response = sosfreqz(sections, worN=4096, fs=10_000.0)
    loss_db = -20.0 * (2 if zero_phase else 1) * np.log10(np.abs(response))
    # 15 dB are missing to noise that falls by 6 dB per octave from the corner on, for one to two octaves.
    low, high = np.interp([15.0, 31.0], loss_db, frequencies_hz)
    assert low < found.bandwidth_hz < high


@pytest.mark.parametrize("name", [*NOISES, "drift", "hum", "coarse"])
def test_bandwidth_without_a_filter_is_all_there_is(name: str) -> None:
    more = {
        "drift": {"pink_exponent": 1.6, "white_part": 0.3, "drift_per_sqrt_s": 40.0 * NOISE_SD},
        "hum": {"hum_amplitudes": (10.0 * NOISE_SD, 5.0 * NOISE_SD)},
        "coarse": {"step": 1.5 * NOISE_SD},
    }
    scenario = replace(Scenario(duration_s=20.0, noise_sd=NOISE_SD), **(NOISES | more)[name])  # type: ignore[arg-type]
    for rate_hz, duration_s in ((10_000.0, 20.0), (5_000.0, 0.6)):
        part = replace(scenario, sampling_rate_hz=rate_hz, duration_s=duration_s)
        values = simulate_recording(part, seed=4).values
        expected_hz = 4_000.0 if scenario.lowpass_hz and rate_hz > 5_000.0 else rate_hz / 2.0
        if name == "behind a low-pass":
            expected_hz = 2_000.0
        assert survey(segments_of(values, rate_hz=rate_hz)).bandwidth_hz >= expected_hz


def test_a_steep_slope_does_not_hide_the_noise() -> None:
    values = white_noise(40_000) + np.linspace(-1.0, 1.0, 40_000)
    assert survey(segments_of(values)).bandwidth_hz == 5_000.0


def test_steps_of_a_converter_that_exceed_slow_noise_bound_the_bandwidth() -> None:
    white = np.random.default_rng(0).standard_normal(200_000)
    slow = sosfilt(bessel(4, 150.0, fs=10_000.0, output="sos", norm="mag"), white)
    fine, coarse = slow / slow.std(), np.round(slow / slow.std() / 1.5) * 1.5
    assert 300.0 < survey(segments_of(fine)).bandwidth_hz < 500.0
    # Steps are sharp: their spectrum goes on as 1 / f**2, as far as the trace does.
    assert 200.0 < survey(segments_of(coarse)).bandwidth_hz < 800.0


def test_growth_is_that_of_the_noise_whatever_the_mepps_do() -> None:
    scenario = Scenario(duration_s=60.0, rate_hz=0.0, noise_sd=NOISE_SD)
    noise = simulate_recording(scenario, seed=1).values + 0.075
    busy = simulate_recording(replace(scenario, rate_hz=3.0, rate_slope=0.8), seed=1).values
    assert survey(segments_of(busy)).noise_growth == pytest.approx(1.0, abs=0.1)
    assert survey(segments_of(noise[:40_000])).noise_growth == 1.0  # too short to tell
    louder = noise.copy()
    louder[-80_000:] *= 2.5
    assert survey(segments_of(louder)).noise_growth == pytest.approx(2.5, rel=0.1)


def test_hum_is_found_and_does_not_count_as_noise() -> None:
    quiet = Scenario(duration_s=30.0, noise_sd=NOISE_SD, rate_hz=0.0)
    loud = replace(quiet, hum_amplitudes=(2.0 * NOISE_SD, NOISE_SD, 0.5 * NOISE_SD), hum_phase_drift=0.1)
    without = survey(segments_of(simulate_recording(quiet, seed=1).values))
    with_hum = survey(segments_of(simulate_recording(loud, seed=1).values))
    assert without.hum is None
    assert with_hum.hum is not None
    assert with_hum.noise_sd == pytest.approx(without.noise_sd, rel=0.1)


def test_values_come_without_the_hum_where_there_is_any() -> None:
    scenario = Scenario(duration_s=20.0, noise_sd=NOISE_SD, rate_hz=0.0)
    values = simulate_recording(scenario, seed=1).values
    quiet = segments_of(values)
    np.testing.assert_array_equal(survey(quiet).values(quiet[0], 10, 20), values[10:20])
    line = 2.0 * NOISE_SD * np.sin(2.0 * np.pi * 50.0 * np.arange(len(values)) / 10_000.0)
    loud = segments_of(values + line)
    left = survey(loud).values(loud[0], 0, len(values)) - values
    assert left.std() < 0.2 * line.std()


@cache
def humming(polarity: Polarity, level: float) -> np.ndarray:
    scenario = Scenario(
        duration_s=60.0,
        polarity=polarity,
        rate_hz=1.0,
        noise_sd=0.5e-3 / level,
        hum_amplitudes=(0.03e-3, 0.015e-3),
        drift_per_sqrt_s=0.4e-3,
        artifacts={"spike": 3, "step": 2, "slow_bump": 1},
    )
    return simulate_recording(scenario, seed=2).values


@pytest.mark.parametrize("polarity", [Polarity.POSITIVE, Polarity.NEGATIVE])
@pytest.mark.parametrize("level", [4.0, 10.0])
@pytest.mark.parametrize("unit", ["V", "A"])
def test_polarity_is_judged_from_the_mepps(polarity: Polarity, level: float, unit: str) -> None:
    found = survey(segments_of(humming(polarity, level), unit=unit))
    assert found.polarity is polarity
    assert "deflections" in found.polarity_reason


@pytest.mark.parametrize(("unit", "polarity"), [("V", "positive"), ("A", "negative")])
def test_polarity_of_noise_is_the_convention_of_its_unit(unit: str, polarity: str) -> None:
    for seed in range(5):
        found = survey(segments_of(white_noise(100_000, seed=seed), unit=unit))
        assert (found.unit, found.polarity) == (unit, polarity)
        assert "too few clear deflections to tell" in found.polarity_reason


@pytest.mark.parametrize(
    ("stated", "true"), [("positive", Polarity.NEGATIVE), (Polarity.NEGATIVE, Polarity.POSITIVE)]
)
def test_a_stated_polarity_is_taken_as_it_is(stated: str, true: Polarity) -> None:
    simulated = simulate_recording(Scenario(duration_s=10.0, rate_hz=3.0, polarity=true), seed=0)
    found = survey(segments_of(simulated.values), polarity=stated)
    assert (found.polarity, found.polarity_reason) == (Polarity(stated), "stated")


def test_an_unknown_polarity_is_refused() -> None:
    with pytest.raises(UsageError, match="polarity: expected one of auto, positive, negative, found 'up'"):
        survey(segments_of(white_noise(20_000)), polarity="up")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_named_with_time_sweep_and_number(bad: float) -> None:
    samples = white_noise(40_000)
    samples[[12_345, 20_000]] = bad
    trace = trace_of(samples, start_s=100.0, sweep=3)
    # Numbers count from the start of the sweep though the first second of it is left out.
    segments = list(cut_segments([trace], excluded=[(100.0, 101.0)]))
    message = (
        rf"channel 'Vm'.* found {bad} at 101\.2345 s \(sweep 3, sample 12345\).*`exclude=\[\(START, STOP\)\]`"
    )
    with pytest.raises(DetectionError, match=message):
        survey(segments)


def test_a_bad_sample_that_is_left_out_does_no_harm() -> None:
    samples = white_noise(40_000)
    samples[12_345] = np.nan
    segments = list(cut_segments([trace_of(samples)], excluded=[(1.2, 1.3)]))
    assert survey(segments).noise_sd == pytest.approx(NOISE_SD, rel=0.1)


def test_a_constant_trace_is_refused() -> None:
    with pytest.raises(DetectionError, match=r"channel 'Vm': .* found the constant -0\.075 V; .*`channels`"):
        survey(segments_of(np.full(20_000, -0.075)))


def test_a_trace_that_is_constant_but_for_a_moment_is_refused() -> None:
    samples = np.zeros(4_000_000, dtype=np.int8)
    samples[3_000] = 1  # none of the segments that are looked at holds it
    with pytest.raises(
        DetectionError, match=r"channel 'Vm' repeats one value nearly throughout, .*`channels`"
    ):
        survey(segments_of(samples))


def test_a_rate_below_2_khz_is_refused() -> None:
    expected = r"at least 2000 Hz .* found 1999 Hz; if the file states a wrong rate, .* `sampling_rate_hz`"
    with pytest.raises(DetectionError, match=expected):
        survey(segments_of(white_noise(20_000), rate_hz=1_999.0))
    assert survey(segments_of(white_noise(20_000), rate_hz=2_000.0)).noise_sd > 0.0


def test_a_trace_of_parts_that_are_too_short_is_refused_however_many_they_are() -> None:
    segments = list(cut_segments([trace_of(white_noise(8_000))], excluded=[(0.3, 0.31)]))
    with pytest.raises(
        DetectionError, match=r"at least 0\.5 s .* found 0\.79 s in stretches of at most 0\.49 s"
    ):
        survey(segments)


@pytest.mark.parametrize("unit", ["mV", "", "degC"])
def test_a_unit_that_is_not_electrical_is_refused(unit: str) -> None:
    with pytest.raises(DetectionError, match=rf"or a current, found unit '{unit}'.*`channels`.*`unit`"):
        survey(segments_of(white_noise(20_000), unit=unit))


def test_a_channel_left_out_wholly_is_refused() -> None:
    segments = list(cut_segments([trace_of(white_noise(20_000))], excluded=[(0.0, 10.0)]))
    with pytest.raises(
        DetectionError,
        match=r"no samples are left to analyze: `exclude`, .* leave out everything; leave out less",
    ):
        survey(segments)


def test_hours_of_samples_are_checked_to_the_last() -> None:
    samples = white_noise(1 << 21)
    samples[-1] = np.nan
    with pytest.raises(DetectionError, match=r"sample 2097151\)"):
        survey(segments_of(samples))


def slow_noise(corner_hz: float, *, poles: int = 4) -> np.ndarray:
    sections = bessel(poles, corner_hz, fs=10_000.0, output="sos", norm="mag")
    return np.asarray(sosfilt(sections, white_noise(200_000)))


@pytest.mark.parametrize("level", [0.0, -0.07])
@pytest.mark.parametrize("corner_hz", [5.0, 15.0])
def test_a_trace_filtered_to_nothing_is_refused(corner_hz: float, level: float) -> None:
    expected = (
        r"channel 'Vm': .* at least 100 Hz to resolve a MEPP, found nothing above \d\d Hz but .*faster filter"
    )
    with pytest.raises(DetectionError, match=expected):
        survey(segments_of((slow_noise(corner_hz) + level).astype(np.float32)))


def test_a_filter_that_a_mepp_survives_is_not_refused() -> None:
    assert survey(segments_of(slow_noise(100.0, poles=8))).bandwidth_hz > 150.0


@pytest.mark.parametrize("per_s", [2.0, 20.0])
def test_a_trace_that_is_only_steps_is_refused(per_s: float) -> None:
    random = np.random.default_rng(0)
    steps = np.cumsum(random.random(200_000) < per_s / 10_000.0) % 2
    expected = r"expected noise .* found steps only, about \d+(\.\d)? per s .*step is below the noise"
    with pytest.raises(DetectionError, match=expected):
        survey(segments_of(1e-4 * steps - 0.07))
    # With noise it is an ordinary recording.
    assert survey(segments_of(1e-4 * steps + white_noise(200_000))).noise_sd > 0.0


def test_rises_that_filter_or_rate_cannot_resolve_are_named() -> None:
    fast, slow = survey(segments_of(white_noise(100_000))), survey(segments_of(slow_noise(300.0)))
    rises_s = [0.6e-3, 0.7e-3, np.nan, 0.9e-3]
    assert fast.rise_warnings(rises_s) == ()
    (said,) = slow.rise_warnings(rises_s)
    assert said.startswith("rise times are too short for the recording: their median is 0.7 ms, ")
    assert f"nothing above {slow.bandwidth_hz:.0f} Hz, alone give about" in said
    assert slow.rise_warnings([3e-3]) == slow.rise_warnings([]) == slow.rise_warnings([np.nan]) == ()
    # At 2 kHz a rise of 0.7 ms has two samples.
    coarse = survey(segments_of(white_noise(20_000), rate_hz=2_000.0))
    assert len(coarse.rise_warnings([0.7e-3])) == 1
