"""Which channels a stated clamp mode is about, and whether it can be written."""

from __future__ import annotations

from collections.abc import Mapping

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb.metadata import Metadata

__all__ = ["CLAMP_UNITS", "check_clamp", "common_electrode"]

#: The unit of the channels that were recorded in each clamp mode.
CLAMP_UNITS: Mapping[str, str] = {"current": "V", "voltage": "A", "izero": "V"}


def check_clamp(recording: Recording, *, clamp: str | None, metadata: Metadata) -> None:
    """Check, before any samples are read, that a stated clamp mode can be written.

    Raises
    ------
    MetadataError
        If the mode is unknown, no channel has its unit, or the metadata states no electrode.
    """
    if clamp is None:
        return
    if clamp not in CLAMP_UNITS:
        raise MetadataError(f"`clamp`: expected one of {', '.join(CLAMP_UNITS)}, found {clamp!r}.")
    unit = CLAMP_UNITS[clamp]
    units = {trace.channel: trace.unit for trace in recording.traces}
    clamped = [channel for channel, found in units.items() if found == unit]
    if not clamped:
        found = ", ".join(f"{channel} in {found or 'no unit'}" for channel, found in units.items())
        raise MetadataError(
            f"expected a channel in {unit} because `clamp={clamp!r}` is stated, found {found}; state the "
            "clamp mode that was used, or correct the unit with `unit`."
        )
    for channel in clamped:
        metadata.electrode_of(channel)


def common_electrode(recording: Recording, *, clamp: str | None, metadata: Metadata) -> str | None:
    """Return the name of the electrode of all clamped channels; None if there are several, or no clamp."""
    if clamp is None:
        return None
    clamped = {trace.channel for trace in recording.traces if trace.unit == CLAMP_UNITS[clamp]}
    names = {metadata.electrode_of(channel).name for channel in clamped}
    return names.pop() if len(names) == 1 else None
