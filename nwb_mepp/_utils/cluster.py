"""An existing Dask cluster: connection, what must be equal everywhere, and tasks in flight.

The only module that knows ``distributed``.
"""

from __future__ import annotations

import logging
import os
import queue
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import uuid4

from nwb_mepp._utils.limits import POLL_S
from nwb_mepp._utils.temporaries import temporary_beside
from nwb_mepp.core.errors import ClusterError, MissingDependencyError

__all__ = ["KILLED", "LOST", "Cluster", "ClusterLostError", "Task", "unseen"]

# Kinds of answers that come from no job: its workers died, or nothing is known of it.
KILLED, LOST = "killed", "lost"

_CONNECT_S = 10.0
# A cluster that grows as it is needed starts its first worker within this time.
_WORKERS_S = 60.0
_RECONNECT_S = 60.0
_RECOUNT_S = 2.0
# What has to be the same in the scheduler, the workers and here.
_EQUAL = ("python", "distributed", "nwb-mepp")


class ClusterLostError(Exception):
    """The cluster has gone away and did not come back; ``jobs`` were in flight."""

    def __init__(self, jobs: Sequence[Any]) -> None:
        super().__init__("the cluster was lost")
        self.jobs = jobs


class Task(NamedTuple):
    """What a worker does.

    Attributes
    ----------
    work : callable (is_given_up) -> (kind, content)
        Called in a thread of a worker, with a function that tells whether to give it up.
    job : object
        Comes back with the answer.
    name : str
        What it is called on the dashboard.
    """

    work: Callable[[Callable[[], bool]], tuple[str, bytes]]
    job: Any
    name: str


class Cluster:
    """A connection to a Dask scheduler, within a ``with`` block; at its end, what is in flight is cancelled.

    Parameters
    ----------
    scheduler : str
        Its address.
    shared : sequence of Path
        What every worker must see.

    Attributes
    ----------
    batch : str
        Names all that is submitted here.
    in_flight : dict of future to job
    """

    def __init__(self, scheduler: str, *, shared: Sequence[Path] = ()) -> None:
        self._scheduler, self._shared = scheduler, shared
        self.batch = uuid4().hex
        self.in_flight: dict[Any, Any] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._client: Any = None
        self._n_threads, self._counted_s, self._had_workers_s = 0, 0.0, 0.0

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        with _quiet(), suppress(Exception):
            self._client.cancel(list(self.in_flight))
        self._close()

    def room(self) -> int:
        """Return how many tasks more keep the workers from waiting; others would only be in the way."""
        self._count()
        return self._n_threads + self._n_threads // 4 + 2 - len(self.in_flight)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Let workers do tasks; together, they cost the scheduler less."""
        # Keys of one first part share the statistics of the scheduler, which are never forgotten.
        keys = [("nwb-mepp", task.name, f"{self.batch}-{uuid4().hex}") for task in tasks]
        work = [task.work for task in tasks]
        futures = self._client.map(_watched, work, list(map(list, keys)), key=keys, pure=False)
        for future, task in zip(futures, tasks, strict=True):
            self.in_flight[future] = task.job
            future.add_done_callback(self._done.put)

    def finished(self, *, give_up: Callable[[], bool]) -> Iterator[tuple[Any, str, bytes]]:
        """Wait a little; yield job, kind and content of the answers that have come.

        Parameters
        ----------
        give_up : callable
            Whether to stop looking for a scheduler that is gone.

        Raises
        ------
        ClusterLostError
            If the scheduler has gone away and does not come back.
        ClusterError
            If the cluster cannot do tasks.
        """
        ready = []
        with suppress(queue.Empty):
            ready.append(self._done.get(timeout=POLL_S))
            while True:
                ready.append(self._done.get_nowait())
        self._count()
        answers = list(self._answers([future for future in ready if future in self.in_flight]))
        if self._client.status != "running" or any(kind == LOST for _, kind, _ in answers):
            known = [one for one in answers if one[1] != LOST]
            yield from ((self.in_flight.pop(future), kind, content) for future, kind, content in known)
            yield from ((job, LOST, b"") for job in self._found_again(give_up))
            return
        yield from ((self.in_flight.pop(future), kind, content) for future, kind, content in answers)

    def _answers(self, futures: Sequence[Any]) -> Iterator[tuple[Any, str, bytes]]:
        """Yield future, kind and content of what tasks gave: together where that can be, else one by one."""
        together = [future for future in futures if future.status == "finished"]

        async def gathered() -> Any:
            return await self._client.gather(together, asynchronous=True)

        contents: Sequence[tuple[str, bytes]] = ()
        # What goes wrong with one of them is told by that one, below.
        with suppress(Exception):
            contents = self._client.sync(gathered, callback_timeout=_CONNECT_S)
        answered = dict(zip(together, contents, strict=False))
        for future in futures:
            yield (future, *(answered[future] if future in answered else self._answer(future)))

    def _answer(self, future: Any) -> tuple[str, bytes]:
        """Return the kind and the content of what a task gave."""
        from distributed import KilledWorker

        try:
            kind, content = future.result(timeout=_CONNECT_S)
        except KilledWorker:
            return KILLED, b""
        except (CancelledError, OSError, TimeoutError):
            return LOST, b""
        except Exception as error:
            raise ClusterError(
                f"expected that the cluster at {self._scheduler} does the work, found: {error}"
            ) from error
        return kind, content

    def _connect(self) -> None:
        distributed = _distributed()
        try:
            with warnings.catch_warnings(), _quiet():
                # It is said in our own words, and ends the work.
                warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
                self._client = distributed.Client(
                    self._scheduler, timeout=_CONNECT_S, set_as_default=False, name="nwb-mepp"
                )
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                f"expected a Dask scheduler at {self._scheduler}, found none within {_CONNECT_S:g} s; check "
                "`scheduler`, and that the cluster runs."
            ) from error
        try:
            self._check()
        except (OSError, TimeoutError, CancelledError) as error:
            self._close()
            raise ClusterError(
                f"expected a Dask cluster at {self._scheduler}, found that it goes away: {error}"
            ) from error
        except BaseException:
            self._close()
            raise

    def _check(self) -> None:
        """Check what must be equal, that there are workers, and that they see what is shared."""
        self._check_versions()
        try:
            # A cluster that grows as it is needed has no worker before the first task.
            self._client.submit(os.getpid, pure=False).result(timeout=_WORKERS_S)
        except TimeoutError:
            raise ClusterError(
                f"expected workers in the cluster at {self._scheduler}, found none within {_WORKERS_S:g} s; "
                "start some, and run this again."
            ) from None
        self._check_versions()
        with _marked(self._shared) as paths:
            for worker, missing in self._client.run(unseen, paths).items():
                if missing:
                    # The marker stands for its folder.
                    path = missing[0] if missing[0] in map(_absolute, self._shared) else paths[0]
                    raise ClusterError(
                        f"expected that all workers see {path}, found that {worker} does not, or another of "
                        "that name; give paths in a folder that all computers of the cluster share."
                    )
        self._count(anew=True)

    def _check_versions(self) -> None:
        found = self._client.get_versions(packages=["nwb-mepp"])
        here = found["client"]["packages"]
        others = {"the scheduler": found["scheduler"]}
        others |= {f"the worker {worker}": stated for worker, stated in found["workers"].items()}
        for who, stated in others.items():
            for package in _EQUAL:
                theirs, ours = _version(stated["packages"], package), _version(here, package)
                if theirs != ours:
                    raise ClusterError(
                        f"expected {package} {ours} in the whole cluster, as here, found {theirs} in {who}; "
                        "start the cluster with the same installation."
                    )

    def _count(self, *, anew: bool = False) -> None:
        """Count the threads of the workers, now and then: a cluster may grow and shrink."""
        now = time.monotonic()
        if not anew and now - self._counted_s < _RECOUNT_S:
            return
        if self._client.status != "running":
            return
        with suppress(OSError, TimeoutError, CancelledError):
            self._n_threads = sum(self._client.nthreads().values())
        self._counted_s = now
        if self._n_threads or anew:
            self._had_workers_s = now
        elif now - self._had_workers_s > _WORKERS_S and self.in_flight:
            raise ClusterLostError(list(self.in_flight.values()))

    def _found_again(self, give_up: Callable[[], bool]) -> list[Any]:
        """Connect again; return the jobs that were in flight."""
        jobs = list(self.in_flight.values())
        self.in_flight.clear()
        self._done = queue.SimpleQueue()
        self._close()
        end = time.monotonic() + _RECONNECT_S
        while True:
            try:
                self._connect()
            except ClusterError:
                if time.monotonic() > end or give_up():
                    raise ClusterLostError(jobs) from None
                time.sleep(POLL_S)
            else:
                return jobs

    def _close(self) -> None:
        with _quiet(), suppress(Exception):
            self._client.close(timeout=1.0)


