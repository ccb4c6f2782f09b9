"""Faults at the k-th call that changes a file: a small library between the program and the C library."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

__all__ = ["Action", "Injection", "preloaded"]

SOURCE = Path(__file__).with_name("shim.c")
VARIABLE = "NWB_MEPP_FAULTS_SHIM"


class Action(IntEnum):
    """What happens at the chosen call; the numbers are those of ``shim.c``."""

    COUNT = 0
    KILL_BEFORE = 1
    KILL_HALFWAY = 2
    KILL_AFTER = 3
    FULL_ONCE = 4
    FULL_HALFWAY = 5
    FULL_FROM = 6


KILLS = (Action.KILL_BEFORE, Action.KILL_HALFWAY, Action.KILL_AFTER)
FULL = (Action.FULL_ONCE, Action.FULL_HALFWAY, Action.FULL_FROM)


def preloaded(work: Path) -> bool:
    """Start this program again with the library before all others; return whether it is there.

    It needs Linux and a C compiler. Without them, processes are killed by the clock alone.
    """
    if VARIABLE in os.environ:
        return os.environ[VARIABLE] != ""
    compiler = shutil.which("cc") or shutil.which("gcc")
    library = work / "shim.so"
    environment = {**os.environ, VARIABLE: ""}
    if compiler is not None and sys.platform == "linux":
        work.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        environment |= {VARIABLE: str(library.resolve()), "LD_PRELOAD": str(library.resolve())}
    # A thread that is alive during a fork could hold a lock for ever in the child.
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    os.execve(sys.executable, [sys.executable, "-m", "tests.faults", *sys.argv[1:]], environment)
    return None


class Injection:
    """The library, or nothing if it could not be built."""

    def __init__(self) -> None:
        name = os.environ.get(VARIABLE)
        self._library = ctypes.CDLL(name) if name else None
        if self._library is not None:
            self._library.faults_at.restype = ctypes.c_char_p
            self._library.faults_calls.restype = ctypes.c_long
            self._library.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int]
            self._library.faults_prepare()

    @property
    def there(self) -> bool:
        return self._library is not None

    def reset(self) -> None:
        """Forget the calls of the last trial; in the parent, before the fork."""
        if self._library is not None:
            self._library.faults_reset()

    def arm(self, below: Path, k: int, action: Action) -> None:
        """Wait for the k-th call that changes something below a folder; in the child."""
        if self._library is not None:
            self._library.faults_arm(os.fsencode(below), k, int(action))

    @property
    def calls(self) -> int:
        return 0 if self._library is None else int(self._library.faults_calls())

    @property
    def at(self) -> str:
        """The name of the call at which something happened."""
        return "" if self._library is None else self._library.faults_at().decode()
