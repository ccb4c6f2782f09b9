"""Unique names for the channels of a recording."""

from __future__ import annotations

from nwb_mepp.core.safe_text import storable

__all__ = ["unique_names"]


def unique_names(names: list[str]) -> list[str]:
    """Make channel names unique and storable, keeping their order; a channel without a name gets its number.

    Parameters
    ----------
    names : list of str

    Examples
    --------
    >>> unique_names(["Vm", "Vm", ""])
    ['Vm', 'Vm #2', 'channel 3']
    """
    taken: set[str] = set()
    unique = []
    for number, name in enumerate(names, start=1):
        wanted = storable(name.strip("\0 \t\r\n")) or f"channel {number}"
        chosen, copy = wanted, 1
        while chosen in taken:
            copy += 1
            chosen = f"{wanted} #{copy}"
        taken.add(chosen)
        unique.append(chosen)
    return unique
