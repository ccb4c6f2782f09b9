"""The segments of a trace that are analyzed, read in blocks and reflected at the borders.

A :class:`Segment` is all that detectors and measurement see of a recording: one contiguous stretch of one
sweep without excluded samples. No computation crosses its borders, so neither an excluded test pulse nor
the adjacent sweep can affect a result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import Trace

__all__ = ["BlockReader", "Segment", "cut_segments", "fold_indices", "spread_evenly"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def fold_indices(indices: npt.ArrayLike, *, n_samples: int) -> IntArray:
    """Reflect indices beyond the ends of a trace back into it (the end sample is not repeated).

    Parameters
    ----------
    indices : array_like of int
        May be any distance outside ``0 <= i < n_samples``.
    n_samples : int
        Length of the trace, at least 1.

    Returns
    -------
    ndarray of int64, shape of ``indices``

    Examples
    --------
    >>> fold_indices([-2, -1, 0, 1, 2, 3, 4], n_samples=3).tolist()
    [2, 1, 0, 1, 2, 1, 0]
    """
    if n_samples == 1:
        return np.zeros(np.shape(indices), dtype=np.int64)
    period = 2 * (n_samples - 1)
    phase = np.mod(np.asarray(indices, dtype=np.int64), period)
    return np.asarray(np.minimum(phase, period - phase), dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A contiguous stretch ``start <= i < stop`` of the samples of a trace.

    Sample numbers in the methods below count from the start of the segment.
    """

    trace: Trace
    start: int
    stop: int

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.stop - self.start

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the trace."""
        return self.trace.sampling_rate_hz

    def values(self, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= i < stop`` in SI units, reflected beyond the borders.

        Parameters
        ----------
        start, stop : int
            May lie outside the segment on either side.

        Returns
        -------
        ndarray, shape (stop - start,)
        """
        if start >= 0 and stop <= self.n_samples:
            return self.trace.values(self.start + start, self.start + stop)
        folded = fold_indices(np.arange(start, stop), n_samples=self.n_samples)
        low, high = int(folded.min()), int(folded.max()) + 1
        return self.trace.values(self.start + low, self.start + high)[folded - low]


def spread_evenly(segments: Sequence[Segment], *, length: int, step: int, most: int) -> list[tuple[int, int]]:
    """Choose excerpts of some segments, spread evenly over all of them.

    Parameters
    ----------
    segments : sequence of Segment
    length : int
        Samples that must be left in the segment.
    step : int
        In each segment an excerpt may begin at every multiple of this.
    most : int
        How many to choose at most.

    Returns
    -------
    list of (int, int)
        Number of the segment, and first sample within it.

    Examples
    --------
    >>> from nwb_mepp.core.recording import ArraySource
    >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource(np.zeros(100)), unit="V",
    ...               conversion=1.0, offset=0.0, sampling_rate_hz=10.0, start_s=0.0)
    >>> parts = [Segment(trace=trace, start=0, stop=25), Segment(trace=trace, start=40, stop=60)]
    >>> spread_evenly(parts, length=10, step=5, most=3)
    [(0, 0), (0, 15), (1, 10)]
    """
    counts = np.array([max((one.n_samples - length) // step + 1, 0) for one in segments], dtype=np.int64)
    ends = np.cumsum(counts)
    n_places = int(ends[-1]) if len(ends) else 0
    chosen = np.unique(np.linspace(0, n_places - 1, min(n_places, most)).astype(np.int64))
    numbers = np.searchsorted(ends, chosen, side="right")
    starts = (chosen - (ends - counts)[numbers]) * step
    return list(zip(numbers.tolist(), starts.tolist(), strict=True))


class BlockReader:
    """Reads short stretches from cached blocks, so that the overhead of reading is incurred once per block.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` returns samples ``start <= i < stop``, also beyond the ends.
    block : int
        Number of samples in a block.

    Examples
    --------
    >>> reader = BlockReader(lambda start, stop: np.arange(float(start), float(stop)), block=10)
    >>> reader(8, 12)
    array([ 8.,  9., 10., 11.])
    """

    _N_KEPT = 3

    def __init__(self, read: Callable[[int, int], FloatArray], *, block: int) -> None:
        self._read = read
        self._block = block
        self._kept: OrderedDict[int, FloatArray] = OrderedDict()

    def __call__(self, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= i < stop``, shape (stop - start,)."""
        first = start // self._block
        parts = [
            self._at(index)[max(start - index * self._block, 0) : stop - index * self._block]
            for index in range(first, max(-(-stop // self._block), first + 1))
        ]
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)

    def _at(self, index: int) -> FloatArray:
        if index in self._kept:
            self._kept.move_to_end(index)
        else:
            self._kept[index] = self._read(index * self._block, (index + 1) * self._block)
            if len(self._kept) > self._N_KEPT:
                self._kept.popitem(last=False)
        return self._kept[index]


def cut_segments(
    traces: Iterable[Trace], *, excluded: Sequence[tuple[float, float]] = ()
) -> Iterator[Segment]:
    """Cut traces into the segments that remain when stretches are excluded.

    Parameters
    ----------
    traces : iterable of Trace
    excluded : sequence of (start_s, stop_s)
        Stretches to exclude, in seconds from the session start; they may overlap, and ends may be infinite. A
        sample is excluded if ``start_s <= time < stop_s``.

    Yields
    ------
    Segment
        In order of trace and time, never empty.

    Examples
    --------
    >>> from nwb_mepp.core.recording import ArraySource
    >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource(np.zeros(10)), unit="V",
    ...               conversion=1.0, offset=0.0, sampling_rate_hz=10.0, start_s=5.0)
    >>> [(segment.start, segment.stop) for segment in cut_segments([trace], excluded=[(5.3, 5.6)])]
    [(0, 3), (6, 10)]
    """
    for trace in traces:
        kept_from = 0
        for start_s, stop_s in sorted(excluded):
            first, last = (
                # Rounded first, as 5.3 s - 5.0 s is 0.2999... s but means sample 3.
                np.ceil(np.round((time_s - trace.start_s) * trace.sampling_rate_hz, 6))
                for time_s in (start_s, stop_s)
            )
            first, last = (int(min(max(index, 0), trace.n_samples)) for index in (first, last))
            if first >= last:
                continue  # There is no sample in between, so there is nothing to cut.
            if first > kept_from:
                yield Segment(trace=trace, start=kept_from, stop=first)
            kept_from = max(kept_from, last)
        if kept_from < trace.n_samples:
            yield Segment(trace=trace, start=kept_from, stop=trace.n_samples)
