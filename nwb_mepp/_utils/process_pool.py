"""A pool of processes in which a job that kills its process, or exceeds its limits, fails alone."""

from __future__ import annotations

import math
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
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
    budget_bytes: float = math.inf,
    on_message: Callable[[Any], None] | None = None,
    on_interrupt: Callable[[], None] | None = None,
    imported_first: str | None = None,
    share_cores: bool | None = None,
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
        ``"time"`` or ``"memory"`` (of its limits); or of one that does not fit into the budget alone, and is
        not begun: ``"budget"``.
    n_processes : int
        With 0, everything runs in this process without limits, and a crash ends it.
    limits : callable (job) -> Limits, optional
        The time counts from when the process has begun with the job.
    budget_bytes : float, optional
        A job is begun when its limit of memory fits into this beside those of the jobs that are running. None
        overtakes another.
    on_message : callable, optional
        Called with what a job says by :func:`~nwb_mepp._utils.child_process.tell_parent`.
    on_interrupt : callable, optional
        Called after Ctrl-C. The jobs that are running are then finished, no others begun; a second Ctrl-C
        interrupts. Without it, the first does.
    imported_first : str, optional
        Module that imports what the jobs need; see :func:`nwb_mepp._utils.process_start.forked`.
    share_cores : bool, optional
        Keep each process to one thread; if there are several of them, when not given.

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
    is_shared = n_processes > 1 if share_cores is None else share_cores
    start = partial(Child, share_cores=is_shared, imported_first=imported_first)
    pool = _Pool(work, on_crash, limits, on_message or (lambda _: None), budget_bytes, start)
    waiting = deque(jobs)
    with pool, first_interrupt_noted(on_interrupt is not None) as interrupted:
        pool.grow(min(n_processes, len(jobs)))
        while waiting or pool.busy:
            if interrupted and on_interrupt is not None:
                on_interrupt()
                waiting.clear()
                interrupted.clear()
            yield from pool.begin(waiting)
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
        budget_bytes: float,
        start: Callable[[], Child],
    ) -> None:
        self._budget_bytes = budget_bytes
        # What each job that is running may use, and the next, whose folder need not be looked at again.
        self._allowed: dict[Child, Limits | None] = {}
        self._next: tuple[JobT, Limits | None] | None = None
        self._work, self._on_crash, self._limits, self._on_message = work, on_crash, limits, on_message
        self._start = start
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
        self._workers |= {self._start() for _ in range(n_processes)}

    def begin(self, waiting: deque[JobT]) -> list[ResultT]:
        """Give a job to each process that has none, as far as the budget goes; replace those that are gone.

        Return the results of jobs that do not fit into the budget.
        """
        refused: list[ResultT] = []
        for worker in self._workers - self.busy.keys():
            while waiting and _memory(self._limits_of(waiting[0])) > self._budget_bytes:
                refused.append(self._on_crash(waiting.popleft(), "budget"))
            in_use = sum(_memory(self._allowed[one]) for one in self.busy)
            if not waiting or in_use + _memory(self._limits_of(waiting[0])) > self._budget_bytes:
                break
            job = waiting.popleft()
            at_work = self._start() if worker.gone else worker
            self._workers = (self._workers - {worker}) | {at_work}
            self.busy[at_work] = job
            self._allowed[at_work] = self._limits_of(job)
            at_work.start(packed(self._work, job), self._allowed[at_work])
        return refused

    def _limits_of(self, job: JobT) -> Limits | None:
        if self._next is None or self._next[0] is not job:
            self._next = (job, None if self._limits is None else self._limits(job))
        return self._next[1]

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
                    if kind in ("result", "last result"):
                        del self.busy[worker]
                        if kind == "last result":
                            worker.stop()
                        results.append(pickle.loads(content))
                        continue
                    if kind == "message":
                        self._on_message(pickle.loads(content))
            if why is not None:
                del self.busy[worker]
                worker.stop()
                results.append(self._on_crash(job, why))
        return results


def _memory(limits: Limits | None) -> float:
    return 0.0 if limits is None else limits.memory_bytes
