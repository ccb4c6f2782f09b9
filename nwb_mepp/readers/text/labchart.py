"""Text exported from LabChart: columns separated by tabs, decimal commas or points, any language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from nwb_mepp.core.ancillary import AncillaryData, PointEvents
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout, split_title
from nwb_mepp.readers.text.rows import NumberTable, read_tables
from nwb_mepp.readers.text.traces import (
    TEXT_READER_VERSION,
    Clock,
    has_even_times,
    read_clock,
    time_unit_in_title,
    unfinished_line_notes,
)

__all__ = ["LABCHART", "read_labchart"]

# Day 0 of the Excel dates that LabChart writes.
_EXCEL_EPOCH = datetime(1899, 12, 30)
# A date with fewer digits ("4.0234e+004") does not even give the hour.
_MIN_DIGITS_OF_DATE = 10


@dataclass(frozen=True)
class _Heading:
    """The lines ``Key=<tab>value...`` that LabChart writes before a block, by key."""

    entries: dict[str, list[str]]

    @classmethod
    def parse(cls, lines: tuple[str, ...]) -> _Heading:
        entries = {}
        for line in lines:
            key, equals, values = line.partition("=")
            if equals and "\t" not in key:
                entries[key.strip()] = [value.strip() for value in values.strip().split("\t")]
        return cls(entries)

    def values(self, key: str, n_values: int) -> list[str]:
        """Return ``n_values`` values of an entry, padded with empty strings."""
        found = self.entries.get(key, [])
        return (found + [""] * n_values)[:n_values]

    @property
    def start_time(self) -> datetime | None:
        """Start of the block, None unless it is stated to better than one second."""
        day = self.values("ExcelDateTime", 1)[0].replace(",", ".")
        try:
            days = float(day)
        except ValueError:
            return None
        digits = re.sub(r"[eE].*", "", day).replace(".", "").lstrip("-0")
        if len(digits) < _MIN_DIGITS_OF_DATE or not 0 < days < 1e5:
            return None
        return _EXCEL_EPOCH + timedelta(milliseconds=round(days * 86_400_000))

    @property
    def interval_s(self) -> float | None:
        """Sampling interval, None unless it is stated with a unit (``Interval=<tab>0,0001 s``)."""
        number, _, unit = self.values("Interval", 1)[0].partition(" ")
        per_second = parse_time_unit(unit)
        try:
            return float(number.replace(",", ".")) / per_second if per_second else None
        except ValueError:
            return None


def read_labchart(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by tabs, the first of which is the time.

    Names and units come from the titles of the columns (``Время, s<TAB>Канал 1, V``, ``Time (s)<TAB>Vm
    (mV)``) or from the heading that LabChart writes (``ChannelTitle=``, ``UnitName=``, ``Range=``). Each
    block, which has a heading of its own, is a sweep.

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
    if layout is None or layout.separator != "\t":
        raise ReadError(
            f"{path.name}: expected columns of numbers separated by tabs, the first of which is the time, "
            "found none; `reader='NAME'` chooses another reader."
        )
    tables = read_tables(path, layout)
    headings = [_Heading.parse(table.header) for table in tables]
    names, units = _titles(layout, headings[0], path)
    clocks = [
        _clock(table, heading, path, layout, options) for table, heading in zip(tables, headings, strict=True)
    ]
    starts = _block_starts(clocks, headings)
    traces = [
        RawTrace(
            channel=name,
            sweep=sweep,
            source=ArraySource(table.columns[column]),
            unit_label=unit,
            sampling_rate_hz=clocks[sweep].sampling_rate_hz,
            start_s=starts[sweep],
        )
        for sweep, table in enumerate(tables)
        for column, (name, unit) in enumerate(zip(names, units, strict=True), start=1)
    ]
    return FileContents(
        reader_version=TEXT_READER_VERSION,
        format="text in columns separated by tabs (LabChart)",
        traces=tuple(traces),
        files=(path,),
        session_start=headings[0].start_time,
        annotations={key: " ".join(values) for key, values in headings[0].entries.items()},
        ancillary=AncillaryData(events=_comments(tables, clocks, starts)),
        notes=unfinished_line_notes(path),
    )


def _titles(layout: TextLayout, heading: _Heading, path: Path) -> tuple[list[str], list[str]]:
    """Return the names and units of the channels, which are all columns but the first."""
    n_channels = layout.n_columns - 1
    if layout.titles:
        if len(layout.titles) != layout.n_columns:
            raise ReadError(
                f"{path.name}: expected a title for each of the {layout.n_columns} columns, "
                f"found {len(layout.titles)}; correct the line of titles."
            )
        pairs = [split_title(title, parse_unit) for title in layout.titles[1:]]
        return unique_names([name for name, _ in pairs]), [unit for _, unit in pairs]
    units = [
        # A range consists of a number and a unit: "10,000 V".
        unit or span.lstrip("+-±0123456789.,eE \xa0")
        for unit, span in zip(
            heading.values("UnitName", n_channels), heading.values("Range", n_channels), strict=True
        )
    ]
    return unique_names(heading.values("ChannelTitle", n_channels)), units


def _clock(
    table: NumberTable, heading: _Heading, path: Path, layout: TextLayout, options: ReadOptions
) -> Clock:
    """Read the times of a block, and check them against its heading."""
    # Below a heading, LabChart prints the time in seconds, without a title.
    unit = time_unit_in_title(layout.titles, 0) or ("s" if "Interval" in heading.entries else "")
    clock = read_clock(table, path, column=0, unit_label=unit, sampling_rate_hz=options.sampling_rate_hz)
    stated = heading.interval_s
    if stated and options.sampling_rate_hz is None and abs(stated * clock.sampling_rate_hz - 1) > 1e-3:
        raise ReadError(
            f"{path.name}: its heading states an interval of {stated:g} s, but its times are "
            f"{1 / clock.sampling_rate_hz:g} s apart; pass `sampling_rate_hz=HZ` to say which is right."
        )
    return clock


def _block_starts(clocks: list[Clock], headings: list[_Heading]) -> list[float]:
    """Return the start of each block: by its times if they increase over blocks, else by the headings."""
    times_increase = all(later.start_s >= earlier.stop_s for earlier, later in pairwise(clocks))
    dates = [heading.start_time for heading in headings]
    first = dates[0]
    if times_increase or first is None or None in dates:
        return [clock.start_s for clock in clocks]
    return [
        clock.start_s + (date - first).total_seconds()
        for clock, date in zip(clocks, dates, strict=True)
        if date is not None
    ]


def _comments(tables: list[NumberTable], clocks: list[Clock], starts: list[float]) -> tuple[PointEvents, ...]:
    """Return the comments as events, each at the time of the sample on its line."""
    return tuple(
        PointEvents(
            name="comments",
            sweep=sweep,
            times_s=start_s + np.array([row for row, _ in table.comments]) / clock.sampling_rate_hz,
            labels=tuple(text for _, text in table.comments),
        )
        for sweep, (table, clock, start_s) in enumerate(zip(tables, clocks, starts, strict=True))
        if table.comments
    )


def _claims(path: Path) -> bool:
    layout = sniff_layout(path)
    return layout is not None and layout.separator == "\t"


def _resembles_recording(path: Path) -> bool:
    layout = sniff_layout(path)
    if layout is None or layout.separator != "\t":
        return False
    # Event tables often begin with a row number, which is evenly spaced too.
    has_time = (
        bool(time_unit_in_title(layout.titles, 0)) or "Interval" in _Heading.parse(layout.header).entries
    )
    return has_time and has_even_times(layout, column=0)


LABCHART = ReaderEntry(
    name="labchart",
    description="text separated by tabs, as exported from LabChart",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labchart,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
