"""Converting what a file holds besides its traces to the clock and the units of the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nwb_mepp.core.ancillary import (
    AncillaryData,
    AncillaryItem,
    Epochs,
    IrregularTrace,
    PointEvents,
    SpikeTimes,
)
from nwb_mepp.core.command import Command
from nwb_mepp.core.units import parse_unit
from nwb_mepp.readers.options import ReadOptions

__all__ = ["interpret_ancillary"]

_Item = TypeVar("_Item", PointEvents, Epochs, SpikeTimes, IrregularTrace, Command)


def interpret_ancillary(
    ancillary: AncillaryData, *, shifts_s: Mapping[int, float], options: ReadOptions
) -> tuple[AncillaryData, list[str]]:
    """Convert ancillary data to the clock and the units of the recording.

    Parameters
    ----------
    ancillary : AncillaryData
        As stored in the file.
    shifts_s : mapping of int to float
        How far each sweep with samples is shifted, by number of the sweep.
    options : ReadOptions

    Returns
    -------
    ancillary : AncillaryData
    notes : list of str
        One sentence for each reason to leave something out.
    """
    if options.sampling_rate_hz is not None and ancillary.describe():
        return AncillaryData(), [
            "Left out, because the stated sampling rate replaces the clock that timed them: "
            f"{ancillary.describe()}."
        ]
    kept, notes = _shifted(ancillary, shifts_s)
    irregular, without_unit = [], []
    for trace in kept.irregular:
        unit = parse_unit(options.unit.get(trace.name, options.unit.get("", trace.unit)))
        if unit is None:
            without_unit.append(trace.name)
            continue
        scale = unit.scale / options.gain.get(trace.name, options.gain.get("", 1.0))
        irregular.append(replace(trace, unit=unit.name, conversion=trace.conversion * scale))
    if without_unit:
        listed = ", ".join(map(repr, dict.fromkeys(without_unit)))
        notes.append(
            f"Left out because they have no unit: irregularly sampled {listed}; state a unit to keep one."
        )
    commands, unknown = _in_si(kept.commands)
    if unknown:
        notes.append(f"Left out because they have no known unit: commands {', '.join(map(repr, unknown))}.")
    return replace(kept, irregular=tuple(irregular), commands=tuple(commands)), notes


def _in_si(commands: Sequence[Command]) -> tuple[list[Command], list[str]]:
    """Return commands in SI units, and the names of those whose unit is not known.

    What is stated about channels (``unit``, ``gain``) is about what was recorded, not commanded.
    """
    found, unknown = [], []
    for command in commands:
        unit = parse_unit(command.unit)
        if unit is None:
            unknown.append(command.name)
        else:
            found.append(replace(command, unit=unit.name, conversion=unit.scale))
    return found, list(dict.fromkeys(unknown))


def _shifted(ancillary: AncillaryData, shifts_s: Mapping[int, float]) -> tuple[AncillaryData, list[str]]:
    """Shift each item with its sweep; drop items with invalid times or without a sweep to follow."""
    moved = any(shifts_s.values())

    def can_shift(item: AncillaryItem) -> bool:
        return _has_valid_times(item) and (item.sweep in shifts_s or not moved)

    def shifted_items(items: Sequence[_Item]) -> tuple[_Item, ...]:
        return tuple(item.shifted(shifts_s.get(item.sweep, 0.0)) for item in items if can_shift(item))

    kept = AncillaryData(
        events=shifted_items(ancillary.events),
        epochs=shifted_items(ancillary.epochs),
        spikes=shifted_items(ancillary.spikes),
        irregular=shifted_items(ancillary.irregular),
        commands=shifted_items(ancillary.commands),
    )
    dropped = dict.fromkeys(item.name for item in ancillary if not can_shift(item))
    if not dropped:
        return kept, []
    return kept, [
        f"Left out because their times are invalid or their sweep has no samples: {', '.join(dropped)}."
    ]


def _has_valid_times(item: AncillaryItem) -> bool:
    """Return whether all times are finite and nothing ends before it begins."""
    if isinstance(item, Epochs):
        return bool(np.isfinite(item.start_s).all() and np.isfinite(item.duration_s).all()) and bool(
            (item.duration_s >= 0).all()
        )
    if isinstance(item, SpikeTimes):
        return bool(np.isfinite(item.times_s).all()) and item.start_s <= item.stop_s
    if isinstance(item, Command):
        return bool(np.isfinite(item.start_s))
    return bool(np.isfinite(item.times_s).all())
