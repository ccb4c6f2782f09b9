"""Sums of NumPy and SciPy that come out the same whatever the number of cores."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[object]:
    """Let products of matrices be worked out by one thread within a ``with`` block.

    The last digits of a sum depend on how many threads share it. Nor would more help: the matrices are small,
    and a thread that waits for its share keeps a core busy.
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
