"""Confidence intervals by resampling recordings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from nwb_mepp.evaluation import bootstrap, f1, paired_bootstrap


def seeded() -> np.random.Generator:
    return np.random.default_rng(20260101)


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    # 400 values of SD 1: the 95 % interval of their mean is +-1.96 / sqrt(400) = +-0.098 about it.
    values = np.random.default_rng(7).standard_normal(400)
    values = (values - values.mean()) / values.std()
    estimate = bootstrap(values, statistic=np.mean, rng=seeded())
    assert estimate.value == pytest.approx(0.0, abs=1e-12)
    assert estimate.low == pytest.approx(-0.098, abs=0.01)
    assert estimate.high == pytest.approx(0.098, abs=0.01)


def test_where_scipy_gives_an_interval_it_is_the_same() -> None:
    counts = np.random.default_rng(3).integers(1, 50, size=(12, 3))
    ours = bootstrap(counts, statistic=f1, rng=seeded())
    theirs = scipy.stats.bootstrap(
        (np.arange(12),),
        lambda drawn: f1(counts[drawn]),
        n_resamples=2000,
        vectorized=False,
        method="percentile",
        random_state=seeded(),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_a_wider_level_gives_a_wider_interval() -> None:
    values = np.arange(30.0)
    narrow = bootstrap(values, statistic=np.mean, rng=seeded(), level=0.5)
    wide = bootstrap(values, statistic=np.mean, rng=seeded(), level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = [[9, 1, 0], [5, 5, 1], [7, 2, 3]]
    assert bootstrap(counts, statistic=f1, rng=seeded()) == bootstrap(counts, statistic=f1, rng=seeded())


def test_whole_recordings_are_drawn_not_their_events() -> None:
    # One of two recordings has F1 1, the other 0. A quarter of the draws holds only one of them each, so
    # the 95 % interval reaches both ends although there are two thousand events.
    counts = [[1000, 0, 0], [0, 500, 500]]
    estimate = bootstrap(counts, statistic=f1, rng=seeded())
    assert (estimate.low, estimate.high) == (0.0, 1.0)
    assert estimate.value == pytest.approx(2000 / 3000)


def test_draws_with_an_undefined_figure_are_left_out() -> None:
    estimate = bootstrap([[4, 0, 0], [0, 0, 0]], statistic=f1, rng=seeded())
    assert (estimate.value, estimate.low, estimate.high) == (1.0, 1.0, 1.0)


def test_a_figure_that_is_always_undefined_has_an_undefined_interval() -> None:
    estimate = bootstrap([[0, 0, 0]], statistic=f1, rng=seeded(), n_resamples=10)
    assert all(math.isnan(figure) for figure in (estimate.value, estimate.low, estimate.high))


def test_pairing_removes_what_is_hard_for_both_detectors() -> None:
    # Recordings differ by far more than the detectors do; the difference is 0.02 in every one.
    hardness = np.linspace(0.2, 0.9, 20)
    alone = bootstrap(hardness, statistic=np.mean, rng=seeded())
    paired = paired_bootstrap(hardness + 0.02, hardness, statistic=np.mean, rng=seeded())
    assert alone.high - alone.low > 0.1
    assert paired.low == pytest.approx(0.02)
    assert paired.high == pytest.approx(0.02)


def test_the_difference_changes_sign_with_the_order_of_the_detectors() -> None:
    first, second = [[9, 1, 0], [5, 5, 1]], [[8, 2, 4], [6, 4, 0]]
    forward = paired_bootstrap(first, second, statistic=f1, rng=seeded())
    backward = paired_bootstrap(second, first, statistic=f1, rng=seeded())
    assert forward.value == -backward.value
    assert forward.low == pytest.approx(-backward.high)


def test_detectors_with_different_recordings_are_refused() -> None:
    with pytest.raises(ValueError, match="expected the same recordings for both, found 2 and 1"):
        paired_bootstrap([1.0, 2.0], [1.0], statistic=np.mean, rng=seeded())


def test_no_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="found no recording"):
        bootstrap([], statistic=np.mean, rng=seeded())


def test_no_resample_is_refused() -> None:
    with pytest.raises(ValueError, match="found n_resamples=0"):
        bootstrap([1.0], statistic=np.mean, rng=seeded(), n_resamples=0)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_fraction_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="expected a level between 0 and 1"):
        bootstrap([1.0], statistic=np.mean, rng=seeded(), level=level)
