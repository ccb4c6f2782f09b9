"""Text in columns separated by commas, with a label for each sample or without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, IntArray, StatedTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout, split_title
from nwb_mepp.readers.text.rows import NumberTable, read_tables
from nwb_mepp.readers.text.traces import OWN_VERSION, looks_even, notes_on_end, read_clock, time_title
from nwb_mepp.readers.units import parse_unit

__all__ = ["LABELED_TEXT", "read_labeled_text"]

_LABEL_TITLES = frozenset({"label", "labels"})
# How programs call a first column that only counts the rows.
_INDEX_TITLES = frozenset({"", "unnamed: 0", "index"})


@dataclass(frozen=True)
class _Columns:
    """Which column holds what."""

    time: int
    channels: tuple[int, ...]
    labels: int | None

    @classmethod
    def find(cls, layout: TextLayout | None) -> _Columns | None:
        """Return the columns, None if the table is not of this kind."""
        if layout is None or layout.separator != "," or len(layout.titles) != layout.n_columns:
            return None
        titles = [title.lower() for title in layout.titles]
        time = 1 if titles[0] in _INDEX_TITLES else 0
        labels = [column for column, title in enumerate(titles) if title in _LABEL_TITLES]
        channels = tuple(column for column in range(time + 1, len(titles)) if column not in labels)
        if len(labels) > 1 or not channels or not time_title(layout.titles, time):
            return None
        return cls(time, channels, labels[0] if labels else None)


def read_labeled_text(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by commas: a time, one channel or more, and perhaps labels.

    The title of the time names its unit (``Time_ms``); the column ``labels`` is 1 inside a MEPP and 0
    elsewhere. An unnamed first column, which counts the rows, is passed over.

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
        Naming the line, where one is not as it should be.
    """
    layout = sniff_layout(path)
    columns = _Columns.find(layout)
    if layout is None or columns is None:
        raise ReadError(
            f"{path.name}: expected columns separated by commas under titles such as "
            "'Time_ms,Voltage,labels' (the unit of time in the title of the first), found none; "
            "`reader='NAME'` chooses another reader."
        )
    (table,) = read_tables(path, layout)
    clock = read_clock(
        table,
        path,
        column=columns.time,
        unit_label=time_title(layout.titles, columns.time),
        sampling_rate_hz=options.sampling_rate_hz,
    )
    titles = [split_title(layout.titles[column], parse_unit) for column in columns.channels]
    names = unique_names([name for name, _ in titles])
    traces = tuple(
        StatedTrace(
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
        reader_version=OWN_VERSION,
        format="text in columns separated by commas" + (", with labels" if labels is not None else ""),
        traces=traces,
        parts=(path,),
        labels={} if labels is None else {(name, 0): labels for name in names},
        notes=notes_on_end(path),
    )


def _labels(table: NumberTable, path: Path, *, column: int) -> IntArray:
    """Return the runs of 1 as sample numbers, shape (n, 2), the second exclusive."""
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
    return layout is not None and columns is not None and looks_even(layout, column=columns.time)


LABELED_TEXT = ReaderEntry(
    name="labeled-text",
    description="text with commas, with labels or without",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labeled_text,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
