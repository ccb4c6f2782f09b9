"""MATLAB files: exports of LabChart, Spike2 and WinWCP, which describe themselves, and plain variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import AncillaryData, PointEvents
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.matlab_variables import Variables, is_matlab_file, load_variables
from nwb_mepp.readers.options import MATLAB_READER, ReadOptions
from nwb_mepp.readers.text.time_column import IrregularTimesError, samples_per_time_unit
from nwb_mepp.readers.text.traces import TEXT_READER_VERSION
from nwb_mepp.readers.unitless_channels import drop_unitless_channels

__all__ = ["MATLAB", "read_matlab"]

# Day 1 of MATLAB's dates is the first of January of the year 0, day 1 of Python's that of the year 1.
_DAYS_OF_YEAR_0 = 366
# Integers of Spike2 count a 6553.6th of their scale.
_SPIKE2_STEPS = 6553.6
_MIN_SAMPLES = 100


def read_matlab(path: Path, options: ReadOptions) -> FileContents:
    """Read a MATLAB file of version 4 to 7.3.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        ``variable`` names plain variables that hold samples, a field of a structure as ``c1.values``; the
        rate and unit of these must be stated.

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If the file cannot be read, or nothing in it describes itself as a recording.
    UsageError
        If there is no such variable, or it does not hold samples.
    """
    variables = load_variables(path)
    if options.variable:
        found = _plain(variables, path, options)
    elif {"data", "datastart", "dataend", "samplerate"} <= set(variables):
        found = _labchart(variables, path)
    elif "data_block1" in variables:
        found = _labchart_simple(variables, path)
    elif channels := {name: one for name, one in variables.items() if _is_spike2_channel(one)}:
        found = _spike2(channels, path)
    elif _winwcp_records(variables):
        found = _winwcp(variables, path)
    else:
        raise ReadError(_explain_unknown(variables, path))
    return drop_unitless_channels(found, options)


def _contents(path: Path, what: str, traces: Sequence[RawTrace], **others: Any) -> FileContents:
    return FileContents(
        reader_version=TEXT_READER_VERSION,
        format=f"MATLAB file{what}",
        traces=tuple(traces),
        files=(path,),
        **others,
    )


def _explain_unknown(variables: Variables, path: Path) -> str:
    vectors = [
        name
        for name, one in variables.items()
        if isinstance(one, np.ndarray) and one.dtype.kind in "fiu" and one.size >= _MIN_SAMPLES
    ]
    if not vectors:
        return (
            f"{path.name}: expected a MATLAB file with samples, found only "
            f"{', '.join(variables) or 'nothing'}; save the samples as a vector, or name a field with "
            "`variable='STRUCTURE.FIELD'`."
        )
    return (
        f"{path.name}: expected an export of LabChart, Spike2 or WinWCP, found the variables "
        f"{', '.join(variables)}; say which holds samples, and at what rate, with "
        f"`variable={vectors[0]!r}` and `sampling_rate_hz=HZ`."
    )


def _plain(variables: Variables, path: Path, options: ReadOptions) -> FileContents:
    """Return variables that the user names; the columns of a matrix are channels."""
    traces, notes = [], []
    for name in options.variable:
        samples = _variable(variables, name, path)
        if min(samples.shape) > 1:
            if samples.shape[1] > samples.shape[0]:
                samples = samples.T
            notes.append(f"{name} holds {samples.shape[1]} channels of {samples.shape[0]} samples.")
            named = [(f"{name} {number}", column) for number, column in enumerate(samples.T, start=1)]
        else:
            named = [(name, samples.ravel())]
        traces += [
            RawTrace(
                channel=channel,
                sweep=0,
                source=ArraySource(np.ascontiguousarray(values)),
                unit_label="",
                sampling_rate_hz=options.sampling_rate_hz,
            )
            for channel, values in named
        ]
    return _contents(path, "", traces, notes=tuple(notes))


def _variable(variables: Variables, name: str, path: Path) -> npt.NDArray[Any]:
    found: Any = variables
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or not found.size:
        what = "no such variable" if found is None else "no numbers"
        raise UsageError(
            f"`variable`: expected numbers in {name!r} of {path.name}, found {what}; its variables are "
            f"{', '.join(variables)}."
        )
    return np.atleast_2d(found)


def _labchart(variables: Variables, path: Path) -> FileContents:
    """Return what LabChart exports: all samples in a vector, and where each channel of a block lies in it."""
    data = _numbers(variables, "data", path).ravel()
    starts, stops = _numbers(variables, "datastart", path), _numbers(variables, "dataend", path)
    rates = _numbers(variables, "samplerate", path)
    if not starts.shape == stops.shape == rates.shape:
        raise ReadError(
            f"{path.name}: expected datastart, dataend and samplerate for each channel of each block, found "
            f"{starts.shape}, {stops.shape} and {rates.shape}; export the recording again."
        )
    n_channels, n_blocks = starts.shape
    titles = [*_texts(variables.get("titles")), *[""] * n_channels][:n_channels]
    names = unique_names(titles)
    blocks_s, session_start = _block_times(variables, n_blocks)
    traces = []
    for channel, block in np.ndindex(n_channels, n_blocks):
        first, last = int(starts[channel, block]), int(stops[channel, block])
        if first < 1:
            continue  # not recorded in this block
        if last > len(data):
            raise ReadError(
                f"{path.name} is truncated: expected {last} samples, found {len(data)}; export it again."
            )
        scale, offset = _scale(variables, channel, block)
        traces.append(
            RawTrace(
                channel=names[channel],
                sweep=block,
                source=ArraySource(np.ascontiguousarray(data[first - 1 : last])),
                unit_label=_unit(variables, channel, block),
                gain=scale,
                offset=offset,
                sampling_rate_hz=float(rates[channel, block]),
                start_s=blocks_s[block],
            )
        )
    comments = AncillaryData(events=tuple(_labchart_comments(variables, blocks_s)))
    return _contents(path, " of LabChart", traces, session_start=session_start, ancillary=comments)


def _numbers(variables: Variables, name: str, path: Path) -> npt.NDArray[Any]:
    found = variables.get(name)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
        raise ReadError(
            f"{path.name}: expected numbers in the variable {name!r} of an export of LabChart, found none; "
            "export the recording again."
        )
    return np.atleast_2d(found)


def _texts(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found.strip()]
    return [str(one).strip() for one in found] if isinstance(found, list) else []


def _scale(variables: Variables, channel: int, block: int) -> tuple[float, float]:
    """Return gain and offset; samples exported with 16 bits are ``(stored + scaleoffset) * scaleunits``."""
    scales, offsets = variables.get("scaleunits"), variables.get("scaleoffset")
    if not isinstance(scales, np.ndarray) or not isinstance(offsets, np.ndarray):
        return 1.0, 0.0
    scale = float(np.atleast_2d(scales)[channel, block])
    return scale, scale * float(np.atleast_2d(offsets)[channel, block])


def _unit(variables: Variables, channel: int, block: int) -> str:
    texts, numbers = _texts(variables.get("unittext")), variables.get("unittextmap")
    if not isinstance(numbers, np.ndarray):
        return ""
    number = int(np.atleast_2d(numbers)[channel, block])
    return texts[number - 1] if 1 <= number <= len(texts) else ""


def _block_times(variables: Variables, n_blocks: int) -> tuple[list[float], datetime | None]:
    """Return the start of each block in seconds, and the date of the first."""
    days = variables.get("blocktimes")
    if not isinstance(days, np.ndarray) or days.size != n_blocks:
        return [0.0] * n_blocks, None
    first = float(days.ravel()[0])
    starts_s = [round((float(day) - first) * 86_400.0, 3) for day in days.ravel()]
    if not _DAYS_OF_YEAR_0 < first < 4e6:
        return starts_s, None
    start = datetime.fromordinal(int(first) - _DAYS_OF_YEAR_0) + timedelta(
        milliseconds=round(first % 1 * 86_400_000)
    )
    return starts_s, start


def _labchart_comments(variables: Variables, blocks_s: Sequence[float]) -> Iterator[PointEvents]:
    """Yield the comments of each block: rows of channel, block, tick, kind and number of the text."""
    rows, ticks, texts = variables.get("com"), variables.get("tickrate"), _texts(variables.get("comtext"))
    if not isinstance(rows, np.ndarray) or not isinstance(ticks, np.ndarray):
        return
    if np.atleast_2d(rows).shape[1] < 5:
        return
    rows, rates = np.atleast_2d(rows), ticks.ravel()
    for block, start_s in enumerate(blocks_s):
        own = rows[rows[:, 1] == block + 1]
        if not len(own) or block >= len(rates):
            continue
        numbers = own[:, 4].astype(int)
        yield PointEvents(
            name="comments",
            sweep=block,
            times_s=start_s + own[:, 2] / float(rates[block]),
            labels=tuple(texts[n - 1] if 1 <= n <= len(texts) else "" for n in numbers),
        )


def _labchart_simple(variables: Variables, path: Path) -> FileContents:
    """Return what LabChart exports in its simple form: a matrix for each block, a row for each channel."""
    traces = []
    numbers = sorted(int(name[10:]) for name in variables if re.fullmatch(r"data_block\d+", name))
    for sweep, number in enumerate(numbers):
        data = _numbers(variables, f"data_block{number}", path)
        times = _numbers(variables, f"ticktimes_block{number}", path).ravel()
        titles = [*_texts(variables.get(f"titles_block{number}")), *[""] * len(data)][: len(data)]
        units = [*_texts(variables.get(f"units_block{number}")), *[""] * len(data)][: len(data)]
        rate_hz = _rate(times, path)
        traces += [
            RawTrace(
                channel=name,
                sweep=sweep,
                source=ArraySource(np.ascontiguousarray(row)),
                unit_label=unit,
                sampling_rate_hz=rate_hz,
                start_s=float(times[0]),
            )
            for name, unit, row in zip(unique_names(titles), units, data, strict=True)
        ]
    return _contents(path, " of LabChart (simple)", traces)


def _rate(times_s: npt.NDArray[Any], path: Path) -> float:
    try:
        return samples_per_time_unit(times_s.astype(np.float64))
    except IrregularTimesError as error:
        raise ReadError(
            f"{path.name}: expected evenly spaced times, but {error}; export the recording in one segment."
        ) from error


def _is_spike2_channel(found: Any) -> bool:
    return isinstance(found, Mapping) and {"values", "interval"} <= set(found)


def _spike2(channels: Variables, path: Path) -> FileContents:
    """Return what Spike2 exports: a structure for each channel."""
    titles = [" ".join(_texts(one.get("title"))) or name for name, one in channels.items()]
    traces = []
    for name, one in zip(unique_names(titles), channels.values(), strict=True):
        values = np.asarray(one["values"]).ravel()
        is_scaled = values.dtype.kind == "f"
        traces.append(
            RawTrace(
                channel=name,
                sweep=0,
                source=ArraySource(np.ascontiguousarray(values)),
                unit_label=" ".join(_texts(one.get("units"))),
                gain=1.0 if is_scaled else _number(one, "scale", path) / _SPIKE2_STEPS,
                offset=0.0 if is_scaled else _number(one, "offset", path),
                sampling_rate_hz=1.0 / _number(one, "interval", path),
                start_s=_number(one, "start", path) if "start" in one else 0.0,
            )
        )
    return _contents(path, " of Spike2", traces)


def _number(structure: Mapping[str, Any], field: str, path: Path) -> float:
    found = structure.get(field)
    number = float(found.ravel()[0]) if isinstance(found, np.ndarray) and found.size == 1 else np.nan
    if not np.isfinite(number) or (field == "interval" and number <= 0):
        raise ReadError(
            f"{path.name}: expected a number in the field {field!r} of a channel of Spike2, found another "
            "value; export the recording again."
        )
    return number


def _winwcp_records(variables: Variables) -> list[str]:
    """Return the numbers of the records of WinWCP, whose times are T1, T2 ... and whose samples Y1, Y2 ..."""
    numbers = [name[1:] for name in variables if re.fullmatch(r"T\d*", name) and f"Y{name[1:]}" in variables]
    return sorted(numbers, key=lambda number: int(number or 0))


def _winwcp(variables: Variables, path: Path) -> FileContents:
    traces = []
    for sweep, number in enumerate(_winwcp_records(variables)):
        times = _numbers(variables, f"T{number}", path).ravel()
        samples = _numbers(variables, f"Y{number}", path)
        if samples.shape[0] != len(times):
            raise ReadError(
                f"{path.name}: expected a row of Y{number} for each of {len(times)} times in T{number}, "
                f"found {samples.shape[0]}; export the recording again."
            )
        traces += [
            RawTrace(
                channel=f"channel {channel}",
                sweep=sweep,
                source=ArraySource(np.ascontiguousarray(column)),
                unit_label="",
                sampling_rate_hz=_rate(times, path),
                start_s=float(times[0]),
            )
            for channel, column in enumerate(samples.T, start=1)
        ]
    return _contents(path, " of WinWCP", traces)


def _claims(path: Path) -> bool:
    return is_matlab_file(path, without="block")


MATLAB = ReaderEntry(
    name=MATLAB_READER,
    description="MATLAB files: exports of LabChart, Spike2 and WinWCP, plain variables",
    suffixes=(".mat",),
    read=read_matlab,
    claims=_claims,
)
