"""Text as LabChart exports it: columns separated by tabs, decimal commas or points, any language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from nwb_mepp.core.ancillary import Ancillary, PointEvents
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, StatedTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout, split_title
from nwb_mepp.readers.text.rows import NumberTable, read_tables
from nwb_mepp.readers.text.traces import OWN_VERSION, Clock, looks_even, notes_on_end, read_clock, time_title
from nwb_mepp.readers.units import parse_time_unit, parse_unit

__all__ = ["LABCHART", "read_labchart"]

# Days are counted from here in the times that LabChart takes from Excel.
_EXCEL_EPOCH = datetime(1899, 12, 30)
# A day number with fewer digits ("4.0234e+004") is not even good for the hour.
_MIN_DIGITS_OF_DATE = 10


@dataclass(frozen=True)
class _Heading:
    """The lines ``Key=<tab>value...`` that LabChart puts before a block, by key."""

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
        """Return that many values, empty ones where the file has fewer."""
        found = self.entries.get(key, [])
        return (found + [""] * n_values)[:n_values]

    @property
    def begins_at(self) -> datetime | None:
        """When the block began, if stated to better than a second."""
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
        """The sampling interval, if stated with its unit (``Interval=<tab>0,0001 s``)."""
        number, _, unit = self.values("Interval", 1)[0].partition(" ")
        per_second = parse_time_unit(unit)
        try:
            return float(number.replace(",", ".")) / per_second if per_second else None
        except ValueError:
            return None


def read_labchart(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by tabs, the first of them the time.

    Names and units come from the titles of the columns (``Время, s<TAB>Канал 1, V``, ``Time (s)<TAB>Vm
    (mV)``) or from LabChart's own heading (``ChannelTitle=``, ``UnitName=``, ``Range=``). Every block of
    recording, under a heading of its own, is a sweep.

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
    if layout is None or layout.separator != "\t":
        raise ReadError(
            f"{path.name}: expected columns of numbers separated by tabs, the first of them the time, "
            "found none; `reader='NAME'` chooses another reader."
        )
    tables = read_tables(path, layout)
    headings = [_Heading.parse(table.header) for table in tables]
    names, units = _titles(layout, headings[0], path)
    clocks = [
        _clock(table, heading, path, layout, options) for table, heading in zip(tables, headings, strict=True)
    ]
    starts = _starts(clocks, headings)
    traces = [
        StatedTrace(
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
        reader_version=OWN_VERSION,
        format="text in columns separated by tabs (LabChart)",
        traces=tuple(traces),
        parts=(path,),
        session_start=headings[0].begins_at,
        annotations={key: " ".join(values) for key, values in headings[0].entries.items()},
        ancillary=Ancillary(events=_comments(tables, clocks, starts)),
        notes=notes_on_end(path),
    )


def _titles(layout: TextLayout, heading: _Heading, path: Path) -> tuple[list[str], list[str]]:
    """Return names and units of the channels, all columns but the first."""
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
        # A range is a number and a unit: "10,000 V".
        unit or span.lstrip("+-±0123456789.,eE \xa0")
        for unit, span in zip(
            heading.values("UnitName", n_channels), heading.values("Range", n_channels), strict=True
        )
    ]
    return unique_names(heading.values("ChannelTitle", n_channels)), units


def _clock(
    table: NumberTable, heading: _Heading, path: Path, layout: TextLayout, options: ReadOptions
) -> Clock:
    """Read the times of a block; what its heading says must agree."""
    # Under a heading of its own LabChart prints the time in seconds, without a title.
    unit = time_title(layout.titles, 0) or ("s" if "Interval" in heading.entries else "")
    clock = read_clock(table, path, column=0, unit_label=unit, sampling_rate_hz=options.sampling_rate_hz)
    stated = heading.interval_s
    if stated and options.sampling_rate_hz is None and abs(stated * clock.sampling_rate_hz - 1) > 1e-3:
        raise ReadError(
            f"{path.name}: its heading states an interval of {stated:g} s, its times are "
            f"{1 / clock.sampling_rate_hz:g} s apart; pass `sampling_rate_hz=HZ` to say which is right."
        )
    return clock


def _starts(clocks: list[Clock], headings: list[_Heading]) -> list[float]:
    """Return when each block began: its own times where they go on, else the dates of the headings."""
    times_go_on = all(later.start_s >= earlier.stop_s for earlier, later in pairwise(clocks))
    dates = [heading.begins_at for heading in headings]
    first = dates[0]
    if times_go_on or first is None or None in dates:
        return [clock.start_s for clock in clocks]
    return [
        clock.start_s + (date - first).total_seconds()
        for clock, date in zip(clocks, dates, strict=True)
        if date is not None
    ]


def _comments(tables: list[NumberTable], clocks: list[Clock], starts: list[float]) -> tuple[PointEvents, ...]:
    """Return the comments as events at the samples beside which they stand."""
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
    # Tables of events often begin with a column that counts the rows, which is even, too.
    has_time = bool(time_title(layout.titles, 0)) or "Interval" in _Heading.parse(layout.header).entries
    return has_time and looks_even(layout, column=0)


LABCHART = ReaderEntry(
    name="labchart",
    description="text with tabs, as LabChart exports it",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labchart,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
