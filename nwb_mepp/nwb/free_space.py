"""Reclaiming the space that replaced tables leave in a file, which HDF5 itself never gives back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.errors import OutputError

__all__ = ["reclaim_space"]

# A rerun leaves some kilobytes. A file is copied only once they are worth it: this part of the file and more.
BOUND = 0.1


def reclaim_space(path: Path) -> bool:
    """Copy a file object by object into a fresh one if more than a tenth of it is unused, and replace it.

    Samples and tables are copied as they are stored, without being decompressed; links, attributes,
    references, types and the order of creation stay.

    Parameters
    ----------
    path : Path
        An HDF5 file that nobody has open.

    Returns
    -------
    bool
        Whether the file was replaced. It is not if it is dense, or holds what cannot be copied so: a user
        block, named types, region references, references within nested types, references that lead nowhere.
    """
    with h5py.File(path, "r") as source:
        if path.stat().st_size - _used(source) <= BOUND * path.stat().st_size or not _can_be_copied(source):
            return False
        try:
            with complete_or_absent(path) as temporary:
                _copy(source, temporary)
        except (RuntimeError, KeyError, ValueError, OutputError):
            return False  # what HDF5 cannot copy, or a full disk, is no reason to lose the result
    return True


def _objects(file: h5py.File) -> list[Any]:
    """Return every object of a file once."""
    found = [file["/"]]
    file.visititems(lambda _, one: found.append(one))
    return found


def _used(file: h5py.File) -> int:
    """Return about how many bytes the objects of a file need."""
    n_bytes = 0
    for one in _objects(file):
        info = h5py.h5o.get_info(one.id)
        sizes = (info.meta_size.obj, info.meta_size.attr)
        n_bytes += info.hdr.space.total + sum(part.index_size + part.heap_size for part in sizes)
        texts: list[Any] = [value for value in one.attrs.values() if isinstance(value, (str, np.ndarray))]
        if isinstance(one, h5py.Dataset):
            n_bytes += one.id.get_storage_size()
            if h5py.check_string_dtype(one.dtype) and one.shape is not None:
                texts.append(np.asarray(one[()], dtype=object))
        # HDF5 keeps each text of any length in a heap, behind a head of 16 bytes and padded to 8.
        n_bytes += sum(
            16 + (len(text) + 7) // 8 * 8
            for value in texts
            for text in np.ravel(np.asarray(value, dtype=object))
            if isinstance(text, (str, bytes))
        )
    return n_bytes


def _can_be_copied(file: h5py.File) -> bool:
    if file.userblock_size:
        return False
    for one in _objects(file):
        if not isinstance(one, (h5py.Group, h5py.Dataset)):
            return False
        types = [h5py.h5a.open(one.id, name.encode()).dtype for name in one.attrs]
        if isinstance(one, h5py.Dataset):
            types.append(one.dtype)
            if one.id.get_type().committed():
                return False
        if not all(map(_is_simple, types)):
            return False
    return True


def _is_simple(dtype: np.dtype[Any]) -> bool:
    """Return whether references in a type, if any, are plain ones in a plain place."""
    parts = [dtype] if dtype.names is None else [dtype[name] for name in dtype.names]
    return all(
        part.names is None
        and h5py.check_ref_dtype(part) in (None, h5py.Reference)
        and h5py.check_vlen_dtype(part) in (None, str, bytes)
        and (part.subdtype is None or not part.hasobject)
        for part in parts
    )


def _copy(source: h5py.File, path: Path) -> None:
    created = h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, fcpl=source.id.get_create_plist())
    with h5py.File(created) as target:
        copied: list[tuple[Any, Any]] = []
        _copy_group(source["/"], target["/"], copied, {h5py.h5o.get_info(source["/"].id).addr: target["/"]})

        def moved(reference: Any) -> Any:
            return target[source[reference].name].ref if reference else reference

        for old, new in copied:
            _copy_attributes(old, new, moved)
            if isinstance(old, h5py.Dataset) and _holds_references(old.dtype) and old.shape is not None:
                new[()] = _with_moved(old[()], old.dtype, moved)


def _copy_group(
    old: h5py.Group, new: h5py.Group, copied: list[tuple[Any, Any]], there: dict[Any, Any]
) -> None:
    copied.append((old, new))
    how = h5py.h5p.create(h5py.h5p.OBJECT_COPY)
    how.set_copy_object(h5py.h5o.COPY_WITHOUT_ATTR_FLAG)
    for name in old:
        link = old.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            new[name] = link
            continue
        one = old[name]
        address = h5py.h5o.get_info(one.id).addr
        if address in there:
            new[name] = there[address]
        elif isinstance(one, h5py.Group):
            h5py.h5g.create(new.id, name.encode(), gcpl=_plan_of(one))
            there[address] = new[name]
            _copy_group(one, new[name], copied, there)
        else:
            if _holds_references(one.dtype):  # HDF5 would follow them
                kind, space, plan = one.id.get_type(), one.id.get_space(), one.id.get_create_plist()
                h5py.h5d.create(new.id, name.encode(), kind, space, dcpl=plan)
            else:
                h5py.h5o.copy(old.id, name.encode(), new.id, name.encode(), how)
            there[address] = new[name]
            copied.append((one, new[name]))


def _plan_of(group: h5py.Group) -> Any:
    """Return how to create a group: its own plan would bring the addresses of its links in the old file."""
    old, new = group.id.get_create_plist(), h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    new.set_link_creation_order(old.get_link_creation_order())
    new.set_attr_creation_order(old.get_attr_creation_order())
    return new


def _copy_attributes(old: Any, new: Any, moved: Callable[[Any], Any]) -> None:
    for name in old.attrs:
        stored = h5py.h5a.open(old.id, name.encode())
        space = stored.get_space()
        copy = h5py.h5a.create(new.id, name.encode(), stored.get_type(), space)
        if space.get_simple_extent_type() == h5py.h5s.NULL:
            continue
        memory = h5py.h5t.py_create(stored.dtype)
        values = np.empty(stored.shape, dtype=stored.dtype)
        stored.read(values, mtype=memory)
        if _holds_references(stored.dtype):
            values = _with_moved(values, stored.dtype, moved)
        copy.write(values, mtype=memory)


def _holds_references(dtype: np.dtype[Any]) -> bool:
    parts = [dtype] if dtype.names is None else [dtype[name] for name in dtype.names]
    return any(h5py.check_ref_dtype(part) is not None for part in parts)


def _with_moved(values: Any, dtype: np.dtype[Any], moved: Callable[[Any], Any]) -> Any:
    """Return values with every reference leading to the same object in the new file."""
    found = np.array(values, dtype=dtype)
    fields = (
        [()] if dtype.names is None else [name for name in dtype.names if h5py.check_ref_dtype(dtype[name])]
    )
    for field in fields:
        part = found if field == () else found[field]
        for place in np.ndindex(part.shape):
            part[place] = moved(part[place])
    return found
