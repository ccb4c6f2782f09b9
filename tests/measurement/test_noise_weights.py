"""Bins around a peak, and the covariance of colored noise in them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import toeplitz

from builders.lab_noise import colored_noise
from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights, white_noise


@pytest.mark.parametrize("rate_hz", [2e3, 10e3, 100e3])
def test_bins_cover_the_window_without_a_gap_at_any_rate(rate_hz: float) -> None:
    bins = Bins.around_peak(rate_hz)
    assert bins.edges[[0, -1]].tolist() == [-15e-3 * rate_hz, 60e-3 * rate_hz]
    assert np.all(np.diff(bins.edges) > 0)
    assert 0 in bins.edges
    # However fast the trace was sampled, there is as much to compute.
    assert bins.n_bins < 200


def test_the_covariance_of_bins_is_that_of_averages_over_samples() -> None:
    bins = Bins.around_peak(5e3)
    autocovariance = np.exp(-np.arange(1000) / 25.0)
    average = np.zeros((bins.n_bins, bins.edges[-1] - bins.edges[0]))
    for row, (start, stop) in enumerate(zip(bins.edges[:-1], bins.edges[1:], strict=True)):
        average[row, start - bins.edges[0] : stop - bins.edges[0]] = 1.0 / (stop - start)
    expected = average @ toeplitz(autocovariance[: average.shape[1]]) @ average.T
    np.testing.assert_allclose(NoiseWeights(bins, autocovariance).covariance, expected, atol=1e-12)


def test_whitened_noise_is_white_with_an_sd_of_1() -> None:
    noise, bins = colored_noise(400_000, np.random.default_rng(1)), Bins.around_peak(10e3)
    power = np.abs(np.fft.rfft(noise)) ** 2 / len(noise)
    weights = NoiseWeights(bins, np.fft.irfft(power)[:1000])
    n_samples = int(bins.edges[-1] - bins.edges[0])
    binned = np.array([bins.average(one) for one in noise[: 500 * n_samples].reshape(-1, n_samples)])
    white = binned[:, 4:] @ weights.whitener(4).T
    covariance = white.T @ white / len(white)
    assert np.diag(covariance).mean() == pytest.approx(1.0, abs=0.05)
    # The standard error of a correlation from n rows is n ** -0.5.
    assert np.std(covariance - np.diag(np.diag(covariance))) == pytest.approx(len(white) ** -0.5, rel=0.2)


def test_white_noise_has_a_variance_and_no_correlation() -> None:
    weights = NoiseWeights(Bins.around_peak(10e3), white_noise(2.0))
    assert weights.noise_sd == 2.0
    np.testing.assert_allclose(weights.covariance, np.diag(4.0 / weights.bins.n_samples), atol=1e-9)
