"""Events of a channel sorted by kind and quality, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import ARTIFACT, Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import LeftOut
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.event_kinds import (
    after_stimuli,
    find_recurrence,
    find_responses,
    kinds_of,
    plainly_evoked,
    quality_of,
)
from nwb_mepp.measurement.recurrence import Recurrence, find_places
from nwb_mepp.workflows.stimuli import Stimuli

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
    stimuli : Stimuli, optional
    steps : tuple of LeftOut
        What surrounds command steps and is analyzed all the same, as without it too little would be left.
    """

    traces: Sequence[Trace]
    segments: Sequence[Segment]
    ends: tuple[float, float] = (-np.inf, np.inf)
    left_out: tuple[LeftOut, ...] = ()
    stimuli: Stimuli | None = None
    steps: tuple[LeftOut, ...] = ()

    def sort(self, events: Mepps) -> tuple[Mepps, tuple[str, ...]]:
        """Return the events with kind and quality, and a sentence for each thing to know about them.

        Parameters
        ----------
        events : Mepps
            All of the channel, sorted by onset.
        """
        sweeps = [(trace.start_s, trace.start_s + trace.duration_s) for trace in self.traces]
        recurrence, warnings = self._recurrence(events, sweeps)
        kinds = kinds_of(events, recurrence=recurrence)
        if self.steps:
            kinds[self._at_steps(events)] = ARTIFACT
            warnings.append(
                "the sweeps are too short to leave out the command steps that the header states: what lies "
                "there is an artifact"
            )
        events = events.replace(
            kind=kinds,
            quality=quality_of(events, self.segments, ends=self.ends),
        )
        return events, (*warnings, *self._clipped(events))

    def _recurrence(
        self, events: Mepps, sweeps: Sequence[tuple[float, float]]
    ) -> tuple[Recurrence | None, list[str]]:
        """Return where events are evoked; by stated stimuli alone, if there are any."""
        stimuli = self.stimuli
        if stimuli is None or not stimuli.stated:
            responses = None if stimuli is None else find_responses(events, stimuli.times_s)
            return (responses, []) if responses is not None else _unstated(events, sweeps)
        if np.isfinite(stimuli.period_s):
            found = find_places(np.sort(events.peak_s), stimuli.times_s, reach_s=(0.0, stimuli.period_s))
            said = (
                []
                if found
                else [f"no event recurs every {stimuli.period_s:g} s, so none is taken for evoked"]
            )
            return found, said
        return after_stimuli(events, stimuli.times_s), []

    def _at_steps(self, events: Mepps) -> npt.NDArray[np.bool_]:
        at_steps = np.zeros(len(events), dtype=np.bool_)
        for one in self.steps:
            at_steps |= (events.peak_s >= one.start_s) & (events.start_s < one.stop_s)
        return at_steps

    def _clipped(self, events: Mepps) -> list[str]:
        mepps = events.of_kind("mepp")
        n_clipped = int(np.sum(np.char.find(mepps.quality.astype(np.str_), "clipped") >= 0))
        if not n_clipped:
            return []
        rest = "no amplitude is left" if n_clipped == len(mepps) else "the mean is that of the smaller ones"
        return [
            f"{n_clipped} of {len(mepps)} peaks lie on an end of the range: their amplitudes are lower "
            f"bounds, and {rest}"
        ]


def _unstated(events: Mepps, sweeps: Sequence[tuple[float, float]]) -> tuple[Recurrence | None, list[str]]:
    """Return where events are plainly evoked; those that only recur stay MEPPs, and a sentence says so."""
    found = find_recurrence(events, sweeps=sweeps)
    if found is None or plainly_evoked(events, found):
        return found, []
    n_recurring = int(found.holds(events.peak_s).sum())
    where = (
        f"every {found.period_s:.4g} s" if np.isfinite(found.period_s) else "at the same place of the sweeps"
    )
    return None, [
        f"{n_recurring} of {len(events)} events recur {where} but are no larger than MEPPs and count as "
        "such; state the stimuli if they are evoked"
    ]
