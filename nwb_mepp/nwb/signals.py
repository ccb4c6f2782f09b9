"""Series as signals: samples, unit, scale and times, and whether they can be analyzed."""

from __future__ import annotations

from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.kept_blocks import BLOCK, KeptBlocks
from nwb_mepp.core.plausible_ranges import (
    RATES_TEXT,
    is_plausible_duration,
    is_plausible_rate,
    is_plausible_scale,
    is_plausible_start,
)
from nwb_mepp.core.recording import SampleSource, Trace
from nwb_mepp.core.units import Unit, parse_electrical_unit
from nwb_mepp.nwb.file_interface import Series, type_name
from nwb_mepp.nwb.statements import Statement

__all__ = ["UnsuitableError", "UnsuitableUnitError", "column_trace", "n_columns", "time_span"]

# How far, in parts of a sample, a timestamp may lie from a straight line through the first and the last.
# Files hold times rounded to the microsecond, or as float32 (4 us at one minute); a tenth of a sample is
# below what the measures resolve, while a lost sample or an adjusted clock shows as a whole one.
REGULARITY = 0.1
_BLOCK = 1_000_000
# A lost sample makes a step of two; rounding makes steps of less.
_GAP = 1.9


class UnsuitableError(Exception):
    """States briefly why an object of a file cannot be analyzed as a signal."""


class UnsuitableUnitError(UnsuitableError):
    """The unit of a column is not volts or amperes; that of the next may be."""


class _Stored(Protocol):
    """Numbers that can be read piece by piece."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, place: Any) -> Any: ...


class _Unwritten:
    """Numbers that an iterator is going to write, read without consuming it."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator
        self.shape: tuple[int, ...] = tuple(iterator.maxshape)
        self.dtype: np.dtype[Any] = np.dtype(iterator.dtype)

    def __getitem__(self, place: Any) -> Any:
        selection = place if isinstance(place, tuple) else (place,)
        whole = tuple(slice(0, length) for length in self.shape[len(selection) :])
        # The method needs slices in every dimension; the column is extracted afterwards.
        slices = tuple(slice(one, one + 1) if isinstance(one, int) else one for one in selection)
        numbers = np.asarray(self._iterator._get_data(selection=(*slices, *whole)))
        return numbers[(slice(None), 0)] if len(selection) > 1 else numbers


def _stored(data: object) -> _Stored:
    """Return the numbers of a dataset in an open file, or of a series that is not yet written."""
    if isinstance(data, (h5py.Dataset, np.ndarray)):
        return data
    if isinstance(data, (list, tuple)):
        return np.asarray(data)
    # What was read from a file is among the above: hdmf need not be loaded to read one.
    from hdmf.data_utils import DataIO, GenericDataChunkIterator

    if isinstance(data, DataIO):
        return _stored(data.data)
    if isinstance(data, GenericDataChunkIterator):
        return _Unwritten(data)
    raise UnsuitableError(f"its samples ({type(data).__name__}) cannot be read before they are written")


class _Numbers:
    """Stored numbers of a series or of one of its columns."""

    def __init__(self, data: _Stored, column: int | None) -> None:
        self._data = data
        self._column = column
        self._dtype: np.dtype[Any] = np.dtype(data.dtype)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def __len__(self) -> int:
        return int(self._data.shape[0])

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        rows = slice(start, stop)
        return np.asarray(self._data[rows if self._column is None else (rows, self._column)])


