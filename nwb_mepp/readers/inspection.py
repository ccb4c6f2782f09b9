"""A description of what a file contains, available even if it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import MeppError
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interpretation import interpret
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.recordings import load_contents, locate

__all__ = ["ChannelInfo", "FileInfo", "inspect"]

# Ten blocks of this many samples, spread over each sweep, give range and median of long recordings.
_BLOCK_SAMPLES = 50_000
_MAX_BLOCKS = 10


@dataclass(frozen=True, kw_only=True)
class ChannelInfo:
    """One channel of a file.

    Attributes
    ----------
    name : str
    unit_label : str
        Unit as spelled in the file; empty if the file states none.
    unit : str or None
        Unit of ``minimum``, ``maximum`` and ``median``: ``"V"``, ``"A"`` or another. None if it is unknown;
        then these are stored numbers times the gain in the file.
    sampling_rate_hz : float or None
        None if it is unknown.
    n_samples : tuple of int
        Number of samples in each sweep.
    durations_s : tuple of float
        Duration of each sweep; empty if the sampling rate is unknown.
    minimum, maximum, median : float
        Taken from blocks spread over the recording, or from all samples if it is short.
    n_labels : int or None
        Number of manual marks of the channel; None if the file has no labels.
    """

    name: str
    unit_label: str
    unit: str | None
    sampling_rate_hz: float | None
    n_samples: tuple[int, ...]
    durations_s: tuple[float, ...]
    minimum: float
    maximum: float
    median: float
    n_labels: int | None


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """What a file contains, and what prevents it from being read.

    Attributes
    ----------
    path : Path
    reader, reader_version, format : str or None
        None if no reader could open the file.
    session_start : datetime or None
    sweep_times_stated : bool or None
        None if the recording cannot be read.
    channels : tuple of ChannelInfo
    ancillary : str
        What the file contains besides signals, such as "events (Tag); spike trains (unit 1)".
    annotations : dict of str to str
    notes : tuple of str
        One sentence for each thing that is left out or assumed.
    problems : tuple of str
        The errors that reading the file would raise; empty if it can be read.
    """

    path: Path
    reader: str | None = None
    reader_version: str | None = None
    format: str | None = None
    session_start: datetime | None = None
    sweep_times_stated: bool | None = None
    channels: tuple[ChannelInfo, ...] = ()
    ancillary: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def inspect(path: str | Path, *, options: ReadOptions | None = None) -> FileInfo:
    """Describe what a file contains.

    Parameters
    ----------
    path : str or Path
    options : ReadOptions, optional

    Returns
    -------
    FileInfo
        Errors on reading are listed in its ``problems`` instead of being raised.
    """
    path, options = Path(path), options or ReadOptions()
    try:
        path = locate(path, reader=options.reader)
        entry, contents = load_contents(path, options=options)
    except MeppError as error:
        return FileInfo(path=path, problems=(str(error),))
    recording, problems = None, list[str]()
    channels: tuple[ChannelInfo, ...] = ()
    try:
        recording = interpret(contents, path, reader=entry.name, options=options)
    except MeppError as error:
        problems.append(str(error))
    try:
        channels = tuple(_describe(contents, recording, channel) for channel in contents.channels)
    except MeppError as error:
        problems.append(str(error))
    return FileInfo(
        path=path,
        reader=entry.name,
        reader_version=contents.reader_version,
        format=contents.format,
        session_start=contents.session_start,
        sweep_times_stated=None if recording is None else recording.sweep_times_stated,
        channels=channels,
        ancillary=contents.ancillary.describe(),
        annotations=dict(contents.annotations),
        notes=contents.notes if recording is None else recording.notes,
        problems=tuple(problems),
    )


def _describe(contents: FileContents, recording: Recording | None, channel: str) -> ChannelInfo:
    raw = [trace for trace in contents.traces if trace.channel == channel]
    interpreted = recording.sweeps(channel) if recording is not None else ()
    rate_hz = interpreted[0].sampling_rate_hz if interpreted else raw[0].sampling_rate_hz
    n_samples = tuple(len(trace.source) for trace in raw)
    minimum, maximum, median = _range(interpreted or raw)
    labels = [marks for (name, _), marks in contents.labels.items() if name == channel]
    return ChannelInfo(
        name=channel,
        unit_label=raw[0].unit_label,
        unit=interpreted[0].unit if interpreted else None,
        sampling_rate_hz=rate_hz,
        n_samples=n_samples,
        durations_s=tuple(n / rate_hz for n in n_samples) if rate_hz else (),
        minimum=minimum,
        maximum=maximum,
        median=median,
        n_labels=sum(map(len, labels)) if labels else None,
    )


def _range(traces: Sequence[Trace] | Sequence[RawTrace]) -> tuple[float, float, float]:
    """Return minimum, maximum and median of blocks from the first, the last and some sweeps in between."""
    chosen = np.unique(np.linspace(0, len(traces) - 1, min(len(traces), _MAX_BLOCKS)).astype(int))
    n_blocks = max(1, _MAX_BLOCKS // len(chosen))
    values = np.concatenate([_sampled(traces[index], n_blocks) for index in chosen])
    finite = values[np.isfinite(values)]
    if not len(finite):
        return float("nan"), float("nan"), float("nan")
    return float(finite.min()), float(finite.max()), float(np.median(finite))


def _sampled(trace: Trace | RawTrace, n_blocks: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    n_samples = len(trace.source)
    gain = trace.conversion if isinstance(trace, Trace) else trace.gain
    starts, length = [0], n_samples
    if n_samples > n_blocks * _BLOCK_SAMPLES:
        length = _BLOCK_SAMPLES
        starts = [int(start) for start in np.linspace(0, n_samples - length, n_blocks)]
    blocks = [trace.source.read(start, start + length) for start in starts]
    return np.concatenate(blocks).astype(np.float64) * gain + trace.offset
