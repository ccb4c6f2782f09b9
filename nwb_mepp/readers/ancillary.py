"""Events, epochs, spikes and irregular signals brought to the clock and the units of the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nwb_mepp.core.ancillary import (
    Ancillary,
    AncillaryObject,
    Epochs,
    IrregularTrace,
    PointEvents,
    SpikeTimes,
)
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.units import parse_unit

__all__ = ["interpret_ancillary"]

_Kind = TypeVar("_Kind", PointEvents, Epochs, SpikeTimes, IrregularTrace)


def interpret_ancillary(
    ancillary: Ancillary, *, shifts_s: Mapping[int, float], options: ReadOptions
) -> tuple[Ancillary, list[str]]:
    """Return the ancillary as they go into the recording, and what of them does not.

    Parameters
    ----------
    ancillary : Ancillary
        As the file states them.
    shifts_s : mapping of int to float
        By how much each sweep that holds samples is moved.
    options : ReadOptions

    Returns
    -------
    ancillary : Ancillary
    notes : list of str
        One sentence for each reason to leave something out.
    """
    if options.sampling_rate_hz is not None and ancillary.described():
        return Ancillary(), [
            f"Left out, because the stated sampling rate replaces the clock that timed them: "
            f"{ancillary.described()}."
        ]
    kept, notes = _placeable(ancillary, shifts_s)
    irregular, without_unit = [], []
    for trace in kept.irregular:
        unit = parse_unit(options.unit.get(trace.name, options.unit.get("", trace.unit)))
        if unit is None:
            without_unit.append(trace.name)
            continue
        scale = unit.scale / (options.gain or 1.0)
        irregular.append(replace(trace, unit=unit.name, conversion=trace.conversion * scale))
    if without_unit:
        listed = ", ".join(map(repr, dict.fromkeys(without_unit)))
        notes.append(f"Left out, for want of a unit: irregularly sampled {listed}; state a unit to keep one.")
    return replace(kept, irregular=tuple(irregular)), notes


def _placeable(ancillary: Ancillary, shifts_s: Mapping[int, float]) -> tuple[Ancillary, list[str]]:
    """Move each companion with its sweep; without proper times, or a sweep to go with, it has no place."""
    moved = any(shifts_s.values())

    def has_place(one: AncillaryObject) -> bool:
        return _is_proper(one) and (one.sweep in shifts_s or not moved)

    def placed(ones: Sequence[_Kind]) -> tuple[_Kind, ...]:
        return tuple(one.shifted(shifts_s.get(one.sweep, 0.0)) for one in ones if has_place(one))

    kept = Ancillary(
        events=placed(ancillary.events),
        epochs=placed(ancillary.epochs),
        spikes=placed(ancillary.spikes),
        irregular=placed(ancillary.irregular),
    )
    dropped = dict.fromkeys(one.name for one in ancillary if not has_place(one))
    if not dropped:
        return kept, []
    return kept, [
        f"Left out, for their times are not in order or their sweep has no samples: {', '.join(dropped)}."
    ]


def _is_proper(one: AncillaryObject) -> bool:
    """Return whether all times are finite, and nothing ends before it begins."""
    if isinstance(one, Epochs):
        return bool(np.isfinite(one.start_s).all() and np.isfinite(one.duration_s).all()) and bool(
            (one.duration_s >= 0).all()
        )
    if isinstance(one, SpikeTimes):
        return bool(np.isfinite(one.times_s).all()) and one.start_s <= one.stop_s
    return bool(np.isfinite(one.times_s).all())
