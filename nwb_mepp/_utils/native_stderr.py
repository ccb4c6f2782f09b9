"""What native code writes to standard error, and errors that its destructors cannot raise."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["failing_destructors", "ignore_failing_destructors", "quiet_stderr"]


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Suppress what native code writes to standard error within a ``with`` block."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)


def ignore_failing_destructors() -> None:
    """Let this process say nothing about objects that cannot be removed in an orderly way.

    An HDF5 file on a full disk is one; what went wrong is explained by the error that came first. Serves for
    programs that catch every exception themselves: what they let through is not shown either.
    """
    sys.unraisablehook = lambda _: None
    # Cython shows the traceback by this hook first.
    sys.excepthook = lambda *_: None


@contextmanager
def failing_destructors() -> Iterator[list[str]]:
    """Collect the errors of destructors within a ``with`` block, instead of showing them.

    HDF5 writes what it still holds when an object is removed. If that fails, no exception tells, and the
    file is incomplete.

    Yields
    ------
    list of str
        What the errors say; grows as destructors fail.
    """
    found: list[str] = []

    def note(failed: sys.UnraisableHookArgs) -> None:
        found.append(str(failed.exc_value))  # the error itself would keep the object alive

    before = sys.unraisablehook, sys.excepthook
    # Cython shows the traceback by the second hook first; an error that ends the program is shown later.
    sys.unraisablehook, sys.excepthook = note, lambda *_: None
    try:
        yield found
    finally:
        sys.unraisablehook, sys.excepthook = before
