"""Text in columns: times, channels and labels, in one block or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import AncillaryData, PointEvents
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_unit
from nwb_mepp.readers.contents import FileContents, IntArray, RawTrace
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.columns import ChannelColumn, Columns, find_columns
from nwb_mepp.readers.text.heading import Heading
from nwb_mepp.readers.text.layout import SEPARATOR_NAMES, TextLayout, titles_in
from nwb_mepp.readers.text.numerals import clock_seconds
from nwb_mepp.readers.text.rows import NumberTable, read_tables
from nwb_mepp.readers.text.time_column import rises_evenly
from nwb_mepp.readers.text.traces import (
    TEXT_READER_VERSION,
    Clock,
    Stretch,
    gap_notes,
    read_clock,
    unfinished_line_notes,
)

__all__ = ["looks_like_recording", "read_columns"]


@dataclass(frozen=True, kw_only=True)
class _Block:
    """A table with its heading, what its columns hold, and its times."""

    table: NumberTable
    heading: Heading
    columns: Columns
    clock: Clock

    def sweeps(self) -> list[tuple[int, Stretch]]:
        """Return number side by side and rows of each sweep."""
        return [
            (beside, stretch) for beside in range(self.columns.n_sweeps) for stretch in self.clock.stretches
        ]


def read_columns(path: Path, layout: TextLayout, options: ReadOptions) -> FileContents:
    """Read a text file in columns.

    Names and units come from the titles of the columns or from the heading that LabChart writes. Each block
    is a sweep, and so is each stretch between gaps in the times and each of several sweeps side by side.

    Parameters
    ----------
    path : Path
    layout : TextLayout
    options : ReadOptions

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If a line cannot be read; the message gives its number.
    """
    blocks = _blocks(path, layout, options)
    names = _Names()
    traces: list[RawTrace] = []
    labels: dict[tuple[str, int], IntArray] = {}
    comments: list[PointEvents] = []
    n_sweeps = 0
    for block, start_s in zip(blocks, _block_starts(blocks), strict=True):
        marks = _labels(block, path)
        shift_s = start_s - block.clock.start_s
        for sweep, (beside, stretch) in enumerate(block.sweeps(), start=n_sweeps):
            for one in (one for one in block.columns.channels if one.sweep == beside):
                name = names.of(one)
                traces.append(_trace(block, one, stretch, path, name=name, sweep=sweep, shift_s=shift_s))
                if marks is not None:
                    labels[(name, sweep)] = _within(marks, stretch)
            if beside == 0:
                comments += _comments(block, stretch, sweep=sweep, shift_s=shift_s)
        n_sweeps += len(block.sweeps())
    heading = blocks[0].heading
    return FileContents(
        reader_version=TEXT_READER_VERSION,
        format=_format(layout, has_labels=bool(labels)),
        traces=tuple(traces),
        files=(path,),
        session_start=heading.start_time,
        annotations={key: " ".join(values).strip() for key, values in heading.entries.items()},
        labels=labels,
        ancillary=AncillaryData(events=tuple(comments)),
        notes=(*unfinished_line_notes(path), *names.notes, *gap_notes(block.clock for block in blocks)),
    )


def _format(layout: TextLayout, *, has_labels: bool) -> str:
    if not layout.separator:
        return "text, one number a line"
    name = f"text in columns separated by {SEPARATOR_NAMES[layout.separator]}"
    return (
        name + (" (LabChart)" if layout.separator == "\t" else "") + (", with labels" if has_labels else "")
    )


def _blocks(path: Path, layout: TextLayout, options: ReadOptions) -> list[_Block]:
    blocks: list[_Block] = []
    for table in read_tables(path, layout):
        heading = Heading.parse(table.header, separator=layout.separator)
        titles = layout.titles
        if blocks:
            own = titles_in(table.header, layout.separator, len(table.columns))
            titles = own or (titles if not heading.n_channels else ())
            heading = heading.following(blocks[-1].heading)
        try:
            columns = find_columns(
                layout, titles=titles, heading=heading, n_columns=len(table.columns), clocks=table.clocks
            )
        except ValueError as error:
            raise ReadError(f"{path.name}: {error}") from error
        clock = read_clock(
            table,
            path,
            column=columns.time,
            unit_label=columns.time_unit,
            sampling_rate_hz=options.sampling_rate_hz,
            interval_s=heading.interval_s,
        )
        blocks.append(_Block(table=table, heading=heading, columns=columns, clock=clock))
    return blocks


class _Names:
    """Names of channels over all blocks: one that goes on in volts after amperes is another channel."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self.notes: list[str] = []

    def of(self, channel: ChannelColumn) -> str:
        unit = parse_unit(channel.unit)
        kind = unit.name if unit is not None else ""
        first = self._kinds.setdefault(channel.name, kind)
        if kind == first or not kind:
            return channel.name
        other = f"{channel.name} ({kind})"
        note = f"Blocks of {channel.name!r} in {kind}, not in {first or 'no unit'}, are read as {other!r}."
        if note not in self.notes:
            self.notes.append(note)
        return other


