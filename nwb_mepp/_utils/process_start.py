"""Starting a process for jobs: with nothing of this one but what is handed over.

A process that is forked from this one would hold the locks of threads that it does not have. So it is
started afresh, which takes seconds where much is imported; or, on Linux, forked from a server, a process that
has only imported: no thread of it computes, no file is open, and no job has run in it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, reduction, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

__all__ = ["started"]


def started(target: Callable[..., None], *arguments: object, imported_first: str | None) -> BaseProcess:
    """Start a process with the environment, working folder and standard streams of this one.

    It should ignore Ctrl-C from its beginning, as one that is forked does already.

    Parameters
    ----------
    target : callable
        Importable by name.
    *arguments : object
        What a process that is started can inherit.
    imported_first : str, optional
        Module that imports what jobs need. With it, the process is forked, on Linux, from a server that
        imported the module; the first call starts the server, and it ends with this process. All callers
        share it. Without it, the process starts afresh, with nothing imported.

    Returns
    -------
    BaseProcess
        It is a daemon.
    """
    if imported_first is not None and sys.platform == "linux":
        context = get_context("forkserver")
        context.set_forkserver_preload([imported_first])
        process: BaseProcess = context.Process(
            target=_forked, args=(_Surroundings(), target, arguments), daemon=True
        )
        try:
            with _interrupts_blocked():
                process.start()
        except (OSError, EOFError):
            # There is no room for its socket, its path is too long, or the server was killed.
            pass
        else:
            return process
    process = get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _forked(_: _Surroundings, target: Callable[..., None], arguments: tuple[object, ...]) -> None:
    # The server blocks Ctrl-C, which reaches all processes of a terminal; one that waits is dropped.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    target(*arguments)


class _Surroundings:
    """What a process takes from the server, and should have of the process that asked for it.

    multiprocessing itself hands over working folder, arguments and where modules are found.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _take_over, (dict(os.environ), *(reduction.DupFd(number) for number in (1, 2)))


def _take_over(environment: dict[str, str], *streams: Any) -> _Surroundings:
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams, start=1):
        descriptor = stream.detach()
        os.dup2(descriptor, number)
        os.close(descriptor)
    return _Surroundings()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Let the server, if it is started now, never be ended by Ctrl-C, not even while it imports."""
    resource_tracker.ensure_running()  # unblocks it, where the server has to start it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
