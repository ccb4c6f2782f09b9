"""The noise of a trace with many MEPPs, when these are taken away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from builders.lab_noise import RATE_HZ, lab_trace, sigmoid_mepp
from builders.traces import segment_of
from nwb_mepp.conditioning import measure_noise_left, survey

FloatArray = npt.NDArray[np.float64]

DURATION_S = 20.0
NOISE_SD = 0.05e-3


def true_sd() -> float:
    """Return the SD of the noise of ``lab_trace`` above 10 Hz."""
    noise = lab_trace(np.empty(0), level=1.0, decay_s=3e-3, seed=1, duration_s=100.0).values
    power = np.abs(np.fft.rfft(noise - noise.mean())) ** 2
    above = np.fft.rfftfreq(len(noise), 1 / RATE_HZ) > 10.0
    return float(NOISE_SD * np.sqrt(power[above].sum() / power[1:].sum()))


def test_events_that_are_known_do_not_count_as_noise() -> None:
    onsets_s = np.sort(np.random.default_rng(3).uniform(0.0, DURATION_S - 0.1, 1000))  # 50 per second
    lab = lab_trace(
        onsets_s, level=10.0, decay_s=3e-3, seed=2, duration_s=DURATION_S, decay_cv=0.0, amplitude_cv=0.0
    )
    segments = [segment_of(lab.values)]
    noise = survey(segments, polarity="positive")
    time_s = np.arange(len(lab.values)) / RATE_HZ
    known = np.zeros(len(time_s))
    for onset_s in onsets_s:
        own = slice(int(onset_s * RATE_HZ), int((onset_s + 0.04) * RATE_HZ))
        known[own] += 10.0 * NOISE_SD * sigmoid_mepp(time_s[own] - onset_s, rise_s=0.25e-3, decay_s=3e-3)
    with_events = measure_noise_left(segments, noise=noise)
    without = measure_noise_left(segments, noise=noise.knowing(lambda _, start, stop: known[start:stop]))
    assert with_events is not None
    assert without is not None
    assert with_events.sd > 2.0 * NOISE_SD
    assert without.sd == pytest.approx(true_sd(), rel=0.05)


@pytest.mark.parametrize(("start", "stop"), [(0, 50), (-40, 10), (19_990, 20_040), (19_950, 20_000)])
def test_known_events_are_reflected_with_the_trace(start: int, stop: int) -> None:
    values = NOISE_SD * np.random.default_rng(7).standard_normal(20_000)
    known = np.linspace(0.0, 1e-3, 20_000)
    segment, alone = segment_of(values + known), segment_of(values)
    noise = survey([alone], polarity="positive").knowing(lambda _, first, last: known[first:last])
    found = noise.values_between_events(segment, start, stop)
    np.testing.assert_allclose(found, alone.values(start, stop), atol=1e-12)


def test_excerpts_that_follow_each_other_are_read_together() -> None:
    # Excerpts of 0.2 s: 100 of one segment, at most 50 at once; 25 of each of two, whose ends are left over.
    values = NOISE_SD * np.random.default_rng(8).standard_normal(210_000)
    whole, parts = (
        [segment_of(values[:200_000])],
        [segment_of(values[:50_100]), segment_of(values[60_000:110_100])],
    )
    read: list[tuple[int, int]] = []

    def nothing(_: object, start: int, stop: int) -> FloatArray:
        read.append((start, stop))
        return np.zeros(stop - start)

    for segments in (whole, parts):
        measure_noise_left(segments, noise=survey(segments, polarity="positive").knowing(nothing))
    assert read == [(0, 100_000), (100_000, 200_000), (0, 50_000), (0, 50_000)]


def test_of_a_long_channel_excerpts_are_read_one_by_one() -> None:
    # 1,200 s hold 6,000 excerpts, of which 500 are chosen.
    values = NOISE_SD * np.random.default_rng(9).standard_normal(2_400_000)
    segments, lengths = [segment_of(values, rate_hz=2000.0)], []

    def nothing(_: object, start: int, stop: int) -> FloatArray:
        lengths.append(stop - start)
        return np.zeros(stop - start)

    measure_noise_left(segments, noise=survey(segments, polarity="positive").knowing(nothing))
    assert lengths == [400] * 500


def test_the_autocovariance_is_that_of_the_noise() -> None:
    # Each sample is the mean of four independent ones: correlated by 3/4, 1/2, 1/4 and not at all.
    white = np.random.default_rng(5).standard_normal(300_003)
    values = NOISE_SD * np.convolve(white, np.ones(4) / 2.0, mode="valid")
    segments = [segment_of(values)]
    left = measure_noise_left(segments, noise=survey(segments, polarity="positive"))
    assert left is not None
    expected = NOISE_SD**2 * np.array([1.0, 0.75, 0.5, 0.25, 0.0, 0.0])
    np.testing.assert_allclose(left.autocovariance[:6], expected, atol=0.05 * NOISE_SD**2)


def test_segments_shorter_than_an_excerpt_say_nothing() -> None:
    long = segment_of(NOISE_SD * np.random.default_rng(5).standard_normal(20_000))
    short = segment_of(np.zeros(1999))
    assert measure_noise_left([short], noise=survey([long], polarity="positive")) is None