def _trace(
    block: _Block,
    channel: ChannelColumn,
    stretch: Stretch,
    path: Path,
    *,
    name: str,
    sweep: int,
    shift_s: float,
) -> RawTrace:
    samples = block.table.columns[channel.column][stretch.start : stretch.stop]
    every, first = _spacing(block.table, channel.column, stretch, path)
    rate_hz = block.clock.sampling_rate_hz
    return RawTrace(
        channel=name,
        sweep=sweep,
        source=ArraySource(np.ascontiguousarray(samples[first::every])),
        unit_label=channel.unit,
        sampling_rate_hz=rate_hz / every,
        start_s=stretch.start_s + shift_s + first / rate_hz,
    )


def _spacing(table: NumberTable, column: int, stretch: Stretch, path: Path) -> tuple[int, int]:
    """Return in which rows a channel has samples: every so many, from which on.

    LabChart leaves the cells of a channel empty that was sampled more slowly than others.
    """
    if table.empty is None or not table.empty[stretch.start : stretch.stop, column].any():
        return 1, 0
    filled = np.flatnonzero(~table.empty[stretch.start : stretch.stop, column])
    steps = np.diff(filled)
    if len(steps) and (steps == steps[0]).all():
        every = int(steps[0])
        if every > 1 and filled[0] < every and stretch.stop - stretch.start - filled[-1] <= every:
            return every, int(filled[0])
    row = stretch.start + int(np.flatnonzero(table.empty[stretch.start : stretch.stop, column])[0])
    raise ReadError(
        f"{path.name}, line {table.line_of(row)}: expected a number in column {column + 1}, found an "
        "empty cell; complete the line, with NaN where there is no sample."
    )


def _block_starts(blocks: Sequence[_Block]) -> list[float]:
    """Return the start of each block: by its times if they increase over blocks, else by the headings."""
    clocks = [block.clock for block in blocks]
    starts = [clock.start_s for clock in clocks]
    dates = [block.heading.start_time for block in blocks]
    first = dates[0]
    if first is None or None in dates:
        return starts
    if all(block.heading.gives_time_of_day for block in blocks):
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        # What is printed is the time since midnight of the day of the block.
        days = [(date - midnight).days for date in dates if date is not None]
        since_midnight_s = (first - midnight).total_seconds()
        return [start + 86_400.0 * day - since_midnight_s for start, day in zip(starts, days, strict=True)]
    if all(later.start_s >= earlier.stop_s for earlier, later in pairwise(clocks)):
        return starts
    return [
        start + (date - first).total_seconds()
        for start, date in zip(starts, dates, strict=True)
        if date is not None
    ]


def _comments(block: _Block, stretch: Stretch, *, sweep: int, shift_s: float) -> list[PointEvents]:
    """Return the comments as events, each at the time of the sample on its line."""
    found = [(row, text) for row, text in block.table.comments if stretch.start <= row < stretch.stop]
    if not found:
        return []
    rows = np.array([row - stretch.start for row, _ in found])
    return [
        PointEvents(
            name="comments",
            sweep=sweep,
            times_s=stretch.start_s + shift_s + rows / block.clock.sampling_rate_hz,
            labels=tuple(text for _, text in found),
        )
    ]


def _labels(block: _Block, path: Path) -> IntArray | None:
    """Return the runs of ones as rows, shape (n, 2): start, and stop (exclusive)."""
    if block.columns.labels is None:
        return None
    labels = block.table.columns[block.columns.labels]
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ReadError(
            f"{path.name}, line {block.table.line_of(row)}: expected a label of 0 or 1, found "
            f"{labels[row]:g}; correct the line."
        )
    edges = np.diff(np.concatenate([[0.0], labels, [0.0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def _within(marks: IntArray, stretch: Stretch) -> IntArray:
    """Return the marks of a stretch, counted from its first row."""
    cut = np.clip(marks, stretch.start, stretch.stop) - stretch.start
    kept: npt.NDArray[np.bool_] = cut[:, 1] > cut[:, 0]
    return cut[kept]


def looks_like_recording(layout: TextLayout) -> bool:
    """Return whether the first lines have a column of times with a unit that rise evenly, and a channel.

    Parameters
    ----------
    layout : TextLayout
    """
    clocks = frozenset(
        column
        for column in range(layout.n_columns)
        if any(column < len(row) and clock_seconds(row[column]) is not None for row in layout.first_rows)
    )
    heading = Heading.parse(layout.header, separator=layout.separator)
    try:
        columns = find_columns(
            layout, titles=layout.titles, heading=heading, n_columns=layout.n_columns, clocks=clocks
        )
    except ValueError:
        return False
    if columns.time is None:
        return heading.interval_s is not None
    # Event tables often begin with a row number, which is evenly spaced too.
    return bool(columns.time_unit) and rises_evenly(layout.numbers(columns.time))
