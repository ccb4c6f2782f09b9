"""A pool of processes in which a job that kills its process fails alone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

__all__ = ["run_jobs"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

# How long an interrupted job may take to remove its temporary files before its process is killed.
_GRACE_S = 3.0


def run_jobs(
    jobs: Sequence[JobT],
    *,
    work: Callable[[JobT], ResultT],
    on_crash: Callable[[JobT], ResultT],
    n_processes: int,
) -> Iterator[ResultT]:
    """Run jobs in parallel processes and yield their results as they finish.

    If the caller stops early, or is interrupted, the jobs that are running are ended.

    Parameters
    ----------
    jobs : sequence
    work : callable (job) -> result
        Must be importable by name, and its argument and result picklable, because it runs in another
        process.
    on_crash : callable (job) -> result
        Gives the result of a job whose process died (killed, out of memory).
    n_processes : int
        With 1, everything runs in this process, and a crash ends it.

    Yields
    ------
    result
        In the order in which the jobs finish.

    Raises
    ------
    Exception
        Whatever ``work`` raises, with the traceback of the other process as a note.

    Examples
    --------
    >>> import math
    >>> list(run_jobs([1, 4, 9], work=math.sqrt, on_crash=lambda job: math.nan, n_processes=1))
    [1.0, 2.0, 3.0]
    """
    if n_processes <= 1:
        yield from map(work, jobs)
        return
    waiting = deque(jobs)
    workers = {_Worker() for _ in range(min(n_processes, len(jobs)))}
    busy: dict[_Worker, JobT] = {}
    try:
        while waiting or busy:
            for worker in workers - busy.keys():
                if waiting:
                    busy[worker] = waiting.popleft()
                    worker.start(work, busy[worker])
            ready = wait([worker.connection for worker in busy])
            results = []
            for worker in [one for one in busy if one.connection in ready]:
                job = busy.pop(worker)
                try:
                    results.append(worker.result())
                except _CrashError:
                    worker.stop()
                    workers.remove(worker)
                    workers.add(_Worker())
                    results.append(on_crash(job))
            yield from results
    finally:
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.stop()


class _CrashError(Exception):
    """A process died before it gave a result."""


class _Worker:
    """A process that does one job after another, each received through a pipe of its own.

    Processes that share a queue also share its lock, which one that is killed may never release.
    """

    def __init__(self) -> None:
        # "spawn" on every system: a fork would copy the threads of the numerical libraries.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        # With no other copy of that end, the death of the process closes the pipe.
        theirs.close()

    def start(self, work: Callable[[JobT], object], job: JobT) -> None:
        """Send a job."""
        # A pipe that is broken already is noticed where the result is expected.
        with suppress(ConnectionError):
            self.connection.send((work, job))

    def result(self) -> Any:
        """Return the result of the job, or raise its exception."""
        try:
            finished, result = self.connection.recv()
        except (EOFError, OSError) as error:
            raise _CrashError from error
        if not finished:
            raise result
        return result

    def ask_to_stop(self) -> None:
        """End the process as soon as it can; a job in it is given up."""
        self.connection.close()
        self._process.terminate()

    def stop(self) -> None:
        """End the process, by force if need be, and wait for its end."""
        self.ask_to_stop()
        self._process.join(_GRACE_S)
        self._process.kill()
        self._process.join()


def _serve(connection: Connection) -> None:
    """Do jobs until the pipe is closed."""
    # Ctrl-C reaches all processes of a terminal. Only the first decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Exit as an exception, so that the job removes its temporary files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The processes share the cores: several threads in one would only slow down the others.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with suppress(EOFError, ConnectionError):
        while True:
            work, job = connection.recv()
            answer: tuple[bool, object]
            try:
                answer = True, work(job)
            except Exception as error:
                error.add_note(traceback.format_exc())
                answer = False, error
            connection.send(answer)


def _end_with_parent() -> None:
    """End this process when the one that started it dies, even in the middle of a job."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