def unseen(paths: Sequence[str]) -> list[str]:
    """Return the paths that are not there."""
    return [path for path in paths if not os.path.exists(path)]  # noqa: PTH110 - false for any error


def _watched(work: Callable[[Callable[[], bool]], tuple[str, bytes]], key: Any) -> tuple[str, bytes]:
    """Do a task in a thread of a worker."""
    from distributed import Reschedule, get_worker
    from distributed.core import Status

    worker = get_worker()
    ending = (Status.closing, Status.closed, Status.failed)

    def is_given_up() -> bool:
        known = worker.state.tasks.get(tuple(key))
        return worker.status in ending or known is None or known.state == "cancelled"

    kind, content = work(is_given_up)
    if kind == LOST:
        raise Reschedule
    return kind, content


def _version(packages: Mapping[str, str | None], package: str) -> str:
    found = packages.get(package)
    if found is None:
        return "none"
    return ".".join(found.split(".")[:2]) if package == "python" else found


def _distributed() -> Any:
    try:
        import distributed
        import distributed.versions
    except ImportError:
        raise MissingDependencyError(
            "`scheduler` needs distributed; install it with: pip install 'nwb-mepp[cluster]'"
        ) from None
    return distributed


def _absolute(path: Path) -> str:
    return str(Path(path).absolute())


@contextmanager
def _marked(shared: Sequence[Path]) -> Iterator[list[str]]:
    """Yield the paths of what is shared, and of a file that exists in the first of it only now."""
    paths = [*map(_absolute, shared)]
    marker = temporary_beside(Path(paths[0]) / "shared") if paths and Path(paths[0]).is_dir() else None
    if marker is None:
        yield paths
        return
    try:
        # Without the right to write, which is told of each file, only the paths are compared.
        with suppress(OSError):
            marker.touch()
            paths.append(str(marker))
        yield paths
    finally:
        with suppress(OSError):
            marker.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of connections that fail: the error does, in our own words."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
