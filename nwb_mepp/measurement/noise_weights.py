"""Samples around a peak averaged into bins, and weights for them that fit the noise of the recording.

The noise of a recording is not white: slow fluctuations shift the whole decay of a MEPP. Least squares are
efficient, and their standard errors right, if residuals are whitened first: multiplied by the inverse of the
Cholesky factor of their covariance (generalized least squares [1]_). The factor is triangular, so the first n
whitened bins depend on the first n bins only: a fit to a part of the window uses a part of the whitened bins.

References
----------
.. [1] Aitken, A. C. (1936). On least squares and linear combination of observations. Proc. R. Soc. Edinb. 55,
   42-48. https://doi.org/10.1017/S0370164600014346
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["AFTER_S", "BEFORE_S", "Bins", "NoiseWeights", "white_noise"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The samples that a fit may use, before and after the peak.
BEFORE_S = 15e-3
AFTER_S = 60e-3

# Bins are this long near the rise, and longer in proportion to the distance from there. Averaged over them, a
# decay deviates by less than 1e-4 of the amplitude from its value at the center.
_SHORTEST_S = 50e-6
_RISE_S = (-2e-3, -1e-3)
_GROWTH = (10.0, 16.0)
# Keeps the covariance invertible where the spectrum of the noise ends below half the sampling rate.
_RIDGE = 1e-7


@dataclass(frozen=True)
class Bins:
    """Bins around a peak.

    Attributes
    ----------
    rate_hz : float
    edges : ndarray of int64, shape (n_bins + 1,)
        First samples of the bins, counted from the peak.
    """

    rate_hz: float
    edges: IntArray

    @classmethod
    def around_peak(cls, rate_hz: float) -> Bins:
        """Return the bins for a sampling rate."""
        shortest = max(round(_SHORTEST_S * rate_hz), 1)

        def grown(distance_s: float, growth: float) -> int:
            return max(int(distance_s * rate_hz / growth), shortest)

        after = [0]
        while after[-1] < AFTER_S * rate_hz:
            after.append(after[-1] + grown(after[-1] / rate_hz - _RISE_S[1], _GROWTH[1]))
        before = [0]
        while before[-1] > -BEFORE_S * rate_hz:
            before.append(before[-1] - grown(_RISE_S[0] - before[-1] / rate_hz, _GROWTH[0]))
        after[-1], before[-1] = round(AFTER_S * rate_hz), -round(BEFORE_S * rate_hz)
        return cls(rate_hz, np.array([*before[:0:-1], *after], dtype=np.int64))

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    @cached_property
    def center_s(self) -> FloatArray:
        """Mean time of the samples of each bin from the peak, shape (n_bins,)."""
        return np.asarray(0.5 * (self.edges[:-1] + self.edges[1:] - 1) / self.rate_hz)

    @cached_property
    def n_samples(self) -> IntArray:
        """Number of samples of each bin, shape (n_bins,)."""
        return np.diff(self.edges)

    def average(self, values: FloatArray) -> FloatArray:
        """Return the means of samples ``edges[0]`` to ``edges[-1]`` over the bins, shape (n_bins,)."""
        return np.asarray(np.add.reduceat(values, self.edges[:-1] - self.edges[0]) / self.n_samples)


@dataclass(frozen=True, eq=False)
class NoiseWeights:
    """Bins, and the covariance of the noise in them.

    Attributes
    ----------
    bins : Bins
    autocovariance : ndarray, shape (n_lags,)
        Of the noise, in unit**2, at lags of 0, 1, 2, ... samples; taken as 0 at longer ones.
    """

    bins: Bins
    autocovariance: FloatArray
    _whiteners: dict[int, FloatArray] = field(init=False, repr=False, default_factory=dict)

    @property
    def noise_sd(self) -> float:
        """Standard deviation of the noise of a sample."""
        return float(np.sqrt(self.autocovariance[0]))

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance of the noise in the bins, shape (n_bins, n_bins)."""
        edges = self.bins.edges
        n_lags = int(edges[-1] - edges[0]) + 1
        lags = np.zeros(n_lags + 1)
        known = self.autocovariance[:n_lags]
        lags[: len(known)] = known
        # The covariance of two sums is a second difference of this double sum over the lags.
        slope = np.concatenate([[0.0], np.cumsum(lags)]) - 0.5 * lags[0]
        double = np.concatenate([[0.0], np.cumsum(slope[1:])])
        start, stop = edges[:-1], edges[1:]

        def part(first: IntArray, second: IntArray) -> FloatArray:
            return np.asarray(double[np.abs(first[:, None] - second[None, :])])

        sums = part(stop, start) - part(start, start) - part(stop, stop) + part(start, stop)
        return np.asarray(sums / np.outer(self.bins.n_samples, self.bins.n_samples))

    def of_mean(self, half_s: float) -> tuple[FloatArray, float]:
        """Return the covariance of each bin with the mean over some time around the peak, and its variance.

        Returns
        -------
        covariance : ndarray, shape (n_bins,)
        variance : float
        """
        near = np.abs(self.bins.center_s) <= half_s + 1e-9
        share = np.where(near, self.bins.n_samples, 0) / np.sum(self.bins.n_samples[near])
        covariance = self.covariance @ share
        return covariance, float(share @ covariance)

    def whitener(self, first: int) -> FloatArray:
        """Return the lower triangular matrix that whitens the bins from ``first`` on.

        Returns
        -------
        ndarray, shape (n_bins - first, n_bins - first)
        """
        if first not in self._whiteners:
            covariance = self.covariance[first:, first:]
            ridge = _RIDGE * self.autocovariance[0] * np.eye(len(covariance))
            self._whiteners[first] = np.linalg.inv(np.linalg.cholesky(covariance + ridge))
        return self._whiteners[first]


def white_noise(sd: float) -> FloatArray:
    """Return the autocovariance of white noise, shape (1,)."""
    return np.array([sd**2])
