"""Work that several cores share within one process: NumPy, SciPy and the networks let other threads run."""

from __future__ import annotations

import contextvars
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from nwb_mepp._utils.cores import n_threads

__all__ = ["at_once", "in_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield what a function returns for each item, in their order, some of them worked on at the same time.

    Parameters
    ----------
    work : callable
        Must not change what others of its calls read.
    items : iterable
        Taken in the calling thread, no more of them than are soon worked on.

    Yields
    ------
    object
        With one thread, or for a single item, ``work`` is called in the calling thread. An error is raised
        where the result would be yielded.

    Examples
    --------
    >>> list(in_threads(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    n, waiting = n_threads(), iter(items)
    first = list(itertools.islice(waiting, 2))
    if n == 1 or len(first) < 2:
        yield from map(work, itertools.chain(first, waiting))
        return
    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(n) as pool:
        try:
            for item in itertools.chain(first, waiting):
                # How numbers that overflow are treated, for one, is a matter of the context.
                begun.append(pool.submit(contextvars.copy_context().run, work, item))
                if len(begun) > n:  # one that waits, so that no thread does
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for one in begun:
                one.cancel()


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Return what several functions return, which are called at the same time.

    Examples
    --------
    >>> at_once(lambda: "a", lambda: "b")
    ['a', 'b']
    """
    return list(in_threads(lambda task: task(), tasks))
