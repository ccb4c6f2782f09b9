"""Calls of the command line in processes forked from one that has imported everything."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.injection import Action, Injection

__all__ = ["BUG", "NO_SENTENCE", "Arm", "Child", "Ended", "Server"]

MEMORY_BYTES = 1_000_000_000
TIME_S = 60.0
# What no user should ever see.
BUG = ("Traceback (most recent call last)", "this is a bug in nwb-mepp", "Segmentation fault")
NO_SENTENCE = "failed without a sentence"
UNCAUGHT = 99
KILLED = 128 + signal.SIGKILL
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes
    ----------
    code : int
        Exit code; the negative number of a signal if one ended it.
    said : str
        Standard output and error.
    seconds : float
    peak_bytes : int
    excess : str
        ``time`` or ``memory`` if the harness had to end it for that; otherwise empty.
    """

    code: int
    said: str
    seconds: float
    peak_bytes: int
    excess: str = ""

    def fault(self) -> str:
        """Return what is wrong with how it ended; empty if nothing is, or it was killed on purpose."""
        if self.excess:
            return f"over the limit of {self.excess}"
        for one in BUG:
            if one in self.said:
                return one
        if self.code not in {0, 1, 2, -signal.SIGKILL}:
            return f"exit code {self.code}"
        if self.code in {1, 2} and "nwb-mepp: " not in self.said:
            return NO_SENTENCE
        return ""


@dataclass(frozen=True)
class Arm:
    """A fault for a child: at the k-th call below a folder, or a bound on the size of files."""

    below: Path
    k: int = 0
    action: Action = Action.COUNT
    file_bytes: int | None = None


class Child:
    """A call that is running."""

    def __init__(self, pid: int, output: Path) -> None:
        self.pid, self._output, self._began_s = pid, output, time.monotonic()
        self._handle = os.pidfd_open(pid)
        self._ended: Ended | None = None

    def wait(self, *, time_s: float = TIME_S) -> Ended:
        """Wait for the end; end it if it takes too long or too much memory."""
        excess = ""
        while self._ended is None and not select.select([self._handle], [], [], 0.05)[0]:
            if time.monotonic() - self._began_s > time_s:
                excess = "time"
            elif sum(map(_resident, (self.pid, *_children(self.pid)))) > MEMORY_BYTES:
                excess = "memory"
            if excess:
                self.kill()
                break
        return self._collect(excess)

    def running_for(self, seconds: float) -> bool:
        """Wait some seconds; return whether it still runs."""
        return not select.select([self._handle], [], [], max(0.0, seconds))[0]

    def kill(self, *, alone: bool = False) -> None:
        """Kill it, with the processes that it started unless ``alone``."""
        with contextlib.suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(self.pid, signal.SIGKILL)

    def _collect(self, excess: str) -> Ended:
        if self._ended is None:
            _, status, usage = os.wait4(self.pid, 0)
            os.close(self._handle)
            self._ended = Ended(
                code=-signal.SIGKILL if status >> 8 == KILLED else os.waitstatus_to_exitcode(status),
                said=self._said(),
                seconds=time.monotonic() - self._began_s,
                peak_bytes=usage.ru_maxrss * 1024,
                excess=excess or ("memory" if usage.ru_maxrss * 1024 > MEMORY_BYTES else ""),
            )
            self._output.unlink(missing_ok=True)
        return self._ended

    def _said(self) -> str:
        try:
            return self._output.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # killed before it could say anything
            return ""


class Server:
    """Forks calls of the command line; this process itself never runs one with a fault."""

    def __init__(self, scratch: Path) -> None:
        self.injection = Injection()
        self._scratch, self._n = scratch, 0
        scratch.mkdir(parents=True, exist_ok=True)
        # Processes whose parent was killed become ours, so that it is known when the last has ended.
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)

    def start(self, arguments: Sequence[object], *, arm: Arm | None = None) -> Child:
        """Call the command line in a new process, in a session of its own."""
        self._n += 1
        output = self._scratch / f"{os.getpid()}-{self._n}.said"
        self.injection.reset()
        pid = os.fork()
        if pid == 0:
            _call([str(one) for one in arguments], output, arm, self.injection)
        return Child(pid, output)

    def call(self, arguments: Sequence[object], *, arm: Arm | None = None, time_s: float = TIME_S) -> Ended:
        """Call the command line and wait for its end."""
        ended = self.start(arguments, arm=arm).wait(time_s=time_s)
        self.reap()
        return ended

    def compute(self, function: Callable[..., Any], *arguments: Any, time_s: float = TIME_S) -> Any:
        """Return what a function gives in a process of its own; an exception where it raises or crashes."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _answer(function, arguments, writing)
        os.close(writing)
        content, end = b"", time.monotonic() + time_s
        while select.select([reading], [], [], max(0.0, end - time.monotonic()))[0]:
            part = os.read(reading, 1 << 20)
            if not part:
                break
            content += part
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return pickle.loads(content) if content else RuntimeError("no answer, or too late")

    def reap(self, *, time_s: float = 10.0) -> bool:
        """Wait for processes that calls left; end what stays, and return whether nothing did."""
        end = time.monotonic() + time_s
        while True:
            try:
                found, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if not found:
                if time.monotonic() > end:
                    for pid in _children(os.getpid()):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    return False
                time.sleep(0.005)


def _call(arguments: list[str], output: Path, arm: Arm | None, injection: Injection) -> None:
    from nwb_mepp.__main__ import guarded_command

    code = UNCAUGHT
    try:
        os.setsid()
        gc.disable()
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for number in (1, 2):
            os.dup2(descriptor, number)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace")
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if arm is not None:
            if arm.file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (arm.file_bytes, arm.file_bytes))
            else:
                injection.arm(arm.below, arm.k, arm.action)
        if os.environ.get("FH"):
            import faulthandler

            faulthandler.enable(2)
        code = guarded_command(arguments)
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stderr.flush()
        os._exit(code)


def _answer(function: Callable[..., Any], arguments: Sequence[Any], writing: int) -> None:
    try:
        try:
            answer = function(*arguments)
        except Exception as error:
            answer = RuntimeError(f"{type(error).__name__}: {error}")
        content = memoryview(pickle.dumps(answer))
        while content:
            content = content[os.write(writing, content) :]
    finally:
        os._exit(0)


def _resident(pid: int) -> int:
    from nwb_mepp._utils.limits import resident_bytes

    return resident_bytes(pid)


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:  # it has ended
        return []
    return [int(one) for one in told.split()]
