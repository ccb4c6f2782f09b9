"""Processes that can be told apart, even when the operating system gives a number again."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessIdentity", "short_hash"]

_UNKNOWN_START = "unknown"


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process of some computer.

    Attributes
    ----------
    host : str
        Name of the computer; a container counts as one of its own.
    pid : int
    start : str
        When it started, in a form that is only compared.
    """

    host: str
    pid: int
    start: str

    @classmethod
    def this(cls) -> ProcessIdentity:
        """Return the process that asks."""
        pid = os.getpid()
        return cls(host=_host(), pid=pid, start=_start_of(pid) or _UNKNOWN_START)

    def is_gone(self) -> bool:
        """Return whether it is known to have ended; of another computer, nothing is known."""
        return self.host == _host() and _start_of(self.pid) != self.start

    def abbreviated(self) -> str:
        """Return it as a part of a file's name, which :func:`is_gone` understands."""
        return f"{short_hash(self.host)}-{self.pid}-{short_hash(self.start)}"


def is_gone(*, host: str, pid: int, start: str) -> bool:
    """Return whether the process has ended that :meth:`ProcessIdentity.abbreviated` gave these parts.

    Parameters
    ----------
    host, start : str
        Their hashes.
    pid : int
    """
    if host != short_hash(_host()):
        return False
    found = _start_of(pid)
    return found is None or short_hash(found) != start


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that stand for a text.

    Examples
    --------
    >>> short_hash("lab")
    'a51146d3'
    """
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]


def _host() -> str:
    """Return the name of this computer; in Linux with the space in which its process numbers are valid."""
    with suppress(OSError):
        return f"{platform.node()} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - not a path
    return platform.node()


def _start_of(pid: int) -> str | None:
    """Return when a process started, None if there is none of that number."""
    if os.name != "posix":
        return _UNKNOWN_START  # so that no process is ever taken for gone
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass  # of another user
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name of the program stands in parentheses and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    with suppress(OSError):
        told = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return told.stdout.strip() or None
    return _UNKNOWN_START
