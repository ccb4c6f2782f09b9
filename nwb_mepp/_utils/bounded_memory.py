"""A bound on what reading a file may allocate, so that a damaged length costs an error and not the memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["bounded_memory"]

# What the libraries need for their own tables, and the most that sound files took per byte, several times.
_FREE_BYTES = 512 * 2**20
_BYTES_PER_BYTE = 32


@contextmanager
def bounded_memory(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let allocations fail within a ``with`` block once they pass what a file of this size can need.

    HDF5 allocates and clears what a length in the file says, up to 4 GB for a text, before it finds that the
    file does not hold so much. Only what is read is bounded, not the analysis, as the stacks of many threads
    count, too. Other threads of the process are bounded meanwhile as well. On systems other than Linux, and
    in other threads than the main one, nothing is bounded.

    Parameters
    ----------
    path : path-like
        What is read within the block.

    Raises
    ------
    MemoryError
        By what allocates too much, or the error that a library makes of it.

    Examples
    --------
    >>> with bounded_memory("recording.nix"):
    ...     pass
    """
    allocated = _allocated_bytes() if threading.current_thread() is threading.main_thread() else None
    if allocated is None:
        yield
        return
    from resource import RLIM_INFINITY, RLIMIT_DATA, getrlimit, setrlimit

    before, hard = getrlimit(RLIMIT_DATA)
    wanted = allocated + _FREE_BYTES + _BYTES_PER_BYTE * _size_of(Path(path))
    bounds = [wanted, *(one for one in (before, hard) if one != RLIM_INFINITY)]
    setrlimit(RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_DATA, (before, hard))


def _allocated_bytes() -> int | None:
    """Return how much writable memory this process has; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        return pages * int(os.sysconf("SC_PAGE_SIZE"))
    return None


def _size_of(path: Path) -> int:
    with suppress(OSError):
        return sum(one.stat().st_size for one in path.rglob("*")) if path.is_dir() else path.stat().st_size
    return 0
