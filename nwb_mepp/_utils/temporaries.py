"""Temporary files beside their targets, whose names say which process writes them."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from nwb_mepp._utils.process_identity import ProcessIdentity, is_gone

__all__ = ["remove_abandoned", "short_name", "temporary_beside"]

_PREFIX = ".nwb-mepp-"
_NAME = re.compile(
    re.escape(_PREFIX) + r"(?P<host>[0-9a-f]{8})-(?P<pid>\d{1,10})-(?P<start>[0-9a-f]{8})-[0-9a-f]{8}\."
)
# What nearly every file system allows.
_LONGEST = 255


def temporary_beside(target: Path) -> Path:
    """Return a new hidden name in the folder of a file, with its suffix, as some libraries go by that."""
    owner = ProcessIdentity.this().abbreviated()
    return target.with_name(
        short_name(f"{_PREFIX}{owner}-{uuid4().hex[:8]}.{target.name}", target.suffix, keep=64)
    )


def short_name(name: str, suffix: str, *, keep: int = 1) -> str:
    """Return a name, its middle replaced by a hash if it has more than 255 bytes.

    Parameters
    ----------
    name : str
    suffix : str
        What it must end in.
    keep : int, default 1
        How many characters at the beginning stay.

    Examples
    --------
    >>> short_name(".a.nwb", ".nwb")
    '.a.nwb'
    >>> len(short_name("." + "a" * 255 + ".nwb", ".nwb"))
    37
    """
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    end = suffix if len(os.fsencode(suffix)) <= _LONGEST // 4 else ""
    return f"{name[:keep]}{digest}{end}"


def remove_abandoned(folder: Path) -> tuple[int, int]:
    """Remove the temporary files of processes of this computer that have ended.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    n_files : int
    size : int
        Of all together, in bytes.
    """
    n_files, size = 0, 0
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(_PREFIX)]
    for name in names:
        match = _NAME.match(name)
        if match and is_gone(host=match["host"], pid=int(match["pid"]), start=match["start"]):
            with suppress(OSError):
                found = (folder / name).lstat().st_size
                (folder / name).unlink()
                n_files, size = n_files + 1, size + found
    return n_files, size
