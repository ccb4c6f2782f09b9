"""Objects of an HDF5 file as far as they are what pynwb takes for granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import h5py
import numpy as np

__all__ = [
    "StoredName",
    "UnusualError",
    "dataset_in",
    "decoded",
    "groups_in",
    "hard",
    "last_name",
    "named",
    "number_of",
    "only",
    "text_of",
    "type_of",
]


class UnusualError(Exception):
    """States what of a file has to be read with pynwb."""


class StoredName(NamedTuple):
    """The name of an object and the identifier that it has in the file."""

    name: str
    object_id: str


def groups_in(group: h5py.Group | Mapping[str, Any]) -> list[tuple[str, h5py.Group]]:
    """Return the members of a group, which have to be groups of no other name."""
    found = [(name, hard(group, name)) for name in group]
    for name, one in found:
        if not isinstance(one, h5py.Group):
            raise UnusualError(f"a dataset {name}")
    return found


def hard(group: h5py.Group | Mapping[str, Any], name: str) -> Any:
    """Return a member of a group that is no link and has no second name, under which pynwb might read it."""
    if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UnusualError(f"a link {name}")
    return only(group[name])


def only(item: Any) -> Any:
    """Return an object that has no second name."""
    if h5py.h5o.get_info(item.id).rc != 1:
        raise UnusualError(f"a second name of {item.name}")
    return item


def dataset_in(group: h5py.Group | Mapping[str, Any], name: str, *, dims: int | None = None) -> h5py.Dataset:
    """Return a dataset of a group, of so many dimensions."""
    dataset = hard(group, name) if name in group else None
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise UnusualError(f"no dataset {name}")
    if dims is not None and len(dataset.shape) != dims:
        raise UnusualError(f"the shape of {dataset.name}")
    return dataset


def decoded(dataset: h5py.Dataset) -> Any:
    """Return the text or texts of a dataset."""
    stored = h5py.check_string_dtype(dataset.dtype)
    if stored is None or stored.length is not None:
        raise UnusualError(f"the text of {dataset.name}")
    try:
        return dataset.asstr()[()]
    except UnicodeDecodeError:
        raise UnusualError(f"the encoding of {dataset.name}") from None


def type_of(item: h5py.HLObject) -> tuple[str, str]:
    """Return namespace and type of an object."""
    return text_of(item, "namespace"), text_of(item, "neurodata_type")


def named(group: h5py.Group) -> StoredName:
    """Return name and identifier of a group."""
    return StoredName(last_name(group), text_of(group, "object_id"))


def last_name(group: h5py.Group) -> str:
    """Return the name of an object without its path; empty where no path leads to it any more."""
    return str(group.name or "").rpartition("/")[2]


def text_of(item: h5py.HLObject, name: str, *, default: str | None = None) -> str:
    """Return an attribute that is a text."""
    value = item.attrs.get(name, default)
    if not isinstance(value, str):
        raise UnusualError(f"no text {name} of {item.name}")
    return value


def number_of(item: h5py.HLObject, name: str, *, default: float | None = None) -> float:
    """Return an attribute that is a floating-point number."""
    value = item.attrs.get(name, default)
    if not isinstance(value, (float, np.floating)):
        raise UnusualError(f"no number {name} of {item.name}")
    return float(value)
