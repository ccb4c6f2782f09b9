"""When memory is looked through for what is no longer used, and given back to the operating system."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["give_back", "leave_to_the_system", "rare_collections", "share_one_heap"]

# Objects that are made before Python looks for cycles among the young ones; by default, up to 2000.
_MADE_BETWEEN = 10_000
_M_ARENA_MAX = -8  # of <malloc.h>


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cycles of unused objects less often within a ``with`` block.

    The imports of a command make half a million objects that all stay. To look through them every few hundred
    objects takes a tenth of the time of a short command.
    """
    before = gc.get_threshold()
    gc.set_threshold(_MADE_BETWEEN, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def leave_to_the_system() -> None:
    """Let the process end without looking for cycles of unused objects: the system takes all memory.

    To be called last: such objects are no longer finalized. After a command with its half a million objects,
    Python would look through them several times, which takes half a second.
    """
    gc.disable()
    gc.freeze()


def share_one_heap() -> None:
    """Let all threads allocate from one heap; nothing happens with a C library other than glibc.

    Otherwise each has one of its own, in which what it freed stays: 40 MB in an analysis with two threads.
    Large arrays come from the operating system either way, so that threads hardly wait for each other.
    """
    _call("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """Give back what the C library keeps for later; nothing happens with one that cannot (other than glibc).

    The library gives back by itself what lies at the end of its heap. After a step that needed many arrays,
    a small one that stays at the end keeps hundreds of megabytes before it.
    """
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    """Call a function of the C library, if there is one of this name."""
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return
    function(*numbers)
