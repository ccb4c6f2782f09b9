"""Events of a channel sorted by kind and quality, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import LeftOut
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.event_kinds import find_recurrence, kinds_of, quality_of

__all__ = ["EventSorting"]


@dataclass(frozen=True, kw_only=True)
class EventSorting:
    """What tells the kinds of events of a channel apart.

    Attributes
    ----------
    traces : sequence of Trace
        All sweeps of the channel.
    segments : sequence of Segment
        Which are analyzed.
    ends : tuple of float
        Values at which the trace is cut off.
    left_out : tuple of LeftOut
        What the recording itself shows to be of no use.
    """

    traces: Sequence[Trace]
    segments: Sequence[Segment]
    ends: tuple[float, float] = (-np.inf, np.inf)
    left_out: tuple[LeftOut, ...] = ()

    def sort(self, events: Mepps) -> tuple[Mepps, tuple[str, ...]]:
        """Return the events with kind and quality, and a sentence for each thing to know about them.

        Parameters
        ----------
        events : Mepps
            All of the channel, sorted by onset.
        """
        sweeps = [(trace.start_s, trace.start_s + trace.duration_s) for trace in self.traces]
        recurrence = find_recurrence(events, sweeps=sweeps)
        events = events.replace(
            kind=kinds_of(events, recurrence=recurrence),
            quality=quality_of(events, self.segments, ends=self.ends),
        )
        return events, tuple(self._clipped(events))

    def _clipped(self, events: Mepps) -> list[str]:
        mepps = events.of_kind("mepp")
        n_clipped = int(np.sum(np.char.find(mepps.quality.astype(np.str_), "clipped") >= 0))
        if not n_clipped:
            return []
        rest = "no amplitude is left" if n_clipped == len(mepps) else "the mean is that of the others"
        return [
            f"{n_clipped} of {len(mepps)} peaks lie on an end of the range: their amplitudes are lower "
            f"bounds, and {rest}"
        ]
