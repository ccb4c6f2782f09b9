"""Channels without a unit beside channels that have one: settings, fit coefficients, digital lines."""

from __future__ import annotations

from dataclasses import replace

from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.units import parse_unit

__all__ = ["without_unlabeled"]

_MAX_NAMED = 5


def without_unlabeled(contents: FileContents, options: ReadOptions) -> FileContents:
    """Leave out the channels without a unit, with a note, where others have one.

    An Igor experiment keeps fit coefficients as waves like any other, and an amplifier its digital lines as
    channels; nobody can state a unit for them. Where no channel has a unit, all are kept: then the user is
    asked for it.

    Parameters
    ----------
    contents : FileContents
    options : ReadOptions
        A channel for which ``options.unit`` names a unit is kept.

    Returns
    -------
    FileContents
    """
    labels = {trace.channel: trace.unit_label for trace in reversed(contents.traces)}
    labeled = {
        channel
        for channel, label in labels.items()
        if parse_unit(label) is not None or channel in options.unit
    }
    unlabeled = [channel for channel in contents.channels if channel not in labeled]
    if not labeled or not unlabeled:
        return contents
    first = ", ".join(map(repr, unlabeled[:_MAX_NAMED]))
    more = f" and {len(unlabeled) - _MAX_NAMED} more" if len(unlabeled) > _MAX_NAMED else ""
    note = f"Left out, for want of a unit: {first}{more}; state a unit to keep one."
    return replace(
        contents,
        traces=tuple(trace for trace in contents.traces if trace.channel in labeled),
        notes=(note, *contents.notes),
    )
