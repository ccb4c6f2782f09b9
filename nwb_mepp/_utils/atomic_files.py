"""Files that are complete or absent."""

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
    """Give a temporary path beside ``path``; put the file in its place when the block ends well.

    If anything goes wrong, an interruption included, the temporary file is removed and what stood at
    ``path`` stays as it was. A file that is replaced hands its permissions on.

    Parameters
    ----------
    path : Path
        Where the file shall be; its folder is made if absent.

    Yields
    ------
    Path
        Where to write. It is hidden, so that no search finds it half written, and has the suffix of
        ``path``, by which some libraries choose the format.

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
        if os.name == "posix":  # elsewhere a folder cannot be opened, and need not be
            _flush(path.parent, os.O_RDONLY)
    except OutputError:
        raise
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make the folder of a file that is to be written, and see whether it can be.

    Parameters
    ----------
    path : Path
        Of the file.

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
    """Make the system write a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
