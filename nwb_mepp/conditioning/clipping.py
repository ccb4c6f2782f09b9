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
    ends = []
    for sign in (-1.0, 1.0):
        counts: dict[float, int] = {}
        longest, highest = 0, -np.inf
        for segment in segments:
            for start in range(0, segment.n_samples, _BLOCK):
                values = segment.values(start, min(start + _BLOCK, segment.n_samples))
                oriented = sign * values[np.isfinite(values)]
                if not len(oriented):
                    continue
                # The two largest values so far, with how often each was reached.
                for value in _two_largest(oriented):
                    counts[value] = counts.get(value, 0) + int(np.sum(oriented == value))
                counts = {value: counts[value] for value in sorted(counts)[-2:]}
                if max(counts) > highest:
                    longest, highest = 0, max(counts)
                longest = max(_longest_run(oriented == highest), longest)
        ends.append(sign * _end(counts, longest))
    return ends[0], ends[1]


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
