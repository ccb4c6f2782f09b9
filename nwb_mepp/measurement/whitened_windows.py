"""Windows that begin with the same bin, and sums over the whitened bins of curves in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S

__all__ = ["LinearSums", "WhitenedWindows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class WhitenedWindows:
    """Windows that begin with the same bin, with the noise of their bins made white.

    Parameters
    ----------
    values : ndarray, shape (n_events, n_bins)
        Of all bins; near 0, so that they keep their precision.
    first : int
        The first bin that is used.
    last : ndarray of int64, shape (n_events,)
        The bins ``first <= i < last`` are used.
    weights : NoiseWeights
    """

    def __init__(self, values: FloatArray, *, first: int, last: IntArray, weights: NoiseWeights) -> None:
        self._first = first
        self._whitener = weights.whitener(first)
        self._used = np.arange(first, weights.bins.n_bins) < last[:, None]
        # How the noise of each bin varies with that of the mean around the peak.
        beside, self.variance_of_mean = weights.of_mean(PEAK_HALF_WINDOW_S)
        self._with_mean = beside[first:]
        everything = np.arange(len(values))
        self.values = self._whiten(values[:, first:], everything)
        self.ones = self._whiten(np.ones(self._used.shape), everything)

    def _whiten(self, curves: FloatArray, rows: IntArray) -> FloatArray:
        white = curves @ self._whitener.T
        used = self._used[rows]
        return np.asarray(white * (used if white.ndim == 2 else used[:, None, :]))

    def whitened(self, curves: FloatArray, rows: IntArray) -> FloatArray:
        """Return curves whitened, 0 beyond the windows.

        Parameters
        ----------
        curves : ndarray, shape (n_rows, n_curves, n_bins)
            In the last bins; those before ``first`` are not used.
        rows : ndarray of int64, shape (n_rows,)
            The windows that the curves are for.

        Returns
        -------
        ndarray, shape (n_rows, n_curves, n_bins - first)
        """
        return self._whiten(curves[:, :, curves.shape[2] - len(self._whitener) :], rows)

    def with_mean(self, slopes: FloatArray, rows: IntArray) -> FloatArray:
        """Return the products of whitened curves with how each bin varies with the mean around the peak."""
        beside = self._whiten(np.tile(self._with_mean, (len(rows), 1)), rows)
        return np.asarray(np.einsum("nkb,nb->nk", slopes, beside))


class LinearSums:
    """Sums over the bins of some windows: of curves that are scaled and a level that is added to them.

    Parameters
    ----------
    windows : WhitenedWindows
    rows : ndarray of int64, shape (n_rows,)
        Which of the windows.
    white : ndarray, shape (n_rows, 4, n_bins)
        Whitened: the unscaled curve, then its derivatives by the parameters that it depends on.

    Attributes
    ----------
    normal : ndarray, shape (n_rows, 2, 2)
        Products of curve and level with each other.
    target : ndarray, shape (n_rows, 2)
        Products of curve and level with the values.
    """

    def __init__(self, windows: WhitenedWindows, rows: IntArray, white: FloatArray) -> None:
        self._ones, self._values = windows.ones[rows], windows.values[rows]
        self._white = white
        self._basis = np.stack([white[:, 0], self._ones], axis=1)
        self.normal = self._basis @ self._basis.transpose(0, 2, 1)
        self.target = np.einsum("nkb,nb->nk", self._basis, self._values)

    def of_slopes(self, linear: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the sums that the derivatives take part in, given scale and level.

        Parameters
        ----------
        linear : ndarray, shape (n_rows, 2)

        Returns
        -------
        squares : ndarray, shape (n_rows, 3, 3)
            Products of the derivatives with each other.
        cross : ndarray, shape (n_rows, 3, 2)
            With curve and level.
        downhill : ndarray, shape (n_rows, 3)
            With the residuals.
        chi_square : ndarray, shape (n_rows,)
            Of the residuals with themselves.
        """
        residuals = self._values - linear[:, :1] * self._basis[:, 0] - linear[:, 1:] * self._ones
        slopes = linear[:, :1, None] * self._white[:, 1:]
        return (
            slopes @ slopes.transpose(0, 2, 1),
            slopes @ self._basis.transpose(0, 2, 1),
            np.einsum("nkb,nb->nk", slopes, residuals),
            np.einsum("nb,nb->n", residuals, residuals),
        )
