"""Marks that a person made in another program: their times are kept, the rest is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import ChannelNoise, survey
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors import Candidates
from nwb_mepp.evaluation import Marks, check_marks, match_times
from nwb_mepp.workflows.analysis import choose_channels, cut_channel
from nwb_mepp.workflows.ground_truth import marks_in
from nwb_mepp.workflows.measured_candidates import measure_candidates
from nwb_mepp.workflows.settings import DetectionSettings

__all__ = ["carry_marks"]

# Within so far of a mark its peak is looked for; measuring moves a candidate by no more.
_NEAR_S = 3e-3
# From a peak to the onset and the end that are looked for where only the peak is known, as of a usual MEPP.
_BEFORE_S, _AFTER_S = 1e-3, 4e-3

FloatArray = npt.NDArray[np.float64]


def carry_marks(
    recording: Recording,
    file: str | Path,
    *,
    settings: DetectionSettings,
    event_column: str | None = None,
) -> Mepps:
    """Return the marks of a file as MEPPs of one channel.

    Parameters
    ----------
    recording : Recording
    file : path-like
        A table of events, or labeled text (:func:`nwb_mepp.workflows.ground_truth.read_truth`).
    settings : DetectionSettings
        Says the channel and what the estimate of the noise leaves out.
    event_column : str, optional
        Title of the column of times in a table of another program.

    Returns
    -------
    Mepps
        One for each mark. Onset, end, peak, amplitude and decay are those of the file where it states them;
        all else is measured on the samples at the mark, and NaN where no peak belongs to the mark alone.

    Raises
    ------
    ReadError
        If the file cannot be read, or a mark cannot be one of this channel.
    MetadataError, UsageError
        If the channel has to be chosen.
    DetectionError
        If the samples do not allow measurement.
    """
    place = Path(file)
    (channel,) = choose_channels(recording, names=settings.channels[:1])
    sweeps = recording.sweeps(channel)
    marks = marks_in(
        place, recording=recording, channel=channel, option="`events`", event_column=event_column
    )
    check_marks(marks, name=str(place), sweeps=sweeps, what="the marks of")
    noise = survey(cut_channel(recording, channel, settings=settings))
    times_s = marks.times_s(marks.matched_by)
    tables = []
    for trace in sweeps:
        end_s = trace.start_s + trace.duration_s
        own = marks.select((times_s >= trace.start_s) & (times_s < end_s))
        if len(own.start_s):
            tables.append(_of_sweep(trace, own, noise=noise, file=place))
    carried = Mepps.concatenate(tables) if tables else Mepps.empty(channel, sweeps[0].unit)
    if len(carried) < len(times_s):
        raise ReadError(
            f"expected the peaks that {place} states within the sweeps of channel {channel!r}, found "
            f"{len(times_s) - len(carried)} beyond an end; drop them."
        )
    return carried


def _of_sweep(trace: Trace, marks: Marks, *, noise: ChannelNoise, file: Path) -> Mepps:
    """Return the marks of one sweep, measured."""
    segment = Segment(trace=trace, start=0, stop=trace.n_samples)
    candidates = _candidates(segment, marks, noise=noise)
    rows = _measured_at(segment, candidates, noise=noise)
    peak_s = _stated_or(
        marks.peak_s, rows.peak_s, otherwise=trace.start_s + candidates.peak / trace.sampling_rate_hz
    )
    start_s = _stated_or(marks.start_s, rows.start_s)
    end_s = trace.start_s + trace.duration_s
    stop_s = np.fmin(_stated_or(marks.stop_s, rows.stop_s), end_s)
    lost = np.flatnonzero(np.isnan(start_s) | np.isnan(stop_s))
    if len(lost):
        raise ReadError(
            f"expected each mark of {file} on a peak of its own, as it states only times of peaks or onsets, "
            f"found none for the mark at {marks.times_s(marks.matched_by)[lost[0]]:.4f} s; drop it, or add "
            "the columns start_time and stop_time."
        )
    # Only an end that was measured can lie beyond the next onset: stated ones were checked.
    stop_s[:-1] = np.minimum(stop_s[:-1], np.maximum(start_s[1:], start_s[:-1]))
    _check_order(start_s, peak_s, stop_s, first_s=trace.start_s, file=file)
    start, peak, stop = (
        np.round((times_s - trace.start_s) * trace.sampling_rate_hz).astype(np.int64)
        for times_s in (start_s, peak_s, stop_s)
    )
    return rows.replace(
        start_index=start,
        peak_index=peak,
        stop_index=np.maximum(stop, start + 1),
        start_s=start_s,
        peak_s=peak_s,
        stop_s=stop_s,
        amplitude=_stated_or(marks.amplitude, rows.amplitude),
        decay_tau_s=_stated_or(marks.decay_tau_s, rows.decay_tau_s),
        overlapped=rows.overlapped | np.append(stop_s[:-1] >= start_s[1:], False),
    )


def _stated_or(
    stated: FloatArray, measured: FloatArray, *, otherwise: FloatArray | None = None
) -> FloatArray:
    known = np.where(np.isnan(stated), measured, stated)
    return known if otherwise is None else np.where(np.isnan(known), otherwise, known)


def _check_order(
    start_s: FloatArray, peak_s: FloatArray, stop_s: FloatArray, *, first_s: float, file: Path
) -> None:
    """Refuse times that contradict each other."""
    wrong = np.flatnonzero((start_s < first_s) | (stop_s <= start_s) | (peak_s < start_s) | (peak_s > stop_s))
    if len(wrong):
        one = wrong[0]
        raise ReadError(
            f"expected each mark of {file} to begin in its sweep, peak and end, found one that begins at "
            f"{start_s[one]:.4f} s, peaks at {peak_s[one]:.4f} s and ends at {stop_s[one]:.4f} s; correct it."
        )


def _candidates(segment: Segment, marks: Marks, *, noise: ChannelNoise) -> Candidates:
    """Return where to look for the marks, in samples of the sweep."""
    rate_hz, first_s = segment.sampling_rate_hz, segment.trace.start_s

    def samples(times_s: FloatArray) -> npt.NDArray[np.int64]:
        return np.clip(np.round((times_s - first_s) * rate_hz), 0, segment.n_samples).astype(np.int64)

    start_s = np.where(np.isnan(marks.start_s), marks.peak_s - _BEFORE_S, marks.start_s)
    next_s = np.append(start_s[1:], np.inf)
    likely_s = np.fmin(np.where(np.isnan(marks.peak_s), start_s + _BEFORE_S, marks.peak_s) + _AFTER_S, next_s)
    stop_s = np.where(np.isnan(marks.stop_s), likely_s, marks.stop_s)
    start = np.minimum(samples(start_s), segment.n_samples - 1)
    stop = np.maximum(samples(stop_s), start + 1)
    peak = np.array(
        [
            first + int(np.argmax(noise.polarity.sign * noise.values(segment, int(first), int(last))))
            for first, last in zip(start, stop, strict=True)
        ],
        dtype=np.int64,
    )
    stated = ~np.isnan(marks.peak_s)
    peak[stated] = np.minimum(samples(marks.peak_s[stated]), segment.n_samples - 1)
    return Candidates(start=start, peak=peak, stop=stop, probability=np.full(len(peak), np.nan))


def _measured_at(segment: Segment, candidates: Candidates, *, noise: ChannelNoise) -> Mepps:
    """Return a row for each candidate; NaN where measuring found that two of them mean one peak."""
    measured, _ = measure_candidates([segment], [candidates], noise=noise)
    trace = segment.trace
    looked_for_s = trace.start_s + candidates.peak / trace.sampling_rate_hz
    pairs = match_times(looked_for_s, measured.peak_s, tolerance_s=_NEAR_S).pairs
    n_marks = len(looked_for_s)
    arrays = {}
    for column in Mepps.columns():
        found = getattr(measured, column.attribute)
        arrays[column.attribute] = column.blank(n_marks).astype(found.dtype)
        arrays[column.attribute][pairs[:, 0]] = found[pairs[:, 1]]
    arrays["sweep"] = np.full(n_marks, trace.sweep, dtype=np.int64)
    return measured.replace(**arrays)
