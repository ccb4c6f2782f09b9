"""Recordings that people have labeled, as examples for a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from nwb_mepp.conditioning import ChannelNoise, survey, whiten
from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.core.results import LeftOut
from nwb_mepp.core.segments import BlockReader, Segment
from nwb_mepp.detectors import Candidates
from nwb_mepp.evaluation import Marks, check_marks
from nwb_mepp.measurement.kinetics import measure
from nwb_mepp.ml.training.examples import Example, example_of
from nwb_mepp.ml.training.reporter import Reporter
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, choose_channels, cut_channel
from nwb_mepp.workflows.ground_truth import own_truth, read_truth, truth_of, undecided_in
from nwb_mepp.workflows.recording_files import open_recording

__all__ = ["LabeledRecording", "read_all_labeled", "read_labeled"]

FloatArray = npt.NDArray[np.float64]

_SMOOTHING_S = 0.5e-3
# How far around a mark that is only a point to look for the MEPP.
_BEFORE_PEAK_S = 1.5e-3
_AFTER_PEAK_S = 5e-3
_BLOCK_S = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class LabeledRecording:
    """One recording with its marks, conditioned for a network.

    Attributes
    ----------
    path : Path
    sha256 : str
        Checksum of the recording.
    marks_sha256 : str
        Checksum of its marks.
    labels : str
        Kind of the marks, for the card.
    duration_s : float
        Without the stretches left out.
    n_mepps : int
    examples : tuple of Example
        One for each stretch.
    taps : tuple of ndarray
        The whitening filter for events of each stretch.
    """

    path: Path
    sha256: str
    marks_sha256: str
    labels: str
    duration_s: float
    n_mepps: int
    examples: tuple[Example, ...]
    taps: tuple[FloatArray, ...]


def read_labeled(
    path: Path,
    *,
    truth: str | None,
    options: ReadOptions,
    settings: DetectionSettings,
    sampling_rate_hz: float,
) -> LabeledRecording:
    """Read a recording and its marks, and condition it as a detector would.

    Parameters
    ----------
    path : Path
    truth : str or None
        A table, a file or a pattern; if None, the marks in the recording itself.
    options : ReadOptions
    settings : DetectionSettings
        Channel, polarity and the stretches to leave out.
    sampling_rate_hz : float
        Rate of the network.

    Returns
    -------
    LabeledRecording
        It may have no MEPPs: such recordings show what is not one.

    Raises
    ------
    MeppError
        If recording or marks cannot be read, do not match, or the recording cannot be analyzed.
    """
    stated = truth_of(path, truth)
    with open_recording(path, options=options) as recording:
        channels = choose_channels(recording, names=settings.channels)
        if len(channels) != 1:
            raise UsageError(
                f"`channel`: expected one channel to train on, found {', '.join(channels)}; give one."
            )
        (channel,) = channels
        source = stated if stated is not None else own_truth(path, recording=recording, channel=channel)
        marks = read_truth(path, source, recording=recording, channel=channel)
        if len(marks.start_s):
            check_marks(marks, name=source or path.name, sweeps=recording.sweeps(channel))
        unknown = undecided_in(path, source, channel=channel, evoked=True)
        segments = cut_channel(
            recording,
            channel,
            settings=settings,
            left_out=[LeftOut(start_s, stop_s, "no label") for start_s, stop_s in unknown],
        )
        learned = survey(segments, polarity=settings.polarity)
        whites = whiten(segments, noise=learned, sampling_rate_hz=sampling_rate_hz)
        examples = tuple(
            example_of(white, **_intervals(marks, white.segment, learned=learned)) for white in whites
        )
        return LabeledRecording(
            path=path,
            sha256=recording.source.sha256,
            marks_sha256=fingerprint({name: array.tolist() for name, array in vars(marks).items()}),
            labels=_kind_of(source),
            duration_s=sum(segment.n_samples / segment.sampling_rate_hz for segment in segments),
            n_mepps=sum(len(example.peak) for example in examples),
            examples=examples,
            taps=tuple(white.event_taps for white in whites),
        )


def read_all_labeled(
    paths: Sequence[Path],
    *,
    truth: str | None,
    options: ReadOptions,
    settings: DetectionSettings,
    sampling_rate_hz: float,
    reporter: Reporter,
) -> list[LabeledRecording]:
    """Read the labeled recordings of a training; see :func:`read_labeled`.

    Raises
    ------
    UsageError
        If one file of marks is stated for several recordings.
    MeppError
        If one of the recordings cannot be used; the message names it.
    """
    if truth is not None and "{}" not in truth and len(paths) > 1 and Path(truth).is_file():
        raise UsageError(
            f"`truth`: expected one recording for {truth}, found {len(paths)}: a file of marks belongs to "
            "one; write {} for the name of each recording, as in `truth='{}.truth.csv'`."
        )
    labeled = []
    for number, path in enumerate(paths):
        reporter.advance(f"reading {path.name}", number, len(paths))
        try:
            one = read_labeled(
                path,
                truth=truth,
                options=options,
                settings=settings,
                sampling_rate_hz=sampling_rate_hz,
            )
        except UsageError:
            raise
        except MeppError as error:
            sentence = str(error)
            named = str(path) in sentence or sentence.startswith(path.name)
            raise type(error)(sentence if named else f"{path}: {sentence}") from error
        labeled.append(one)
    if labeled:
        n_mepps = sum(one.n_mepps for one in labeled)
        plural = "" if len(labeled) == 1 else "s"
        reporter.tell(f"{len(labeled)} labeled recording{plural} with {n_mepps} MEPPs")
    return labeled


def _kind_of(source: str | None) -> str:
    if source is None:
        return "labels of each sample"
    return "a file of marks" if Path(source).is_file() else f"table {source}"


def _intervals(marks: Marks, segment: Segment, *, learned: ChannelNoise) -> dict[str, FloatArray]:
    """Return onsets, ends and peaks of the marks in a segment, in seconds from its first sample.

    If a mark is only a point, the interval around it is measured like that of a detected MEPP.
    """
    rate_hz = segment.sampling_rate_hz
    from_s, last_s = segment.trace.start_s + segment.start / rate_hz, segment.n_samples / rate_hz
    point_s = np.where(np.isnan(marks.peak_s), marks.start_s, marks.peak_s)
    first_s = np.fmin(np.where(np.isnan(marks.start_s), point_s, marks.start_s), point_s) - from_s
    ends_s = np.where(np.isnan(marks.stop_s), point_s, marks.stop_s) - from_s
    inside = marks.select((first_s < last_s) & ((ends_s > 0.0) | (first_s >= 0.0)))
    start_s, stop_s, peak_s = (times - from_s for times in (inside.start_s, inside.stop_s, inside.peak_s))
    reader = BlockReader(
        lambda first, last: learned.polarity.sign * learned.values(segment, first, last),
        block=round(_BLOCK_S * rate_hz),
    )
    if np.isnan(start_s).any() or np.isnan(stop_s).any():
        start_s, stop_s, peak_s = _measured(start_s, peak_s, segment=segment, learned=learned, upright=reader)
    elif np.isnan(peak_s).any():
        peak_s = _highest(start_s, stop_s, upright=reader, rate_hz=rate_hz)
    order = np.argsort(start_s, kind="stable")
    start_s, stop_s, peak_s = (np.clip(times, 0.0, last_s)[order] for times in (start_s, stop_s, peak_s))
    return {"start_s": start_s, "stop_s": stop_s, "peak_s": peak_s}


def _highest(
    start_s: FloatArray, stop_s: FloatArray, *, upright: Callable[[int, int], FloatArray], rate_hz: float
) -> FloatArray:
    """Return the time of the highest smoothed sample in each interval."""
    width = max(round(_SMOOTHING_S * rate_hz), 1)
    peaks_s = np.empty(len(start_s))
    for number, (first_s, last_s) in enumerate(zip(start_s, stop_s, strict=True)):
        first, last = int(first_s * rate_hz), int(last_s * rate_hz) + 1
        smooth = uniform_filter1d(upright(first - width, last + width), width)[width:-width]
        peaks_s[number] = (first + int(np.argmax(smooth))) / rate_hz
    return peaks_s


def _measured(
    start_s: FloatArray,
    peak_s: FloatArray,
    *,
    segment: Segment,
    learned: ChannelNoise,
    upright: Callable[[int, int], FloatArray],
) -> Sequence[FloatArray]:
    """Measure onsets, ends and peaks of MEPPs of which only one point is known."""
    rate_hz, duration_s = segment.sampling_rate_hz, segment.n_samples / segment.sampling_rate_hz
    point_s = np.where(np.isnan(peak_s), start_s, peak_s)
    end_s = np.minimum(point_s + _AFTER_PEAK_S, np.append(point_s[1:], duration_s))
    onset_s = np.where(np.isnan(start_s), point_s - _BEFORE_PEAK_S, start_s)
    onset_s = np.maximum(onset_s, np.append(0.0, end_s[:-1]) if len(onset_s) else 0.0)
    onset_s = np.minimum(onset_s, point_s)
    near_s = np.where(np.isnan(peak_s), _highest(onset_s, end_s, upright=upright, rate_hz=rate_hz), peak_s)
    start, peak, stop = (
        np.clip(np.round(times * rate_hz).astype(np.int64), 0, segment.n_samples - 1)
        for times in (onset_s, near_s, end_s)
    )
    candidates = Candidates(
        start=start, peak=peak, stop=np.maximum(stop, peak + 1), probability=np.ones(len(peak))
    )
    mepps = measure(
        segment,
        candidates,
        polarity=learned.polarity,
        read=lambda first, last: learned.values(segment, first, last),
    )
    from_s = segment.trace.start_s + segment.start / rate_hz
    return [times - from_s for times in (mepps.start_s, mepps.stop_s, mepps.peak_s)]
