"""The heading that LabChart writes above each block of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nwb_mepp.core.units import parse_time_unit

__all__ = ["Heading"]

# Day 0 of the Excel dates that LabChart writes.
_EXCEL_EPOCH = datetime(1899, 12, 30)
# A date with fewer digits ("4.0234e+004") does not even give the hour.
_MIN_DIGITS_OF_DATE = 10
_OF_CHANNELS = ("ChannelTitle", "Range", "UnitName", "TopValue", "BottomValue")


@dataclass(frozen=True)
class Heading:
    """The lines ``Key=<tab>value...`` above a block, by key.

    Attributes
    ----------
    entries : mapping of str to list of str
    """

    entries: Mapping[str, list[str]]

    @classmethod
    def parse(cls, lines: Sequence[str], *, separator: str = "\t") -> Heading:
        """Return the heading in some lines; those of another form are skipped.

        Parameters
        ----------
        lines : sequence of str
        separator : str
            Of the values, a tab unless the columns are separated otherwise.
        """
        between = None if separator == " " else separator or "\t"
        entries = {}
        for line in lines:
            key, equals, values = line.partition("=")
            key = key.strip(' "')
            if equals and key and "\t" not in key:
                kept = values.strip(" \r\n").removeprefix(between or "")
                entries[key] = [value.strip(' "') for value in kept.split(between)] or [""]
        return cls(entries)

    def following(self, earlier: Heading) -> Heading:
        """Return the heading of a later block: one that says nothing of channels repeats the earlier one."""
        if any(key in self.entries for key in _OF_CHANNELS):
            return self
        of_channels = {key: earlier.entries[key] for key in _OF_CHANNELS if key in earlier.entries}
        return replace(self, entries={**of_channels, **self.entries})

    def values(self, key: str, n_values: int) -> list[str]:
        """Return ``n_values`` values of an entry, padded with empty strings."""
        found = self.entries.get(key, [])
        return (found + [""] * n_values)[:n_values]

    @property
    def n_channels(self) -> int:
        """For how many channels it has a title, a range or a unit."""
        stated = (self.entries.get(key, []) for key in _OF_CHANNELS)
        return max(n for values in stated for n, value in enumerate(["0", *values]) if value)

    def titles(self, n_channels: int) -> list[tuple[str, str]]:
        """Return name and unit of each channel, empty where they are not stated."""
        units = [
            # A range consists of a number and a unit: "10,000 V".
            unit or span.lstrip("+-±0123456789.,eE \xa0")
            for unit, span in zip(
                self.values("UnitName", n_channels), self.values("Range", n_channels), strict=True
            )
        ]
        return list(zip(self.values("ChannelTitle", n_channels), units, strict=True))

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
        number, _, unit = " ".join(self.entries.get("Interval", [])).strip().partition(" ")
        per_second = parse_time_unit(unit)
        try:
            interval_s = float(number.replace(",", ".")) / per_second if per_second else 0.0
        except ValueError:
            return None
        return interval_s if interval_s > 0 else None

    @property
    def gives_time_of_day(self) -> bool:
        """Whether the printed times are those of the day, not those since the start."""
        return "day" in self.values("TimeFormat", 1)[0].lower()
