"""Jobs on the workers of a Dask cluster: the counterpart of :mod:`nwb_mepp._utils.process_pool`.

A worker does no job itself. It hands each to a child process, which stays for the next ones, so a job that
kills its process or exceeds its limits fails alone here as well. What travels are bytes: neither scheduler
nor workers import what a job needs.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from nwb_mepp._utils.child_process import Child, CrashError, packed
from nwb_mepp._utils.cluster import KILLED, LOST, Cluster, ClusterLostError, Task, unseen
from nwb_mepp._utils.file_lock import attempt_of
from nwb_mepp._utils.limits import POLL_S, Limits
from nwb_mepp._utils.process_pool import first_interrupt_noted

__all__ = ["run_on_cluster"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

# A child without a job ends after this time: the cluster may not be needed any more.
_IDLE_S = 30.0
# A job of which nothing came back so often is given up.
_MAX_LOSSES = 10


def run_on_cluster(
    jobs: Sequence[JobT],
    *,
    work: Callable[[JobT], ResultT],
    on_crash: Callable[[JobT, str], ResultT],
    scheduler: str,
    name_of: Callable[[JobT], str],
    shared: Sequence[Path] = (),
    limits: Callable[[JobT], Limits] | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> Iterator[ResultT]:
    """Run jobs on a Dask cluster and yield their results as they finish.

    The jobs run in a folder of the same name as the current one. If the scheduler is lost, it is looked for
    for a minute, and what is not known to be done is submitted again. If the caller stops early, or is
    interrupted, the jobs that are running are ended.

    Parameters
    ----------
    jobs : sequence
    work : callable (job) -> result
        Must be importable by name. A job may be done more than once: that must do no harm.
    on_crash : callable (job, why) -> result
        Gives the result of a job that has none: ``why`` is ``"crash"`` (its process was killed, again and
        again if it was a worker of Dask), ``"time"`` or ``"memory"`` (of its limits), ``"unseen"`` (a worker
        does not see what is shared), ``"lost"`` (the cluster went away while it was worked on) or
        ``"unbegun"`` (before that).
    scheduler : str
        Address of the scheduler.
    name_of : callable (job) -> str
        What the job is called on the dashboard of the cluster.
    shared : sequence of Path
        Files and folders that every worker must see. A hidden file is written into the first, if it is a
        folder, to see if it is the same there.
    limits : callable (job) -> Limits, optional
        The time counts from when a process has begun with the job.
    on_interrupt : callable, optional
        Called after Ctrl-C; see :func:`nwb_mepp._utils.process_pool.run_jobs`.

    Yields
    ------
    result
        In the order in which the jobs finish.

    Raises
    ------
    ClusterError
        If there is no scheduler, no worker, one of another version, or one that does not see what is shared.
    MissingDependencyError
        If ``distributed`` is not installed.
    Exception
        Whatever ``work`` raises.
    """
    with (
        Cluster(scheduler, shared=shared) as cluster,
        first_interrupt_noted(on_interrupt is not None) as interrupted,
    ):
        queue = _Queue(jobs)
        pack = _Packing(cluster.batch, work, limits, shared)
        try:
            while queue.is_filled or cluster.in_flight:
                if interrupted and on_interrupt is not None:
                    on_interrupt()
                    queue.clear()
                    interrupted.clear()
                if jobs_now := queue.next(cluster):
                    cluster.submit([Task(pack(job), job, name_of(job)) for job in jobs_now])
                for job, kind, content in cluster.finished(give_up=lambda: bool(interrupted)):
                    if kind == "error":
                        raise pickle.loads(content)
                    if queue.settles(job, kind):
                        why = "crash" if kind == KILLED else kind
                        yield pickle.loads(content) if kind == "result" else on_crash(job, why)
        except ClusterLostError as error:
            yield from (on_crash(job, "lost") for job in error.jobs)
            yield from (on_crash(job, "unbegun") for job in queue.without(error.jobs))


class _Queue(Generic[JobT]):
    """The jobs that are not submitted, and what is known of those that gave no answer."""

    def __init__(self, jobs: Iterable[JobT]) -> None:
        self._waiting = deque(jobs)
        # Their workers died, but perhaps of other jobs that these had: each is tried again alone.
        self._suspects: deque[JobT] = deque()
        self._alone: JobT | None = None
        self._losses: Counter[int] = Counter()

    @property
    def is_filled(self) -> bool:
        return bool(self._waiting or self._suspects)

    def clear(self) -> None:
        self._waiting.clear()
        self._suspects.clear()

    def next(self, cluster: Cluster) -> list[JobT]:
        """Return the next jobs, as many as the cluster has room for."""
        if self._waiting:
            n_jobs = min(cluster.room(), len(self._waiting))
            return [self._waiting.popleft() for _ in range(n_jobs)]
        if self._suspects and not cluster.in_flight:
            self._alone = self._suspects.popleft()
            return [self._alone]
        return []

    def settles(self, job: JobT, kind: str) -> bool:
        """Return whether an answer is the last word on a job; if not, it is tried again."""
        self._losses[id(job)] += kind == LOST
        again = kind == LOST and self._losses[id(job)] < _MAX_LOSSES
        if job is self._alone:
            self._alone = None
            if again:
                self._suspects.appendleft(job)
            return not again
        if kind == KILLED:
            self._suspects.append(job)
        elif again:
            self._waiting.appendleft(job)
        return kind != KILLED and not again

    def without(self, jobs: Iterable[JobT]) -> list[JobT]:
        """Return all jobs here but some."""
        others = set(map(id, jobs))
        return [job for job in (*self._waiting, *self._suspects) if id(job) not in others]


class _Packing:
    """How a job is made a task of Dask."""

    def __init__(
        self,
        batch: str,
        work: Callable[[Any], Any],
        limits: Callable[[Any], Limits] | None,
        shared: Sequence[Path],
    ) -> None:
        self._work, self._limits = partial(_at_its_place, Path.cwd(), batch, work), limits
        self._shared = [str(Path(one).absolute()) for one in shared]

    def __call__(self, job: Any) -> partial[tuple[str, bytes]]:
        limits = None if self._limits is None else self._limits(job)
        return partial(_do, packed(self._work, job), limits, self._shared)


def _at_its_place(folder: Path, batch: str, work: Callable[[Any], Any], job: Any) -> Any:
    """Do a job in the folder in which it was asked for, as another attempt at it, perhaps."""
    os.chdir(folder)
    with attempt_of(batch):
        return work(job)


def _do(
    job: bytes, limits: Limits | None, shared: Sequence[str], is_given_up: Callable[[], bool]
) -> tuple[str, bytes]:
    """Do a job in a child of this worker; return the kind of its answer and the answer."""
    if unseen(shared):
        return "unseen", b""
    child = _idle.take()
    child.start(job, limits)
    while True:
        if wait([child.connection], POLL_S):
            try:
                kind, content = child.receive()
            except CrashError:
                child.stop()
                return "crash", b""
            if kind == "last result":
                child.stop()
                return "result", content
            if kind in ("result", "error"):
                _idle.give(child)
                return kind, content
        why = LOST if is_given_up() else child.excess()
        if why is not None:
            child.stop()
            return why, b""


class _Idle:
    """The children of this process that wait for a job."""

    def __init__(self) -> None:
        self._children: dict[Child, threading.Timer] = {}
        self._lock = threading.Lock()

    def take(self) -> Child:
        with self._lock:
            while self._children:
                child, timer = self._children.popitem()
                timer.cancel()
                if child.is_alive():
                    return child
                child.stop()
        return Child(share_cores=True)

    def give(self, child: Child) -> None:
        timer = threading.Timer(_IDLE_S, self._end, (child,))
        timer.daemon = True
        with self._lock:
            self._children[child] = timer
        timer.start()

    def _end(self, child: Child) -> None:
        with self._lock:
            if self._children.pop(child, None) is None:  # taken in the meantime
                return
        child.stop()


_idle = _Idle()
