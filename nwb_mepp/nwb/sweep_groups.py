"""Which series are sweeps of one channel: as this package wrote them, or by their electrode."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nwb_mepp.nwb.file_interface import NwbContents, Series, type_name
from nwb_mepp.nwb.series_paths import Place
from nwb_mepp.nwb.signals import UnsuitableError, n_columns, time_span

__all__ = ["SweepOf", "parse_comment", "sweeps_of_channels"]

_NUMBER = re.compile(r"\d+")
# Without an electrode only a name that speaks of sweeps tells a sweep from another channel or cell.
_SWEEP_WORD = re.compile(r"(?<![a-z])(?:sweep|segment|episode|trial|trace)s?[ _-]?\d+", re.IGNORECASE)

# What nwb-mepp writes to TimeSeries.comments: the name of the channel, which the name of the series cannot
# always keep ("/"), the order of the channels, and which series are sweeps of one channel.
_COMMENT = re.compile(
    r"channel=(?P<channel>.*); channel_number=(?P<number>\d+); sweep=(?P<sweep>\d+)", re.DOTALL
)


def parse_comment(comments: str) -> tuple[str, int, int] | None:
    """Return channel, channel number and sweep from the comments of a series; None if not from nwb-mepp.

    Examples
    --------
    >>> parse_comment("channel=I/V; no. 1; channel_number=0; sweep=12")
    ('I/V; no. 1', 0, 12)
    >>> parse_comment("no comments")
    """
    match = _COMMENT.fullmatch(comments)
    return (match["channel"], int(match["number"]), int(match["sweep"])) if match else None


@dataclass(frozen=True, kw_only=True)
class SweepOf:
    """The channel of a series, its order among the channels, and the number of the sweep.

    Attributes
    ----------
    channel : str
    order : int
    sweep : int
    stem : str or None
        Of the names of the tables on this channel, if it is not that of the series.
    """

    channel: str
    order: int
    sweep: int
    stem: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Member:
    """A series that may be a sweep."""

    name: str
    order: int
    start_s: float
    stop_s: float
    sweep_number: int | None
    row: int | None


def sweeps_of_channels(file: NwbContents, places: Sequence[Place]) -> dict[str, SweepOf]:
    """Return the channel of each series that is a sweep of several, or was written by this package.

    Series of one electrode, type, unit and rate are sweeps of one channel, named after the electrode, if they
    follow each other in time, differ in their number of sweep, or stand in different rows of the table of
    intracellular recordings. Without electrode, the names have to be equal but for the number of a sweep.

    Parameters
    ----------
    file : NwbContents
    places : sequence of Place
        Of all series.

    Returns
    -------
    dict of str to SweepOf
        By the name of the series.
    """
    own = _own_series(file)
    others = [
        (order, place.name, place.content)
        for order, place in enumerate(places)
        if place.recorded and place.name not in own and isinstance(place.content, Series)
    ]
    rows = _rows_of_recordings(file) if others else {}
    candidates: dict[tuple[Any, ...], list[_Member]] = {}
    for order, name, series in others:
        member = _member(name, order, series, rows)
        key = None if member is None else _key(name, series)
        if key is not None and member is not None:
            candidates.setdefault(key, []).append(member)
    found = dict(own)
    taken = {place.name for place in places} | {one.channel for one in own.values()}
    for key, members in candidates.items():
        for group in _groups(members):
            channel = _free(_title(key, group), key, taken=taken)
            taken.add(channel)
            ordered = sorted(group, key=lambda one: (one.start_s, one.sweep_number or 0, one.order))
            found |= {
                one.name: SweepOf(channel=channel, order=group[0].order, sweep=sweep, stem=channel)
                for sweep, one in enumerate(ordered)
            }
    return found


def _own_series(file: NwbContents) -> dict[str, SweepOf]:
    """Return channel, number and sweep of the series that this package wrote."""
    parsed = {
        name: parse_comment(getattr(one, "comments", None) or "") for name, one in file.acquisition.items()
    }
    own = {name: found for name, found in parsed.items() if found is not None}
    # A file merged from several can hold the same channel and sweep twice; then their series' names count.
    counts = Counter((channel, sweep) for channel, _, sweep in own.values())
    return {
        name: SweepOf(channel=channel, order=number, sweep=sweep)
        for name, (channel, number, sweep) in own.items()
        if counts[channel, sweep] == 1
    }


def _rows_of_recordings(file: NwbContents) -> dict[str, int]:
    """Map the identifier of each response to what was recorded at one time, by the intracellular tables."""
    table = file.intracellular_recordings
    if table is None:
        return {}
    together: dict[int, int] = {}
    simultaneous = file.icephys_simultaneous_recordings
    if simultaneous is not None:
        for number in range(len(simultaneous)):
            rows = simultaneous["recordings"].target.data[slice(*_bounds(simultaneous["recordings"], number))]
            together |= {int(row): number for row in rows}
    found: dict[str, int] = {}
    responses = table.category_tables["responses"]["response"]
    for row in range(len(responses)):
        series = responses[row].timeseries
        if series is not None:
            # Rows that no simultaneous recording names were recorded at a time of their own.
            found[series.object_id] = together.get(row, -1 - row)
    return found


def _bounds(index: Any, number: int) -> tuple[int, int]:
    return (int(index.data[number - 1]) if number else 0), int(index.data[number])


def _key(name: str, series: Series) -> tuple[Any, ...] | None:
    """Return what sweeps of one channel have in common, beginning with the name of the channel."""
    common = (type_name(series), str(series.unit), series.rate, n_columns(series))
    electrode, region = getattr(series, "electrode", None), getattr(series, "electrodes", None)
    if electrode is not None:
        return (electrode.name, *common)
    pattern = _NUMBER.sub("#", name)
    if region is not None:
        return ("", *common, pattern, tuple(int(row) for row in region.data[:]))
    return ("", *common, pattern) if _SWEEP_WORD.search(name) else None


def _member(name: str, order: int, series: Series, rows: Mapping[str, int]) -> _Member | None:
    try:
        span_s = time_span(series)
    except UnsuitableError:
        return None
    if span_s is None:
        return None
    number = getattr(series, "sweep_number", None)
    return _Member(
        name=name,
        order=order,
        start_s=span_s[0],
        stop_s=span_s[1],
        sweep_number=None if number is None else int(number),
        row=rows.get(series.object_id),
    )


def _groups(members: list[_Member]) -> Iterator[list[_Member]]:
    """Return the series that are sweeps of each other: all of them, or else those of like names."""
    if _are_sweeps(members):
        yield members
        return
    alike: dict[str, list[_Member]] = {}
    for one in members:
        alike.setdefault(_NUMBER.sub("#", one.name), []).append(one)
    yield from (group for group in alike.values() if len(group) < len(members) and _are_sweeps(group))


def _are_sweeps(members: Sequence[_Member]) -> bool:
    if len(members) < 2:
        return False
    ordered = sorted(members, key=lambda one: one.start_s)
    follow = all(
        # Times are rounded to the microsecond in some files.
        later.start_s >= earlier.stop_s - 1e-5
        for earlier, later in itertools.pairwise(ordered)
    )
    return follow or any(_differ(getattr(one, name) for one in members) for name in ("sweep_number", "row"))


def _differ(numbers: Iterable[int | None]) -> bool:
    found = list(numbers)
    return None not in found and len(set(found)) == len(found)


def _title(key: tuple[Any, ...], group: Sequence[_Member]) -> str:
    if key[0]:
        return str(key[0])
    name = _NUMBER.sub("", group[0].name) if not _SWEEP_WORD.search(group[0].name) else ""
    name = name or _SWEEP_WORD.sub("", group[0].name)
    return name.strip(" _-/") or "sweeps"


def _free(title: str, key: tuple[Any, ...], *, taken: set[str]) -> str:
    """Return a name that no channel has yet, by the type of the series and their rate if need be."""
    if title not in taken:
        return title
    kind = str(key[1]).removesuffix("Series")
    rate = f" {key[3]:g} Hz" if key[3] else ""
    choices = [f"{title} {kind}", f"{title} {kind}{rate}"]
    choices += [f"{title} {kind} {number}" for number in range(2, len(taken) + 3)]
    return next(one for one in choices if one not in taken)
