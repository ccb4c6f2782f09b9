"""When a recording was stimulated: stated by the user, by a channel, or by the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.results import LeftOut
from nwb_mepp.workflows.settings import DetectionSettings

__all__ = ["Stimuli", "around_command_steps", "around_stimuli", "find_stimuli"]

FloatArray = npt.NDArray[np.float64]

_EVERY = re.compile(r"every:([^@]+)(?:@(.+))?", re.IGNORECASE)
_BLOCK = 1 << 20
# A pulse must be this many times as high as the rest of the channel is wide, or it is noise.
_PULSE_SHARE = 5.0
# After a step, membrane and electrode charge: a fiber with 20 ms reaches 99 % of its level in 100 ms.
_SETTLING_S = 0.1
_BEFORE_STEP_S = 2e-3
# In a longer step another level is held, at which there are MEPPs; only its borders are left out.
_LONGEST_STEP_S = 0.5


class Stimuli(NamedTuple):
    """When a recording was stimulated.

    Attributes
    ----------
    times_s : ndarray, shape (n_stimuli,)
        From the session start, sorted.
    stated : bool
        Whether a user said so; what a file calls events or outputs need not be stimuli.
    period_s : float
        NaN unless only the period is known.
    """

    times_s: FloatArray
    stated: bool
    period_s: float = np.nan


def find_stimuli(recording: Recording, *, channel: str, settings: DetectionSettings) -> Stimuli:
    """Return when a recording was, or may have been, stimulated.

    Parameters
    ----------
    recording : Recording
    channel : str
        Which is analyzed.
    settings : DetectionSettings

    Raises
    ------
    UsageError
        If the stimuli that are stated are none, or lie outside the recording.
    DetectionError
        If a channel has no pulses.
    """
    stated = settings.stimuli
    if stated is None:
        named_times = [times_s for _, times_s in _named_times(recording)]
        parts = [np.asarray(recording.stimuli_s, dtype=np.float64), *named_times]
        return Stimuli(np.unique(np.concatenate(parts)), stated=False)
    traces = recording.sweeps(channel)
    if (match := _EVERY.fullmatch(stated.strip())) is not None:
        return _regular(match[1], match[2], traces)
    if stated in recording.channels:
        times_s = np.concatenate([_pulses(trace) for trace in recording.sweeps(stated)])
        if not len(times_s):
            raise DetectionError(
                f"`stimuli`: expected pulses on channel {stated!r}, found none that stands out from the "
                "rest; state another channel, a file of times or EVERY:SECONDS."
            )
    elif named := [times_s for name, times_s in _named_times(recording) if name == stated]:
        times_s = np.concatenate(named)
    else:
        times_s = _read_times(Path(stated), recording=recording)
    inside = [np.any((times_s >= t.start_s) & (times_s < t.start_s + t.duration_s)) for t in traces]
    if not any(inside):
        raise UsageError(
            f"`stimuli`: expected times within the recording, found none: {len(times_s)} from "
            f"{times_s.min():g} to {times_s.max():g} s, while channel {channel!r} lasts from "
            f"{traces[0].start_s:g} to {traces[-1].start_s + traces[-1].duration_s:g} s; times count from "
            "the session start."
        )
    return Stimuli(np.unique(times_s), stated=True)


def _named_times(recording: Recording) -> list[tuple[str, FloatArray]]:
    """Return when events came and epochs began, with the name of their kind, for each sweep."""
    events = [(one.name, one.times_s) for one in recording.ancillary.events]
    return [*events, *((one.name, one.start_s) for one in recording.ancillary.epochs)]


def _regular(period: str, start: str | None, traces: Sequence[Trace]) -> Stimuli:
    try:
        period_s, start_s = float(period), None if start is None else float(start)
    except ValueError:
        period_s, start_s = np.nan, None
    if not (np.isfinite(period_s) and period_s > 0.0):
        raise UsageError(
            f"`stimuli`: expected EVERY:SECONDS or EVERY:SECONDS@START, such as every:1 or every:0.5@0.25, "
            f"found every:{period}{'' if start is None else '@' + start}."
        )
    first_s, last_s = traces[0].start_s, traces[-1].start_s + traces[-1].duration_s
    begin_s = first_s if start_s is None else start_s
    return Stimuli(np.arange(begin_s, last_s, period_s), True, period_s if start_s is None else np.nan)


def _pulses(trace: Trace) -> FloatArray:
    """Return when a channel rises above half of its range, or falls below it, from where it mostly is."""
    starts = range(0, trace.n_samples, _BLOCK)
    blocks = [trace.values(start, min(start + _BLOCK, trace.n_samples)) for start in starts[:1]]
    usual = float(np.nanmedian(blocks[0])) if blocks else 0.0
    width = float(np.nanmedian(np.abs(blocks[0] - usual))) if blocks else 0.0
    low, high = usual, usual
    for start in starts:
        values = trace.values(start, min(start + _BLOCK, trace.n_samples))
        low, high = min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values)))
    extreme = high if high - usual >= usual - low else low
    if not abs(extreme - usual) > _PULSE_SHARE * 1.4826 * width:
        return np.empty(0)
    half, up = 0.5 * (usual + extreme), extreme > usual
    found, was_on = [], True  # a pulse that is on from the first sample has no start
    for start in starts:
        values = trace.values(start, min(start + _BLOCK, trace.n_samples))
        on = values > half if up else values < half
        begun = np.flatnonzero(on & ~np.concatenate([[was_on], on[:-1]]))
        found.append(trace.start_s + (start + begun) / trace.sampling_rate_hz)
        was_on = bool(on[-1])
    return np.concatenate(found)


def _read_times(file: Path, *, recording: Recording) -> FloatArray:
    """Return the first number of each line of a file, in seconds from the session start."""
    if not file.is_file():
        named = dict.fromkeys(name for name, _ in _named_times(recording))
        raise UsageError(
            f"`stimuli`: expected a channel ({', '.join(recording.channels)}), "
            f"{'events (' + ', '.join(named) + '), ' if named else ''}a file of times or EVERY:SECONDS, "
            f"found {str(file)!r}."
        )
    times = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines()):
        cell = re.split(r"[,;\t]", line.strip())[0].strip().strip('"')
        if not cell or (number == 0 and not re.match(r"[-+.\d]", cell)):
            continue  # an empty line, or the heading
        try:
            times.append(float(cell))
        except ValueError:
            times.append(np.nan)
        if not np.isfinite(times[-1]):
            raise UsageError(
                f"`stimuli`: expected a number of seconds at the beginning of each line of {file}, found "
                f"{cell!r} in line {number + 1}; correct the file."
            )
    if not times:
        raise UsageError(f"`stimuli`: expected times in {file}, one a line, found none.")
    return np.array(times)


def around_stimuli(stimuli: Stimuli, *, settings: DetectionSettings) -> list[LeftOut]:
    """Return what is left out around each stimulus.

    Raises
    ------
    UsageError
        If times of stimuli are not known.
    """
    if not settings.exclude_around_stimuli:
        return []
    if not len(stimuli.times_s) or np.isfinite(stimuli.period_s):
        raise UsageError(
            "`exclude_around_stimuli`: expected to know when stimuli came, found no times in the recording; "
            "give `stimuli`: a channel, a file of times or EVERY:SECONDS@START."
        )
    return [
        LeftOut(float(time_s + start_s), float(time_s + stop_s), "around a stimulus")
        for time_s in stimuli.times_s
        for start_s, stop_s in settings.exclude_around_stimuli
    ]


def around_command_steps(recording: Recording) -> list[LeftOut]:
    """Return what is left out around the steps that the header states, with time for the trace to settle."""
    found = []
    for start_s, stop_s in recording.command_steps:
        edges = (
            [(start_s, stop_s)]
            if stop_s - start_s <= _LONGEST_STEP_S
            else [(t, t) for t in (start_s, stop_s)]
        )
        found += [
            LeftOut(first_s - _BEFORE_STEP_S, last_s + _SETTLING_S, "command step")
            for first_s, last_s in edges
        ]
    return found
