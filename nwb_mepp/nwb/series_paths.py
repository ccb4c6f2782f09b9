"""Where the series of a file are, and the names that select them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nwb_mepp.nwb.file_interface import NwbContents, Series, Table

__all__ = ["Place", "hdf5_path", "series_by_path", "series_places"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An object of a file that is a series, or is found where series are expected.

    Attributes
    ----------
    name : str
        In ``/acquisition`` the name of the object; elsewhere its path, such as
        ``processing/ecephys/LFP/ElectricalSeries`` or ``stimulus/command``. The name of a container precedes
        the names of what it holds.
    content : object
    recorded : bool
        Whether it is in ``/acquisition``.
    """

    name: str
    content: Any
    recorded: bool


def series_places(file: NwbContents) -> Iterator[Place]:
    """Return what ``/acquisition`` holds, then the series of ``/stimulus/presentation`` and of modules.

    Outside ``/acquisition`` a file may hold many objects of all kinds, so only series are returned there.
    """
    for name, content in _contents(file.acquisition):
        yield Place(name=name, content=content, recorded=True)
    elsewhere = [
        ("stimulus", file.stimulus),
        *((f"processing/{name}", module.data_interfaces) for name, module in file.processing.items()),
    ]
    for folder, objects in elsewhere:
        for name, content in _contents(objects):
            if isinstance(content, Series):
                yield Place(name=f"{folder}/{name}", content=content, recorded=False)


def series_by_path(file: NwbContents) -> dict[str, Series]:
    """Return the series of a file by their paths (:func:`hdf5_path`)."""
    return {
        hdf5_path(place.name, recorded=place.recorded): place.content
        for place in series_places(file)
        if isinstance(place.content, Series)
    }


def hdf5_path(name: str, *, recorded: bool) -> str:
    """Return the path in the file of a series.

    Parameters
    ----------
    name : str
        As in :class:`Place`.
    recorded : bool
        Whether it is in ``/acquisition``.

    Examples
    --------
    >>> hdf5_path("LFP/ElectricalSeries", recorded=True)
    '/acquisition/LFP/ElectricalSeries'
    >>> hdf5_path("stimulus/command", recorded=False)
    '/stimulus/presentation/command'
    >>> hdf5_path("processing/filtered/Vm", recorded=False)
    '/processing/filtered/Vm'
    """
    if recorded:
        return f"/acquisition/{name}"
    folder, _, rest = name.partition("/")
    return f"/stimulus/presentation/{rest}" if folder == "stimulus" else f"/{name}"


def _contents(objects: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Return objects with their names; a container of series is replaced by its series."""
    for name, one in objects.items():
        inner = () if isinstance(one, (Series, Table)) else getattr(one, "children", ())
        series = [child for child in inner if isinstance(child, Series)]
        if series:
            yield from ((f"{name}/{child.name}", child) for child in series)
        else:
            yield name, one
