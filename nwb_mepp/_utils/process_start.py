"""Processes that have the imports of a job behind them, forked from a server that has done nothing else.

A process that is forked from this one would hold the locks of threads that it does not have. In the server no
thread computes, no file is open, and no job has run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import current_process, forkserver, get_context, reduction, resource_tracker
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

__all__ = ["Forked", "forked", "start_server"]


class Forked:
    """A process that was forked, to be handled like one of :mod:`subprocess`."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.terminate, self.kill = process.terminate, process.kill

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code as soon as the process has ended.

        Raises
        ------
        subprocess.TimeoutExpired
            If it has not ended in time.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return self._process.exitcode


def forked(target: Callable[..., None], *arguments: object, imported_first: str) -> Forked | None:
    """Start a process with the environment, working folder and standard streams of this one.

    It should ignore Ctrl-C, as it does at its beginning.

    Parameters
    ----------
    target : callable
        Importable by name.
    *arguments : object
        What a process that is started can inherit.
    imported_first : str
        Module that imports what jobs need. The first call starts the server, which imports it, and ends with
        this process. All callers share it.

    Returns
    -------
    Forked or None
        None if it cannot be: elsewhere than on Linux, in a daemon (such as a worker of Dask), where the
        server was killed, or where there is no room for its socket.
    """
    if not _can_fork():
        return None
    context = get_context("forkserver")
    context.set_forkserver_preload([imported_first])
    process = context.Process(target=_forked, args=(_Surroundings(), target, arguments), daemon=True)
    try:
        with _interrupts_blocked(), _script_left_out():
            process.start()
    except (OSError, EOFError):
        return None
    return Forked(process)


def start_server(*, imported_first: str) -> None:
    """Start the server of :func:`forked` already, so that it imports while this process does something else.

    Nothing happens where processes cannot be forked.

    Parameters
    ----------
    imported_first : str
        As the processes that follow will ask for.
    """
    if _can_fork():
        forkserver.set_forkserver_preload([imported_first])
        with suppress(OSError, EOFError), _interrupts_blocked(), _script_left_out():
            forkserver.ensure_running()


def _can_fork() -> bool:
    return sys.platform == "linux" and not current_process().daemon


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


@contextmanager
def _script_left_out() -> Iterator[None]:
    """Keep multiprocessing from importing the script that runs, which may have no ``if __name__ == ...``."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
