"""Text in columns separated by commas, with or without a label for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_unit
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, IntArray, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout, split_title
from nwb_mepp.readers.text.rows import NumberTable, read_tables
from nwb_mepp.readers.text.traces import (
    TEXT_READER_VERSION,
    has_even_times,
    read_clock,
    time_unit_in_title,
    unfinished_line_notes,
)

__all__ = ["LABELED_TEXT", "read_labeled_text"]

_LABEL_TITLES = frozenset({"label", "labels"})
# Titles that programs give to a first column of row numbers.
_INDEX_TITLES = frozenset({"", "unnamed: 0", "index"})


@dataclass(frozen=True)
class _Columns:
    """Column numbers of the time, the channels and the labels."""

    time: int
    channels: tuple[int, ...]
    labels: int | None

    @classmethod
    def find(cls, layout: TextLayout | None) -> _Columns | None:
        """Find the columns by their titles; None if the table is in another format."""
        if layout is None or layout.separator != "," or len(layout.titles) != layout.n_columns:
            return None
        titles = [title.lower() for title in layout.titles]
        time = 1 if titles[0] in _INDEX_TITLES else 0
        labels = [column for column, title in enumerate(titles) if title in _LABEL_TITLES]
        channels = tuple(column for column in range(time + 1, len(titles)) if column not in labels)
        if len(labels) > 1 or not channels or not time_unit_in_title(layout.titles, time):
            return None
        return cls(time, channels, labels[0] if labels else None)


def read_labeled_text(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by commas: the time, one or more channels, and optionally labels.

    The title of the time column includes the unit (``Time_ms``); the column ``labels`` is 1 within a MEPP and
    0 elsewhere. An untitled first column of row numbers is skipped.

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
        If a line cannot be read; the message gives its number.
    """
    layout = sniff_layout(path)
    columns = _Columns.find(layout)
    if layout is None or columns is None:
        raise ReadError(
            f"{path.name}: expected columns separated by commas with titles such as "
            "'Time_ms,Voltage,labels' (the first with the unit of time), found none; "
            "`reader='NAME'` chooses another reader."
        )
    (table,) = read_tables(path, layout)
    clock = read_clock(
        table,
        path,
        column=columns.time,
        unit_label=time_unit_in_title(layout.titles, columns.time),
        sampling_rate_hz=options.sampling_rate_hz,
    )
    titles = [split_title(layout.titles[column], parse_unit) for column in columns.channels]
    names = unique_names([name for name, _ in titles])
    traces = tuple(
        RawTrace(
            channel=name,
            sweep=0,
            source=ArraySource(table.columns[column]),
            unit_label=unit,
            sampling_rate_hz=clock.sampling_rate_hz,
            start_s=clock.start_s,
        )
        for name, (_, unit), column in zip(names, titles, columns.channels, strict=True)
    )
    labels = None if columns.labels is None else _labels(table, path, column=columns.labels)
    return FileContents(
        reader_version=TEXT_READER_VERSION,
        format="text in columns separated by commas" + (", with labels" if labels is not None else ""),
        traces=traces,
        files=(path,),
        labels={} if labels is None else {(name, 0): labels for name in names},
        notes=unfinished_line_notes(path),
    )


def _labels(table: NumberTable, path: Path, *, column: int) -> IntArray:
    """Return the runs of ones as sample numbers, shape (n, 2): start, and stop (exclusive)."""
    labels = table.columns[column]
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ReadError(
            f"{path.name}, line {table.line_of(row)}: expected a label of 0 or 1, found {labels[row]:g}; "
            "correct the line."
        )
    edges = np.diff(np.concatenate([[0.0], labels, [0.0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def _claims(path: Path) -> bool:
    return _Columns.find(sniff_layout(path)) is not None


def _resembles_recording(path: Path) -> bool:
    layout = sniff_layout(path)
    columns = _Columns.find(layout)
    return layout is not None and columns is not None and has_even_times(layout, column=columns.time)


LABELED_TEXT = ReaderEntry(
    name="labeled-text",
    description="text separated by commas, with or without labels",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labeled_text,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
