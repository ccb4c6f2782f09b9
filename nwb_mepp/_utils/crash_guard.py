"""A second process that survives the crash of a native library, and says what happened.

HDF5 and the libraries below some readers can crash on a damaged file; no exception tells of it, and the
process is gone. So the work is done in a child, forked before anything heavy is imported, and its parent only
waits.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

__all__ = ["guarded"]

# What native code ends with when it goes wrong.
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_PR_SET_PDEATHSIG = 1


def guarded(work: Callable[[], int], *, on_crash: Callable[[str], int]) -> int:
    """Do work in a child process and return its exit code.

    The two are one to the outside: signals that are sent to this process reach the child, and the child dies
    if this process is killed. Elsewhere than on Linux, the work is done in this process.

    Parameters
    ----------
    work : callable () -> int
        Returns the exit code.
    on_crash : callable (signal) -> int
        Called with the name of the signal, such as ``SIGSEGV``, if the child crashed; returns the exit code.

    Returns
    -------
    int
        128 + the number of the signal if another one ended the child, as shells have it.
    """
    if not sys.platform.startswith("linux"):  # others cannot tell who sent a signal
        return work()
    waited = {*_FORWARDED, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _die_with(parent)
        return work()
    try:
        code = _code_of(pid, waited)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if code >= 0:
        return code
    if -code in CRASHES:
        return on_crash(signal.Signals(-code).name)
    return 128 - code


def _code_of(pid: int, waited: set[signal.Signals]) -> int:
    """Wait for a child, and pass on signals that someone sends to this process alone."""
    while True:
        found = signal.sigwaitinfo(waited)
        if found.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif found.si_pid:  # what a terminal sends has no sender, and reaches the child without us
            with suppress(ProcessLookupError):
                os.kill(pid, found.si_signo)


def _die_with(parent: int) -> None:
    """Let the system kill this process when its parent dies."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
