"""Channels without a unit in files whose other channels have one: fit coefficients, digital lines."""

from __future__ import annotations

from dataclasses import replace

from nwb_mepp.core.units import parse_unit
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.options import ReadOptions

__all__ = ["drop_unitless_channels"]

_MAX_NAMED = 5


def drop_unitless_channels(contents: FileContents, options: ReadOptions) -> FileContents:
    """Drop channels without a unit if other channels have one, and add a note.

    An Igor experiment stores fit coefficients as ordinary waves, and an amplifier its digital lines as
    channels; these have no unit. If no channel has a unit, all are kept, and the user is asked to state it.

    Parameters
    ----------
    contents : FileContents
    options : ReadOptions
        Channels for which ``options.unit`` names a unit are kept.

    Returns
    -------
    FileContents
    """
    labels = {trace.channel: trace.unit_label for trace in reversed(contents.traces)}
    with_unit = {
        channel
        for channel, label in labels.items()
        if parse_unit(label) is not None or channel in options.unit
    }
    without_unit = [channel for channel in contents.channels if channel not in with_unit]
    if not with_unit or not without_unit:
        return contents
    first = ", ".join(map(repr, without_unit[:_MAX_NAMED]))
    more = f" and {len(without_unit) - _MAX_NAMED} more" if len(without_unit) > _MAX_NAMED else ""
    note = f"Left out because they have no unit: {first}{more}; state a unit to keep one."
    return replace(
        contents,
        traces=tuple(trace for trace in contents.traces if trace.channel in with_unit),
        notes=(note, *contents.notes),
    )
