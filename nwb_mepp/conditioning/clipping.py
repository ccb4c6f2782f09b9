"""The values at which a trace is cut off: the ends of the range of an amplifier or converter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.segments import Segment

__all__ = ["end_values"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_BLOCK = 1 << 20
_MIN_CLIPPED = 5
_MIN_CLIPPED_RUN = 3
_PILE = 5.0


def end_values(segments: Sequence[Segment]) -> tuple[float, float]:
    """Return the values at which a channel is cut off, as peaks pile up there; infinite where they do not.

    Parameters
    ----------
    segments : sequence of Segment
        All stretches of one channel that are analyzed.

    Returns
    -------
    low, high : float
        In the unit of the channel; -inf and inf where no value is an end.

    Notes
    -----
    The largest value of a trace that is not cut off is reached once or a few times, and values just below
    it more often. It is an end if it is reached at least five times, three in a row, and five times as
    often as the next smaller value. The same holds for the smallest.
    """
    low, high = _Largest(), _Largest()
    for segment in segments:
        for start in range(0, segment.n_samples, _BLOCK):
            values = segment.values(start, min(start + _BLOCK, segment.n_samples))
            finite = values[np.isfinite(values)]
            if len(finite):
                low.add(-finite)
                high.add(finite)
    return -low.end, high.end


class _Largest:
    """The two largest values so far, how often each was reached, and the longest run of the largest."""

    def __init__(self) -> None:
        self._counts: dict[float, int] = {}
        self._longest = 0

    def add(self, values: FloatArray) -> None:
        """Take a block of finite values, at least one."""
        before = max(self._counts, default=-np.inf)
        counts = self._counts
        for value in _two_largest(values):
            counts[value] = counts.get(value, 0) + int(np.sum(values == value))
        self._counts = {value: counts[value] for value in sorted(counts)[-2:]}
        highest = max(self._counts)
        if highest > before:
            self._longest = 0
        self._longest = max(_longest_run(values == highest), self._longest)

    @property
    def end(self) -> float:
        """The largest value, if values pile up there; else infinite."""
        return _end(self._counts, self._longest)


def _two_largest(values: FloatArray) -> list[float]:
    top = float(values.max())
    below = values[values < top]
    return [top, float(below.max())] if len(below) else [top]


def _longest_run(true: BoolArray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _end(counts: dict[float, int], longest: int) -> float:
    if not counts:
        return np.inf
    top = max(counts)
    n_top = counts[top]
    n_below = counts[min(counts)] if len(counts) > 1 else 0
    piled = n_top >= _MIN_CLIPPED and longest >= _MIN_CLIPPED_RUN and n_top > _PILE * n_below
    return top if piled else np.inf
