"""Precision, recall and F1 of matched events, and the overlap of intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.evaluation.matching import Matching

__all__ = ["PATCH_S", "count_matches", "f1", "interval_iou", "patch_iou", "precision", "recall"]

IntArray = npt.NDArray[np.int64]

PATCH_S = 0.01  # 100 samples at 10 kHz


def count_matches(matching: Matching) -> IntArray:
    """Return how many events were matched, missed and falsely found.

    Parameters
    ----------
    matching : Matching

    Returns
    -------
    ndarray of int64, shape (3,)
        ``n_matched``, ``n_missed``, ``n_false``. The scores below take one such row for each recording.

    Examples
    --------
    >>> from nwb_mepp.evaluation import match_times
    >>> count_matches(match_times([0.1, 0.2], [0.1, 0.5, 0.6], tolerance_s=0.005))
    array([1, 1, 2])
    """
    return np.array([len(matching.pairs), len(matching.missed), len(matching.false)], dtype=np.int64)


def precision(counts: npt.ArrayLike) -> float:
    """Return the fraction of found events that are true.

    Parameters
    ----------
    counts : array_like of int, shape (3,) or (n_recordings, 3)
        Rows of ``n_matched, n_missed, n_false``; rows are pooled, so every event weighs the same.

    Returns
    -------
    float
        NaN if nothing was found, because neither 0 nor 1 would be justified.

    Raises
    ------
    ValueError
        If ``counts`` has another shape or a negative number.

    Examples
    --------
    >>> precision([[8, 2, 0], [1, 0, 1]])
    0.9
    """
    n_matched, _, n_false = _pooled(counts)
    return _ratio(n_matched, n_matched + n_false)


def recall(counts: npt.ArrayLike) -> float:
    """Return the fraction of true events that were found.

    Parameters
    ----------
    counts : array_like of int, shape (3,) or (n_recordings, 3)
        Rows of ``n_matched, n_missed, n_false``; rows are pooled, so every event weighs the same.

    Returns
    -------
    float
        NaN if there is no true event.

    Raises
    ------
    ValueError
        If ``counts`` has another shape or a negative number.

    Examples
    --------
    >>> recall([3, 1, 10])
    0.75
    """
    n_matched, n_missed, _ = _pooled(counts)
    return _ratio(n_matched, n_matched + n_missed)


def f1(counts: npt.ArrayLike) -> float:
    """Return the harmonic mean of precision and recall.

    Parameters
    ----------
    counts : array_like of int, shape (3,) or (n_recordings, 3)
        Rows of ``n_matched, n_missed, n_false``; rows are pooled, so every event weighs the same.

    Returns
    -------
    float
        ``2 n_matched / (2 n_matched + n_missed + n_false)``: 0 if nothing was matched, NaN only if there is
        no true event and none was found.

    Raises
    ------
    ValueError
        If ``counts`` has another shape or a negative number.

    Examples
    --------
    >>> f1([6, 2, 2])
    0.75
    """
    n_matched, n_missed, n_false = _pooled(counts)
    return _ratio(2 * n_matched, 2 * n_matched + n_missed + n_false)


def interval_iou(
    truth: npt.ArrayLike, found: npt.ArrayLike, *, duration_s: float, sampling_rate_hz: float
) -> float:
    """Return intersection over union of the samples inside true and found intervals of a recording.

    Parameters
    ----------
    truth, found : array_like, shape (n_intervals, 2), seconds
        Start and stop from the first sample; a sample is inside if ``start <= time < stop``. They may
        overlap each other and be in any order; what lies outside the recording does not count.
    duration_s : float
    sampling_rate_hz : float

    Returns
    -------
    float
        All samples of the recording are pooled, so long intervals weigh more than short ones. NaN if
        neither has a sample inside.

    Raises
    ------
    ValueError
        If an array has another shape, a value that is not finite, or a stop before its start, or if
        duration or rate is not positive.

    Examples
    --------
    >>> interval_iou([[0.0, 0.4]], [[0.2, 0.6]], duration_s=1.0, sampling_rate_hz=10.0)
    0.3333333333333333
    """
    n_samples = _n_samples(duration_s, sampling_rate_hz)
    true_samples, found_samples = (
        _sample_numbers(intervals, name, n_samples, sampling_rate_hz)
        for intervals, name in ((truth, "truth"), (found, "found"))
    )
    n_union = _n_covered(np.concatenate([true_samples, found_samples]))
    n_common = _n_covered(true_samples) + _n_covered(found_samples) - n_union
    return _ratio(n_common, n_union)


def patch_iou(
    truth: npt.ArrayLike,
    found: npt.ArrayLike,
    *,
    events_s: npt.ArrayLike,
    duration_s: float,
    sampling_rate_hz: float,
    patch_s: float = PATCH_S,
) -> float:
    """Return intersection over union within the patches of a recording that contain an event.

    The recording is cut into patches on a fixed grid from its first sample on, and only those with a true
    event count. False positives elsewhere therefore cost nothing, unlike in :func:`interval_iou`.

    Parameters
    ----------
    truth, found : array_like, shape (n_intervals, 2), seconds
        As for :func:`interval_iou`.
    events_s : array_like, shape (n_events,), seconds
        Times of the true events, such as their peaks; those outside the recording do not count.
    duration_s : float
    sampling_rate_hz : float
    patch_s : float, default 0.01
        100 samples at 10 kHz.

    Returns
    -------
    float
        The samples of all these patches are pooled. NaN if none of them lies inside an interval.

    Raises
    ------
    ValueError
        As :func:`interval_iou`.

    Examples
    --------
    >>> found = [[0.2, 0.6], [1.2, 1.6]]
    >>> patch_iou([[0.0, 0.4]], found, events_s=[0.1], duration_s=2.0, sampling_rate_hz=10.0, patch_s=0.5)
    0.4
    """
    n_samples = _n_samples(duration_s, sampling_rate_hz)
    inside = np.zeros((2, n_samples), dtype=np.bool_)
    for row, intervals, name in ((inside[0], truth, "truth"), (inside[1], found, "found")):
        for first, last in _sample_numbers(intervals, name, n_samples, sampling_rate_hz):
            row[first:last] = True
    length = max(round(patch_s * sampling_rate_hz), 1)
    events = np.floor(np.round(np.asarray(events_s, dtype=np.float64) * sampling_rate_hz, 6)).astype(np.int64)
    held = np.zeros(-(-n_samples // length), dtype=np.bool_)
    held[events[(events >= 0) & (events < n_samples)] // length] = True
    patches = inside[:, np.repeat(held, length)[:n_samples]]
    return _ratio(int(np.sum(patches.all(axis=0))), int(np.sum(patches.any(axis=0))))


def _n_samples(duration_s: float, sampling_rate_hz: float) -> int:
    for name, value in (("duration_s", duration_s), ("sampling_rate_hz", sampling_rate_hz)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"expected a positive {name}, found {value}.")
    return round(duration_s * sampling_rate_hz)


def _pooled(counts: npt.ArrayLike) -> tuple[int, int, int]:
    rows = np.atleast_2d(np.asarray(counts))
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError(f"expected counts of shape (3,) or (n_recordings, 3), found {np.shape(counts)}.")
    if (rows < 0).any():
        raise ValueError("expected counts of 0 or more, found a negative one.")
    n_matched, n_missed, n_false = (int(n) for n in rows.sum(axis=0))
    return n_matched, n_missed, n_false


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else float("nan")


def _sample_numbers(intervals: npt.ArrayLike, name: str, n_samples: int, sampling_rate_hz: float) -> IntArray:
    """Return first and one-past-last sample number of each interval, within the recording."""
    array = np.asarray(intervals, dtype=np.float64)
    if array.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"expected {name} of shape (n_intervals, 2), found {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite times, found NaN or infinity in {name}.")
    if (array[:, 1] < array[:, 0]).any():
        raise ValueError(f"expected intervals that stop after they start, found one in {name} that does not.")
    # Rounding first: 0.3 s at 10 kHz is 2999.999... samples, yet sample 3000 is meant.
    numbers = np.ceil(np.round(array * sampling_rate_hz, 6))
    return np.clip(numbers, 0, n_samples).astype(np.int64)


def _n_covered(intervals: IntArray) -> int:
    """Return the number of samples inside at least one interval."""
    if len(intervals) == 0:
        return 0
    starts, stops = intervals[np.argsort(intervals[:, 0], kind="stable")].T
    reached = np.maximum.accumulate(stops)
    new_from = np.maximum(starts[1:], reached[:-1])
    return int(stops[0] - starts[0] + np.maximum(stops[1:] - new_from, 0).sum())
