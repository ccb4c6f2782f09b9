"""Heights of candidates under shapes from fast to slow, and which shape is typical of a recording."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.threads import in_threads
from nwb_mepp.conditioning import WhitenedTrace
from nwb_mepp.detectors.matched_filter import template, whitened_kernel

__all__ = ["SHAPES_S", "ShapeBank", "ShapeFits", "typical_shape", "whitened_level"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_RISES_S = (0.25e-3, 0.4e-3, 0.6e-3, 0.85e-3, 1.2e-3, 1.7e-3, 2.4e-3)
_DECAYS_S = (1.0e-3, 1.4e-3, 1.9e-3, 2.5e-3, 3.3e-3, 4.4e-3, 5.9e-3, 8.0e-3, 11.0e-3)

#: Rise 10-90 % and decay constant of each shape, in seconds, from fast to slow.
SHAPES_S = tuple((rise_s, decay_s) for decay_s in _DECAYS_S for rise_s in _RISES_S if rise_s < 0.5 * decay_s)

# Prior of a recording's typical shape: center, and standard deviation of its natural logarithm.
_USUAL_S = np.array([0.7e-3, 2.8e-3])
_USUAL_LOG_SD = 0.6
_PRIOR_WEIGHT = 2.0
# A giant counts as a MEPP of this height for what is typical.
_HIGHEST = 10.0
# Changes of the level that last: sudden or within 2 ms (a step), and within 10 ms (a drift).
_STEP_RISES_S = (0.0, 2e-3)
_DRIFT_RISE_S = 10e-3
# The onset that the network gives is searched this many samples to either side.
_REACH = 5
# Where the trace is compared with the best shape, from the onset on.
_COMPARED_S = (-2e-3, 20e-3)
# Candidates compared at a time, which bounds the memory.
_CHUNK = 256
# Candidates whose likelihood is summed at a time.
_BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeFits:
    """How the shapes fit some candidates.

    Attributes
    ----------
    heights : ndarray, shape (n_candidates, n_shapes)
        Height of each candidate under each shape, in SD of the filtered noise; the highest within 5 samples
        of the onset. In single precision where the trace was compared, as there are many.
    misfit : ndarray, shape (n_candidates,)
        Mean square of the whitened trace around the candidate minus the best shape; 1 where only noise
        remains.
    step, drift : ndarray, shape (n_candidates,)
        Height of each candidate under a lasting change of the level: sudden or within 2 ms, and within
        10 ms.
    """

    heights: npt.NDArray[np.floating]
    misfit: FloatArray
    step: FloatArray
    drift: FloatArray

    @property
    def highest(self) -> FloatArray:
        """Height of each candidate under the shape that fits it best, shape (n_candidates,)."""
        return np.asarray(self.heights.max(axis=1), dtype=np.float64)

    @classmethod
    def blank(cls, n_candidates: int) -> ShapeFits:
        """Return room for the fits of a trace that was compared."""
        heights = np.empty((n_candidates, len(SHAPES_S)), dtype=np.float32)
        return cls(
            heights=heights,
            misfit=np.empty(n_candidates),
            step=np.empty(n_candidates),
            drift=np.empty(n_candidates),
        )

    @classmethod
    def concatenate(cls, parts: list[ShapeFits]) -> ShapeFits:
        """Join the fits of several stretches; without any, return no candidates."""
        if not parts:
            none = np.empty(0)
            return cls(heights=np.empty((0, len(SHAPES_S))), misfit=none, step=none, drift=none)
        if len(parts) == 1:
            return parts[0]
        return cls(
            heights=np.concatenate([part.heights for part in parts]),
            misfit=np.concatenate([part.misfit for part in parts]),
            step=np.concatenate([part.step for part in parts]),
            drift=np.concatenate([part.drift for part in parts]),
        )

    def select(self, rows: IntArray | slice) -> ShapeFits:
        """Return the fits of the candidates that indices of shape (n_selected,), or a slice, choose."""
        return ShapeFits(
            heights=self.heights[rows], misfit=self.misfit[rows], step=self.step[rows], drift=self.drift[rows]
        )

    def put(self, rows: slice, others: ShapeFits) -> None:
        """Replace some of the fits in place."""
        for one in fields(self):
            getattr(self, one.name)[rows] = getattr(others, one.name)


class ShapeBank:
    """Whitened shapes to compare a whitened trace with.

    Parameters
    ----------
    taps : ndarray
        The whitening filter for events, which a filter of the recording has been through as well.
    sampling_rate_hz : float
        Of the whitened trace.
    """

    def __init__(self, taps: FloatArray, *, sampling_rate_hz: float) -> None:
        rows = [whitened_kernel(shape, taps) for shape in _shapes(sampling_rate_hz)]
        levels = [
            whitened_level(taps, rise_s=rise_s, sampling_rate_hz=sampling_rate_hz)
            for rise_s in (*_STEP_RISES_S, _DRIFT_RISE_S)
        ]
        longest = max(map(len, [*rows, *levels]))
        self._kernels, self._levels = (
            np.array([np.pad(row, (0, longest - len(row))) for row in some], dtype=np.float32)
            for some in (rows, levels)
        )
        # A whitened shape begins half a filter before the onset.
        half = len(taps) // 2
        first, last = (round(time_s * sampling_rate_hz) for time_s in _COMPARED_S)
        self._compared = slice(max(half + first, 0), min(half + last, longest))
        self._before = half + _REACH
        self._length = longest + 2 * _REACH

    @property
    def n_compared(self) -> int:
        """Number of samples that the misfit is the mean of."""
        return self._compared.stop - self._compared.start

    def fit(self, trace: WhitenedTrace, onset: IntArray) -> ShapeFits:
        """Compare the trace with the shapes at candidates.

        Parameters
        ----------
        trace : WhitenedTrace
        onset : ndarray of int64, shape (n_candidates,)
            Sorted; samples of the trace.

        Returns
        -------
        ShapeFits
        """
        fits = ShapeFits.blank(len(onset))
        ends = np.searchsorted(onset, trace.tile * np.arange(1, trace.n_tiles + 1)).tolist()
        rows = [slice(first, end) for first, end in pairwise([0, *ends])]
        tiles = [index for index, own in enumerate(rows) if own.stop > own.start]

        def fit_in(index: int) -> ShapeFits:
            tile = trace.read_tile(index, margin=self._length)
            return self._fit(tile, onset[rows[index]] - index * trace.tile + self._length)

        for index, found in zip(tiles, in_threads(fit_in, tiles), strict=True):
            fits.put(rows[index], found)
        return fits

    def fit_samples(self, white: npt.ArrayLike, onset: IntArray) -> ShapeFits:
        """Do as :meth:`fit` with the samples of a whitened trace, which is zero beyond their ends."""
        padded = np.pad(np.asarray(white, dtype=np.float32), self._length)
        return self._fit(padded, onset + self._length)

    def _fit(self, tile: npt.NDArray[np.floating], onset: IntArray) -> ShapeFits:
        segments = np.lib.stride_tricks.sliding_window_view(tile.astype(np.float32), self._length)
        begin = onset - self._before
        chunks = [begin[first : first + _CHUNK] for first in range(0, len(begin), _CHUNK)]
        return ShapeFits.concatenate([self._fit_segments(segments[chunk]) for chunk in chunks])

    def _fit_segments(self, segments: npt.NDArray[np.float32]) -> ShapeFits:
        n_kernel = self._kernels.shape[1]
        lagged = [segments[:, lag : lag + n_kernel] for lag in range(2 * _REACH + 1)]
        by_lag = np.stack([part @ self._kernels.T for part in lagged])
        heights = by_lag.max(axis=0)
        levels = np.max([part @ self._levels.T for part in lagged], axis=0).astype(np.float64)
        rows, shapes = np.arange(len(segments)), heights.argmax(axis=1)
        lags = by_lag[:, rows, shapes].argmax(axis=0)
        part = np.arange(n_kernel)[self._compared]
        seen = segments[rows[:, None], lags[:, None] + part]
        left = seen - heights[rows, shapes][:, None] * self._kernels[shapes][:, part]
        return ShapeFits(
            heights=heights,
            misfit=np.mean(left**2, axis=1, dtype=np.float64),
            step=levels[:, :-1].max(axis=1),
            drift=levels[:, -1],
        )


def whitened_level(taps: FloatArray, *, rise_s: float, sampling_rate_hz: float) -> FloatArray:
    """Return a lasting change of the level, whitened, with energy 1; see `whitened_kernel`.

    Parameters
    ----------
    taps : ndarray
        The whitening filter, whose sum is 0: of the new level itself nothing is left.
    rise_s : float
        How long the level takes to change, along a straight line.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (len(taps) + rise,)
        ``rise`` in samples, at least 1.
    """
    rise = max(round(rise_s * sampling_rate_hz), 1)
    level = np.minimum(np.arange(1, len(taps) + rise + 1) / rise, 1.0)
    kernel = np.convolve(level, taps)[: len(level)]
    return np.asarray(kernel / np.sqrt(np.sum(kernel**2)))


@cache
def _shapes(sampling_rate_hz: float) -> tuple[FloatArray, ...]:
    return tuple(
        template(rise_s=rise_s, decay_s=decay_s, sampling_rate_hz=sampling_rate_hz)
        for rise_s, decay_s in SHAPES_S
    )


def typical_shape(heights: npt.NDArray[np.floating], weight: FloatArray) -> int:
    """Return which shape fits the MEPPs of a recording best, all of them together.

    Parameters
    ----------
    heights : ndarray, shape (n_candidates, n_shapes)
    weight : ndarray, shape (n_candidates,)
        How likely it is that each candidate is a MEPP.

    Returns
    -------
    int
        Index into ``SHAPES_S`` of the most probable one.

    Examples
    --------
    Without candidates the prior decides.

    >>> SHAPES_S[typical_shape(np.empty((0, len(SHAPES_S))), np.empty(0))]
    (0.0006, 0.0025)
    """
    away = np.log(np.array(SHAPES_S) / _USUAL_S) / _USUAL_LOG_SD
    prior = -0.5 * _PRIOR_WEIGHT * np.sum(away**2, axis=1)
    total = np.zeros(len(prior))
    for first in range(0, len(heights), _BLOCK):
        part = heights[first : first + _BLOCK].astype(np.float64)
        # Half the squared height is the logarithm of the likelihood against noise alone.
        total += weight[first : first + _BLOCK] @ (0.5 * np.clip(part, 0.0, _HIGHEST) ** 2)
    return int(np.argmax(total + prior))
