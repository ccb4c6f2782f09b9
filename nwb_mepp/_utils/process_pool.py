"""Do many jobs side by side, such that one of them can at most end its own lane's process."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from typing import Generic, TypeVar

__all__ = ["run_jobs"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class _Lane(threading.Thread, Generic[JobT, ResultT]):
    """Takes jobs from a queue and does each in a process of its own, kept for the next one.

    A pool of several processes would do the same work, but when one process dies it drops the jobs of all
    of them and cannot say whose fault it was. Here there is one job in one process.
    """

    def __init__(
        self,
        jobs: queue.SimpleQueue[JobT],
        done: queue.SimpleQueue[ResultT | BaseException],
        *,
        work: Callable[[JobT], ResultT],
        on_crash: Callable[[JobT], ResultT],
    ) -> None:
        super().__init__(daemon=True)
        self._jobs, self._done = jobs, done
        self._work, self._on_crash = work, on_crash
        self._pool: ProcessPoolExecutor | None = None

    def run(self) -> None:
        """Work until the queue is empty."""
        try:
            while True:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    return
                self._done.put(self._do(job))
        except BaseException as error:
            self._done.put(error)
        finally:
            self.stop()

    def _do(self, job: JobT) -> ResultT:
        if self._pool is None:
            # "spawn" on every system: a fork would copy the threads of the numerical libraries.
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
        try:
            return self._pool.submit(self._work, job).result()
        except BrokenProcessPool:
            self.stop()
            return self._on_crash(job)

    def stop(self) -> None:
        """End the process; a job in it is given up."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Prepare a process for its jobs."""
    # A Ctrl-C reaches all processes of a terminal; only the first decides, the others finish their job.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The lanes share the cores: one that takes several threads besides would only be in the others' way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def run_jobs(
    jobs: Sequence[JobT],
    *,
    work: Callable[[JobT], ResultT],
    on_crash: Callable[[JobT], ResultT],
    n_processes: int,
) -> Iterator[ResultT]:
    """Do jobs side by side in processes and yield results as they come.

    Parameters
    ----------
    jobs : sequence
    work : callable (job) -> result
        Importable by name, as are its arguments and result, for it runs in another process.
    on_crash : callable (job) -> result
        Makes the result of a job whose process ended without one (killed, out of memory).
    n_processes : int
        With 1 everything is done in this process, and a crash ends it.

    Yields
    ------
    result
        In the order in which the jobs end.
    """
    if n_processes <= 1:
        for job in jobs:
            yield work(job)
        return
    waiting: queue.SimpleQueue[JobT] = queue.SimpleQueue()
    done: queue.SimpleQueue[ResultT | BaseException] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    lanes = [_Lane(waiting, done, work=work, on_crash=on_crash) for _ in range(min(n_processes, len(jobs)))]
    for lane in lanes:
        lane.start()
    try:
        for _ in jobs:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        with suppress(queue.Empty):
            while True:
                waiting.get_nowait()
        for lane in lanes:
            lane.stop()
