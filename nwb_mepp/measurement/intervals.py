"""From a detector's score per sample to intervals: one for each stretch, split where two MEPPs overlap.

Pure functions on arrays. An interval is a row ``(start, stop)`` of sample numbers, stop exclusive.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["intervals_above", "split_at_minima"]

IntArray = npt.NDArray[np.int64]


def intervals_above(score: npt.ArrayLike, *, threshold: float, min_samples: int = 1) -> IntArray:
    """Find the stretches where a detector's score stays above a threshold.

    Parameters
    ----------
    score : array_like, shape (n_samples,), dimensionless
        NaN counts as below.
    threshold : float
        A sample is kept where ``score > threshold``.
    min_samples : int, default 1
        Shorter stretches are dropped.

    Returns
    -------
    ndarray of int64, shape (n_intervals, 2)
        Sorted; the stop is exclusive.

    Raises
    ------
    ValueError
        If ``score`` is not one-dimensional.

    Notes
    -----
    A stretch cut off by an end of the trace is kept: dropping it would bias the rate of MEPPs in short
    recordings.

    Examples
    --------
    >>> intervals_above([0.0, 0.9, 0.8, 0.1, 0.7], threshold=0.5)
    array([[1, 3], [4, 5]])
    """
    # In double precision, also of a score in single precision; a comparison with NaN is False.
    above = _one_dimensional(score) > np.float64(threshold)
    padded = np.concatenate([[False], above, [False]])
    # Starts and stops alternate, because the padding is below the threshold at both ends.
    edges = np.flatnonzero(padded[1:] != padded[:-1]).astype(np.int64)
    intervals = edges.reshape(-1, 2)
    return intervals[intervals[:, 1] - intervals[:, 0] >= min_samples]


def split_at_minima(intervals: npt.ArrayLike, score: npt.ArrayLike, *, depth: float) -> IntArray:
    """Split intervals where the score dips deeply enough between two maxima.

    Two overlapping MEPPs leave one stretch above the threshold; the dip of the score between their peaks
    separates them.

    Parameters
    ----------
    intervals : array_like of int, shape (n_intervals, 2)
        As from :func:`intervals_above`.
    score : array_like, shape (n_samples,), dimensionless
        The score the intervals were taken from. NaN and negative values count as 0.
    depth : float
        Between 0 and 1: split where the minimum is at most ``1 - depth`` times the lower of the two
        maxima beside it.

    Returns
    -------
    ndarray of int64, shape (n_parts, 2)
        Sorted like ``intervals``; the (first) sample of the minimum begins the later part, so the parts
        of an interval cover it completely.

    Raises
    ------
    ValueError
        If ``depth`` is not between 0 and 1, an interval is empty or extends beyond the score, or an array
        has the wrong shape.

    Examples
    --------
    >>> split_at_minima([[1, 6]], [0, 6, 9, 3, 7, 6, 0], depth=0.5)
    array([[1, 3], [3, 6]])
    >>> split_at_minima([[1, 6]], [0, 6, 9, 5, 7, 6, 0], depth=0.5)
    array([[1, 6]])
    """
    values = _one_dimensional(score)
    bounds = np.asarray(intervals, dtype=np.int64).reshape(-1, 2) if np.size(intervals) else _no_intervals()
    if not 0.0 < depth < 1.0:
        raise ValueError(f"expected depth between 0 and 1, found {depth}.")
    if np.any(bounds[:, 0] >= bounds[:, 1]) or np.any(bounds < 0) or np.any(bounds > len(values)):
        raise ValueError(f"expected intervals with 0 <= start < stop <= {len(values)}, found one outside.")
    parts: list[tuple[int, int]] = []
    for start, stop in bounds.tolist():
        inside = np.nan_to_num(values[start:stop].astype(np.float64), nan=0.0, posinf=np.inf).clip(min=0.0)
        cuts = [start + cut for cut in _deep_minima(inside.tolist(), kept=1.0 - depth)]
        parts.extend(pairwise([start, *cuts, stop]))
    return np.array(parts, dtype=np.int64).reshape(-1, 2)


def _deep_minima(values: list[float], *, kept: float) -> list[int]:
    """Return where minima lie that are at most ``kept`` times the maxima on both sides of them.

    A scan with hysteresis: a maximum is confirmed once the score has fallen far enough below it, a minimum
    once the score has risen far enough above it. Ripples in between never count, however many there are.
    """
    minima: list[int] = []
    highest, lowest, lowest_index, falling = 0.0, 0.0, 0, False
    for index, value in enumerate(values):
        if not falling:
            highest = max(highest, value)
            if value < highest and value <= kept * highest:
                falling, lowest, lowest_index = True, value, index
        elif value < lowest:
            lowest, lowest_index = value, index
        elif value > lowest and lowest <= kept * value:
            minima.append(lowest_index)
            falling, highest = False, value
    return minima


def _one_dimensional(score: npt.ArrayLike) -> npt.NDArray[np.number]:
    array: npt.NDArray[np.number] = np.asarray(score)
    if array.ndim != 1:
        raise ValueError(f"expected a score of shape (n_samples,), found shape {array.shape}.")
    return array


def _no_intervals() -> IntArray:
    return np.empty((0, 2), dtype=np.int64)
