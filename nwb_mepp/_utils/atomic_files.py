"""Output files that are complete or absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from nwb_mepp.core.errors import OutputError

__all__ = ["complete_or_absent", "make_folder"]


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """Provide a temporary path beside ``path``, and move the file to ``path`` if the block succeeds.

    After any error or interruption the temporary file is removed, and an existing file at ``path`` stays as
    it was. A new file takes over the permissions of the file that it replaces.

    Parameters
    ----------
    path : Path
        Path of the file; its folder is created if absent.

    Yields
    ------
    Path
        Path to write to. It is hidden, so that no search finds an incomplete file, and has the suffix of
        ``path``, because some libraries choose the format by the suffix.

    Raises
    ------
    OutputError
        If the file system refuses (no permission, no space, not a folder).
    """
    temporary = path.with_name(f".{uuid4().hex[:12]}.{path.name}")
    make_folder(path)
    try:
        yield temporary
        _flush(temporary, os.O_RDWR)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
        if os.name == "posix":  # folders cannot be opened elsewhere, and need not be
            _flush(path.parent, os.O_RDONLY)
    except OutputError:
        raise
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create the folder of an output file, and check that it is writable.

    Parameters
    ----------
    path : Path
        Path of the file.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(f"folder {path.parent} is not writable")
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"expected to write {path}, found: {error.strerror or error}; check the folder's permissions and "
        "free space."
    )


def _flush(path: Path, mode: int) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
