"""A pool of processes in which a job that kills its process, or exceeds its limits, fails alone."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import Pipe, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from nwb_mepp._utils.limits import GRACE_S, POLL_S, Limits
from nwb_mepp._utils.native_stderr import ignore_failing_destructors
from nwb_mepp._utils.process_start import started

__all__ = ["give_up_process", "run_jobs", "tell_parent"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

# Of the process that a job runs in.
_to_parent: list[Connection] = []
_given_up: list[bool] = []


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
        Called with what a job says by :func:`tell_parent`.
    on_interrupt : callable, optional
        Called after Ctrl-C. The jobs that are running are then finished, no others begun; a second Ctrl-C
        interrupts. Without it, the first does.
    imported_first : str, optional
        Module that imports what the jobs need; see :func:`nwb_mepp._utils.process_start.started`.

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
    start = partial(_Worker, share_cores=n_processes > 1, imported_first=imported_first)
    pool = _Pool(work, on_crash, limits, on_message or (lambda _: None), budget_bytes, start)
    waiting = deque(jobs)
    with pool, _first_interrupt_noted(on_interrupt is not None) as interrupted:
        pool.grow(min(n_processes, len(jobs)))
        while waiting or pool.busy:
            if interrupted and on_interrupt is not None:
                on_interrupt()
                waiting.clear()
                interrupted.clear()
            yield from pool.begin(waiting)
            yield from pool.finished()


@contextmanager
def _first_interrupt_noted(asked: bool) -> Iterator[list[int]]:
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
        start: Callable[[], _Worker],
    ) -> None:
        self._budget_bytes = budget_bytes
        # What each job that is running may use, and the next, whose folder need not be looked at again.
        self._allowed: dict[_Worker, Limits | None] = {}
        self._next: tuple[JobT, Limits | None] | None = None
        self._work, self._on_crash, self._limits, self._on_message = work, on_crash, limits, on_message
        self._start = start
        self._workers: set[_Worker] = set()
        self.busy: dict[_Worker, JobT] = {}

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
            at_work.start(self._work, job, self._allowed[at_work])
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
                except _CrashError:
                    why = "crash"
                else:
                    if kind in ("result", "last result"):
                        del self.busy[worker]
                        if kind == "last result":
                            worker.stop()
                        results.append(content)
                        continue
                    if kind == "message":
                        self._on_message(content)
            if why is not None:
                del self.busy[worker]
                worker.stop()
                results.append(self._on_crash(job, why))
        return results


def _memory(limits: Limits | None) -> float:
    return 0.0 if limits is None else limits.memory_bytes


class _CrashError(Exception):
    """A process died before it gave a result."""


class _Worker:
    """A process that does one job after another, each received through a pipe of its own.

    Processes that share a queue also share its lock, which one that is killed may never release.
    """

    def __init__(self, *, share_cores: bool, imported_first: str | None) -> None:
        self.connection, theirs = Pipe()
        self._process = started(_serve, theirs, share_cores, imported_first=imported_first)
        # With no other copy of that end, the death of the process closes the pipe.
        theirs.close()
        self._limits: Limits | None = None
        self._began_s: float | None = None

    @property
    def gone(self) -> bool:
        return self.connection.closed

    def start(self, work: Callable[[JobT], object], job: JobT, limits: Limits | None) -> None:
        """Send a job."""
        self._limits, self._began_s = limits, None
        # A pipe that is broken already is noticed where the result is expected.
        with suppress(ConnectionError):
            self.connection.send((work, job))

    def receive(self) -> tuple[str, Any]:
        """Return what the process says, or raise the exception of its job."""
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError) as error:
            raise _CrashError from error
        if kind == "begun":
            self._began_s = time.monotonic()
        if kind == "error":
            raise content
        return kind, content

    def excess(self) -> str | None:
        """Return which limit the process exceeds."""
        if self._limits is None or self._began_s is None or self._process.pid is None:
            return None
        return self._limits.exceeded_by(self._process.pid, since_s=self._began_s)

    def ask_to_stop(self) -> None:
        """End the process as soon as it can; a job in it is given up."""
        self.connection.close()
        self._process.terminate()

    def stop(self) -> None:
        """End the process, by force if need be, and wait for its end."""
        self.ask_to_stop()
        self._process.join(GRACE_S)
        self._process.kill()
        self._process.join()


def tell_parent(message: Any) -> None:
    """Say something to the process that started this one, in the middle of a job."""
    for connection in _to_parent:
        connection.send(("message", message))


def give_up_process() -> None:
    """Let no other job run in this process of a pool, once the present one has ended.

    What a native library cannot close, it may stumble over later.
    """
    _given_up.append(True)


def _serve(connection: Connection, share_cores: bool) -> None:
    """Do jobs until the pipe is closed."""
    # Ctrl-C reaches all processes of a terminal. Only the first decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Exit as an exception, so that the job removes its temporary files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Several threads in one process would only slow down the others. A process that is alone computes with as
    # many as the parent would, to the same last bit: the order of sums depends on the number of threads.
    if share_cores and "OMP_NUM_THREADS" not in os.environ:
        _compute_with_one_thread()
    _to_parent.append(connection)
    ignore_failing_destructors()
    with suppress(EOFError, ConnectionError):
        while True:
            work, job = connection.recv()
            connection.send(("begun", None))
            answer: tuple[str, object]
            try:
                result = work(job)
                answer = "last result" if _given_up else "result", result
            except Exception as error:
                error.add_note(traceback.format_exc())
                answer = "error", error
            connection.send(answer)


def _compute_with_one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    # Libraries that are loaded already have read the environment. OpenBLAS prefers a number of its own.
    if "numpy" in sys.modules and not os.environ.get("OPENBLAS_NUM_THREADS"):
        from threadpoolctl import threadpool_limits

        threadpool_limits(limits=1)


def _end_with_parent() -> None:
    """End this process when the one that started it dies, even in the middle of a job."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # A job in native code that hangs does not hear it.
        time.sleep(GRACE_S)
        os._exit(1)
