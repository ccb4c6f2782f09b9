"""A process that does one job after another, and whose death, hang or hunger costs nothing but its job.

It is a program of its own, which shares nothing with the process that starts it but a pipe: so processes that
may have no children of :mod:`multiprocessing`, such as the workers of Dask, can start it as well. Or it is
forked from a process that has only imported what its jobs need (:mod:`nwb_mepp._utils.process_start`).
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from nwb_mepp._utils.limits import GRACE_S, Limits
from nwb_mepp._utils.native_stderr import ignore_failing_destructors
from nwb_mepp._utils.process_start import forked

__all__ = ["Child", "CrashError", "give_up_process", "packed", "serve", "serve_forked", "tell_parent"]

# The pipe is its standard input, which the jobs find empty. Ctrl-C reaches all processes of a terminal; only
# the first decides what to do about it.
_PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from multiprocessing import connection
pipe = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
if sys.platform == "win32":
    import msvcrt
    pipe = connection.PipeConnection(msvcrt.get_osfhandle(pipe))
else:
    pipe = connection.Connection(pipe)
sys.path[:] = pipe.recv()
from nwb_mepp._utils.child_process import serve
serve(pipe)
"""

# Of the process that a job runs in.
_to_parent: list[Connection] = []
_given_up: list[bool] = []


class CrashError(Exception):
    """A process died before it gave a result."""


class Child:
    """A process for jobs, each received through a pipe of its own.

    Processes that share a queue also share its lock, which one that is killed may never release.

    Parameters
    ----------
    share_cores : bool
        Keep it to one thread: several in one process would only slow down the others. One that is alone
        computes with as many as this process would, to the same last bit: the order of sums depends on it.
    imported_first : str, optional
        Module that imports what the jobs need. With it, the process is forked with these imports done, where
        that is possible; else it starts afresh.
    """

    def __init__(self, *, share_cores: bool, imported_first: str | None = None) -> None:
        self.connection, theirs = Pipe()
        # With no other copy of that end, the death of the process closes the pipe.
        with theirs:
            fork = None
            if imported_first is not None:
                fork = forked(serve_forked, theirs, share_cores, imported_first=imported_first)
            self._process = fork or _started(theirs, share_cores=share_cores)
        with suppress(ConnectionError):
            self.connection.send(sys.path)
        self._limits: Limits | None = None
        self._began_s: float | None = None

    @property
    def gone(self) -> bool:
        """Whether it was stopped."""
        return self.connection.closed

    def is_alive(self) -> bool:
        """Return whether it can be given a job."""
        return not self.gone and self._process.poll() is None

    def start(self, job: bytes, limits: Limits | None) -> None:
        """Send a job, from :func:`packed`; the time counts from when the process has begun with it."""
        self._limits, self._began_s = limits, None
        # A pipe that is broken already is noticed where the result is expected.
        with suppress(ConnectionError):
            self.connection.send_bytes(job)

    def receive(self) -> tuple[str, bytes]:
        """Return what the process says next.

        Returns
        -------
        kind : {"begun", "message", "result", "last result", "error"}
            After its last result, the process is to be stopped.
        content : bytes
            A pickle of the message, the result or the exception of the job.

        Raises
        ------
        CrashError
            If it has died.
        """
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError) as error:
            raise CrashError from error
        if kind == "begun":
            self._began_s = time.monotonic()
        return kind, content

    def excess(self) -> str | None:
        """Return which limit the process exceeds."""
        if self._limits is None or self._began_s is None:
            return None
        return self._limits.exceeded_by(self._process.pid, since_s=self._began_s)

    def ask_to_stop(self) -> None:
        """End the process as soon as it can; a job in it is given up."""
        self.connection.close()
        self._process.terminate()

    def stop(self) -> None:
        """End the process, by force if need be, and wait for its end."""
        self.ask_to_stop()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def packed(work: Callable[[Any], Any], job: Any) -> bytes:
    """Return a job as it is sent to a child: ``work`` by its name, ``job`` with all that it holds."""
    return pickle.dumps((work, job))


def _started(pipe: Connection, *, share_cores: bool) -> subprocess.Popen[bytes]:
    """Start the program at the other end of a pipe."""
    environment = {**({"OMP_NUM_THREADS": "1"} if share_cores else {}), **os.environ}
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # multiprocessing's, too
    command = [sys.executable, "-P", *flags, "-c", _PROGRAM]
    if sys.platform != "win32":
        return subprocess.Popen(command, stdin=pipe.fileno(), env=environment)
    import msvcrt
    from multiprocessing import reduction

    descriptor = msvcrt.open_osfhandle(reduction.duplicate(pipe.fileno()), 0)
    try:
        return subprocess.Popen(command, stdin=descriptor, env=environment)
    finally:
        os.close(descriptor)


def tell_parent(message: Any) -> None:
    """Say something to the process that started this one, in the middle of a job."""
    for connection in _to_parent:
        connection.send(("message", pickle.dumps(message)))


def give_up_process() -> None:
    """Let no other job run in this process, once the present one has ended.

    What a native library cannot close, it may stumble over later.
    """
    _given_up.append(True)


def serve_forked(connection: Connection, share_cores: bool) -> None:
    """Do jobs in a process that was forked; see :func:`serve`."""
    sys.path[:] = connection.recv()
    if share_cores and "OMP_NUM_THREADS" not in os.environ:
        _compute_with_one_thread()
    serve(connection)


def _compute_with_one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    # Libraries that are loaded already have read the environment. OpenBLAS prefers a number of its own.
    if "numpy" in sys.modules and not os.environ.get("OPENBLAS_NUM_THREADS"):
        from threadpoolctl import threadpool_limits

        threadpool_limits(limits=1)


def serve(connection: Connection) -> None:
    """Do jobs until the pipe is closed; the process ends then, even in the middle of one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit_once)
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, jobs), daemon=True).start()
    _to_parent.append(connection)
    ignore_failing_destructors()
    with suppress(ConnectionError):
        while True:
            job = jobs.get()
            connection.send(("begun", b""))
            connection.send(_answer(job))


def _answer(packed_job: bytes) -> tuple[str, bytes]:
    try:
        work, job = pickle.loads(packed_job)
        result = pickle.dumps(work(job))
        return "last result" if _given_up else "result", result
    except Exception as error:
        error.add_note(traceback.format_exc())
        return "error", pickle.dumps(error)


def _exit_once(*_: object) -> None:
    """Exit as an exception, so that the job removes its temporary files; a second request is too late."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _receive(connection: Connection, jobs: SimpleQueue[bytes]) -> None:
    """Take jobs from the pipe; end this process when the one that started it closes it, or dies."""
    with suppress(EOFError, OSError):
        while True:
            jobs.put(connection.recv_bytes())
    os.kill(os.getpid(), signal.SIGTERM)
    # A job in native code that hangs does not hear it.
    time.sleep(GRACE_S)
    os._exit(1)
