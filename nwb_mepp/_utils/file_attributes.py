"""What stands at a path, and what stays of a file when another takes its place."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["is_zarr", "keep_attributes", "special_kind"]

_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def special_kind(path: Path) -> str | None:
    """Return what stands at a path if opening it may block or does not give a file, such as ``a named pipe``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str or None
        None for a file, a folder, or nothing that can be looked at.

    Examples
    --------
    >>> special_kind(Path("/dev/null"))
    'a device'
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return next((kind for is_of_kind, kind in _SPECIAL if is_of_kind(mode)), None)


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a Zarr store of version 2 or 3.

    Parameters
    ----------
    path : Path
    """
    return any((path / name).is_file() for name in (".zgroup", ".zmetadata", "zarr.json"))


def keep_attributes(old: Path, new: Path) -> None:
    """Give a file the owner, group, mode and extended attributes of another, as far as permitted.

    Parameters
    ----------
    old, new : Path

    Raises
    ------
    OSError
        If the mode cannot be set.
    """
    found = old.stat()
    if os.name == "posix":
        # Only the superuser gives a file away; its group may be one that the user belongs to.
        for owner in ((-1, found.st_gid), (found.st_uid, -1)):
            with suppress(OSError):
                os.chown(new, *owner)
    # After the owner, for a change of owner takes bits away; before the attributes, which hold access lists.
    new.chmod(stat.S_IMODE(found.st_mode))
    if hasattr(os, "listxattr"):
        with suppress(OSError):  # a file system without them
            for name in os.listxattr(old):
                with suppress(OSError):  # such as those that the kernel alone may set
                    os.setxattr(new, name, os.getxattr(old, name))
