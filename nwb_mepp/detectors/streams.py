"""A trace tile by tile: filters that go on from one tile to the next, and runs that no border divides.

A stream is any iterable of arrays that are the consecutive parts of one row of samples. Each function here
gives, part by part, what the function of the same kind gives for the whole row, to the last bit, wherever the
row is divided. It holds a few parts at a time, so that memory does not grow with the length of the row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.detectors.noise_course import block_medians

__all__ = [
    "BlockMedians",
    "apart",
    "excerpts",
    "moving_mean",
    "moving_minimum",
    "side_by_side",
    "whole_runs",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.floating]


def moving_mean(parts: Iterable[RealArray], size: int) -> Iterator[FloatArray]:
    """Yield the means over a window that moves along a stream, as ``scipy.ndimage.uniform_filter1d`` does.

    Parameters
    ----------
    parts : iterable of ndarray
        The stream.
    size : int
        Length of the window; it reaches ``size // 2`` samples back. Beyond its ends the stream is reflected.

    Yields
    ------
    ndarray of float64
        As many samples in all as there are in the stream; those of a part may come with the next one.

    Notes
    -----
    As in SciPy, each sum is the one before it plus what changed, so its last digits depend on all before.

    Examples
    --------
    >>> parts = [np.array([3.0, 3.0]), np.array([0.0, 0.0, 6.0])]
    >>> np.concatenate(list(moving_mean(parts, 3))).tolist()
    [3.0, 2.0, 1.0, 2.0, 4.0]
    """
    rest = np.empty(0)
    last: FloatArray | None = None
    for part in _reflected(parts, before=size // 2, after=size - size // 2 - 1):
        values = np.concatenate([rest, part])
        if len(values) < size:
            rest = values
            continue
        changes = values[size:] - values[:-size]
        if last is None:
            first = np.add.accumulate(np.concatenate([[0.0], values[:size]]))[-1:]
            sums = np.add.accumulate(np.concatenate([first, changes]))
        else:
            sums = np.add.accumulate(np.concatenate([last, changes]))[1:]
        if len(sums):
            last = sums[-1:]
        rest = values[len(values) - size :]
        yield sums / size


def moving_minimum(parts: Iterable[RealArray], size: int, *, origin: int = 0) -> Iterator[FloatArray]:
    """Yield the minima over a window that moves along a stream, as ``scipy.ndimage.minimum_filter1d`` does.

    Parameters
    ----------
    parts : iterable of ndarray
        The stream.
    size : int
        Length of the window.
    origin : int, default 0
        The window reaches ``size // 2 + origin`` samples back.

    Yields
    ------
    ndarray of float64

    Examples
    --------
    >>> parts = [np.array([3.0, 2.0]), np.array([4.0, 5.0])]
    >>> np.concatenate(list(moving_minimum(parts, 3))).tolist()
    [2.0, 2.0, 2.0, 4.0]
    """
    before = size // 2 + origin
    rest = np.empty(0)
    for part in _reflected(parts, before=before, after=size - 1 - before):
        values = np.concatenate([rest, part])
        if len(values) >= size:
            lowest = scipy.ndimage.minimum_filter1d(values, size)
            yield lowest[size // 2 : size // 2 + len(values) - size + 1]
        rest = values[max(len(values) - size + 1, 0) :]


def _reflected(parts: Iterable[RealArray], *, before: int, after: int) -> Iterator[FloatArray]:
    """Yield a stream with reflections of its first and its last samples, the end samples repeated."""
    needed = max(before, after)
    stream = (np.asarray(part, dtype=np.float64) for part in parts)
    head = np.empty(0)
    for part in stream:
        head = np.concatenate([head, part])
        if len(head) >= needed:
            break
    else:
        if len(head):
            yield np.pad(head, (before, after), mode="symmetric")
        return
    yield np.concatenate([head[:before][::-1], head])
    tail = head[len(head) - after :]
    for part in stream:
        yield part
        joined = np.concatenate([tail, part[max(len(part) - after, 0) :]])
        tail = joined[len(joined) - after :]
    yield tail[::-1]


def apart(parts: Iterable[tuple[RealArray, RealArray]]) -> tuple[Iterator[RealArray], Iterator[RealArray]]:
    """Return two streams that come together as two; what only one of them has taken waits for the other.

    Parameters
    ----------
    parts : iterable of (ndarray, ndarray)

    Examples
    --------
    >>> ones, twos = apart((np.full(2, 1.0), np.full(2, 2.0)) for _ in range(2))
    >>> [part.tolist() for part in ones], next(twos).tolist()
    ([[1.0, 1.0], [1.0, 1.0]], [2.0, 2.0])
    """
    # `itertools.tee` would hold up to 57 parts that both have taken.
    source, waiting = iter(parts), (deque[RealArray](), deque[RealArray]())

    def one(number: int) -> Iterator[RealArray]:
        while True:
            if not waiting[number]:
                pair = next(source, None)
                if pair is None:
                    return
                for queue, part in zip(waiting, pair, strict=True):
                    queue.append(part)
            yield waiting[number].popleft()

    return one(0), one(1)


def side_by_side(*streams: Iterable[RealArray]) -> Iterator[tuple[RealArray, ...]]:
    """Yield streams of equal length in parts of the same samples, however each of them is divided.

    Parameters
    ----------
    *streams : iterable of ndarray

    Yields
    ------
    tuple of ndarray
        One for each stream, all of the same length.

    Examples
    --------
    >>> ones, twos = [np.ones(2), np.ones(2)], [2 * np.ones(3), 2 * np.ones(1)]
    >>> [[part.tolist() for part in parts] for parts in side_by_side(ones, twos)]
    [[[1.0, 1.0], [2.0, 2.0]], [[1.0], [2.0]], [[1.0], [2.0]]]
    """
    sources = [iter(stream) for stream in streams]
    waiting: list[RealArray] = [np.empty(0)] * len(sources)
    while True:
        for number, source in enumerate(sources):
            while not len(waiting[number]):
                part = next(source, None)
                if part is None:
                    return
                waiting[number] = part
        length = min(map(len, waiting))
        yield tuple(part[:length] for part in waiting)
        waiting = [part[length:] for part in waiting]


def whole_runs(
    parts: Iterable[tuple[RealArray, ...]], *, threshold: float
) -> Iterator[tuple[int, tuple[RealArray, ...]]]:
    """Yield a stream divided anew, so that no run of samples above a threshold is divided.

    What looks at each run alone finds the same in these parts as in the whole row. Only the run that a part
    ends in waits for the next one.

    Parameters
    ----------
    parts : iterable of tuple of ndarray
        Parts of one or several rows, side by side; the first row is compared.
    threshold : float

    Yields
    ------
    first : int
        Number of the first sample.
    rows : tuple of ndarray
        The samples of each row.

    Examples
    --------
    >>> parts = [(np.array([0.0, 2.0]),), (np.array([2.0, 0.0, 3.0]),)]
    >>> [(first, row.tolist()) for first, (row,) in whole_runs(parts, threshold=1.0)]
    [(0, [0.0]), (1, [2.0, 2.0, 0.0]), (4, [3.0])]
    """
    first, waiting = 0, []
    for part in parts:
        # As in `intervals_above`, not a number counts as low.
        low = np.flatnonzero(~(part[0] > np.float64(threshold)))
        if not len(low):
            waiting.append(part)
            continue
        cut = int(low[-1]) + 1
        rows = _joined([*waiting, tuple(row[:cut] for row in part)])
        yield first, rows
        first += len(rows[0])
        waiting = [tuple(row[cut:] for row in part)]
    if any(len(part[0]) for part in waiting):
        yield first, _joined(waiting)


def excerpts(parts: Iterable[RealArray], starts: npt.ArrayLike, stops: npt.ArrayLike) -> Iterator[RealArray]:
    """Yield stretches of a stream, of which no more is read than is needed for the last.

    Parameters
    ----------
    parts : iterable of ndarray
        The stream.
    starts, stops : array_like of int, shape (n_stretches,)
        Samples ``start <= i < stop``; ``starts`` sorted.

    Yields
    ------
    ndarray
        Shorter where the stream ends before.

    Examples
    --------
    >>> parts = [np.arange(0, 3), np.arange(3, 8)]
    >>> [one.tolist() for one in excerpts(parts, [1, 2, 6], [2, 5, 9])]
    [[1], [2, 3, 4], [6, 7]]
    """
    stream = iter(parts)
    first = 0
    held: RealArray = np.empty(0)
    for start, stop in zip(np.asarray(starts).tolist(), np.asarray(stops).tolist(), strict=True):
        while first + len(held) < stop and (part := next(stream, None)) is not None:
            past = min(max(start - first, 0), len(held))
            held = np.concatenate([held[past:], part]) if past < len(held) else part
            first += past
        yield held[max(start - first, 0) : max(stop - first, 0)]


class BlockMedians:
    """Medians over blocks of a stream, as :func:`~nwb_mepp.detectors.noise_course.block_medians` gives them.

    Parameters
    ----------
    edges : ndarray of int64, shape (n_blocks + 1,)
        Where blocks begin, and where the last one ends.

    Examples
    --------
    >>> medians = BlockMedians(np.array([0, 3, 4]))
    >>> for part in (np.array([1.0, 5.0]), np.array([3.0, 7.0])):
    ...     medians.add(part)
    >>> medians.found
    array([3., 7.])
    """

    def __init__(self, edges: IntArray) -> None:
        self._edges = edges
        self._first = 0
        self._rest = np.empty(0)
        self._found: list[FloatArray] = []
        self._n_found = 0

    def watch(self, parts: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Yield a stream while taking its parts."""
        for part in parts:
            self.add(part)
            yield part

    def add(self, part: RealArray) -> None:
        """Take the next part of the stream."""
        values = np.concatenate([self._rest, part])
        stop = int(np.searchsorted(self._edges, self._first + len(values), side="right")) - 1
        if stop > self._n_found:
            edges = self._edges[self._n_found : stop + 1] - self._first
            self._found.append(block_medians(values, edges))
            self._first += int(edges[-1])
            self._n_found, values = stop, values[int(edges[-1]) :]
        self._rest = values

    @property
    def found(self) -> FloatArray:
        """Those of all blocks, shape (n_blocks,)."""
        return np.concatenate([np.empty(0), *self._found])


def _joined(parts: Sequence[tuple[RealArray, ...]]) -> tuple[RealArray, ...]:
    return tuple(np.concatenate(rows) for rows in zip(*parts, strict=True))
