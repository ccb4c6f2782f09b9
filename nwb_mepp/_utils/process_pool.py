"""A pool of processes in which a job that kills its process, or exceeds its limits, fails alone."""

from __future__ import annotations

import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from nwb_mepp._utils.child_process import Child, CrashError, packed
from nwb_mepp._utils.limits import POLL_S, Limits

__all__ = ["first_interrupt_noted", "run_jobs"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


def run_jobs(
    jobs: Sequence[JobT],
    *,
    work: Callable[[JobT], ResultT],
    on_crash: Callable[[JobT, str], ResultT],
    n_processes: int,
    limits: Callable[[JobT], Limits] | None = None,
    on_message: Callable[[Any], None] | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> Iterator[ResultT]:
    """Run jobs in other processes and yield their results as they finish.

    If the caller stops early, or is interrupted, the jobs that are running are ended.

    Parameters
    ----------
    jobs : sequence
    work : callable (job) -> result
        Must be importable by name, and its argument and result picklable, because it runs in another
        process.
    on_crash : callable (job, why) -> result
        Gives the result of a job whose process was ended: ``why`` is ``"crash"`` (killed, out of memory),
        ``"time"`` or ``"memory"`` (of its limits).
    n_processes : int
        With 0, everything runs in this process without limits, and a crash ends it.
    limits : callable (job) -> Limits, optional
        The time counts from when the process has begun with the job.
    on_message : callable, optional
        Called with what a job says by :func:`~nwb_mepp._utils.child_process.tell_parent`.
    on_interrupt : callable, optional
        Called after Ctrl-C. The jobs that are running are then finished, no others begun; a second Ctrl-C
        interrupts. Without it, the first does.

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
    >>> list(run_jobs([1, 4, 9], work=math.sqrt, on_crash=lambda job, why: math.nan, n_processes=0))
    [1.0, 2.0, 3.0]
    """
    if n_processes <= 0:
        yield from map(work, jobs)
        return
    pool = _Pool(work, on_crash, limits, on_message or (lambda _: None), share_cores=n_processes > 1)
    waiting = deque(jobs)
    with pool, first_interrupt_noted(on_interrupt is not None) as interrupted:
        pool.grow(min(n_processes, len(jobs)))
        while waiting or pool.busy:
            if interrupted and on_interrupt is not None:
                on_interrupt()
                waiting.clear()
                interrupted.clear()
            pool.begin(waiting)
            yield from pool.finished()


@contextmanager
def first_interrupt_noted(asked: bool) -> Iterator[list[int]]:
    """Collect the first Ctrl-C in a list; the second raises KeyboardInterrupt as ever."""
    noted: list[int] = []
    # Only the main thread may ask for signals.
    if not asked or threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, _: object) -> None:
        noted.append(number)
        signal.signal(number, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


class _Pool(Generic[JobT, ResultT]):
    """Processes, and which of them is busy with which job."""

    def __init__(
        self,
        work: Callable[[JobT], ResultT],
        on_crash: Callable[[JobT, str], ResultT],
        limits: Callable[[JobT], Limits] | None,
        on_message: Callable[[Any], None],
        *,
        share_cores: bool,
    ) -> None:
        self._work, self._on_crash, self._limits, self._on_message = work, on_crash, limits, on_message
        self._share_cores = share_cores
        self._workers: set[Child] = set()
        self.busy: dict[Child, JobT] = {}

    def __enter__(self) -> _Pool[JobT, ResultT]:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.ask_to_stop()
        for worker in self._workers:
            worker.stop()

    def grow(self, n_processes: int) -> None:
        self._workers |= {Child(share_cores=self._share_cores) for _ in range(n_processes)}

    def begin(self, waiting: deque[JobT]) -> None:
        """Give a job to each process that has none, and replace processes that are gone."""
        for worker in self._workers - self.busy.keys():
            if waiting:
                job = waiting.popleft()
                at_work = Child(share_cores=self._share_cores) if worker.gone else worker
                self._workers = (self._workers - {worker}) | {at_work}
                self.busy[at_work] = job
                at_work.start(packed(self._work, job), None if self._limits is None else self._limits(job))

    def finished(self) -> list[ResultT]:
        """Wait a little; return the results of the jobs that are done or had to be ended."""
        ready = wait([worker.connection for worker in self.busy], POLL_S)
        results = []
        for worker, job in list(self.busy.items()):
            why = worker.excess()
            if worker.connection in ready:
                try:
                    kind, content = worker.receive()
                except CrashError:
                    why = "crash"
                else:
                    if kind == "error":
                        raise pickle.loads(content)
                    if kind == "result":
                        del self.busy[worker]
                        results.append(pickle.loads(content))
                        continue
                    if kind == "message":
                        self._on_message(pickle.loads(content))
            if why is not None:
                del self.busy[worker]
                worker.stop()
                results.append(self._on_crash(job, why))
        return results