class _DatasetNumbers:
    """Those of a dataset in an open file, a chunk of which is unpacked once a pass."""

    def __init__(self, dataset: h5py.Dataset, column: int | None, blocks: KeptBlocks) -> None:
        chunk = dataset.chunks[0] if dataset.chunks else 1
        self._dataset = dataset
        self._numbers = blocks.of(_Numbers(dataset, column), block=-(-BLOCK // chunk) * chunk)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._numbers.dtype

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        if not self._dataset:
            raise ValueError(
                "expected samples to be read inside the 'with open_nwb(...)' block, found it left."
            )
        try:
            return self._numbers.read(start, stop)
        except OSError as error:
            raise ReadError(
                f"expected samples in {self._dataset.name} of {self._dataset.file.filename}, found that they "
                "cannot be read: the file is damaged; copy or convert it again."
            ) from error


def _source(data: _Stored, column: int | None, blocks: KeptBlocks) -> SampleSource:
    if isinstance(data, h5py.Dataset):
        return _DatasetNumbers(data, column, blocks)
    return _Numbers(data, column)


def n_columns(series: object) -> int | None:
    """Return the number of columns of a signal; None if it is one-dimensional.

    Raises
    ------
    UnsuitableError
        If it is not a series of numbers.
    """
    if not isinstance(series, Series):
        raise UnsuitableError(f"it is a {type_name(series)}, not a series")
    data = _stored(series.data)
    if len(data.shape) not in (1, 2) or np.dtype(data.dtype).kind not in "iuf":
        raise UnsuitableError("its samples are not numbers of shape (n_samples,) or (n_samples, n_channels)")
    if 0 in data.shape:
        raise UnsuitableError("it has no samples")
    if len(data.shape) == 1:
        return None
    if data.shape[0] == 1 < data.shape[1]:
        raise UnsuitableError(
            f"its samples have the shape {data.shape}, a single moment of {data.shape[1]} channels: NWB puts "
            "time first"
        )
    return int(data.shape[1])


def _unit(series: Series, stated: Statement) -> Unit:
    """Return the unit of a series: the one that is stated, or else the one in the file.

    Raises
    ------
    UnsuitableUnitError
        If it is not volts or amperes.
    """
    if stated.unit is not None:
        label, said = stated.unit, "its stated unit"
    else:
        label, said = _unit_in_file(series), "its unit"
    # NWB asks for base units spelled out; files with other spellings and with prefixes exist.
    unit = parse_electrical_unit(label)
    if unit is None:
        raise UnsuitableUnitError(f"{said} is {label!r}, not volts or amperes")
    return unit


def _unit_in_file(series: Series) -> str:
    # pynwb gives volts for every CurrentClampSeries, whatever the file says.
    data = series.data
    written = data.attrs.get("unit") if isinstance(data, h5py.Dataset) and data else None
    if isinstance(written, bytes):
        written = written.decode("utf-8", "replace")
    is_unit = isinstance(written, str) and parse_electrical_unit(written) is not None
    return str(written if is_unit else series.unit)


def column_trace(
    series: Series,
    column: int | None,
    *,
    channel: str,
    sweep: int,
    blocks: KeptBlocks,
    stated: Statement | None = None,
) -> Trace:
    """Return a signal, or one column of it, as a trace.

    Parameters
    ----------
    series : Series
    column : int or None
    channel : str
    sweep : int
    blocks : KeptBlocks
        Of all signals of the file.
    stated : Statement, optional
        What is stated about it instead of what the file says.

    Raises
    ------
    UnsuitableError
        If it is not in volts or amperes, or its scale, rate, start or duration is not finite or beyond what a
        recording can have (:mod:`nwb_mepp.core.plausible_ranges`), or it is not sampled at a constant rate.
    """
    instead = stated or Statement()
    unit, gain = _unit(series, instead), instead.gain or 1.0
    factors = getattr(series, "channel_conversion", None)
    if factors is not None and len(factors) <= (column or 0):
        n_here = 1 if column is None else n_columns(series)
        raise UnsuitableError(f"it has {len(factors)} factors (channel_conversion) for {n_here} columns")
    factor = 1.0 if factors is None else float(factors[column or 0])
    conversion = float(series.conversion) * factor * unit.scale / gain
    offset = float(series.offset) * unit.scale / gain
    if not is_plausible_scale(conversion, offset):
        raise UnsuitableError(
            f"its numbers have no plausible scale (conversion {conversion:g} {unit.name}, "
            f"offset {offset:g} {unit.name})"
        )
    rate_hz, start_s = _sampling(series, instead.sampling_rate_hz)
    _check_times(rate_hz, start_s, n_samples=_stored(series.data).shape[0])
    return Trace(
        channel=channel,
        sweep=sweep,
        source=_source(_stored(series.data), column, blocks),
        unit=unit.name,
        conversion=conversion,
        offset=offset,
        sampling_rate_hz=rate_hz,
        start_s=start_s,
    )


def _check_times(rate_hz: float, start_s: float, *, n_samples: int) -> None:
    if not is_plausible_rate(rate_hz):
        raise UnsuitableError(f"its sampling rate is {rate_hz:g} Hz, expected {RATES_TEXT}")
    duration_s = n_samples / rate_hz
    if not (is_plausible_start(start_s) and is_plausible_duration(duration_s)):
        raise UnsuitableError(f"its start is {start_s:g} s and its duration {duration_s:g} s")


def time_span(series: Series) -> tuple[float, float] | None:
    """Return when a series starts and ends (seconds from the session start); None if it does not say so.

    Raises
    ------
    UnsuitableError
        If it is not a series of numbers.
    """
    n_columns(series)
    n_samples = _stored(series.data).shape[0]
    if series.rate:
        start_s = float(series.starting_time or 0.0)
        return start_s, start_s + n_samples / float(series.rate)
    timestamps = _stored(() if series.timestamps is None else series.timestamps)
    if timestamps.shape[0] != n_samples:
        return None
    return float(timestamps[0:1][0]), float(timestamps[n_samples - 1 : n_samples][0])


def _sampling(series: Series, stated_hz: float | None) -> tuple[float, float]:
    """Return rate (Hz) and start (seconds from the session start) of a series."""
    if series.rate is not None:
        return stated_hz or float(series.rate), float(series.starting_time or 0.0)
    timestamps = _stored(() if series.timestamps is None else series.timestamps)
    n_samples, n_times = _stored(series.data).shape[0], timestamps.shape[0]
    if n_times != n_samples:
        raise UnsuitableError(f"it has {n_samples} samples at {n_times} times")
    if stated_hz is not None:
        return stated_hz, _start_without_gap(timestamps)
    if n_samples < 2:
        raise UnsuitableError("a single timestamp states no sampling rate")
    first_s, last_s = (float(timestamps[at : at + 1][0]) for at in (0, n_samples - 1))
    if not last_s > first_s:
        raise UnsuitableError("its timestamps do not rise from the first to the last")
    rate_hz = (n_samples - 1) / (last_s - first_s)
    for start in range(0, n_samples, _BLOCK):
        times_s = np.asarray(timestamps[start : start + _BLOCK], dtype=np.float64)
        expected = start + np.arange(len(times_s))
        strays = np.flatnonzero(~(np.abs((times_s - first_s) * rate_hz - expected) <= REGULARITY))
        if len(strays):
            at_s, due_s = times_s[strays[0]], first_s + expected[strays[0]] / rate_hz
            raise UnsuitableError(
                f"its samples are not at regular times (number {expected[strays[0]]} is at {at_s:.6f} s, due "
                f"at {due_s:.6f} s)"
            )
    return rate_hz, first_s


def _start_without_gap(timestamps: _Stored) -> float:
    """Return the first of timestamps whose rate is stated; refuse a gap, which a rate would swallow."""
    times_s = np.asarray(timestamps[:], dtype=np.float64)
    if not np.isfinite(times_s).all():
        raise UnsuitableError("its timestamps are not finite")
    steps_s = np.diff(times_s)
    # Rounded timestamps repeat, so that only those that differ tell how far they lie apart.
    typical_s = float(np.median(steps_s[steps_s > 0])) if (steps_s > 0).any() else 0.0
    strays = np.flatnonzero((steps_s < 0) | (steps_s > _GAP * typical_s))
    if len(strays):
        before_s, after_s = times_s[strays[0] : strays[0] + 2]
        raise UnsuitableError(
            f"its timestamps jump from {before_s:.6f} to {after_s:.6f} s, which a sampling rate would hide"
        )
    return float(times_s[0])
