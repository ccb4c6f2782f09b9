"""Folders in the binary format of Open Ephys: which of them is a recording, gaps, when it began."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.neo.gaps import Stretch, from_first_sample, split_at_gaps
from nwb_mepp.readers.neo.start_times import settings_start
from nwb_mepp.readers.sample_sources import SliceSource

__all__ = ["check", "claims", "experiments", "recording_of", "refine"]

_PATTERNS = (
    "structure.oebin",
    "recording*/structure.oebin",
    "experiment*/recording*/structure.oebin",
    "Record Node*/experiment*/recording*/structure.oebin",
)
# From the folder of a stream of events to that of the session.
_MAX_DEPTH = 7
_BLOCK = 1_000_000
_SOFTWARE_TIME = re.compile(r"Software Time \(milliseconds since midnight Jan 1st 1970 UTC\):\s*(\d+)")


def experiments(folder: Path) -> list[str]:
    """Return the names of the experiments in a folder of a session, of a record node, or within these.

    The clock begins anew with each experiment, so that each is a recording; its recordings are sweeps.

    Parameters
    ----------
    folder : Path
    """
    found = (file for pattern in _PATTERNS for file in folder.glob(pattern))
    return sorted({file.parent.parent.name for file in found})


def claims(folder: Path) -> bool:
    """Return whether a folder holds one experiment.

    Parameters
    ----------
    folder : Path
    """
    return len(experiments(folder)) == 1


def recording_of(path: Path) -> Path | None:
    """Return the outermost folder around a file or folder that holds one experiment.

    Parameters
    ----------
    path : Path
    """
    inner = path if path.is_dir() else path.parent
    around = [folder for folder in (inner, *inner.parents)[:_MAX_DEPTH] if claims(folder)]
    return around[-1] if around else None


def check(path: Path) -> None:
    """Check that a folder holds one experiment of one session.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If there are several, which Neo would merge.
    """
    sessions = sorted({file.parent.parent.parent for file in path.rglob("structure.oebin")})
    named = {one.parent if one.name.startswith("Record Node") else one for one in sessions}
    found = experiments(path)
    if len(found) > 1 or len(named) > 1:
        each = found if len(found) > 1 else sorted(one.name for one in named)
        raise ReadError(
            f"{path.name}: expected one experiment of one session, found {', '.join(each)}; pass the folder "
            "of the one that you mean, or this one to 'nwb-mepp run' for one recording each."
        )


def refine(contents: FileContents, reader: Any, path: Path) -> FileContents:
    """Split at gaps, which Neo does not look for, relate times to the first sample, and take the start.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.OpenEphysBinaryIO
    path : Path

    Returns
    -------
    FileContents
    """
    header = reader.header
    buffers = [
        int(stream["buffer_id"])
        for stream in header["signal_streams"]
        for _ in range(int((header["signal_channels"]["stream_id"] == stream["id"]).sum()))
    ]
    buffer_of = dict(zip(contents.channels, buffers, strict=True))
    segments = [segment for block in reader._sig_streams.values() for segment in block.values()]
    stretches = {
        (trace.channel, trace.sweep): _stretches(
            trace, Path(segments[trace.sweep][buffer_of[trace.channel]]["raw_filename"]).parent
        )
        for trace in contents.traces
    }
    contents = from_first_sample(split_at_gaps(contents, stretches))
    return replace(contents, session_start=_start(path, segments))


def _stretches(trace: RawTrace, folder: Path) -> list[Stretch]:
    """Return the stretches of samples whose numbers follow one another."""
    borders = [0, *_gaps(folder), len(trace.source)]
    numbers = _sample_numbers(folder)
    if len(borders) == 2 or numbers is None:
        return [Stretch(source=trace.source, start_s=trace.start_s)]
    return [
        Stretch(
            source=SliceSource(trace.source, start=first, stop=after),
            start_s=trace.start_s + float(numbers[first] - numbers[0]) / (trace.sampling_rate_hz or 1.0),
        )
        for first, after in pairwise(borders)
        if after > first
    ]


@lru_cache(maxsize=64)
def _gaps(folder: Path) -> tuple[int, ...]:
    """Return the samples before which others are missing."""
    numbers = _sample_numbers(folder)
    if numbers is None or len(numbers) == 0 or numbers[-1] - numbers[0] == len(numbers) - 1:
        return ()
    found: list[int] = []
    for first in range(0, len(numbers) - 1, _BLOCK):
        part = np.asarray(numbers[first : first + _BLOCK + 1])
        found += (np.flatnonzero(np.diff(part) != 1) + first + 1).tolist()
    return tuple(found)


def _sample_numbers(folder: Path) -> Any | None:
    """Return the numbers of the samples of a stream, or None if the file states none."""
    for name in ("sample_numbers.npy", "timestamps.npy"):
        if (folder / name).is_file():
            numbers = np.load(folder / name, mmap_mode="r")
            return numbers if numbers.dtype.kind in "iu" else None
    return None


def _start(path: Path, segments: Sequence[Mapping[int, Mapping[str, Any]]]) -> datetime | None:
    """Return when the first recording began."""
    if not segments or not segments[0]:
        return None
    recording = Path(next(iter(segments[0].values()))["raw_filename"]).parents[2]
    messages = recording / "sync_messages.txt"
    if messages.is_file() and (found := _SOFTWARE_TIME.search(messages.read_text(errors="replace"))):
        return datetime.fromtimestamp(int(found[1]) / 1000, tz=UTC)
    experiment = recording.parent.name.removeprefix("experiment")
    name = "settings.xml" if experiment in ("", "1") else f"settings_{experiment}.xml"
    places = (one / name for one in (recording.parent.parent, recording.parent.parent.parent, path))
    return next((start for place in places if (start := settings_start(place)) is not None), None)
