"""Where the series of a file lie, and the name by which each is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hdmf.common import DynamicTable
from pynwb import NWBFile, TimeSeries

__all__ = ["Place", "series_places"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An object of a file that is a series, or stands where one is looked for.

    Attributes
    ----------
    name : str
        In ``/acquisition`` that of the object; elsewhere its path, such as
        ``processing/ecephys/LFP/ElectricalSeries`` or ``stimulus/command``. What a container holds has the
        name of the container before its own.
    content : object
    recorded : bool
        Whether it lies in ``/acquisition``.
    """

    name: str
    content: object
    recorded: bool


def series_places(file: NWBFile) -> Iterator[Place]:
    """Return what ``/acquisition`` holds, then the series of ``/stimulus/presentation`` and of modules.

    Elsewhere a file may hold a great many objects of all kinds, so that there only series are named.
    """
    for name, content in _contents(file.acquisition):
        yield Place(name=name, content=content, recorded=True)
    elsewhere = [
        ("stimulus", file.stimulus),
        *((f"processing/{name}", module.data_interfaces) for name, module in file.processing.items()),
    ]
    for folder, objects in elsewhere:
        for name, content in _contents(objects):
            if isinstance(content, TimeSeries):
                yield Place(name=f"{folder}/{name}", content=content, recorded=False)


def _contents(objects: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Return objects with their names; in place of a container of series, the series in it."""
    for name, one in objects.items():
        inner = () if isinstance(one, (TimeSeries, DynamicTable)) else getattr(one, "children", ())
        series = [child for child in inner if isinstance(child, TimeSeries)]
        if series:
            yield from ((f"{name}/{child.name}", child) for child in series)
        else:
            yield name, one
