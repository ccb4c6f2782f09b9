"""Plug-ins: what this package and others register in the groups of entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

__all__ = ["plugins"]


@cache
def plugins(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, sorted by name.

    The metadata of all installed packages (about 10 ms) are read once a process; ``plugins.cache_clear()``
    makes the next call read them again.
    """
    return tuple(sorted(entry_points(group=group), key=lambda point: point.name))
