"""A check of TDT blocks that Neo does not make."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError

__all__ = ["check_extent"]

# An entry of the index file. Its size is in words of four bytes and includes the ten words of the entry.
_ENTRY = np.dtype(
    [
        ("size", "<i4"),
        ("kind", "<i4"),
        ("store", "S4"),
        ("channel", "<u2"),
        ("sort_code", "<u2"),
        ("timestamp", "<f8"),
        ("offset", "<i8"),
        ("number_format", "<i4"),
        ("frequency", "<f4"),
    ]
)
_WORD_BYTES, _ENTRY_WORDS = 4, 10
_MARK, _HAS_DATA, _IN_OWN_FILES = 0x8801, 0x8000, 0x10


def check_extent(path: Path) -> None:
    """Check that all data to which the index of a TDT block refers lie within the data file.

    Neo replaces missing data by zeros.

    Parameters
    ----------
    path : Path
        The index file, ``.tsq``.

    Raises
    ------
    ReadError
        If the data file is too short.
    """
    data_file = path.with_suffix(".tev")
    if not data_file.is_file() or any(path.parent.glob("*.sev")):
        return  # the samples are in separate files, to which the positions in the index do not apply
    n_entries = path.stat().st_size // _ENTRY.itemsize
    entries = np.fromfile(path, dtype=_ENTRY, count=n_entries)
    kind = entries["kind"]
    stored = entries[(kind & _HAS_DATA != 0) & (kind & _IN_OWN_FILES == 0) & (kind != _MARK)]
    if not len(stored):
        return
    n_bytes = (stored["size"].astype(np.int64) - _ENTRY_WORDS) * _WORD_BYTES
    needed, found = int((stored["offset"] + n_bytes).max()), data_file.stat().st_size
    if needed > found:
        raise ReadError(
            f"{path.name}: {data_file.name} is truncated: expected at least {needed} bytes according to the "
            f"index, found {found}; copy the files again from where they were recorded."
        )
