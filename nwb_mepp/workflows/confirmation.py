"""A second look at MEPPs between evoked responses, which make every small deflection look like a MEPP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Candidates

__all__ = ["confirm"]

Find = Callable[[Sequence[Segment]], Sequence[Candidates]]

# What an evoked response covers: from before its foot to the end of its decay, which 1/e is not.
_BEFORE_S, _AFTER_S = 10e-3, 50e-3
# Shorter stretches tell too little of what is typical there.
_SHORTEST_S = 0.3
_SAME_S = 3e-3


def confirm(find: Find, segments: Sequence[Segment], events: Mepps) -> Mepps:
    """Look again between evoked responses and action potentials, and leave out MEPPs that are not found then.

    A detector that judges by what else is in a recording sees many large events, and takes small deflections
    for more of them.

    Parameters
    ----------
    find : callable
        ``find(segments)`` returns the candidates that are kept.
    segments : sequence of Segment
        In which the events were found.
    events : Mepps
        With their kinds.

    Returns
    -------
    Mepps
        Without those MEPPs in stretches of 0.3 s and more that are not found again; the others have their
        probability from there. Nothing changes if no event is of the kind ``evoked`` or ``spike``.
    """
    large = np.isin(events.kind, ("evoked", "spike"))
    if not large.any():
        return events
    covered = events.select(large)
    pieces = [piece for segment in segments for piece in _between(segment, covered)]
    if not pieces:
        return events
    kept, probability = np.ones(len(events), dtype=np.bool_), events.probability.copy()
    for piece, candidates in zip(pieces, find(pieces), strict=True):
        inside = (events.sweep == piece.trace.sweep) & (events.kind == "mepp")
        inside &= (events.peak_index >= piece.start) & (events.peak_index < piece.stop)
        rows = np.flatnonzero(inside)
        again, nearest = _found_again(events.peak_index[rows] - piece.start, candidates.peak, piece=piece)
        kept[rows] = again
        probability[rows[again]] = candidates.probability[nearest[again]]
    return events.replace(probability=probability).select(kept)


def _between(segment: Segment, covered: Mepps) -> Iterator[Segment]:
    """Yield the stretches of a segment that no large event covers, if they are long enough."""
    theirs = covered.select(covered.sweep == segment.trace.sweep)
    stretches = zip(theirs.start_s - _BEFORE_S, theirs.stop_s + _AFTER_S, strict=True)
    for piece in cut_segments([segment.trace], excluded=list(stretches)):
        start, stop = max(piece.start, segment.start), min(piece.stop, segment.stop)
        if stop - start >= _SHORTEST_S * segment.sampling_rate_hz:
            yield Segment(trace=segment.trace, start=start, stop=stop)


def _found_again(
    peaks: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64], *, piece: Segment
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return which peaks have a candidate near, and the nearest of each."""
    if len(candidates) == 0:
        return np.zeros(len(peaks), dtype=np.bool_), np.zeros(len(peaks), dtype=np.int64)
    after = np.minimum(np.searchsorted(candidates, peaks), len(candidates) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(peaks - candidates[before]) <= np.abs(candidates[after] - peaks), before, after)
    return np.abs(peaks - candidates[nearest]) <= _SAME_S * piece.sampling_rate_hz, nearest
