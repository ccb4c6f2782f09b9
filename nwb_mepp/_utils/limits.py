"""Limits of time and memory, kept from outside: native code that hangs lets no thread of its process run.

The process that keeps them runs this file alone, without the package, so that it starts in some 20 ms.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

__all__ = ["GRACE_S", "Limit", "LimitError", "Limits", "limited", "resident_bytes"]

# How long a process may take to remove its temporary files before it is killed.
GRACE_S = 3.0
POLL_S = 0.25
_CONFIRM_S = 0.02
Limit = str  # "time" or "memory"


class Limits(NamedTuple):
    """What a job may use.

    Attributes
    ----------
    time_s : float
    memory_bytes : float
        In physical memory, together with that of the processes that it has started; not watched on systems
        without ``/proc``.
    """

    time_s: float
    memory_bytes: float

    def exceeded_by(self, pid: int, *, since_s: float) -> Limit | None:
        """Return the limit, "time" or "memory", that a process exceeds.

        Parameters
        ----------
        pid : int
        since_s : float
            When its job began, by :func:`time.monotonic`.
        """
        if time.monotonic() - since_s > self.time_s:
            return "time"
        if _held_by(pid) <= self.memory_bytes:
            return None
        # On a busy machine, gigabytes were once told of a process that held 0.3: the system is asked again.
        time.sleep(_CONFIRM_S)
        return "memory" if _held_by(pid) > self.memory_bytes else None


class LimitError(Exception):
    """A block exceeded a limit; ``limit`` says which, "time" or "memory"."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"the limit of {limit} was exceeded")
        self.limit = limit


def resident_bytes(pid: int) -> int:
    """Return how much physical memory a process holds; 0 where the system does not say or it is gone."""
    try:
        # What is mapped but not loaded, as libraries for networks do by the gigabyte, does not count.
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * int(os.sysconf("SC_PAGE_SIZE"))


def _held_by(pid: int) -> int:
    return resident_bytes(pid) + sum(map(resident_bytes, _children(pid)))


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    try:
        # A process belongs to the thread that has started it.
        lists = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (OSError, ValueError):
        return []
    return [int(child) for one in lists for child in one.split()]


@contextmanager
def limited(limits: Limits, *, last_words: Mapping[Limit, str]) -> Iterator[None]:
    """Keep limits of this process within a ``with`` block.

    Where the block can still be interrupted, it is; native code that hangs is not, and then the whole process
    is killed.

    Parameters
    ----------
    limits : Limits
    last_words : mapping of str to str
        Written to standard error if the process is killed for "time" or "memory".

    Raises
    ------
    LimitError
        If a limit was exceeded.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread can be interrupted
        yield
        return
    words = (last_words["time"], last_words["memory"])
    command = [sys.executable, "-I", "-S", __file__, str(os.getpid()), *map(repr, limits), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        said = keeper.stdout.fileno()
        before = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: Any) -> None:
            if select.select([said], [], [], 0)[0]:
                raise _StopError(os.read(said, 16).decode())
            if callable(before):
                before(number, frame)
            elif before is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)

        signal.signal(signal.SIGTERM, stop)
        try:
            yield
        except _StopError as stopped:
            raise LimitError(stopped.limit) from None
        finally:
            signal.signal(signal.SIGTERM, before)
            keeper.stdin.close()
            keeper.kill()


class _StopError(BaseException):
    """Passes every ``except Exception`` of the block."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit


def _keep(pid: int, limits: Limits, last_words: Mapping[Limit, str]) -> NoReturn:
    """Watch a process until it closes our standard input; end it if it exceeds a limit."""
    # Ctrl-C reaches all processes of a terminal. The one that is watched decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_input, daemon=True).start()
    began_s = time.monotonic()
    while (limit := limits.exceeded_by(pid, since_s=began_s)) is None:
        time.sleep(min(POLL_S, limits.time_s))
    os.write(1, limit.encode())
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        time.sleep(GRACE_S)
        os.write(2, f"{last_words[limit]}\n".encode(errors="surrogateescape"))
        os.kill(pid, signal.SIGKILL)
    sys.exit(0)


def _end_with_input() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    _keep(
        int(sys.argv[1]),
        Limits(float(sys.argv[2]), float(sys.argv[3])),
        {"time": sys.argv[4], "memory": sys.argv[5]},
    )
