"""Memory that was freed, given back to the operating system."""

from __future__ import annotations

import ctypes

__all__ = ["give_back"]


def give_back() -> None:
    """Give back what the C library keeps for later; nothing happens with one that cannot (other than glibc).

    The library gives back by itself what lies at the end of its heap. After a step that needed many arrays,
    a small one that stays at the end keeps hundreds of megabytes before it.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
