"""Folders in the older format of Open Ephys: gaps, the times of its recordings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.neo.gaps import Stretch, moved, split_at_gaps

__all__ = ["RecordsSource", "check", "created", "refine"]

_CREATED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{1,2})(\d{2})(\d{2})$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class RecordsSource:
    """Samples of one channel in records of a fixed length, which are contiguous in time.

    Parameters
    ----------
    records : ndarray, shape (n_records,)
        With a field ``samples``; usually mapped from the file.
    n_samples : int
        The last record may be filled with fewer samples than it has room for.
    """

    def __init__(self, records: npt.NDArray[Any], *, n_samples: int) -> None:
        self._records = records
        self._n_samples = n_samples
        self._length = int(records.dtype["samples"].shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, in native byte order."""
        return np.dtype(self._records.dtype["samples"].base.newbyteorder("="))

    def __len__(self) -> int:
        return self._n_samples

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``."""
        stop = min(stop, self._n_samples)
        if stop <= start:
            return np.empty(0, dtype=self.dtype)
        first, after = start // self._length, -(-stop // self._length)
        whole = self._records["samples"][first:after].reshape(-1)
        return np.array(whole[start - first * self._length : stop - first * self._length], dtype=self.dtype)


def check(path: Path) -> None:
    """Check that all files of the recording lie in one folder, as Neo merges those of folders within.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If a folder within has such files, too.
    """
    deeper = sorted({file.parent for file in path.rglob("*.continuous")} - {path})
    if deeper:
        raise ReadError(
            f"{path.name}: expected the .continuous files of one recording, found some in "
            f"{deeper[0].relative_to(path)} within it, too; move them apart, or pass the folder that "
            "directly contains those that you mean."
        )


def refine(contents: FileContents, reader: Any, path: Path) -> FileContents:
    """Split at gaps, which Neo fills with zeros, and take the times at which the files were created.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.OpenEphysIO
    path : Path

    Returns
    -------
    FileContents
    """
    segments = reader.raw_annotations["blocks"][0]["segments"]
    starts = [created(str(segment.get("date_created", ""))) for segment in segments]
    by_s, notes = _moves(contents.traces, starts)
    contents = moved(contents, by_s)
    channels = reader.header["signal_channels"]
    # Neo sorts channels by stream; the records are numbered in the order of the files.
    order = [
        int(index)
        for stream in reader.header["signal_streams"]
        for index in np.flatnonzero(channels["stream_id"] == stream["id"])
    ]
    position = dict(zip(contents.channels, order, strict=True))
    stretches = {
        (trace.channel, trace.sweep): _stretches(
            reader._sigs_memmap[trace.sweep][position[trace.channel]], trace, path
        )
        for trace in contents.traces
    }
    contents = split_at_gaps(contents, stretches)
    kept = [note for note in contents.notes if "the read will be slow" not in note]  # it is not, here
    return replace(contents, session_start=starts[0] if starts else None, notes=(*kept, *notes))


def _stretches(records: npt.NDArray[Any], trace: RawTrace, path: Path) -> list[Stretch]:
    """Return the stretches of records that follow one another."""
    length, n_filled = records.dtype["samples"].shape[0], records["nb_sample"].astype(np.int64)
    if (n_filled[:-1] != length).any() or not 0 <= n_filled[-1] <= length:
        raise ReadError(
            f"{path.name}: expected records of {length} samples in channel {trace.channel!r}, found one that "
            "counts another number; the file is damaged: copy it again from where it was recorded."
        )
    times = records["timestamp"].astype(np.int64)
    borders = [0, *(np.flatnonzero(np.diff(times) != length) + 1).tolist(), len(records)]
    return [
        Stretch(
            source=RecordsSource(records[first:after], n_samples=int(n_filled[first:after].sum())),
            start_s=trace.start_s + float(times[first] - times[0]) / (trace.sampling_rate_hz or 1.0),
        )
        for first, after in pairwise(borders)
    ]


def _moves(
    traces: Sequence[RawTrace], starts: Sequence[datetime | None]
) -> tuple[dict[int, float], list[str]]:
    """Return how far each recording is to be moved so that the first begins at 0, and a note on how."""
    spans: dict[int, tuple[float, float]] = {}
    for trace in traces:
        stop_s = trace.start_s + len(trace.source) / (trace.sampling_rate_hz or 1.0)
        first_s, last_s = spans.get(trace.sweep, (trace.start_s, stop_s))
        spans[trace.sweep] = (min(first_s, trace.start_s), max(last_s, stop_s))
    if not spans:
        return {}, []
    first_s = spans[0][0]
    if all(later[0] >= one[1] for one, later in pairwise(spans[sweep] for sweep in sorted(spans))):
        return dict.fromkeys(spans, -first_s), []
    known = [start for start in starts if start is not None]
    if len(known) < len(spans):
        return {}, []
    by_s, stop_s = {}, 0.0
    for sweep in sorted(spans):
        begins_s = max((known[sweep] - known[0]).total_seconds(), stop_s)
        by_s[sweep] = begins_s - spans[sweep][0]
        stop_s = begins_s + spans[sweep][1] - spans[sweep][0]
    return by_s, [
        "The clock of the file begins anew with each recording; those after the first were placed at the "
        "times at which their files were created, which are given to the second."
    ]


def created(text: str) -> datetime | None:
    """Return the time at which a file was created, as Open Ephys writes it; None if it is no such time.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> created("'5-Oct-2018 143727'")
    datetime.datetime(2018, 10, 5, 14, 37, 27)
    """
    found = _CREATED.match(text.strip("' "))
    if found is None or found[2].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found[2].lower()) + 1
    try:
        return datetime(int(found[3]), month, int(found[1]), int(found[4]), int(found[5]), int(found[6]))
    except ValueError:
        return None
