"""Populations of MEPPs in, their mean and spread out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import lognorm

from builders.tables import mepps_of
from nwb_mepp.statistics.population import describe_amplitudes, describe_kinetics


def test_mean_and_spread_of_the_decay_are_those_without_the_error_of_measurement() -> None:
    rng = np.random.default_rng(1)
    # Logarithms have an SD of 0.3, and are measured with errors of 0.2 to 0.4.
    log_true = np.log(3e-3) + 0.3 * rng.standard_normal(4000)
    error = rng.uniform(0.2, 0.4, 4000)
    values = np.exp(log_true + error * rng.standard_normal(4000))
    found = describe_kinetics(mepps_of(decay_tau_s=values, decay_tau_se_s=values * error))
    truth = lognorm(s=0.3, scale=3e-3)
    assert found["decay_tau_mean_s"] == pytest.approx(truth.mean(), rel=0.02)
    assert found["decay_tau_sd_s"] == pytest.approx(truth.std(), rel=0.1)
    assert found["decay_tau_median_s"] == pytest.approx(3e-3, rel=0.03)
    assert found["decay_tau_mean_se_s"] == pytest.approx(
        np.std(np.log(values)) * truth.mean() / 4000**0.5, rel=0.1
    )
    # What is not known has no statistics.
    assert np.isnan([found["rise_10_90_mean_s"], found["half_width_median_s"]]).all()


def test_the_corrected_amplitude_leaves_out_what_may_be_two() -> None:
    mepps = mepps_of(amplitude=[1.0, 2.0, 3.0, 9.0], amplitude_se=0.0, unresolved=[False, False, False, True])
    found = describe_amplitudes(mepps)
    assert found["amplitude_mean_corrected"] == pytest.approx(2.0)
    assert found["amplitude_sd_corrected"] == pytest.approx(1.0)
    assert found["amplitude_mean_corrected_se"] == pytest.approx(3**-0.5)


def test_too_few_mepps_are_no_population() -> None:
    found = describe_kinetics(mepps_of(decay_tau_s=[1e-3, 2e-3], decay_tau_se_s=[1e-4, 1e-4]))
    assert np.isnan(found["decay_tau_mean_s"])
    assert found["decay_tau_median_s"] == pytest.approx(1.5e-3)
    assert np.isnan(
        describe_amplitudes(mepps_of(amplitude=[1.0], amplitude_se=[0.1]))["amplitude_mean_corrected"]
    )
