"""Output files that are complete or absent, and that one writer at a time replaces."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nwb_mepp._utils.file_attributes import keep_attributes, special_kind
from nwb_mepp._utils.file_lock import (
    LOCK_SUFFIX,
    FileState,
    HeldLock,
    file_lock,
    refuse_changed,
    remove_stale_lock,
)
from nwb_mepp._utils.native_stderr import failing_destructors
from nwb_mepp._utils.temporaries import remove_abandoned, temporary_beside
from nwb_mepp.core.errors import OutputError

__all__ = [
    "complete_or_absent",
    "hold",
    "make_folder",
    "refuse_irreplaceable",
    "refuse_unwritten",
    "remove_left_behind",
]

_log = logging.getLogger(__name__)
# What destructors say that fail, for each block that is open, the innermost last.
_unwritten: list[list[str]] = []
_ERRNO = re.compile(r"errno = (\d+)")


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """Provide a temporary path beside ``path``, and move the file to ``path`` if the block succeeds.

    After any error or interruption the temporary file is removed, and an existing file at ``path`` stays as
    it was. A new file takes over owner, group, mode and extended attributes of the file that it replaces. If
    ``path`` is a symbolic link, it stays, and the file that it points to is replaced. The path is locked
    meanwhile (:func:`hold`). Temporary files that ended processes left in the folder are removed, which the
    log says.

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
        If the file system refuses (no permission, no space, not a folder), another process holds the lock,
        the file was changed during the block or before it while the lock was held, or it cannot be replaced
        (:func:`refuse_irreplaceable`).
    """
    refuse_irreplaceable(path)
    with hold(path) as held:
        target = held.target
        temporary = temporary_beside(target)
        try:
            remove_left_behind(target.parent)
            with _completely_written(path):
                yield temporary
            _flush(temporary, os.O_RDWR)
            _move(temporary, held)
        except OutputError:
            raise
        except OSError as error:
            raise _refused(path, error) from error
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def hold(path: Path, *, doing: str = "writing") -> Iterator[HeldLock]:
    """Hold the lock of an output within a ``with`` block, as from before its content is read.

    A second writer waits 10 s and is then refused. Within the block, :func:`complete_or_absent` replaces the
    file only if it is still what it was at the beginning of the block.

    Parameters
    ----------
    path : Path
        Its folder is created if absent, and removed again if it stays empty.
    doing : str, default "writing"
        What is done meanwhile, for who is refused.

    Raises
    ------
    OutputError
        If another writer holds the lock, or the file system refuses.
    """
    created = _absent_folders(path)
    try:
        # What the block raises is not an error of this file.
        lock = file_lock(_resolved(path), doing=doing)
        try:
            make_folder(path)
            held = lock.__enter__()
        except OutputError:
            raise
        except OSError as error:
            raise _refused(path, error) from error
        try:
            yield held
        finally:
            lock.__exit__(None, None, None)
    finally:
        with suppress(OSError):
            for folder in created:
                folder.rmdir()


def refuse_irreplaceable(path: Path) -> None:
    """Check that a file may be replaced by another.

    Raises
    ------
    OutputError
        If it is read-only, has several names (hard links), or is no file.
    """
    try:
        found = path.stat()
    except OSError:
        return  # nothing there; other reasons show when it is written
    kind = special_kind(path)
    if kind is not None or stat.S_ISDIR(found.st_mode):
        raise OutputError(
            f"expected to write a file at {path}, found {kind or 'a folder'}; give the name of a file."
        )
    if not found.st_mode & stat.S_IWUSR:
        raise OutputError(
            f"expected to replace {path}, found that it is read-only; make it writable (chmod u+w) or choose "
            "another output."
        )
    if found.st_nlink > 1:
        raise OutputError(
            f"expected to replace {path}, found that the same file has {found.st_nlink} names (hard links); "
            "the others would keep the old content; replace it by a copy of itself first, or choose "
            "another output."
        )


def make_folder(path: Path) -> None:
    """Create the folder of an output file, and check that it is writable.

    Parameters
    ----------
    path : Path
        Path of the file; if it is a link, the folder of what it points to.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    try:
        folder = _resolved(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"folder {folder} is not writable")
    except OSError as error:
        raise _refused(path, error) from error


def refuse_unwritten(path: Path) -> None:
    """Check, within a block of :func:`complete_or_absent`, that HDF5 has written all that it was given.

    To be called before a file is opened again that was written in the block: HDF5 crashes on one that it
    could not close.

    Parameters
    ----------
    path : Path
        For the message.

    Raises
    ------
    OutputError
        If something is missing, as on a full disk.
    """
    for messages in _unwritten[-1:]:
        for first in filter(_tells_of_writing, messages):
            raise _refused(path, first)


@contextmanager
def _completely_written(path: Path) -> Iterator[None]:
    """Refuse what HDF5 could not write when its objects were removed, which raises nothing by itself."""
    with failing_destructors() as messages:
        _unwritten.append(messages)
        try:
            yield
            refuse_unwritten(path)
        except OutputError:
            raise
        except Exception:
            refuse_unwritten(path)  # other errors follow from it, such as that of a second try to close
            raise
        finally:
            _unwritten.pop()


def _tells_of_writing(message: str) -> bool:
    return "write failed" in message or _ERRNO.search(message) is not None


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _absent_folders(path: Path) -> list[Path]:
    """Return the folders above a path that do not exist, the innermost first."""
    absent = []
    for folder in _resolved(path).parents:
        if os.path.lexists(folder):
            break
        absent.append(folder)
    return absent


def _move(temporary: Path, held: HeldLock) -> None:
    refuse_changed(held.target, held.seen)
    if held.seen is not None:
        keep_attributes(held.target, temporary)
    written = FileState.of(temporary)
    temporary.replace(held.target)
    held.seen = written
    if os.name == "posix":  # folders cannot be opened elsewhere, and need not be
        _flush(held.target.parent, os.O_RDONLY)


def remove_left_behind(folder: Path) -> None:
    """Remove temporary files and locks of processes that have ended; the log says how many files.

    What cannot be listed or removed stays: it is only untidy.
    """
    with suppress(OSError):
        n_files, size = remove_abandoned(folder)
        if n_files:
            files = "1 temporary file" if n_files == 1 else f"{n_files} temporary files"
            _log.warning(
                "removed %s (%.1f MB) from %s that an interrupted nwb-mepp had left.",
                files,
                size / 1e6,
                folder,
            )
        with os.scandir(folder) as entries:
            locks = [entry.path for entry in entries if entry.name.endswith(LOCK_SUFFIX)]
        for lock in locks:
            remove_stale_lock(Path(lock))


def _refused(path: Path, error: OSError | str) -> OutputError:
    return OutputError(
        f"expected to write {path}, found: {_reason(error)}; check the folder's permissions and free space."
    )


def _reason(error: OSError | str) -> str:
    """Return the words of the system for an error; HDF5 puts many of its own around their number."""
    number = getattr(error, "errno", None)
    told = _ERRNO.search(str(error))
    if number is None and told is not None:
        number = int(told[1])
    return os.strerror(number) if number is not None else str(error)


def _flush(path: Path, mode: int) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
