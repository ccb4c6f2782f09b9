"""Windows with the noise of their bins made white, and sums over the whitened bins of curves in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S

__all__ = ["LinearSums", "WhitenedWindows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class WhitenedWindows:
    """Windows with the noise of their bins made white.

    Parameters
    ----------
    values : ndarray, shape (n_events, n_bins)
        Of all bins; near 0, so that they keep their precision.
    first, last : ndarray of int64, shape (n_events,)
        The bins ``first <= i < last`` are used; ``first`` is in ascending order.
    weights : NoiseWeights

    Attributes
    ----------
    bins : slice
        The bins that any of the windows uses. Of whitened curves, there are these alone; what is outside a
        window is 0.
    values : ndarray, shape (n_events, n_used)
        Whitened.
    ones : ndarray, shape (n_events, n_used)
        A level of 1, whitened.
    variance_of_mean : float
        Of the noise in the mean around the peak.
    """

    def __init__(self, values: FloatArray, *, first: IntArray, last: IntArray, weights: NoiseWeights) -> None:
        self.bins = slice(int(first[0]), int(last.max()))
        firsts, begins = np.unique(first, return_index=True)
        self._ends = np.append(begins[1:], len(first))
        # A whitened bin depends on none after it, so that what is cut off does not matter.
        lengths = self.bins.stop - firsts
        self._whiteners = [
            weights.whitener(one)[:n, :n].T for one, n in zip(firsts.tolist(), lengths.tolist(), strict=True)
        ]
        number = np.arange(self.bins.start, self.bins.stop)
        self._used = number < last[:, None]
        # How the noise of each bin varies with that of the mean around the peak.
        beside, self.variance_of_mean = weights.of_mean(PEAK_HALF_WINDOW_S)
        self._with_mean = beside[self.bins]
        everything = np.arange(len(values))
        self.values = self.whitened(values[:, None, self.bins], everything)[:, 0]
        self.ones = self.whitened(np.ones((len(values), 1, len(number))), everything)[:, 0]

    def whitened(self, curves: FloatArray, rows: IntArray) -> FloatArray:
        """Return curves whitened, 0 outside the windows.

        Parameters
        ----------
        curves : ndarray, shape (n_rows, n_curves, n_used)
        rows : ndarray of int64, shape (n_rows,)
            The windows that the curves are for, in ascending order.

        Returns
        -------
        ndarray, shape (n_rows, n_curves, n_used)
        """
        n_curves, n_bins = curves.shape[1:]
        # As one matrix: a product of matrices takes a fraction of the time of many small ones.
        flat, white = curves.reshape(-1, n_bins), np.empty((len(rows) * n_curves, n_bins))
        stops = (np.searchsorted(rows, self._ends) * n_curves).tolist()
        for whitener, start, stop in zip(self._whiteners, [0, *stops[:-1]], stops, strict=True):
            outside = n_bins - len(whitener)
            white[start:stop, :outside] = 0.0
            white[start:stop, outside:] = flat[start:stop, outside:] @ whitener
        white = white.reshape(curves.shape)
        white *= self._used[rows][:, None, :]
        return white

    def with_mean(self, slopes: FloatArray, rows: IntArray) -> FloatArray:
        """Return the products of whitened curves with how each bin varies with the mean around the peak."""
        beside = self.whitened(np.tile(self._with_mean, (len(rows), 1, 1)), rows)
        return _products(slopes, beside[:, 0])


class LinearSums:
    """Sums over the bins of some windows: of curves that are scaled and a level that is added to them.

    Parameters
    ----------
    windows : WhitenedWindows
    rows : ndarray of int64, shape (n_rows,)
        Which of the windows.
    white : ndarray, shape (n_rows, 4, n_used)
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
        self._squares = white @ white.transpose(0, 2, 1)
        self._with_ones = _products(white, self._ones)
        self.normal = np.empty((len(rows), 2, 2))
        self.normal[:, 0, 0] = self._squares[:, 0, 0]
        self.normal[:, 0, 1] = self.normal[:, 1, 0] = self._with_ones[:, 0]
        self.normal[:, 1, 1] = _product(self._ones, self._ones)
        self.target = np.empty((len(rows), 2))
        self.target[:, 0] = _product(white[:, 0], self._values)
        self.target[:, 1] = _product(self._ones, self._values)

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
        scale = linear[:, :1]
        residuals = self._values - scale * self._white[:, 0] - linear[:, 1:] * self._ones
        return (
            scale[:, :, None] ** 2 * self._squares[:, 1:, 1:],
            scale[:, :, None] * np.stack([self._squares[:, 1:, 0], self._with_ones[:, 1:]], axis=2),
            scale * _products(self._white, residuals)[:, 1:],
            _product(residuals, residuals),
        )


def _product(one: FloatArray, two: FloatArray) -> FloatArray:
    """Return the products of the rows of two matrices."""
    return np.asarray(np.einsum("nb,nb->n", one, two))


def _products(many: FloatArray, one: FloatArray) -> FloatArray:
    """Return the products of vectors of shape (n_rows, n_vectors, n_bins) with one of each row."""
    return np.asarray((many @ one[:, :, None])[:, :, 0])
