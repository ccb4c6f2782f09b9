"""Compare two NWB files bit for bit: every dataset, every attribute, rows in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from tests.equality.declared import (
    GONE,
    IGNORED_ATTRIBUTES,
    NAMES,
    SOURCES_WITHOUT_FILE,
    VALUES,
    reason_to_ignore,
)
from tests.equality.differences import Tally, new_name, same_settings

__all__ = ["column_of", "compare_nwb", "first_unequal"]

Array = npt.NDArray[np.generic]


def compare_nwb(before: Path, after: Path, *, where: str) -> Tally:
    """Compare two NWB files; what may differ is declared in ``declared.py``."""
    tally = Tally()
    with h5py.File(before) as old_file, h5py.File(after) as new_file:
        old, new = (dict(_objects(file, "")) for file in (old_file, new_file))
        expected = {}
        for path in old:
            expected[path] = _new_path(path, set(new), tally)
        for path, renamed in expected.items():
            if renamed in new:
                _compare_objects(old[path], new[renamed], path, where, tally)
            else:
                _check_gone(old[path], path, where, tally)
        for path in sorted(set(new) - set(expected.values())):
            if not reason_to_ignore(path):
                tally.differences.append(f"{where}: /{path} is only there after")
    return tally


def _objects(group: h5py.Group, path: str) -> Iterator[tuple[str, object]]:
    """Walk a file: groups and datasets, and the targets of soft links as text."""
    yield path, group
    for name in group:
        below = f"{path}/{name}".lstrip("/")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            yield below, str(link.path)
        elif isinstance(group[name], h5py.Group):
            yield from _objects(group[name], below)
        else:
            yield below, group[name]


def _new_path(path: str, there: set[str], tally: Tally) -> str:
    renamed = _renamed(path)
    if path in there or renamed not in there:
        return path
    for old, new in zip(path.split("/"), renamed.split("/"), strict=True):
        if old != new:
            tally.declared[f"name {old} -> {new}"] += 1
    return renamed


def _check_gone(old: object, path: str, where: str, tally: Tally) -> None:
    name = path.rpartition("/")[2]
    if reason_to_ignore(path):
        return
    if name in GONE and isinstance(old, h5py.Dataset) and old.dtype.kind == "f" and np.isnan(old[()]).all():
        tally.declared[f"gone {name}"] += 1
    else:
        tally.differences.append(f"{where}: /{path} is missing after")


def _compare_objects(old: object, new: object, path: str, where: str, tally: Tally) -> None:
    reason = reason_to_ignore(path)
    if reason:
        name = "specifications" if path.startswith("specifications") else path.rpartition("/")[2]
        tally.declared[f"ignored {name}: {reason}"] += 1
        return
    place = f"{where}: /{path}"
    if type(old) is not type(new):
        tally.differences.append(f"{place} is {type(old).__name__} before, {type(new).__name__} after")
    elif isinstance(old, str):
        if _renamed(old) != _renamed(str(new)):
            tally.differences.append(f"{place} leads to {old} before, {new} after")
    else:
        assert isinstance(old, h5py.HLObject)
        assert isinstance(new, h5py.HLObject)
        _compare_attributes(old, new, place, tally)
        if isinstance(old, h5py.Dataset):
            _compare_datasets(old, new, path, place, tally)
        elif "colnames" in old.attrs:
            tally.tables += 1
            tally.rows += len(old["id"])


def _compare_attributes(old: h5py.HLObject, new: h5py.HLObject, place: str, tally: Tally) -> None:
    for name in sorted(set(old.attrs) | set(new.attrs)):
        if name in IGNORED_ATTRIBUTES:
            continue
        if name not in old.attrs or name not in new.attrs:
            when = "before" if name in old.attrs else "after"
            tally.differences.append(f"{place}: attribute {name} is only there {when}")
            continue
        before, after = (_plain(one.attrs[name], one.file) for one in (old, new))
        if name == "colnames":
            # hdmf writes a table without columns as an empty array of numbers.
            there = after.tolist()
            kept = [new_name(column, there, Tally()) for column in before.tolist()]
            kept = [column for column in kept if column in there or column not in GONE]
            before, after = np.array(kept, dtype=object), np.array(there, dtype=object)
        if name == "settings" and same_settings(str(before), str(after)):
            continue
        _compare_values(before, after, f"{place}, attribute {name}", tally, {})


def _compare_datasets(old: h5py.Dataset, new: h5py.Dataset, path: str, place: str, tally: Tally) -> None:
    name = path.rpartition("/")[2]
    before, after = _plain(old[()], old.file), _plain(new[()], new.file)
    if path.startswith(("acquisition/", "stimulus/")) and name in ("data", "timestamps"):
        tally.samples += before.size
    else:
        tally.cells += before.size
    if name == "settings" and before.shape == after.shape and before.dtype == after.dtype == object:
        pairs = zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)
        if all(same_settings(*pair) for pair in pairs):
            return
    if path == "processing/icephys/source_files/sha256":
        of_files = ~np.isin(old.parent["reader"].asstr()[:], list(SOURCES_WITHOUT_FILE))
        tally.declared["ignored sha256 of a simulation: fingerprint"] += int((~of_files).sum())
        before, after = before[of_files], after[of_files]
    _compare_values(before, after, place, tally, VALUES.get(name, {}))


def _plain(value: object, file: h5py.File) -> Array:
    """Return numbers as they are, texts as str, and references as the path that they lead to."""
    array = np.asarray(value)
    if array.dtype.names:
        resolved = np.empty(array.shape, dtype=[(name, array.dtype[name].str) for name in array.dtype.names])
        for name in array.dtype.names:
            resolved[name] = _plain(array[name], file)
        return resolved
    if array.dtype.kind not in "OSU":
        return array
    texts = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        texts[index] = _text(array[index], file)
    return texts


def _text(value: object, file: h5py.File) -> str:
    if isinstance(value, h5py.Reference):
        return _renamed(str(file[value].name)) if value else "nowhere"
    return value.decode() if isinstance(value, bytes) else str(value)


def _renamed(path: str) -> str:
    return "/".join(NAMES.get(name, name) for name in path.split("/"))


def _compare_values(before: Array, after: Array, place: str, tally: Tally, values: dict[str, str]) -> None:
    if before.dtype != after.dtype or before.shape != after.shape:
        tally.differences.append(
            f"{place}: {before.dtype} {before.shape} before, {after.dtype} {after.shape} after"
        )
        return
    for name in before.dtype.names or ():
        _compare_values(before[name], after[name], f"{place}, {name}", tally, values)
    if before.dtype.names:
        return
    before, after = np.atleast_1d(before), np.atleast_1d(after)
    first = first_unequal(before, after)
    while first is not None and values.get(str(before[first])) == str(after[first]):
        tally.declared[f"value: {before[first]} -> {after[first]}"] += 1
        before[first] = after[first]
        first = first_unequal(before, after)
    if first is not None:
        tally.differences.append(
            f"{place}, first at {list(first)}: {before[first]!r} before, {after[first]!r} after"
        )


def first_unequal(before: Array, after: Array) -> tuple[int, ...] | None:
    """Return the index of the first element whose bits differ, or None; NaN equals NaN.

    Parameters
    ----------
    before, after : ndarray of one dtype and shape, at least one-dimensional

    Examples
    --------
    >>> first_unequal(np.array([1.0, np.nan, 0.0]), np.array([1.0, np.nan, -0.0]))
    (2,)
    """
    if before.dtype.kind == "f":
        bits = f"u{before.dtype.itemsize}"
        old, new = (np.ascontiguousarray(one).view(bits) for one in (before, after))
        unequal = (old != new) & ~(np.isnan(before) & np.isnan(after))
    else:
        unequal = before != after
    if not np.any(unequal):
        return None
    return tuple(int(one) for one in np.argwhere(unequal)[0])


def column_of(path: Path, table: str, column: str) -> list[float] | None:
    """Return a column of a table of ``/intervals``, or None where there is no such table or column."""
    with h5py.File(path) as file:
        found = file.get(f"intervals/{table}/{column}")
        return None if found is None else [float(value) for value in found[()]]
