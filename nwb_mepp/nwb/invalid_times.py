"""The table of time that does not count: what was stated for all channels, and what was found on each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import h5py
import numpy as np

from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.results import ChannelResult, LeftOut
from nwb_mepp.nwb.file_interface import NwbContents

if TYPE_CHECKING:
    from pynwb import NWBFile
    from pynwb.epoch import TimeIntervals

__all__ = [
    "BY_HAND",
    "INVALID_TIMES_PATH",
    "InvalidTime",
    "add_found",
    "found_on",
    "invalid_times_table",
    "read_excluded",
    "read_found",
    "stated_times",
    "take_found",
]

INVALID_TIMES_PATH = "intervals/invalid_times"
# The reason of a stretch that a person left out, which holds for all channels.
BY_HAND = "left out in review"
_TIMES = ("start_time", "stop_time")
_FOUND = {
    "reason": "Why the stretch was left out.",
    "channel": "Channel on which nwb-mepp found it, and finds it anew; empty for what holds for all.",
}


class InvalidTime(NamedTuple):
    """A row of the table; a channel is named where the stretch was found by looking at its samples."""

    start_s: float
    stop_s: float
    reason: str = ""
    channel: str = ""


def invalid_times_table(rows: Iterable[InvalidTime | tuple[float, float]]) -> TimeIntervals | None:
    """Return the table of stretches that were left out, or None if there are none.

    Stretches that hold for all channels are merged where they overlap; those that a person left out in
    review stay apart from the others, so that they can be taken back.

    Examples
    --------
    >>> table = invalid_times_table([(5.0, 6.0), (0.0, 1.0), (5.5, 7.0), (0.0, 1.0)])
    >>> table["start_time"][:], table["stop_time"][:]
    (array([0., 5.]), array([1., 7.]))
    """
    from hdmf.common import VectorData
    from pynwb.epoch import TimeIntervals

    given = [InvalidTime(*row) for row in rows]
    stated = [one for one in given if not one.channel]
    by_hand, others = ([one for one in stated if (one.reason == BY_HAND) is is_so] for is_so in (True, False))
    merged = sorted(_merged(others) + _merged(by_hand) + [one for one in given if one.channel])
    if not merged:
        return None
    columns = [
        VectorData(
            name="start_time",
            description="Start from the session start. Unit: s.",
            data=np.array([one.start_s for one in merged]),
        ),
        VectorData(
            name="stop_time",
            description="End from the session start. Unit: s.",
            data=np.array([one.stop_s for one in merged]),
        ),
    ]
    if any(one.reason or one.channel for one in merged):
        columns += [
            VectorData(name=name, description=description, data=[getattr(one, name) for one in merged])
            for name, description in _FOUND.items()
        ]
    return TimeIntervals(
        name="invalid_times",
        description="Stretches left out of the analysis.",
        columns=columns,
        colnames=[column.name for column in columns],
    )


def _merged(stated: Iterable[InvalidTime]) -> list[InvalidTime]:
    merged: list[InvalidTime] = []
    for one in sorted(stated):
        if one.stop_s <= one.start_s:
            continue
        if merged and one.start_s < merged[-1].stop_s:
            merged[-1] = merged[-1]._replace(stop_s=max(merged[-1].stop_s, one.stop_s))
        else:
            merged.append(one)
    return merged


def found_on(results: Sequence[ChannelResult]) -> list[InvalidTime]:
    """Return what was found to be of no use on the channels of some results, each stretch once."""
    rows = (InvalidTime(*one, result.mepps.channel) for result in results for one in result.left_out)
    return list(dict.fromkeys(rows))


def _rows(file: NwbContents) -> list[InvalidTime]:
    table = file.invalid_times
    if table is None:
        return []
    texts = [table[name][:] if name in table.colnames else [""] * len(table) for name in _FOUND]
    times = (table[name][:] for name in _TIMES)
    return [
        InvalidTime(float(start_s), float(stop_s), str(reason), str(channel))
        for start_s, stop_s, reason, channel in zip(*times, *texts, strict=True)
    ]


def stated_times(file: NwbContents) -> tuple[tuple[float, float], ...]:
    """Return the invalid times of a file, without those that this package finds anew in its channels."""
    return tuple((one.start_s, one.stop_s) for one in _rows(file) if not (one.channel and one.reason))


def read_found(file: NwbContents, channel: str) -> tuple[LeftOut, ...]:
    """Return what this package found to be of no use on a channel."""
    return tuple(
        LeftOut(one.start_s, one.stop_s, one.reason)
        for one in _rows(file)
        if one.channel == channel and one.reason
    )


def read_excluded(file: NwbContents) -> list[tuple[float, float]]:
    """Return the stretches that a person left out in review, in seconds from the session start."""
    return [(one.start_s, one.stop_s) for one in _rows(file) if one.reason == BY_HAND and not one.channel]


def take_found(
    handle: h5py.File,
    results: Sequence[ChannelResult],
    *,
    by_hand: Sequence[tuple[float, float]] | None = None,
) -> list[InvalidTime] | None:
    """Remove the table from an open file if it is to be written anew.

    Parameters
    ----------
    handle : h5py.File
    results : sequence of ChannelResult
        Those of detectors replace what was found on their channels.
    by_hand : sequence of (start_s, stop_s), optional
        What a person leaves out, instead of what was left out by hand before; by default that stays.

    Returns
    -------
    list of InvalidTime or None
        What the new table must hold. None leaves the file as it is: nothing changes, or another program
        wrote columns that a new table would lose.

    Raises
    ------
    OutputError
        If something is to be left out by hand and the table has columns of another program.
    """
    found = [result for result in results if result.curation is None]
    channels = {result.mepps.channel for result in found}
    new = found_on(found) + [InvalidTime(*one, BY_HAND) for one in by_hand or ()]
    group = handle.get(INVALID_TIMES_PATH)
    if group is None:
        return new or None
    columns = [column for column in group if column != "id"]
    if not set(columns) <= {*_TIMES, *_FOUND}:
        if by_hand:
            raise OutputError(
                f"expected only the columns of nwb-mepp in /{INVALID_TIMES_PATH}, found "
                f"{', '.join(sorted(set(columns) - {*_TIMES, *_FOUND}))}, which would be lost; add the "
                "stretches to that table with the program that wrote it, and take them back here."
            )
        return None
    texts = [
        group[name].asstr()[:].tolist() if name in group else [""] * len(group["start_time"])
        for name in _FOUND
    ]
    times = (group[name][:].tolist() for name in _TIMES)
    old = [InvalidTime(*row) for row in zip(*times, *texts, strict=True)]
    kept = [one for one in old if one.channel not in channels]
    if by_hand is not None:
        kept = [one for one in kept if one.channel or one.reason != BY_HAND]
    if sorted([*kept, *new]) == sorted(old):
        return None
    del handle[INVALID_TIMES_PATH]
    return [*kept, *new]


def add_found(file: NWBFile, results: Sequence[ChannelResult]) -> None:
    """Add what was found to be of no use to a file in memory that has no invalid times yet."""
    if file.invalid_times is None and (table := invalid_times_table(found_on(results))) is not None:
        file.invalid_times = table
