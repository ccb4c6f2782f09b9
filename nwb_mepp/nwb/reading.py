"""NWB files as recordings, whoever wrote them; samples stay in the file until asked for."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pynwb
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

from nwb_mepp.errors import ReadError
from nwb_mepp.nwb.names import safe_name
from nwb_mepp.nwb.opening import open_hdf5
from nwb_mepp.nwb.series import parse_comment
from nwb_mepp.provenance import sha256_of
from nwb_mepp.recording import Recording, SourceFile, Trace

__all__ = [
    "SeriesTrace",
    "electrical_traces",
    "open_nwb",
    "parse_file",
    "read_file",
    "series_stems",
    "traces_by_object",
]

# NWB asks for base units spelled out; files with other spellings and with prefixes exist.
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12}
_WORDS = {"": 1.0, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "pico": 1e-12}
_UNITS = {f"{prefix}{unit}": (unit, scale) for prefix, scale in _PREFIXES.items() for unit in "VA"} | {
    f"{prefix}{word}{plural}": (unit, scale)
    for prefix, scale in _WORDS.items()
    for unit, word in (("V", "volt"), ("A", "ampere"), ("A", "amp"))
    for plural in ("", "s")
}
# Timestamps count as regular if none lies further than this part of a sample from a straight line.
REGULARITY = 1e-6
_BLOCK = 1_000_000


class _DatasetSource:
    """Stored numbers of a series, or of one column of it, in an open file."""

    def __init__(self, dataset: h5py.Dataset, column: int | None) -> None:
        self._dataset = dataset
        self._column = column
        self._dtype: np.dtype[Any] = np.dtype(dataset.dtype)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def __len__(self) -> int:
        return int(self._dataset.shape[0])

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        if not self._dataset:
            raise ValueError(
                "expected samples to be read inside the 'with open_nwb(...)' block, found it left."
            )
        place = slice(start, stop) if self._column is None else (slice(start, stop), self._column)
        try:
            return np.asarray(self._dataset[place])
        except OSError as error:
            raise ReadError(
                f"expected samples in {self._dataset.name} of {self._dataset.file.filename}, found that they "
                "cannot be read: the file is damaged; copy or convert it again."
            ) from error


@dataclass(frozen=True, kw_only=True)
class SeriesTrace:
    """A trace, and the series of ``/acquisition`` that holds it."""

    trace: Trace
    series: TimeSeries
    number: int


@contextmanager
def read_file(path: str | PathLike[str]) -> Iterator[NWBFile]:
    """Open a file with pynwb for the length of a ``with`` block.

    Raises
    ------
    ReadError
        If it cannot be opened (:func:`nwb_mepp.nwb.opening.open_hdf5`) or pynwb cannot make sense of it.
    """
    with open_hdf5(path) as handle:
        yield parse_file(handle, mode="r")[1]


def parse_file(handle: h5py.File, *, mode: str) -> tuple[NWBHDF5IO, NWBFile]:
    """Let pynwb read an open file.

    Raises
    ------
    ReadError
        If pynwb cannot make sense of it.
    """
    with warnings.catch_warnings():
        # Remarks of pynwb on older or unusual files: their reader cannot act on them here, and
        # 'nwb-mepp validate' reports what matters.
        warnings.simplefilter("ignore")
        try:
            io = NWBHDF5IO(file=handle, mode=mode)
            return io, io.read()
        except Exception as error:  # pynwb and hdmf raise all kinds on a damaged file
            raise ReadError(
                f"expected a valid NWB file, found that pynwb cannot read {handle.filename} "
                f"({_innermost(error)}); check it with 'nwb-mepp validate'."
            ) from error


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def open_nwb(path: str | PathLike[str]) -> Iterator[Recording]:
    """Open an NWB file as a recording for the length of a ``with`` block.

    Every regularly sampled series of ``/acquisition`` in volts or amperes becomes a trace: a channel of
    its own, unless this package wrote it as one of several sweeps of a channel. A series of several columns
    becomes a channel for each. Samples are read from the file when asked for, and only inside the block.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    Recording
        ``start_s`` counts from the reference of the file's times, which is the session start unless the
        file states another; ``notes`` names each series that was left out.

    Raises
    ------
    ReadError
        If the file cannot be read, or holds no series in volts or amperes.
    """
    place = Path(path)
    with read_file(place) as file:
        found, notes = electrical_traces(file)
        if not found:
            reasons = " ".join(notes) or "/acquisition is empty."
            raise ReadError(
                "expected a regularly sampled series in volts or amperes in /acquisition of "
                f"{place}, found none. {reasons}"
            )
        yield Recording(
            traces=tuple(one.trace for one in found),
            source=SourceFile(
                name=place.name,
                sha256=sha256_of([place]),
                reader="nwb",
                reader_version=f"pynwb {pynwb.__version__}",
            ),
            session_start=file.session_start_time,
            annotations=_annotations(file),
            invalid_times=_invalid_times(file),
            notes=notes,
        )


def _annotations(file: NWBFile) -> dict[str, str]:
    names = ("session_id", "session_description", "experiment_description", "protocol", "notes")
    stated = {name: getattr(file, name) for name in names}
    return {name: str(text) for name, text in stated.items() if text}


def _invalid_times(file: NWBFile) -> tuple[tuple[float, float], ...]:
    table = file.invalid_times
    if table is None:
        return ()
    pairs = zip(table["start_time"][:], table["stop_time"][:], strict=True)
    return tuple((float(start_s), float(stop_s)) for start_s, stop_s in pairs)


def electrical_traces(file: NWBFile) -> tuple[list[SeriesTrace], tuple[str, ...]]:
    """Return the traces of a file in order of channel and sweep, and a sentence for each series left out."""
    found: list[SeriesTrace] = []
    notes: list[str] = []
    own = _own_series(file)
    for number, (name, series) in enumerate(file.acquisition.items()):
        problem = _problem(series)
        if problem:
            notes.append(f"Series {name!r} was left out: {problem}.")
            continue
        rate_hz, start_s = _sampling(series)
        if rate_hz is None:
            notes.append(f"Series {name!r} was left out: its samples are not at regular times.")
            continue
        channel, order, sweep = own.get(name, (name, number, 0))
        for column, column_channel in _channels(series, channel, taken=set(file.acquisition)):
            trace = _trace(
                series, column, channel=column_channel, sweep=sweep, rate_hz=rate_hz, start_s=start_s
            )
            found.append(SeriesTrace(trace=trace, series=series, number=order))
    first_seen = {
        channel: rank for rank, channel in enumerate(dict.fromkeys(one.trace.channel for one in found))
    }
    found.sort(key=lambda one: (one.number, first_seen[one.trace.channel], one.trace.sweep))
    return found, tuple(notes)


def _channels(series: TimeSeries, channel: str, *, taken: set[str]) -> Iterator[tuple[int | None, str]]:
    """Return the columns of a series and the names of their channels; no column where there is one only."""
    shape = series.data.shape
    if len(shape) == 1:
        yield None, channel
    elif shape[1] == 1:
        yield 0, channel
    else:
        for column in range(shape[1]):
            name = f"{channel}_{column}"
            while name in taken:
                name += "_"
            yield column, name


def _own_series(file: NWBFile) -> dict[str, tuple[str, int, int]]:
    """Return channel, number and sweep of the series that this package wrote."""
    parsed = {
        name: parse_comment(getattr(one, "comments", None) or "") for name, one in file.acquisition.items()
    }
    own = {name: found for name, found in parsed.items() if found is not None}
    # A file put together from several can hold the same channel and sweep twice: then names must do.
    counts = Counter((channel, sweep) for channel, _, sweep in own.values())
    return {name: found for name, found in own.items() if counts[found[0], found[2]] == 1}


def _problem(series: object) -> str | None:
    """Return why a series cannot be a trace, or None."""
    if not isinstance(series, TimeSeries):
        return f"it is a {type(series).__name__}, not a series"
    if series.unit not in _UNITS:
        return f"its unit is {series.unit!r}, not volts or amperes"
    data = series.data
    if not isinstance(data, h5py.Dataset) or data.ndim not in (1, 2) or data.dtype.kind not in "iuf":
        return "its samples are not numbers of shape (n_samples,) or (n_samples, n_channels)"
    if 0 in data.shape:
        return "it has no samples"
    return None


def _trace(
    series: TimeSeries, column: int | None, *, channel: str, sweep: int, rate_hz: float, start_s: float
) -> Trace:
    unit, scale = _UNITS[series.unit]
    factors = getattr(series, "channel_conversion", None)
    factor = 1.0 if factors is None else float(factors[column or 0])
    return Trace(
        channel=channel,
        sweep=sweep,
        source=_DatasetSource(series.data, column),
        unit=unit,
        conversion=float(series.conversion) * factor * scale,
        offset=float(series.offset) * scale,
        sampling_rate_hz=rate_hz,
        start_s=start_s,
    )


def _sampling(series: TimeSeries) -> tuple[float | None, float]:
    """Return rate and start of a series; no rate if its timestamps are not regular."""
    if series.rate is not None:
        return (float(series.rate) or None, float(series.starting_time or 0.0))
    timestamps = series.timestamps
    n_samples = len(timestamps)
    if n_samples < 2:
        return None, 0.0
    first, last = float(timestamps[0]), float(timestamps[n_samples - 1])
    if not last > first:
        return None, 0.0
    rate_hz = (n_samples - 1) / (last - first)
    for start in range(0, n_samples, _BLOCK):
        block = np.asarray(timestamps[start : start + _BLOCK], dtype=np.float64)
        expected = start + np.arange(len(block))
        if not np.all(np.abs((block - first) * rate_hz - expected) <= REGULARITY):
            return None, 0.0
    return rate_hz, first


def traces_by_object(found: Iterable[SeriesTrace]) -> dict[str, list[Trace]]:
    """Map the object identifier of each series to the traces it holds, one for each column."""
    traces: dict[str, list[Trace]] = {}
    for one in found:
        traces.setdefault(one.series.object_id, []).append(one.trace)
    return traces


def series_stems(found: Iterable[SeriesTrace]) -> dict[str, str]:
    """Map each channel to the stem of the names of its series (see :func:`channel_stems`)."""
    sweeps: dict[str, list[SeriesTrace]] = {}
    for one in found:
        sweeps.setdefault(one.trace.channel, []).append(one)
    return {channel: safe_name(_stem(channel, ones)) for channel, ones in sweeps.items()}


def _stem(channel: str, sweeps: list[SeriesTrace]) -> str:
    if sweeps[0].series.data.shape[1:] not in ((), (1,)):
        return channel
    name: str = sweeps[0].series.name
    return name.removesuffix(f"_sweep_{sweeps[0].trace.sweep:03d}") if len(sweeps) > 1 else name
