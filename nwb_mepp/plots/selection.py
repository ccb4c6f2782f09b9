"""Which part of a result to show where not all of it fits; the same result gives the same choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace

__all__ = ["aligned_mepps", "choose_stretch", "intervals_between"]

FloatArray = npt.NDArray[np.float64]

_WANTED = 5
_STRETCH_LIMITS_S = (0.1, 1.0)
# An artifact of stimulation may come so long before the response.
_LATENCY_S = 20e-3
_MAX_DRAWN = 200
_BEFORE_S = 2e-3
_AFTER_LIMITS_S = (8e-3, 60e-3)


def choose_stretch(
    mepps: Mepps, traces: Sequence[Trace], *, others: Mepps | None = None
) -> tuple[Trace, float, float]:
    """Choose a stretch that shows several typical MEPPs.

    Parameters
    ----------
    mepps : Mepps
    traces : sequence of Trace
        All sweeps of the channel.
    others : Mepps, optional
        Evoked responses and the like, beside which MEPPs are too small to be seen.

    Returns
    -------
    trace : Trace
    start_s, stop_s : float
        In seconds from the session start, inside that sweep.

    Notes
    -----
    It lasts as long as five MEPPs on average, 0.1 to 1 s, but less than others are usually apart. Of the
    stretches that begin shortly before a MEPP, the one is chosen with fewest others, then the one whose
    number of MEPPs is nearest to five, then the one whose amplitudes are nearest to the median, then the
    first. Without MEPPs it is the middle of the longest sweep.
    """
    longest = max(traces, key=lambda trace: trace.duration_s)
    if not len(mepps):
        length_s = min(_STRETCH_LIMITS_S[1], longest.duration_s)
        start_s = longest.start_s + 0.5 * (longest.duration_s - length_s)
        return longest, start_s, start_s + length_s
    mean_interval_s = sum(trace.duration_s for trace in traces) / len(mepps)
    length_s = float(np.clip(_WANTED * mean_interval_s, *_STRETCH_LIMITS_S))
    others_s = np.empty(0) if others is None else np.sort(others.peak_s)
    if len(others_s) > 1:
        length_s = float(np.clip(0.8 * np.median(np.diff(others_s)), _STRETCH_LIMITS_S[0], length_s))
    deviation = np.abs(mepps.amplitude - np.median(mepps.amplitude))
    best: tuple[tuple[float, float, float], Trace, float] | None = None
    for trace in traces:
        of_sweep = mepps.sweep == trace.sweep
        onset_s, stop_s, distances = mepps.start_s[of_sweep], mepps.stop_s[of_sweep], deviation[of_sweep]
        end_s = trace.start_s + trace.duration_s
        starts_s = np.clip(onset_s - 0.08 * length_s, trace.start_s, max(end_s - length_s, trace.start_s))
        first = np.searchsorted(onset_s, starts_s)
        last = np.searchsorted(stop_s, starts_s + length_s, side="right")
        summed = np.concatenate([[0.0], np.cumsum(distances)])
        n_shown = np.maximum(last - first, 0)
        typical = (summed[np.maximum(last, first)] - summed[first]) / np.maximum(n_shown, 1)
        last_s = starts_s + length_s + _LATENCY_S
        n_others = np.searchsorted(others_s, last_s) - np.searchsorted(others_s, starts_s)
        for start_s, *figures in zip(starts_s, n_others, np.abs(n_shown - _WANTED), typical, strict=True):
            rank = (float(figures[0]), float(figures[1]), float(figures[2]))
            if best is None or rank < best[0]:
                best = (rank, trace, float(start_s))
    if best is None:  # the table belongs to none of these sweeps
        return choose_stretch(mepps.select(np.zeros(len(mepps), dtype=np.bool_)), traces)
    _, trace, start_s = best
    return trace, start_s, min(start_s + length_s, trace.start_s + trace.duration_s)


def aligned_mepps(mepps: Mepps, traces: Sequence[Trace]) -> tuple[FloatArray, FloatArray, int]:
    """Cut MEPPs out of the traces, aligned at their onset, with the baseline subtracted.

    Parameters
    ----------
    mepps : Mepps
    traces : sequence of Trace

    Returns
    -------
    time_s : ndarray, shape (n_samples,)
        From the onset.
    values : ndarray, shape (n_drawn, n_samples)
        In the unit of the trace, at most 200 rows, evenly spaced over the recording.
    n_available : int
        Number of MEPPs to choose from: those without another one in the window shown, or all if fewer than
        three are isolated.
    """
    rate_hz = traces[0].sampling_rate_hz
    by_sweep = {trace.sweep: trace for trace in traces}
    if not len(mepps):
        return np.empty(0), np.empty((0, 0)), 0
    duration_s = float(np.median(mepps.stop_s - mepps.start_s))
    before = max(round(_BEFORE_S * rate_hz), 1)
    after = max(round(float(np.clip(3.0 * duration_s, *_AFTER_LIMITS_S)) * rate_hz), 2)
    last_sample = np.array([by_sweep[sweep].n_samples for sweep in mepps.sweep.tolist()])
    inside = (mepps.start_index >= before) & (mepps.start_index + after <= last_sample)
    gap = np.where(np.diff(mepps.sweep) == 0, np.diff(mepps.start_index), np.iinfo(np.int64).max)
    far = np.iinfo(np.int64).max
    isolated = (np.append(gap, far) > after) & (np.insert(gap, 0, far) > after)
    chosen = np.flatnonzero(inside & isolated)
    if len(chosen) < 3:
        chosen = np.flatnonzero(inside)
    drawn = (
        chosen[np.unique(np.linspace(0, len(chosen) - 1, _MAX_DRAWN).round().astype(int))]
        if len(chosen)
        else chosen
    )
    rows = [
        by_sweep[int(mepps.sweep[row])].values(
            int(mepps.start_index[row]) - before, int(mepps.start_index[row]) + after
        )
        - mepps.baseline[row]
        for row in drawn.tolist()
    ]
    # Samples that are no numbers may begin just after a MEPP.
    rows = [row for row in rows if np.isfinite(row).all()]
    time_s = np.arange(-before, after) / rate_hz
    return time_s, np.array(rows).reshape(len(rows), len(time_s)), len(chosen)


def intervals_between(mepps: Mepps, *, excluded: Sequence[tuple[float, float]] = ()) -> FloatArray:
    """Return the intervals from onset to onset within sweeps that no excluded stretch interrupts.

    Parameters
    ----------
    mepps : Mepps
    excluded : sequence of (start_s, stop_s)

    Returns
    -------
    ndarray, shape (n_intervals,), seconds
    """
    earlier_s, later_s = mepps.start_s[:-1], mepps.start_s[1:]
    joined = np.diff(mepps.sweep) == 0
    for start_s, stop_s in excluded:
        joined &= (later_s <= start_s) | (earlier_s >= stop_s)
    return np.asarray((later_s - earlier_s)[joined])
