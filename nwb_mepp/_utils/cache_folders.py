"""Folders where dependencies keep caches and settings, for accounts whose home cannot be written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["writable_cache_folders"]

# pynwb creates a folder in the first when it is imported, and fails if it cannot; matplotlib complains
# about the second on standard error.
_VARIABLES = (
    ("XDG_CACHE_HOME", "XDG_CACHE_HOME", "~/.cache"),
    ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "~/.config"),
)


@contextmanager
def writable_cache_folders() -> Iterator[None]:
    """Point dependencies to a temporary folder where their own cannot be created, and remove it at the end.

    Processes that are started inside the block inherit it. Where everything can be written to, and on
    Windows, where no home is needed, nothing changes. Call it before pynwb and matplotlib are imported.

    Raises
    ------
    FileNotFoundError
        If there is no temporary folder, either.
    """
    needed = [] if os.name == "nt" else [name for name, *where in _VARIABLES if not _usable(name, *where)]
    if not needed:
        yield
        return
    before = {name: os.environ.get(name) for name in needed}
    folder = tempfile.mkdtemp(prefix="nwb-mepp-")
    try:
        for name in needed:
            os.environ[name] = folder
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def _usable(name: str, variable: str, default: str) -> bool:
    stated = os.environ.get(name) or os.environ.get(variable)
    try:
        return _can_be_created(Path(stated or default).expanduser())
    except RuntimeError:  # the account has no home
        return False


def _can_be_created(folder: Path) -> bool:
    """Try it in the nearest folder that exists: what a file system allows shows only in trying."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        Path(tempfile.mkdtemp(dir=folder)).rmdir()
    except OSError:
        return False
    return True
