"""Times and amplitudes of events from any source: a detector, a simulation, a table of marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace

__all__ = ["Marks", "check_marks"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Marks:
    """Events of one channel, detected or true; NaN where a value is not known.

    Attributes
    ----------
    peak_s, start_s, stop_s : ndarray, shape (n,), seconds from the session start
    amplitude : ndarray, shape (n,)
    decay_tau_s : ndarray, shape (n,)
    """

    peak_s: FloatArray
    start_s: FloatArray
    stop_s: FloatArray
    amplitude: FloatArray
    decay_tau_s: FloatArray

    @classmethod
    def of(cls, mepps: Mepps) -> Marks:
        """Return the events of a table of MEPPs."""
        return cls(
            peak_s=mepps.peak_s,
            start_s=mepps.start_s,
            stop_s=mepps.stop_s,
            amplitude=mepps.amplitude,
            decay_tau_s=mepps.decay_tau_s,
        )

    @property
    def matched_by(self) -> str:
        """What the events can be matched by: ``"peak"``, or ``"start"`` if a peak is not known."""
        return "start" if np.isnan(self.peak_s).any() else "peak"

    def times_s(self, matched_by: str) -> FloatArray:
        """Return peaks or onsets, shape (n,)."""
        return self.peak_s if matched_by == "peak" else self.start_s

    def select(self, kept: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Marks:
        """Return the events chosen by a boolean mask or by indices."""
        return Marks(**{name: array[kept] for name, array in vars(self).items()})

    def intervals(self) -> FloatArray:
        """Return onsets and ends, shape (n, 2)."""
        return np.stack([self.start_s, self.stop_s], axis=1)

    def outside(self, stretches: Sequence[tuple[float, float]], *, by: str) -> Marks:
        """Return the events whose peaks or onsets lie in none of the stretches."""
        times_s = self.times_s(by)
        kept = np.ones(len(times_s), dtype=np.bool_)
        for start_s, stop_s in stretches:
            kept &= ~((times_s >= start_s) & (times_s < stop_s))
        return self.select(kept)


def check_marks(true: Marks, *, name: str, sweeps: Sequence[Trace], what: str = "the truth") -> None:
    """Check that marks can belong to a channel.

    Parameters
    ----------
    true : Marks
    name : str
        Name of the table or file, for messages.
    sweeps : sequence of Trace
        All sweeps of the channel.
    what : str, default "the truth"
        What the marks are, for messages.

    Raises
    ------
    ReadError
        If there is no event, one lies outside the sweeps, or intervals run backward or overlap.
    """
    times_s = true.times_s(true.matched_by)
    if len(times_s) == 0:
        raise ReadError(f"expected events in {what} {name!r}, found none.")
    inside = np.zeros(len(times_s), dtype=np.bool_)
    for trace in sweeps:
        # A peak may lie after the last sample, if the end of the recording cuts the event off.
        end_s = trace.start_s + trace.duration_s
        inside |= (times_s >= trace.start_s) & (np.fmin(times_s, true.start_s) < end_s)
    if not inside.all():
        first_s, last_s = sweeps[0].start_s, max(trace.start_s + trace.duration_s for trace in sweeps)
        raise ReadError(
            f"expected {what} {name!r} within the sweeps of channel {sweeps[0].channel!r} ({first_s:g} to "
            f"{last_s:g} s), found an event at {times_s[~inside][0]:g} s; times count in seconds from the "
            "session start."
        )
    backward = true.stop_s < true.start_s
    if backward.any():
        at_s = true.start_s[backward][0]
        raise ReadError(
            f"expected intervals that end after they begin in {what} {name!r}, found one that does "
            f"not, at {at_s:g} s; correct it."
        )
    order = np.argsort(true.start_s, kind="stable")
    start_s, stop_s = true.start_s[order], true.stop_s[order]
    # Tables hold times to the nanosecond.
    overlapping = np.flatnonzero(stop_s[:-1] > start_s[1:] + 1.5e-9)
    if len(overlapping):
        raise ReadError(
            f"expected intervals that do not overlap in {what} {name!r}, found one until "
            f"{stop_s[overlapping[0]]:g} s and the next from {start_s[overlapping[0] + 1]:g} s; end the "
            "first where the next begins."
        )
