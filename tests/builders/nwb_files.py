"""What is in an NWB file, object by object, so that two files can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np


def objects(path: Path) -> dict[str, tuple[Any, ...]]:
    """Every object of a file: attributes, and for datasets values, type, shape, chunks and filters.

    References stand by the path they lead to, so that they can be compared between files; so do soft links.
    """
    found: dict[str, tuple[Any, ...]] = {}

    def plain(value: Any, file: h5py.File) -> Any:
        if isinstance(value, h5py.Reference):
            return ("reference", file[value].name if value else None)
        if isinstance(value, np.ndarray | tuple | np.void | list):
            return [plain(item, file) for item in value]
        return repr(value)

    def visit(name: str, item: h5py.HLObject, file: h5py.File) -> None:
        attributes = {key: plain(value, file) for key, value in item.attrs.items()}
        if isinstance(item, h5py.Dataset):
            how = (
                item.dtype,
                item.shape,
                item.maxshape,
                item.chunks,
                item.compression,
                item.compression_opts,
            )
            found[name] = (attributes, how, item.shuffle, plain(item[()], file))
        else:
            links = {key: item.get(key, getlink=True) for key in item}
            soft = {key: link.path for key, link in links.items() if isinstance(link, h5py.SoftLink)}
            found[name] = (attributes, soft)

    with h5py.File(path) as file:
        visit("/", file, file)
        file.visititems(lambda name, item: visit(name, item, file))
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Paths of the tables in which anything differs."""
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return {"/".join(name.split("/")[: 3 if name.startswith("processing") else 2]) for name in names}
