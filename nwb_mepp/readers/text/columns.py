"""What each column of a table holds: the time, a channel, labels, or nothing that is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.text.heading import Heading
from nwb_mepp.readers.text.layout import TextLayout, split_title
from nwb_mepp.readers.text.time_column import rises_evenly

__all__ = ["ChannelColumn", "Columns", "find_columns", "time_unit_in_title"]

_LABEL_TITLES = frozenset({"label", "labels"})
# Titles that programs give to a first column of row numbers.
_INDEX_TITLES = frozenset(
    {"", "#", "idx", "index", "n", "no", "no.", "nr", "nr.", "row", "sample", "unnamed: 0"}
)
_TIME_WORDS = frozenset(
    {"aika", "czas", "elapsed", "t", "temps", "tempo", "tid", "tiempo", "tijd", "time", "times", "timestamp"}
    | {"timestamps", "zaman", "zeit", "čas", "χρόνος", "время", "час", "时间", "時間"}
)
# A word for a repetition, then its number.
_SWEEP = re.compile(
    r"(.*?)[\s_,;:/-]*\b_?(?:sweep|trace|trial|episode|segment|repetition|rep|swp)[\s_#:-]*(\d+)[\s_,;:/-]*(.*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class ChannelColumn:
    """A column of samples.

    Attributes
    ----------
    column : int
    name, unit : str
        As titled; the unit is empty if there is none.
    sweep : int
        Number of the sweep among those side by side, from 0.
    """

    column: int
    name: str
    unit: str
    sweep: int = 0


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a block by what they hold.

    Attributes
    ----------
    time : int or None
        None if there are no printed times.
    time_unit : str
        Empty if it is not stated.
    channels : tuple of ChannelColumn
    labels : int or None
    """

    time: int | None
    time_unit: str
    channels: tuple[ChannelColumn, ...]
    labels: int | None = None

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps side by side."""
        return 1 + max((one.sweep for one in self.channels), default=0)


def find_columns(
    layout: TextLayout, *, titles: Sequence[str], heading: Heading, n_columns: int, clocks: frozenset[int]
) -> Columns:
    """Say what the columns of a block hold.

    The first column holds the time if its title or its cells say so, or if it has no title with a unit and
    its numbers rise evenly. Row numbers and dates before it are passed over.

    Parameters
    ----------
    layout : TextLayout
        With the first rows of the file.
    titles : sequence of str
        Of this block; empty if there are none.
    heading : Heading
        Of LabChart, above the block; if it states an interval, it also says how many channels there are.
    n_columns : int
    clocks : frozenset of int
        Columns with times of the clock.

    Raises
    ------
    ValueError
        If titles and columns do not match, or none holds samples; the message says what was expected, what
        was found and what to do.
    """
    titles = list(titles)
    first = 0
    if titles and len(titles) == n_columns - 1 and _counts(layout, 0):
        titles, first = ["", *titles], 1  # R writes the names of rows, but no title for them
    if titles and len(titles) != n_columns:
        raise ValueError(
            f"expected a title for each of the {n_columns} columns, found {len(titles)}; correct the line of "
            "titles."
        )
    first += _n_passed_over(layout, titles[first:], first, n_columns)
    time, unit = None, ""
    if first in clocks or _is_time(layout, titles, heading, first, n_columns):
        # Below a heading, LabChart prints the time in seconds, without a title; so does a clock.
        in_title = "" if first in clocks else time_unit_in_title(titles, first)
        time, unit = first, in_title or ("s" if first in clocks or heading.interval_s else "")
        first += 1
    others = range(first, n_columns)
    labels = [column for column in others if titles and titles[column].lower() in _LABEL_TITLES]
    channels = [column for column in others if column not in labels]
    _check_channels(channels, labels, titles, heading)
    pairs = (
        [split_title(titles[column], parse_unit) for column in channels]
        if titles
        else heading.titles(len(channels))
    )
    return Columns(
        time=time,
        time_unit=unit,
        channels=_channels(channels, pairs),
        labels=labels[0] if labels else None,
    )


def _n_passed_over(layout: TextLayout, titles: Sequence[str], first: int, n_columns: int) -> int:
    """Return how many columns before the time hold dates or row numbers."""
    column = first
    while column < n_columns - 1 and layout.are_dates(column):
        column += 1
    is_index = bool(titles) and column < n_columns - 1 and titles[column - first].lower() in _INDEX_TITLES
    return column - first + (1 if is_index and _counts(layout, column) else 0)


def _check_channels(
    channels: Sequence[int], labels: Sequence[int], titles: Sequence[str], heading: Heading
) -> None:
    times = [titles[column] for column in channels if time_unit_in_title(titles, column)]
    if len(labels) > 1 or times or not channels:
        found = f"another column of times, {times[0]!r}" if times else f"{len(channels)} channels"
        raise ValueError(
            "expected one column of times, at least one channel and at most one column of labels, found "
            f"{found} and {len(labels)} columns of labels; drop the columns that are not needed."
        )
    if not titles and heading.n_channels > len(channels):
        raise ValueError(
            f"expected a column for each of the {heading.n_channels} channels in the heading, found "
            f"{len(channels)} besides the time; export the recording again."
        )


def time_unit_in_title(titles: Sequence[str], column: int) -> str:
    """Return the unit of time in the title of a column, or an empty string if there is none.

    Parameters
    ----------
    titles : sequence of str
    column : int
    """
    if column >= len(titles):
        return ""
    unit = split_title(titles[column], parse_time_unit, shortest=1)[1]
    is_unit_alone = len(titles[column]) > 1 and parse_time_unit(titles[column]) is not None
    return unit or (titles[column] if is_unit_alone else "")


def _is_time(
    layout: TextLayout, titles: Sequence[str], heading: Heading, column: int, n_columns: int
) -> bool:
    """Return whether a column holds the time."""
    if column < len(titles):
        if time_unit_in_title(titles, column):
            return True
        if split_title(titles[column], parse_unit)[1]:
            return False
        if re.split(r"[\W\d_]+", titles[column].lower())[0] in _TIME_WORDS:
            return True
    if n_columns - column < 2:
        return False
    if not titles and heading.interval_s and heading.n_channels:
        return n_columns - column > heading.n_channels
    return rises_evenly(layout.numbers(column))


def _counts(layout: TextLayout, column: int) -> bool:
    """Return whether a column numbers the rows."""
    numbers = layout.numbers(column)
    return len(numbers) > 1 and all(later - earlier == 1 for earlier, later in pairwise(numbers))


def _channels(columns: Sequence[int], pairs: Sequence[tuple[str, str]]) -> tuple[ChannelColumn, ...]:
    """Return the channels; columns whose titles differ in the number of a sweep are one channel."""
    found = [_SWEEP.fullmatch(name) for name, _ in pairs]
    sweeps = [int(match[2]) for match in found if match]
    if len(sweeps) == len(pairs) > 1:
        names = [" ".join(filter(None, (match[1], match[3]))).strip(" ()[]") for match in found if match]
        keys = [(name, unit) for name, (_, unit) in zip(names, pairs, strict=True)]
        numbers = sorted(set(sweeps))
        if len(numbers) > 1 and len(set(zip(keys, sweeps, strict=True))) == len(numbers) * len(
            set(keys)
        ) == len(keys):
            channels = list(dict.fromkeys(keys))
            unique = dict(zip(channels, unique_names([name for name, _ in channels]), strict=True))
            return tuple(
                ChannelColumn(column=column, name=unique[key], unit=key[1], sweep=numbers.index(sweep))
                for column, key, sweep in zip(columns, keys, sweeps, strict=True)
            )
    unique_list = unique_names([name for name, _ in pairs])
    return tuple(
        ChannelColumn(column=column, name=name, unit=unit)
        for column, name, (_, unit) in zip(columns, unique_list, pairs, strict=True)
    )
