"""What an event is - a MEPP, an evoked response, a spike, an artifact - and how good its measures are.

Only what is plain is set apart; in doubt an event stays a MEPP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import ARTIFACT, EVOKED, MEPP, SPIKE, Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.recurrence import Recurrence, find_period, find_places

__all__ = [
    "after_stimuli",
    "find_recurrence",
    "find_responses",
    "kinds_of",
    "plainly_evoked",
    "quality_of",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

# Synaptic potentials end below the reversal potential of the receptor, about 0 mV, which action potentials
# pass. Where the electrode shifts the level, an amplitude that no potential of one quantum has must do.
_OVERSHOOT_V = 0.0
_LEAST_SPIKE_V = 30e-3
_SPIKE_V = 50e-3
# A fiber that is depolarized so far fires, so no giant MEPP has this amplitude; an attenuated spike may.
_THRESHOLD_V = 20e-3
_FAR_ABOVE = 10.0
# Full width at half maximum; an EPP of that size lasts several milliseconds.
_LONGEST_SPIKE_S = 4e-3
# Channels stay open for about 1 ms and more, even at 37 degrees: no current through them is shorter at half
# of its height, and no potential.
_SHORTEST_S = 0.3e-3
# Nerves conduct 10 m/s and more, and a synapse takes a few milliseconds, in the cold ten.
_RESPONSE_S = (-1e-3, 25e-3)
_AFTER_STIMULUS_S = (-1e-3, 0.1)
# A stimulus artifact precedes the response by the latency, and is shorter than it.
_LATENCY_S = 20e-3
_ARTIFACT_SHARE = 0.5
# Responses to a stimulus are many quanta; where they are few among many MEPPs, their period shows among the
# large events first.
_LARGE = (4.0, 2.0, 0.0)
_MIN_SWEEPS = 5
# Events that recur are evoked, where nobody states a stimulus, only if they cannot be quanta as well: several
# times as large as those that do not recur, or larger than the quantum of any muscle fiber.
_MANY_QUANTA = 3.0
_MIN_QUANTA = 3
_LARGER_THAN_QUANTA_V = 5e-3
_CLIPPED_NEAR_S = 0.5e-3


def find_recurrence(mepps: Mepps, *, sweeps: Sequence[tuple[float, float]]) -> Recurrence | None:
    """Find where events recur, which MEPPs do not.

    Parameters
    ----------
    mepps : Mepps
        All events of a channel, sorted by onset.
    sweeps : sequence of (start_s, stop_s)
        Of the channel, in order.

    Returns
    -------
    Recurrence or None
        At the same place of nearly every sweep, else with a constant period.
    """
    order = np.argsort(mepps.peak_s, kind="stable")
    times_s, size = mepps.peak_s[order], np.abs(mepps.amplitude[order])
    if not len(times_s):
        return None
    starts_s = np.array([start_s for start_s, _ in sweeps])
    if len(sweeps) >= _MIN_SWEEPS:
        longest_s = max(stop_s - start_s for start_s, stop_s in sweeps)
        return find_places(times_s, starts_s, reach_s=(0.0, longest_s))
    first_s, last_s = sweeps[0][0], sweeps[-1][1]
    for factor in _LARGE:
        large = size >= factor * np.median(size)
        found = find_period(times_s[large] - first_s, duration_s=last_s - first_s)
        if found is not None:
            # Artifacts and failures are smaller; they recur with the same period, at places of their own.
            starts_s = found.starts_s + first_s
            all_ = find_places(times_s, starts_s, reach_s=(0.0, found.period_s))
            places = {*found.places_s, *(() if all_ is None else all_.places_s)}
            return Recurrence(starts_s, tuple(sorted(places)), found.period_s)
    return None


def plainly_evoked(mepps: Mepps, recurrence: Recurrence) -> bool:
    """Return whether events that recur are evoked even though nobody states a stimulus.

    Parameters
    ----------
    mepps : Mepps
        All events of a channel.
    recurrence : Recurrence
        From :func:`find_recurrence`.

    Returns
    -------
    bool
        True if an artifact of stimulation precedes most of them, if they are several times as large as the
        events that do not recur, or if no quantum is so large.
    """
    artifact = mepps.half_width_s < _SHORTEST_S
    recurring = recurrence.holds(mepps.peak_s)
    locked, others = recurring & ~artifact, ~recurring & ~artifact
    n_locked, n_artifacts = int(np.sum(locked)), int(np.sum(recurring & artifact))
    if 2 * n_artifacts > max(n_locked, 1):
        return True
    if not n_locked:
        return False
    size = np.abs(mepps.amplitude)
    typical = float(np.median(size[locked]))
    if np.sum(others) >= _MIN_QUANTA and typical >= _MANY_QUANTA * float(np.median(size[others])):
        return True
    return bool(mepps.unit == "V" and typical >= _LARGER_THAN_QUANTA_V)


def find_responses(mepps: Mepps, stimuli_s: npt.ArrayLike) -> Recurrence | None:
    """Find where events follow times at which the recording may have been stimulated.

    Parameters
    ----------
    mepps : Mepps
        All events of a channel.
    stimuli_s : array_like, shape (n_times,)

    Returns
    -------
    Recurrence or None
        None if events do not follow these times more often than by chance: then they are no stimuli.
    """
    stimuli = np.sort(np.asarray(stimuli_s, dtype=np.float64))
    return find_places(np.sort(mepps.peak_s), stimuli, reach_s=_AFTER_STIMULUS_S)


def after_stimuli(mepps: Mepps, stimuli_s: npt.ArrayLike) -> Recurrence:
    """Return where events count as evoked by stimuli whose times are known.

    Parameters
    ----------
    mepps : Mepps
    stimuli_s : array_like, shape (n_stimuli,)
        Sorted.

    Returns
    -------
    Recurrence
        The 25 ms after each stimulus, in which the response to a nerve falls, and where else events recur.
    """
    stimuli = np.asarray(stimuli_s, dtype=np.float64)
    found = find_places(np.sort(mepps.peak_s), stimuli, reach_s=_AFTER_STIMULUS_S)
    return Recurrence(stimuli, (_RESPONSE_S, *(() if found is None else found.places_s)))


def kinds_of(mepps: Mepps, *, recurrence: Recurrence | None = None) -> TextArray:
    """Return what each event is.

    Parameters
    ----------
    mepps : Mepps
    recurrence : Recurrence, optional
        Where events are evoked.

    Returns
    -------
    ndarray of str, shape (n_events,)
        ``mepp``, ``evoked``, ``spike`` or ``artifact``.
    """
    kinds = np.full(len(mepps), MEPP, dtype="<U8")
    if not len(mepps):
        return kinds
    kinds[mepps.half_width_s < _SHORTEST_S] = ARTIFACT
    if recurrence is not None:
        evoked = recurrence.holds(mepps.peak_s)
        kinds[evoked] = EVOKED
        kinds[_before_response(mepps, evoked)] = ARTIFACT
    kinds[_spikes(mepps)] = SPIKE
    return kinds


def _before_response(mepps: Mepps, evoked: BoolArray) -> BoolArray:
    """Return which events come just before a response and are much shorter than the responses.

    Those that do not recur, as the detector takes few of them for MEPPs, have about the size of responses.
    """
    ahead = np.zeros(len(mepps), dtype=np.bool_)
    rows = np.flatnonzero(evoked)
    close = np.diff(mepps.peak_s[rows]) < _LATENCY_S
    usual_s = np.nanmedian(mepps.half_width_s[rows]) if np.isfinite(mepps.half_width_s[rows]).any() else 0.0
    short = ~(mepps.half_width_s[rows[:-1]] >= _ARTIFACT_SHARE * usual_s)
    ahead[rows[:-1]] = close & short
    if len(rows):
        size = np.abs(mepps.amplitude)
        large = size >= _ARTIFACT_SHARE * np.median(size[rows])
        followed = np.append(evoked[1:] & (np.diff(mepps.peak_s) < _LATENCY_S), False)
        ahead |= large & followed & ~evoked & ~(mepps.half_width_s >= _ARTIFACT_SHARE * usual_s)
    return ahead


def _spikes(mepps: Mepps) -> BoolArray:
    """Return which events are action potentials by size and shape."""
    if mepps.unit != "V":
        return np.zeros(len(mepps), dtype=np.bool_)
    size, top = mepps.amplitude, mepps.baseline + mepps.amplitude
    tall = (size >= _LEAST_SPIKE_V) & ((top > _OVERSHOOT_V) | (size >= _SPIKE_V))
    # Where most events are as large, the gain is wrong, not the kind.
    tall |= (size >= _THRESHOLD_V) & (size >= _FAR_ABOVE * np.median(np.abs(size)))
    return np.asarray(tall & ~(mepps.half_width_s > _LONGEST_SPIKE_S))


@dataclass(frozen=True)
class _Ends:
    low: float
    high: float

    def reached(self, values: FloatArray) -> bool:
        return bool((values <= self.low).any() or (values >= self.high).any())


def quality_of(mepps: Mepps, segments: Sequence[Segment], *, ends: tuple[float, float]) -> TextArray:
    """Return how far the measures of each event can be trusted.

    Parameters
    ----------
    mepps : Mepps
    segments : sequence of Segment
        Which were analyzed.
    ends : tuple of float
        Values at which the trace is cut off (:func:`nwb_mepp.conditioning.end_values`).

    Returns
    -------
    ndarray of str, shape (n_events,)
        ``ok``, or the reasons why not, joined by ``"; "``.
    """
    clipped = _clipped(mepps, segments, ends=_Ends(*ends))
    no_fit = ~np.isfinite(mepps.rise_10_90_s)
    cut = ~no_fit & ~mepps.overlapped & ~np.isfinite(mepps.decay_tau_s) & _at_border(mepps, segments)
    reasons = {
        "clipped": clipped,
        "unresolved": mepps.unresolved,
        "overlapped": mepps.overlapped,
        "no fit": no_fit,
        "at border": cut,
    }
    return np.array(
        [
            "; ".join(reason for reason, holds in reasons.items() if holds[row]) or "ok"
            for row in range(len(mepps))
        ],
        dtype=np.str_,
    )


def _clipped(mepps: Mepps, segments: Sequence[Segment], *, ends: _Ends) -> BoolArray:
    """Return which events reach an end of the range at their peak."""
    clipped = np.zeros(len(mepps), dtype=np.bool_)
    if not np.isfinite([ends.low, ends.high]).any():
        return clipped
    traces = {segment.trace.sweep: segment.trace for segment in segments}
    for row, (sweep, peak) in enumerate(zip(mepps.sweep.tolist(), mepps.peak_index.tolist(), strict=True)):
        trace = traces[sweep]
        near = max(round(_CLIPPED_NEAR_S * trace.sampling_rate_hz), 1)
        clipped[row] = ends.reached(trace.values(max(peak - near, 0), min(peak + near + 1, trace.n_samples)))
    return clipped


def _at_border(mepps: Mepps, segments: Sequence[Segment]) -> BoolArray:
    """Return which events are the last of their segment."""
    last = np.zeros(len(mepps), dtype=np.bool_)
    for segment in segments:
        own = np.flatnonzero(
            (mepps.sweep == segment.trace.sweep)
            & (mepps.start_index >= segment.start)
            & (mepps.start_index < segment.stop)
        )
        last[own[-1:]] = True
    return last
