"""Which way MEPPs point: clear deflections count, spikes, steps and noise do not."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.conditioning import count_deflections, judge_polarity
from nwb_mepp.core.polarity import Polarity


def deflections(places: list[int], height: float, n_samples: int, *, decay: float) -> np.ndarray:
    trace = np.zeros(n_samples)
    for place in places:
        trace[place : place + 300] += height * np.exp(-np.arange(300) / decay)
    return trace


@pytest.mark.parametrize("rate_hz", [2_000.0, 10_000.0, 50_000.0])
def test_deflections_of_either_sign_are_counted(rate_hz: float) -> None:
    n_samples = int(2 * rate_hz)
    places = (np.arange(1, 8) * 0.25 * rate_hz).astype(int).tolist()
    trace = np.random.default_rng(0).normal(size=n_samples)
    trace += deflections(places[:5], 30.0, n_samples, decay=0.003 * rate_hz)
    trace += deflections(places[5:], -30.0, n_samples, decay=0.003 * rate_hz)
    assert count_deflections(trace, sampling_rate_hz=rate_hz) == (5, 2)


def test_spikes_steps_and_slow_waves_are_not_counted() -> None:
    trace = np.random.default_rng(0).normal(size=20_000)
    trace[2_000] += 40.0
    trace[5_000:] += 100.0
    trace[10_000:14_000] += 100.0 * np.hanning(4_000)
    assert count_deflections(trace, sampling_rate_hz=10_000.0) == (0, 0)


def test_counting_survives_a_trace_that_mostly_repeats_one_value() -> None:
    trace = np.zeros(20_000)
    trace[::1_500] += 1.0
    trace += deflections([3_000, 9_000, 15_000], -20.0, 20_000, decay=30.0)
    assert count_deflections(trace, sampling_rate_hz=10_000.0) == (0, 3)


def test_a_constant_has_no_deflections() -> None:
    assert count_deflections(np.full(20_000, -0.075), sampling_rate_hz=10_000.0) == (0, 0)


@pytest.mark.parametrize(
    ("n_positive", "n_negative", "unit", "polarity"),
    [
        (3, 1, "A", "positive"),
        (3, 1, "V", "positive"),
        (1, 3, "V", "negative"),
        (10, 5, "A", "positive"),  # twice as many is enough
        (9, 5, "A", "negative"),  # less is not: the convention for currents
        (9, 10, "V", "positive"),
        (2, 0, "A", "negative"),  # too few
        (0, 2, "V", "positive"),
        (0, 0, "V", "positive"),
        (0, 0, "A", "negative"),
    ],
)
def test_a_clear_majority_decides_else_the_convention_of_the_unit(
    n_positive: int, n_negative: int, unit: str, polarity: str
) -> None:
    decided, reason = judge_polarity(n_positive, n_negative, unit=unit)
    assert decided is Polarity(polarity)
    more = max(n_positive, n_negative)
    by_count = more >= 3 and more >= 2 * min(n_positive, n_negative)
    assert ("too few clear deflections" in reason) is not by_count
