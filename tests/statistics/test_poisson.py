"""Counts and intervals against what is printed in tables and what chance gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from nwb_mepp.statistics import exponential_p, rate_interval


@pytest.mark.parametrize(
    # The exact 95 % limits of a Poisson mean, as printed in tables (Garwood 1936).
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_the_rate_interval_agrees_with_the_table(count, low, high):
    assert rate_interval(count, duration_s=1.0) == pytest.approx((low, high), abs=6e-4)


def test_the_rate_interval_is_that_of_the_chi_square_distribution():
    expected = chi2.ppf(0.05, 2 * 7) / 2 / 60, chi2.ppf(0.95, 2 * 7 + 2) / 2 / 60
    assert rate_interval(7, duration_s=60.0, confidence=0.9) == pytest.approx(expected)


def test_no_time_gives_no_rate_interval():
    assert np.isnan(rate_interval(0, duration_s=0.0)).all()


@pytest.mark.parametrize("n_intervals", [0, 1, 4])
def test_fewer_than_five_intervals_are_not_tested(n_intervals):
    assert np.isnan(exponential_p(np.ones(n_intervals)))


@pytest.mark.parametrize("n_intervals", [5, 30, 300])
def test_intervals_of_a_poisson_process_are_rejected_as_often_as_stated(n_intervals):
    rng = np.random.default_rng(1)
    p = np.array([exponential_p(rng.exponential(0.3, n_intervals)) for _ in range(1000)])
    # Standard error of a fraction of 0.05 among 1000: 0.007; of a mean of uniform values: 0.009.
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.025)
    assert p.mean() == pytest.approx(0.5, abs=0.035)


def test_intervals_that_lie_on_the_exponential_quantiles_fit_perfectly():
    assert exponential_p(-np.log1p(-(np.arange(100) + 0.5) / 100)) > 0.99


def test_a_clock_and_bursts_are_not_a_poisson_process():
    rng = np.random.default_rng(2)
    assert exponential_p(1.0 + 0.05 * rng.standard_normal(50)) < 0.01
    bursts = np.where(rng.uniform(size=200) < 0.8, 0.02, 2.0) * rng.exponential(size=200)
    assert exponential_p(bursts) < 0.01


def test_neither_unit_nor_order_matters_and_the_result_is_repeatable():
    intervals = np.random.default_rng(3).exponential(size=40)
    p = exponential_p(intervals)
    assert exponential_p(1e3 * intervals[::-1]) == p
    assert exponential_p(intervals) == p
