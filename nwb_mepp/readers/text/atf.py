"""Axon Text Format, read with pyabf, as Neo has no reader for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from traceback import clear_frames
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.annotations import Annotations
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.output_suppression import suppress_output
from nwb_mepp.readers.signatures import starts_with
from nwb_mepp.readers.text.column_text import read_columns
from nwb_mepp.readers.text.encodings import ends_with_newline, read_head
from nwb_mepp.readers.text.layout import TextLayout, layout_below, split_title
from nwb_mepp.readers.text.time_column import IrregularTimesError, samples_per_time_unit
from nwb_mepp.readers.text.traces import Clock, Stretch, gap_notes, placed_stretches

__all__ = ["ATF", "read_atf"]

# Entries of the header that are stored elsewhere than in the annotations.
_STORED_ELSEWHERE = frozenset({"Signals", "SignalsExported", "SweepStartTimesMS"})


def read_atf(path: Path, options: ReadOptions) -> FileContents:
    """Read an ATF file: a column of times, then one for each signal of each sweep.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If pyabf fails, the columns do not match the header, or a cell is not a number.
    """
    layout, entries = _layout(path)
    if layout is not None and ("Signals" not in entries or layout.text_column is not None):
        return _in_columns(path, layout, entries, options)
    import pyabf

    atf = _parsed(path)
    # Not atf.channelNames, whose order is arbitrary.
    signals = list(dict.fromkeys(atf.header["Signals"]))
    n_columns = len(atf.columnLabelsY)
    data, times, notes = atf.data, atf.dataX, []
    if not ends_with_newline(path):
        data, times = data[:, :-1], times[:-1]
        notes = ["Left out: the last line, which has no line break; the file may have been cut off there."]
    if n_columns != len(data) or n_columns % len(signals) or data.shape[1] < 2:
        raise ReadError(
            f"{path.name}: expected a title for each column, the same number of columns in each sweep and at "
            f"least two lines of numbers, found {len(data)} columns of {data.shape[1]} numbers, {n_columns} "
            f"titles and {len(signals)} signals; export the recording again."
        )
    _check_numbers(data, path)
    clock = _clock(times, path, title=atf.columnLabelX, options=options)
    starts_s = _sweep_starts(atf.header, n_columns // len(signals))
    names, n_stretches = unique_names(signals), len(clock.stretches)
    return FileContents(
        reader_version=f"pyabf {pyabf.__version__}",
        format=f"Axon ATF {atf.atfVersion}",
        traces=tuple(
            RawTrace(
                channel=names[column % len(signals)],
                sweep=column // len(signals) * n_stretches + number,
                source=ArraySource(np.ascontiguousarray(samples[stretch.start : stretch.stop])),
                unit_label=split_title(label, parse_unit)[1],
                sampling_rate_hz=clock.sampling_rate_hz,
                start_s=starts_s[column // len(signals)] + stretch.start_s,
            )
            for column, (samples, label) in enumerate(zip(data, atf.columnLabelsY, strict=True))
            for number, stretch in enumerate(clock.stretches)
        ),
        files=(path,),
        annotations=_annotations(atf.header),
        notes=(*notes, *gap_notes([clock])),
    )


def _layout(path: Path) -> tuple[TextLayout | None, dict[str, list[str]]]:
    """Return where the numbers lie and the entries of the header; None if the header is damaged."""
    encoding, head = read_head(path)
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    counts = lines[1].split() if len(lines) > 1 else []
    if len(counts) != 2 or not all(map(str.isdecimal, counts)):
        return None, {}
    n_above = 2 + int(counts[0])
    if not all("=" in line for line in lines[2:n_above]):
        return None, {}
    entries = {}
    for line in lines[2:n_above]:
        cells = [cell.strip().strip('"') for cell in line.split("\t")]
        key, _, value = cells[0].partition("=")
        entries[key] = [*filter(None, [value]), *cells[1:]]
    layout = layout_below(lines, n_above, encoding=encoding, path=path)
    return (layout if layout is not None and layout.titles else None), entries


def _in_columns(
    path: Path, layout: TextLayout, entries: dict[str, list[str]], options: ReadOptions
) -> FileContents:
    """Read a file without names of signals, or with a column of comments, as pyabf does not."""
    signals = list(dict.fromkeys(entries.get("Signals", [])))
    titles = list(layout.titles)
    if signals and len(titles) > 1 and (len(titles) - 1) % len(signals) == 0:
        units = [split_title(title, parse_unit)[1] for title in titles[1:]]
        titles[1:] = [
            f"{signals[column % len(signals)]} sweep {column // len(signals) + 1} ({unit})"
            if len(units) > len(signals)
            else f"{signals[column]} ({unit})"
            for column, unit in enumerate(units)
        ]
    contents = read_columns(path, replace(layout, titles=tuple(titles)), options)
    starts_s = _sweep_starts(
        {"SweepStartTimesMS": ",".join(entries.get("SweepStartTimesMS", []))},
        1 + max(trace.sweep for trace in contents.traces),
    )
    return replace(
        contents,
        format="Axon ATF 1.0",
        traces=tuple(
            replace(trace, start_s=trace.start_s + starts_s[trace.sweep]) for trace in contents.traces
        ),
        annotations=_annotations({key: ",".join(values) for key, values in entries.items()}),
    )


def _parsed(path: Path) -> Any:
    import pyabf

    with suppress_output():
        try:
            return pyabf.ATF(path)
        except (
            Exception
        ) as error:  # pyabf raises plain Exceptions and does not catch the errors of its parser
            clear_frames(error.__traceback__)  # closes the file that pyabf leaves open
            reported = " ".join(f"{type(error).__name__}: {error}".split())
            raise ReadError(
                f"{path.name}: the reader 'atf' cannot read it; expected a header of signals, then columns "
                "of numbers with decimal points. The file may be truncated or damaged. pyabf reports: "
                f"{reported[:200]}"
            ) from error


def _check_numbers(data: npt.NDArray[np.float32], path: Path) -> None:
    bad = np.argwhere(~np.isfinite(data.T))
    if len(bad):
        row, column = bad[0]
        raise ReadError(
            f"{path.name}: expected a number with a decimal point in every cell, found something else in row "
            f"{row + 1} of the samples, column {column + 2}; export the recording again."
        )


def _clock(column: npt.NDArray[np.float32], path: Path, *, title: str, options: ReadOptions) -> Clock:
    """Return the sampling rate, and the stretches without gaps, relative to the start of each sweep."""
    label = split_title(title, parse_time_unit, shortest=1)[1]
    per_second = parse_time_unit(label)
    times = np.asarray(column, dtype=np.float64)
    if options.sampling_rate_hz is not None:
        placed = placed_stretches(times, options.sampling_rate_hz, per_second)
        return Clock(sampling_rate_hz=options.sampling_rate_hz, stretches=placed)
    if per_second is None:
        raise ReadError(
            f"{path.name}: expected the unit of time in the title of the first column, such as 'Time (s)', "
            f"found {title!r}; pass `sampling_rate_hz=HZ`."
        )
    try:
        rate_hz = samples_per_time_unit(times) * per_second
    except IrregularTimesError as error:
        raise ReadError(
            f"{path.name}: expected evenly spaced times in row {error.row + 1} of the samples, but {error}; "
            "export the recording in one segment, or pass `sampling_rate_hz=HZ`."
        ) from error
    whole = Stretch(start=0, stop=len(times), start_s=float(times[0]) / per_second)
    return Clock(sampling_rate_hz=rate_hz, stretches=(whole,))


def _sweep_starts(header: dict[str, Any], n_sweeps: int) -> list[float]:
    """Return the start of each sweep; 0 for all of them if the file does not state it."""
    stated = header.get("SweepStartTimesMS", "")
    cells = stated if isinstance(stated, list) else str(stated).split(",")
    try:
        starts_s = [float(cell) / 1e3 for cell in cells]
    except ValueError:
        return [0.0] * n_sweeps
    return starts_s if len(starts_s) == n_sweeps else [0.0] * n_sweeps


def _annotations(header: dict[str, Any]) -> dict[str, str]:
    found = Annotations()
    for key, value in header.items():
        if key not in _STORED_ELSEWHERE:
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            found.add({key: text})
    return found.texts


ATF = ReaderEntry(
    name="atf",
    description="Axon Text Format (pyabf)",
    suffixes=(".atf",),
    read=read_atf,
    claims=starts_with(b"ATF\t1", b"ATF 1"),
    is_signature=True,
    requires=("pyabf",),
)
