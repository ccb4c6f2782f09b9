"""MEPPs compared with the truth: a table of the file, a table of times, or labels.

Those that are in an NWB file, or those that detectors find in labeled recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording
from nwb_mepp.detectors import Detector, get_detector
from nwb_mepp.evaluation import (
    Estimate,
    Marks,
    bootstrap,
    check_marks,
    common_shift,
    count_matches,
    f1,
    interval_iou,
    match_times,
    patch_iou,
    precision,
    recall,
)
from nwb_mepp.nwb import open_nwb, read_events, read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, choose_channels
from nwb_mepp.workflows.analysis import analyze_channel
from nwb_mepp.workflows.ground_truth import own_truth, read_truth, truth_of, undecided_in
from nwb_mepp.workflows.recording_files import open_recording
from nwb_mepp.workflows.stretches import stretches_left_out

__all__ = ["POOLED", "FileScores", "compare_detectors", "estimate_scores", "evaluate_file"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SEED, _N_RESAMPLES = 1, 2000
POOLED = {"precision": precision, "recall": recall, "f1": f1}


@dataclass(frozen=True, kw_only=True, eq=False)
class FileScores:
    """One file compared with its truth.

    Attributes
    ----------
    path : Path
    channel : str
    detector : str
        Empty for the MEPPs of an NWB file.
    matched_by : {"peak", "start"}
        Onsets are matched where the truth states no peaks.
    shift_s : float
        What was added to the found times.
    counts : ndarray of int64, shape (3,)
        Matched, missed and false, stretches left out of the file not counted.
    iou : float
        Intersection over union of the intervals, samples pooled; NaN where the truth states none.
    iou_patches : float
        The same within the patches of 10 ms that hold a true event.
    onset_error_s, peak_error_s : ndarray, shape (n_matched,)
        Found, shifted, minus true; NaN where the truth does not state it.
    amplitude_error, decay_error : ndarray, shape (n_matched,)
        Found over true, minus 1.
    """

    path: Path
    channel: str
    detector: str = ""
    matched_by: str
    shift_s: float
    counts: IntArray
    iou: float
    iou_patches: float
    onset_error_s: FloatArray
    peak_error_s: FloatArray
    amplitude_error: FloatArray
    decay_error: FloatArray


def evaluate_file(
    path: str | PathLike[str],
    *,
    truth: str,
    table: str | None = None,
    channel: str | None = None,
    tolerance_s: float = 0.005,
    shift: bool = False,
) -> FileScores:
    """Compare the MEPPs that were detected in a file with the truth.

    Events are matched one to one by their peaks, or by their onsets where the truth states no peaks. What
    lies in the file's ``invalid_times``, or was not reviewed yet in a person's table, counts neither for nor
    against.

    Parameters
    ----------
    path : path-like
        NWB file.
    truth : str
        A table of the same file (``mepps_truth``, ``mepps_curated``, ...); or a file: a CSV table with
        ``peak_time`` or ``start_time`` in seconds from the session start and, as far as known, ``stop_time``,
        ``amplitude`` and ``decay_tau``; an event table of Mini Analysis; or labeled text, whose labels are
        taken.
    table : str, optional
        Which table is judged, if several detectors were run.
    channel : str, optional
        Which channel, if several have MEPPs.
    tolerance_s : float, default 0.005
    shift : bool, default False
        Allow one common shift of all found times, up to 3 ms.

    Returns
    -------
    FileScores

    Raises
    ------
    UsageError
        If the tolerance is negative, or table or channel have to be named.
    ReadError
        If a file or table cannot be read, or the truth is empty, overlaps or does not fit the recording.
    """
    place = Path(path)
    if not 0.0 <= tolerance_s < float("inf"):
        raise UsageError(f"`tolerance_s`: expected 0 s or more, found {tolerance_s:g}.")
    if table is not None and table.removeprefix("mepps_") == truth.removeprefix("mepps_"):
        raise UsageError(f"expected `table` and `truth` to differ, found {truth!r} for both.")
    found = _found(place, table=table, channel=channel)
    with open_nwb(place, channels=[*filter(None, [channel]), *(one.channel for one in found)]) as recording:
        name = _channel(recording, found, channel)
        true = read_truth(place, truth, recording=recording, channel=name)
        check_marks(true, name=truth, sweeps=recording.sweeps(name))
        judged = found[0] if found else Mepps.empty(name, recording.sweeps(name)[0].unit)
        scoring = _Scoring(place, recording, name, true=true, tolerance_s=tolerance_s, shift=shift)
        left_out = [
            *recording.invalid_times,
            *(stretch for one in (table, truth) for stretch in undecided_in(place, one, channel=name)),
        ]
        return scoring.of(judged, left_out=left_out)


def compare_detectors(
    path: str | PathLike[str],
    *,
    labels: str | None = None,
    detectors: Mapping[str, Detector] | None = None,
    options: ReadOptions | None = None,
    settings: DetectionSettings | None = None,
    tolerance_s: float = 0.005,
    shift: bool = False,
) -> list[FileScores]:
    """Run detectors on a labeled recording and compare what each finds with the labels.

    Parameters
    ----------
    path : path-like
        Lab file or NWB file.
    labels : str, optional
        A table or file as for :func:`evaluate_file` (``{}`` in its name stands for that of the recording); by
        default those in the recording: a column of labels, ``mepps_curated``, else ``mepps_truth``. There
        may be none at all: such a recording shows what is falsely found.
    detectors : mapping of str to Detector, optional
        By the name to be stated; those of the settings by default.
    options : ReadOptions, optional
        What the file does not state.
    settings : DetectionSettings, optional
    tolerance_s, shift
        As for :func:`evaluate_file`.

    Returns
    -------
    list of FileScores
        One for each detector.

    Raises
    ------
    UsageError
        If the tolerance is negative, or the channel has to be named.
    MeppError
        If recording or labels cannot be read or do not match, or the recording cannot be analyzed.
    """
    place, wanted = Path(path), settings or DetectionSettings()
    if not 0.0 <= tolerance_s < float("inf"):
        raise UsageError(f"`tolerance_s`: expected 0 s or more, found {tolerance_s:g}.")
    named = detectors or {
        name: get_detector(name, weights=wanted.weights_of(name)) for name in wanted.detectors
    }
    stated = truth_of(place, labels)
    with open_recording(place, options=options) as recording:
        channels = choose_channels(recording, names=wanted.channels)
        if len(channels) != 1:
            raise UsageError(f"`channel`: expected one channel, found {', '.join(channels)}; give one.")
        (channel,) = channels
        source = stated if stated is not None else own_truth(place, recording=recording, channel=channel)
        true = read_truth(place, source, recording=recording, channel=channel)
        if len(true.start_s):
            check_marks(true, name=source or place.name, sweeps=recording.sweeps(channel))
        scoring = _Scoring(place, recording, channel, true=true, tolerance_s=tolerance_s, shift=shift)
        named_out = [
            *stretches_left_out(recording.sweeps(channel), settings=wanted),
            *undecided_in(place, source, channel=channel),
        ]
        scores = []
        for name, detector in named.items():
            (result,) = analyze_channel(recording, channel, detectors=[detector], settings=wanted)
            found_out = [(one.start_s, one.stop_s) for one in result.left_out]
            left_out = [*recording.invalid_times, *named_out, *found_out]
            scores.append(scoring.of(result.mepps, left_out=left_out, detector=name))
    return scores


def estimate_scores(scores: Sequence[FileScores]) -> dict[str, Estimate]:
    """Pool files, with confidence intervals over recordings.

    Parameters
    ----------
    scores : sequence of FileScores
        At least one; intervals take two.

    Returns
    -------
    dict of str to Estimate
        ``precision``, ``recall`` and ``f1``, events pooled; ``iou`` and ``iou_patches``, means over
        recordings; seeded.
    """
    counts = np.array([one.counts for one in scores])
    estimates = {
        name: bootstrap(
            counts, statistic=statistic, rng=np.random.default_rng(_SEED), n_resamples=_N_RESAMPLES
        )
        for name, statistic in POOLED.items()
    }
    for name in ("iou", "iou_patches"):
        known = [value for one in scores if not np.isnan(value := getattr(one, name))]
        if known:
            estimates[name] = bootstrap(
                known, statistic=_mean, rng=np.random.default_rng(_SEED), n_resamples=_N_RESAMPLES
            )
    return estimates


def _mean(values: npt.NDArray[np.generic]) -> float:
    return float(np.mean(np.asarray(values, dtype=np.float64)))


def _found(path: Path, *, table: str | None, channel: str | None) -> list[Mepps]:
    """Return the MEPPs to evaluate: one table on one channel, or nothing if none were found."""
    if table is not None:
        parts = [one.mepps for one in read_events(path, table=table, accepted_only=True)]
        which = f"table {table!r}"
    else:
        results = [one for one in read_results(path) if one.curation is None]
        if not results:
            raise ReadError(
                f"no detector was run on {path}; run 'nwb-mepp detect' first, or name a table with `table`."
            )
        detectors = list(dict.fromkeys(result.detector for result in results))
        if len(detectors) > 1:
            raise UsageError(
                f"expected the MEPPs of one detector in {path}, found those of {', '.join(detectors)}; name "
                f"one, such as `table='mepps_{detectors[0]}'`."
            )
        parts = [result.mepps for result in results]
        which = f"detector {detectors[0]!r}"
    chosen = [mepps for mepps in parts if channel in (None, mepps.channel)]
    if parts and not chosen:
        raise ReadError(
            f"expected MEPPs of {which} on channel {channel!r} of {path}, found those on "
            f"{', '.join(mepps.channel for mepps in parts)}; choose one of these with `channel`."
        )
    if len(chosen) > 1:
        raise UsageError(
            f"expected one channel, found MEPPs of {which} on {', '.join(one.channel for one in chosen)} of "
            f"{path}; choose one with `channel`."
        )
    return chosen


def _channel(recording: Recording, found: Sequence[Mepps], channel: str | None) -> str:
    if found:
        return found[0].channel
    return choose_channels(recording, names=(channel,) if channel else ())[0]


@dataclass(frozen=True)
class _Scoring:
    """The truth of one recording, and how events are compared with it."""

    path: Path
    recording: Recording
    channel: str
    _: KW_ONLY
    true: Marks
    tolerance_s: float
    shift: bool

    def of(self, events: Mepps, *, left_out: Sequence[tuple[float, float]], detector: str = "") -> FileScores:
        """Return the scores of a table; what lies in a stretch that is left out counts in neither."""
        by = self.true.matched_by
        true = self.true.outside(left_out, by=by)
        found = Marks.of(events.of_kind("mepp")).outside(left_out, by=by)
        true_s, found_s = true.times_s(by), found.times_s(by)
        shift_s = common_shift(true_s, found_s, tolerance_s=self.tolerance_s) if self.shift else 0.0
        matching = match_times(true_s, found_s + shift_s, tolerance_s=self.tolerance_s)
        first, second = matching.pairs[:, 0], matching.pairs[:, 1]
        iou, iou_patches = _iou(true, found, recording=self.recording, channel=self.channel, shift_s=shift_s)
        return FileScores(
            path=self.path,
            channel=self.channel,
            detector=detector,
            matched_by=by,
            shift_s=shift_s,
            counts=count_matches(matching),
            iou=iou,
            iou_patches=iou_patches,
            onset_error_s=found.start_s[second] + shift_s - true.start_s[first],
            peak_error_s=found.peak_s[second] + shift_s - true.peak_s[first],
            amplitude_error=_relative(found.amplitude[second], true.amplitude[first]),
            decay_error=_relative(found.decay_tau_s[second], true.decay_tau_s[first]),
        )


def _iou(
    true: Marks, found: Marks, *, recording: Recording, channel: str, shift_s: float
) -> tuple[float, float]:
    """Return the overlap of intervals in the whole recording and in the patches that hold an event."""
    intervals = true.intervals()
    if not np.isfinite(intervals).all():
        return float("nan"), float("nan")
    sweeps = recording.sweeps(channel)
    first_s = sweeps[0].start_s
    last_s = max(trace.start_s + trace.duration_s for trace in sweeps)
    both = intervals - first_s, found.intervals() + shift_s - first_s
    length = {"duration_s": last_s - first_s, "sampling_rate_hz": sweeps[0].sampling_rate_hz}
    events_s = true.times_s(true.matched_by) - first_s
    return interval_iou(*both, **length), patch_iou(*both, events_s=events_s, **length)


def _relative(found: FloatArray, true: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        error = found / true - 1.0
    return np.where(np.isfinite(error), error, np.nan)
