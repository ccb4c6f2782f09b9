"""The best one-to-one matching of found and true events in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Matching", "match_times"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Times are sample numbers divided by a rate, so that 0.305 s - 0.3 s comes out slightly above 5 ms. A
# nanosecond, far below any sampling interval, keeps the tolerance inclusive.
ROUNDING_S = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Matching:
    """Which true events were found, which were missed, and which found events are false.

    Attributes
    ----------
    pairs : ndarray of int64, shape (n_matched, 2)
        Index of a true event and of the found event matched to it, in order of true time.
    missed : ndarray of int64, shape (n_missed,)
        Indices of true events without a partner, in order of time.
    false : ndarray of int64, shape (n_false,)
        Indices of found events without a partner, in order of time.
    """

    pairs: IntArray
    missed: IntArray
    false: IntArray


def match_times(truth_s: npt.ArrayLike, found_s: npt.ArrayLike, *, tolerance_s: float) -> Matching:
    """Match found events to true ones, each at most once.

    Among all one-to-one matchings without pairs further apart than the tolerance, the one with the most
    pairs is chosen, and among those the one with the smallest total distance. Choosing the nearest partner
    for one event after another would find fewer pairs where events are dense, and its result would depend on
    the direction of time.

    Parameters
    ----------
    truth_s, found_s : array_like, shape (n_true,) and (n_found,), seconds
        In any order.
    tolerance_s : float
        Largest distance of a pair, inclusive.

    Returns
    -------
    Matching
        Indices into the arrays as they were given.

    Raises
    ------
    ValueError
        If an array is not one-dimensional or holds a time that is not finite, or if the tolerance is
        negative or not finite.

    Examples
    --------
    The first find is nearer to the second event, yet both events are found:

    >>> matching = match_times([0.100, 0.104], [0.103, 0.108], tolerance_s=0.005)
    >>> matching.pairs
    array([[0, 0],
           [1, 1]])
    >>> match_times([0.1], [0.5], tolerance_s=0.005).false
    array([0])
    """
    if not (np.isfinite(tolerance_s) and tolerance_s >= 0):
        raise ValueError(f"expected a tolerance of 0 s or more, found {tolerance_s}.")
    truth, found = _checked_times(truth_s, "truth_s"), _checked_times(found_s, "found_s")
    truth_order, found_order = np.argsort(truth, kind="stable"), np.argsort(found, kind="stable")
    pairs = _match_sorted(truth[truth_order], found[found_order], tolerance_s + ROUNDING_S)
    return Matching(
        pairs=np.column_stack([truth_order[pairs[:, 0]], found_order[pairs[:, 1]]]),
        missed=np.delete(truth_order, pairs[:, 0]),
        false=np.delete(found_order, pairs[:, 1]),
    )


def _checked_times(times_s: npt.ArrayLike, name: str) -> FloatArray:
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1:
        raise ValueError(f"expected {name} of shape (n,), found shape {times.shape}.")
    if not np.isfinite(times).all():
        raise ValueError(f"expected finite times, found NaN or infinity in {name}.")
    return times


def _match_sorted(truth: FloatArray, found: FloatArray, tolerance_s: float) -> IntArray:
    """Return the best pairs of two sorted arrays, cluster by cluster.

    Wherever consecutive events of the two arrays together lie further apart than the tolerance, nothing
    can be paired across; solving each cluster alone is exact and keeps the assignment problems small.
    """
    merged = np.sort(np.concatenate([truth, found]))
    borders = merged[1:][np.diff(merged) > tolerance_s]
    truth_ends = np.append(np.searchsorted(truth, borders), len(truth))
    found_ends = np.append(np.searchsorted(found, borders), len(found))
    parts = [np.empty((0, 2), dtype=np.int64)]
    first_truth = first_found = 0
    for truth_end, found_end in zip(truth_ends, found_ends, strict=True):
        if truth_end > first_truth and found_end > first_found:
            pairs = _assign(truth[first_truth:truth_end], found[first_found:found_end], tolerance_s)
            parts.append(pairs + np.array([first_truth, first_found]))
        first_truth, first_found = truth_end, found_end
    return np.concatenate(parts)


def _assign(truth: FloatArray, found: FloatArray, tolerance_s: float) -> IntArray:
    """Return the best pairs of one cluster: as many as possible, then the smallest total distance."""
    from scipy.optimize import linear_sum_assignment

    distance = np.abs(truth[:, np.newaxis] - found)
    allowed = distance <= tolerance_s
    # A forbidden pair costs more than all allowed pairs together, so one forbidden pair fewer (one match
    # more) outweighs any saving in distance.
    forbidden_cost = tolerance_s * (min(distance.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(allowed, distance, forbidden_cost))
    kept = allowed[rows, columns]
    return np.column_stack([rows[kept], columns[kept]]).astype(np.int64)
