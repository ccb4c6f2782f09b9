"""What a folder holds, in a form that is equal for equal results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.equality.declared import reason_to_ignore

__all__ = ["LIST", "State", "damaged", "hidden", "missing", "state_of"]

State = Mapping[str, str]
LIST = ".nwb-mepp.json"


def state_of(folder: Path) -> State:
    """Return a digest of every file below a folder but hidden ones; NWB files by what they hold."""
    return {
        path.relative_to(folder).as_posix(): _digest(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def hidden(folder: Path) -> list[str]:
    """Return hidden files: temporaries, locks and whatever else should not stay."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob(".*")
        if path.is_file() and path.name != LIST
    )


def damaged(found: State, allowed: Iterable[State]) -> str:
    """Return which file is none of what it may be; an absent one must be absent in one of the states."""
    states = list(allowed)
    for name in sorted(set(found).union(*states)):
        if found.get(name) not in {one.get(name) for one in states}:
            return f"{name} is {'gone' if name not in found else 'none of what it may be'}"
    return ""


def missing(found: State, allowed: Iterable[State]) -> str:
    """Return why a folder is none of the states as a whole."""
    differences = []
    for one in allowed:
        names = sorted(name for name in set(found) | set(one) if found.get(name) != one.get(name))
        if not names:
            return ""
        differences.append(", ".join(names))
    return f"differs from what it should be in {min(differences, key=len)}"


def _digest(path: Path, folder: Path) -> str:
    if path.suffix == ".nwb":
        try:
            return _nwb_digest(path)
        except Exception as error:
            return f"damaged: {type(error).__name__}: {error}"
    content = path.read_bytes()
    # The list of failures names inputs by their whole paths.
    return hashlib.sha256(content.replace(bytes(folder.parent), b"")).hexdigest()


def _nwb_digest(path: Path) -> str:
    total = hashlib.sha256()

    def add(name: str, item: Any) -> None:
        if reason_to_ignore(name) is not None:
            return
        total.update(f"{name} {item.attrs.get('neurodata_type')}".encode())
        if isinstance(item, h5py.Dataset):
            for values in _values(item[()]):
                total.update(_bytes(values))

    with h5py.File(path, "r") as file:
        file.visititems(add)
    return total.hexdigest()


def _values(values: Any) -> list[Any]:
    array = np.asarray(values)
    if array.dtype.names is None:
        return [] if h5py.check_ref_dtype(array.dtype) is not None else [array]
    # Where a reference points is no property of the result.
    return [array[name] for name in array.dtype.names if h5py.check_ref_dtype(array.dtype[name]) is None]


def _bytes(array: Any) -> bytes:
    if array.dtype == object:
        return repr(array.tolist()).encode()
    return np.ascontiguousarray(array).tobytes()
