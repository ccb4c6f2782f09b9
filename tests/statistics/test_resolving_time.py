"""Poisson trains of which a part stays unseen: the rate and the test come out as if nothing had been lost."""

from __future__ import annotations

import numpy as np
import pytest

from builders.tables import mepps_at, mepps_of
from builders.traces import segment_of
from nwb_mepp.core.segments import Segment
from nwb_mepp.statistics import describe_timing
from nwb_mepp.statistics.resolving_time import intervals_beyond, measure_resolving_time, rate_beyond

DEAD_S = 2e-3


def seen_of_a_poisson_train(rng: np.random.Generator, *, rate_hz: float, duration_s: float) -> np.ndarray:
    """Return the onsets that are seen: none within the dead time after another."""
    onsets = np.sort(rng.uniform(0.0, duration_s, rng.poisson(rate_hz * duration_s)))
    seen, blind_until = [], -1.0
    for onset in onsets.tolist():
        if onset >= blind_until:
            seen.append(onset)
            blind_until = onset + DEAD_S
    return np.array(seen)


@pytest.mark.parametrize("rate_hz", [5.0, 50.0, 100.0])
def test_the_interval_of_the_corrected_rate_covers_the_truth(rate_hz: float) -> None:
    rng = np.random.default_rng(1)
    covered, plain = [], []
    for _ in range(100):
        onsets = seen_of_a_poisson_train(rng, rate_hz=rate_hz, duration_s=20.0)
        _, low, high = rate_beyond(onsets, resolving_s=5e-3, duration_s=20.0)
        covered.append(low <= rate_hz <= high)
        plain.append(len(onsets) / 20.0)
    # 95 of 100, less three standard errors.
    assert np.mean(covered) >= 0.88
    # A dead time t leaves r / (1 + r t).
    assert np.mean(plain) == pytest.approx(rate_hz / (1 + rate_hz * DEAD_S), rel=0.03)


@pytest.mark.parametrize("rate_hz", [1.0, 50.0])
def test_a_poisson_train_with_a_dead_time_is_rejected_as_often_as_stated(rate_hz: float) -> None:
    rng = np.random.default_rng(2)
    p = []
    for _ in range(200):
        onsets = seen_of_a_poisson_train(rng, rate_hz=rate_hz, duration_s=2000.0 / rate_hz)
        p.append(describe_timing(mepps_at(onsets), segments=[long_segment(onsets)]).poisson_p)
    # Standard error of a fraction of 0.05 among 200: 0.015.
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.045)
    assert np.mean(p) == pytest.approx(0.5, abs=0.08)


def long_segment(onsets: np.ndarray) -> Segment:
    """Return a segment that holds all onsets, of one value."""
    return segment_of(np.zeros(int(onsets[-1] * 10e3) + 2), rate_hz=10e3)


def test_the_resolving_time_is_the_median_time_to_one_over_e_of_those_that_reach_it() -> None:
    mepps = mepps_of(
        start_s=[0.0, 1.0, 2.0, 3.0],
        stop_s=[0.004, 1.006, 2.005, 3.001],
        overlapped=[False, False, False, True],
    )
    assert measure_resolving_time(mepps) == pytest.approx(5e-3)
    assert measure_resolving_time(mepps.select(np.array([3]))) == 0.0


def test_without_resolving_time_the_rate_is_that_of_the_count() -> None:
    # The exact limits of a count of 3 are 0.619 and 8.767 (Garwood 1936).
    assert rate_beyond([1.0, 2.0, 4.0], resolving_s=0.0, duration_s=10.0) == pytest.approx(
        (0.3, 0.0619, 0.8767), abs=1e-4
    )


def test_no_mepp_has_the_limits_of_none_and_no_time_none() -> None:
    assert rate_beyond([], resolving_s=0.0, duration_s=10.0) == pytest.approx((0.0, 0.0, 0.3689), abs=1e-4)
    assert np.isnan(rate_beyond([], resolving_s=0.0, duration_s=0.0)).all()
    assert np.isnan(rate_beyond([0.0], resolving_s=1.0, duration_s=0.5)).all()


def test_intervals_shorter_than_the_resolving_time_are_left_out() -> None:
    assert intervals_beyond([0.0, 1.0, 1.5, 4.0], resolving_s=0.75).tolist() == [0.25, 1.75]
