"""Populations whose members are measured with known errors."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.measurement.population import describe_population


def test_mean_and_spread_are_those_of_the_population_and_not_of_the_estimates() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        errors = rng.uniform(0.2, 0.5, 100)
        found.append(
            describe_population(
                1.0 + 0.3 * rng.standard_normal(100) + errors * rng.standard_normal(100), errors
            )
        )
    mean, sd, mean_se = np.array([(one.mean, one.sd, one.mean_se) for one in found]).T
    assert mean.mean() == pytest.approx(1.0, abs=0.01)
    assert sd.mean() == pytest.approx(0.3, rel=0.05)
    # The spread of the means over repetitions is what their standard error says.
    assert mean.std() == pytest.approx(mean_se.mean(), rel=0.15)


def test_without_errors_they_are_the_plain_mean_and_sd() -> None:
    found = describe_population([1.0, 2.0, 3.0, np.nan], [0.0, 0.0, 0.0, 1.0])
    assert (found.mean, found.sd, found.mean_se) == pytest.approx((2.0, 1.0, 3**-0.5))


def test_estimates_that_differ_less_than_their_errors_have_no_spread() -> None:
    found = describe_population([1.0, 1.1, 0.9], [0.5, 0.5, 0.5])
    assert (found.mean, found.sd) == pytest.approx((1.0, 0.0))


def test_fewer_than_three_members_are_no_population() -> None:
    assert np.isnan(describe_population([1.0, 2.0], [0.1, 0.1]).mean)
