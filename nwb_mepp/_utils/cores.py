"""How many cores there are, and how many threads one process uses."""

from __future__ import annotations

import os

__all__ = ["n_cores", "n_threads"]

_MOST_THREADS = 4


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def n_threads() -> int:
    """Return how many threads to use: OMP_NUM_THREADS, as for other numerical libraries, else up to four."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return max(int(stated), 1) if stated.isdigit() else min(n_cores(), _MOST_THREADS)
