"""Locks beside files: one writer at a time, among all computers that share a folder.

The lock of ``a.nwb`` is the hidden file ``.a.nwb.nwb-mepp-lock``, which says which process of which computer
holds it. It appears with its content in one step. The lock of a process that has ended is taken over; about
a process of another computer nothing can be known, so its lock stays until someone removes it, or until the
batch that it worked for has the same file done elsewhere.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from nwb_mepp._utils.process_identity import ProcessIdentity
from nwb_mepp._utils.temporaries import short_name, temporary_beside
from nwb_mepp.core.errors import OutputError

__all__ = [
    "LOCK_SUFFIX",
    "FileState",
    "HeldLock",
    "attempt_of",
    "file_lock",
    "refuse_changed",
    "remove_stale_lock",
]

LOCK_SUFFIX = ".nwb-mepp-lock"
# Long enough for a table or a list to be written, too short to be taken for a hang.
WAIT_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True)
class FileState:
    """What tells a file from the one that replaces it, and from itself after a change."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """Return the state of a file, None if there is none."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def as_seen_here(self, path: Path) -> FileState:
        """Return what another computer saw of a file, with the number that its device has on this one."""
        here = FileState.of(path)
        return self if here is None else replace(self, device=here.device)


@dataclass
class HeldLock:
    """A lock that this thread holds.

    Attributes
    ----------
    target : Path
        The file that is locked.
    seen : FileState or None
        What stood there when the lock was taken, or what its holder put there since.
    """

    target: Path
    seen: FileState | None
    _holder: tuple[int, int] = field(default_factory=lambda: (os.getpid(), threading.get_ident()))


_held: dict[Path, HeldLock] = {}
# What this process works for; stands in its locks.
_batch = ""


def refuse_changed(path: Path, seen: FileState | None) -> None:
    """Check that a file is still what was seen.

    Parameters
    ----------
    path : Path
    seen : FileState or None
        None if there was no file.

    Raises
    ------
    OutputError
        If another program has changed, replaced or removed it, or put one there.
    """
    if FileState.of(path) != seen:
        raise OutputError(
            f"expected {path} as it was at the beginning, found that another program has changed it since; "
            "nothing was written, run it again."
        )


@contextmanager
def attempt_of(batch: str) -> Iterator[None]:
    """Work for a batch within a ``with`` block; it has each file done once, elsewhere if a computer is lost.

    So a lock of the same batch is that of an earlier attempt at the same file. If the computer of that
    attempt is another one, its lock is taken over after 10 s, in which it would have ended; if it is this
    one, the attempt is waited for.

    Parameters
    ----------
    batch : str
        A name that no other batch has.
    """
    global _batch
    _batch, before = batch, _batch
    try:
        yield
    finally:
        _batch = before


@contextmanager
def file_lock(target: Path, *, doing: str = "writing") -> Iterator[HeldLock]:
    """Hold the lock of a file within a ``with`` block; in a block that holds it already, nothing happens.

    Parameters
    ----------
    target : Path
        Absolute, without links; it need not exist, its folder must.
    doing : str, default "writing"
        What the lock says is done.

    Raises
    ------
    OutputError
        If another process or thread still holds it after 10 s.
    OSError
        If the file system refuses.
    """
    held = _held.get(target)
    if held is not None and held._holder == (
        os.getpid(),
        threading.get_ident(),
    ):  # not one from before a fork
        yield held
        return
    lock = target.with_name(short_name(f".{target.name}{LOCK_SUFFIX}", LOCK_SUFFIX))
    mine = _acquire(lock, target, doing=doing)
    try:
        _held[target] = held = HeldLock(target, FileState.of(target))
        yield held
    finally:
        _held.pop(target, None)
        # Someone may have removed it by hand, and another writer taken the place.
        with suppress(FileNotFoundError):
            if lock.stat().st_ino == mine:
                lock.unlink()


def remove_stale_lock(lock: Path) -> bool:
    """Remove a lock whose process has ended.

    Returns
    -------
    bool
        Whether it was one.
    """
    return _remove(lock, lambda content: (holder := _parse(content)) is not None and holder.is_gone())


def _remove(lock: Path, is_stale: Callable[[bytes], bool]) -> bool:
    if os.name != "posix":
        return False
    import fcntl

    try:
        with lock.open("r+b") as stream:
            # Of several that see the same stale lock, one removes it, and none the lock that follows.
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.fstat(stream.fileno()).st_ino == lock.stat().st_ino
            if not same or not is_stale(stream.read()):
                return False
            lock.unlink()
            return True
    except OSError:
        return False


def _acquire(lock: Path, target: Path, *, doing: str) -> int:
    """Create a lock and return its inode."""
    end = time.monotonic() + WAIT_S
    while True:
        inode = _create(lock, doing=doing)
        if inode is not None:
            return inode
        if remove_stale_lock(lock):
            continue
        if time.monotonic() >= end:
            if _remove(lock, _is_earlier_attempt_elsewhere):
                continue
            if not _is_earlier_attempt_here(lock):
                raise OutputError(_held_by(lock, target))
        time.sleep(_POLL_S)


def _is_earlier_attempt_elsewhere(content: bytes) -> bool:
    holder = _parse(content)
    return holder is not None and _batch_of(content) == _batch != "" and holder.host != _here()


def _is_earlier_attempt_here(lock: Path) -> bool:
    with suppress(OSError):
        content = lock.read_bytes()
        holder = _parse(content)
        return holder is not None and _batch_of(content) == _batch != "" and holder.host == _here()
    return True  # it has just gone


def _create(lock: Path, *, doing: str) -> int | None:
    stated = {**asdict(ProcessIdentity.this()), "doing": doing, **({"batch": _batch} if _batch else {})}
    content = json.dumps(stated).encode()
    temporary = temporary_beside(lock)
    try:
        temporary.write_bytes(content)
        try:
            os.link(temporary, lock)
            return temporary.stat().st_ino
        except FileExistsError:
            return None
        except OSError:
            # A file system without hard links: the lock is empty for a moment, which nobody takes for stale.
            with suppress(FileExistsError), lock.open("xb") as stream:
                stream.write(content)
                return os.fstat(stream.fileno()).st_ino
            return None
    finally:
        temporary.unlink(missing_ok=True)


def _held_by(lock: Path, target: Path) -> str:
    holder, doing = None, "writing"
    with suppress(OSError):
        content = lock.read_bytes()
        holder = _parse(content)
        doing = _doing(content)
    if holder is None:
        return (
            f"expected to write {target}, found its lock {lock.name}, which does not say who holds it; if no "
            "other nwb-mepp writes this file, remove the lock."
        )
    if holder.host == _here():
        return (
            f"expected to write {target}, found that another nwb-mepp (process {holder.pid}) is {doing} it; "
            "wait until it has ended, and run this again."
        )
    return (
        f"expected to write {target}, found that process {holder.pid} on the computer "
        f"{holder.host.split(' ')[0]} is {doing} it; wait until it has ended, or, if it no longer runs, "
        f"remove {lock}."
    )


def _doing(content: bytes) -> str:
    """Return what a lock says is done: one of the words that this package writes."""
    return "reviewing" if b'"doing": "reviewing"' in content else "writing"


def _here() -> str:
    return ProcessIdentity.this().host


def _batch_of(content: bytes) -> str:
    try:
        return str(json.loads(content)["batch"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _parse(content: bytes) -> ProcessIdentity | None:
    try:
        stated = json.loads(content)
        return ProcessIdentity(host=str(stated["host"]), pid=int(stated["pid"]), start=str(stated["start"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
