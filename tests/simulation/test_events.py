"""Shapes of simulated MEPPs are what they are said to be, and their times those of the process asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.simulation import EventShape, event_times


@settings(max_examples=40)
@given(
    decay_s=st.floats(1.2e-3, 20e-3),
    rise_over_decay=st.floats(0.05, 0.5),
    power=st.sampled_from([1.0, 2.0, 3.0, 4.0]),
)
def test_measured_rise_peak_end_and_decay_are_those_stated(
    decay_s: float, rise_over_decay: float, power: float
) -> None:
    shape = EventShape(rise_s=rise_over_decay * decay_s, decay_s=decay_s, power=power)
    time_s = np.arange(-0.001, shape.duration_s, 2e-6)
    value = shape.value(time_s)
    peak = int(np.argmax(value))
    assert np.all(value[time_s < 0.0] == 0.0)
    assert value[peak] == pytest.approx(1.0, abs=1e-4)
    assert time_s[peak] == pytest.approx(shape.peak_s, abs=0.02 * shape.peak_s + 4e-6)
    rising = value[: peak + 1]
    rise_s = time_s[np.argmax(rising >= 0.9)] - time_s[np.argmax(rising >= 0.1)]
    assert rise_s == pytest.approx(shape.rise_s, abs=0.01 * shape.rise_s + 4e-6)
    after = time_s[peak + int(np.argmax(value[peak:] < np.exp(-1.0)))]
    assert after == pytest.approx(shape.end_s, abs=6e-6)
    # Late, only the decay is left: the slope of the logarithm is -1 / decay.
    late_s = shape.peak_s + np.array([4.0, 5.0]) * decay_s
    slope = np.diff(np.log(shape.value(late_s)))[0]
    assert slope == pytest.approx(-1.0, rel=0.1)
    assert shape.value(np.array([shape.duration_s]))[0] < 1e-3 * 3.0


def test_power_one_is_the_difference_of_two_exponentials() -> None:
    shape = EventShape(rise_s=0.5e-3, decay_s=3e-3)
    time_s = np.linspace(0.0, 0.02, 50)
    value = shape.value(time_s)
    # exp(-t/a) - exp(-t/b) obeys y'' + (1/a + 1/b) y' + y/(ab) = 0; a is the decay, b follows from the peak.
    slow_s = 3e-3
    fast_s = next(b for b in np.geomspace(1e-5, 2.9e-3, 20_000) if _peak_of(slow_s, b) >= shape.peak_s)
    difference = np.exp(-time_s / slow_s) - np.exp(-time_s / fast_s)
    scale = np.exp(-shape.peak_s / slow_s) - np.exp(-shape.peak_s / fast_s)
    np.testing.assert_allclose(value, difference / scale, atol=2e-3)


def _peak_of(slow_s: float, fast_s: float) -> float:
    return float(np.log(slow_s / fast_s) * slow_s * fast_s / (slow_s - fast_s))


def test_a_rise_too_slow_for_its_decay_is_cut_to_half_of_it() -> None:
    assert EventShape(rise_s=5e-3, decay_s=4e-3).rise_s == 2e-3


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    duration_s=st.floats(0.0, 100.0),
    rate_hz=st.floats(0.0, 20.0),
    bursts_per_s=st.floats(0.0, 1.0),
    rate_slope=st.floats(-1.0, 1.0),
    min_interval_s=st.floats(0.0, 0.1),
)
def test_times_are_sorted_within_the_recording_and_keep_the_least_interval(
    seed: int,
    duration_s: float,
    rate_hz: float,
    bursts_per_s: float,
    rate_slope: float,
    min_interval_s: float,
) -> None:
    times_s = event_times(
        duration_s=duration_s,
        rate_hz=rate_hz,
        bursts_per_s=bursts_per_s,
        rate_slope=rate_slope,
        min_interval_s=min_interval_s,
        rng=np.random.default_rng(seed),
    )
    assert np.all((times_s >= 0.0) & (times_s < duration_s))
    assert np.all(np.diff(times_s) >= min_interval_s)
    assert np.all(np.diff(times_s) >= 0.0)


def test_number_and_intervals_are_those_of_a_poisson_process() -> None:
    times_s = event_times(duration_s=5_000.0, rate_hz=2.0, rng=np.random.default_rng(0))
    # 10 000 expected, SD 100; the CV of exponential intervals is 1.
    assert len(times_s) == pytest.approx(10_000, abs=400)
    intervals_s = np.diff(times_s)
    assert intervals_s.mean() == pytest.approx(0.5, rel=0.04)
    assert intervals_s.std() / intervals_s.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.5, 1.0])
def test_a_drifting_rate_goes_linearly_from_less_to_more(slope: float) -> None:
    times_s = event_times(duration_s=10_000.0, rate_hz=2.0, rate_slope=slope, rng=np.random.default_rng(1))
    counts, _ = np.histogram(times_s, bins=4, range=(0.0, 10_000.0))
    # The mean rate of quarter i is 1 + slope * (2 i + 1 - 4) / 4 times that of all.
    expected = 5_000.0 * (1.0 + slope * np.array([-0.75, -0.25, 0.25, 0.75]))
    np.testing.assert_allclose(counts, expected, atol=5.0 * np.sqrt(5_000.0))


def test_bursts_add_crowds_of_the_stated_size_and_interval() -> None:
    rng = np.random.default_rng(2)
    times_s = event_times(
        duration_s=20_000.0, rate_hz=0.0, bursts_per_s=0.05, burst_size=6.0, burst_interval_s=0.01, rng=rng
    )
    # Bursts are 20 s apart on average, their events 10 ms: a gap of half a second parts them.
    first = np.flatnonzero(np.diff(times_s, prepend=-10.0) > 0.5)
    sizes = np.diff(np.append(first, len(times_s)))
    assert len(sizes) == pytest.approx(1_000 * (1.0 - 0.025), abs=130)  # some bursts merge
    assert sizes.min() >= 2
    assert sizes.mean() == pytest.approx(6.1, rel=0.06)
    within_s = np.diff(times_s)[np.diff(times_s) <= 0.5]
    assert np.median(within_s) == pytest.approx(0.01 * np.log(2.0), rel=0.1)
