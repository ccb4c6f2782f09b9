"""How long the work on one file may take, and how much memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nwb_mepp._utils.limits import LimitError, Limits, limited
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.options import Options, documented, option, positive

__all__ = ["BatchLimits", "LimitOptions"]

_GIGABYTE = 1e9
# Many times what sound files take, so that only what hangs or grows without end exceeds it.
_TIME_S = 600.0
_TIME_S_PER_MB = 20.0
_MEMORY_GB = 4.0
_MEMORY_PER_BYTE = 16.0


@documented
@dataclass(frozen=True, kw_only=True)
class LimitOptions(Options):
    """What the work on one file may take before it is given up.

    Raises
    ------
    UsageError
        If a value is not possible.
    """

    time_limit_s: float | None = option(
        help="Give up a file after this time, in seconds",
        flag="--time-limit",
        metavar="S",
        default_text="600, and 20 more for each megabyte of the file",
        check=positive("s"),
    )
    memory_limit_gb: float | None = option(
        help="Give up a file whose processing takes more memory than this, in gigabytes (watched on Linux)",
        flag="--memory-limit",
        metavar="GB",
        default_text="4, and 16 times the size of the file",
        check=positive("GB"),
    )

    def of(self, path: Path) -> Limits:
        """Return the limits for a recording.

        Parameters
        ----------
        path : Path
            File or folder; what cannot be found counts as empty.

        Examples
        --------
        >>> LimitOptions(memory_limit_gb=2).of(Path("nowhere.abf"))
        Limits(time_s=600.0, memory_bytes=2000000000.0)
        """
        size = _size_of(path)
        time_s, memory_gb = self.time_limit_s, self.memory_limit_gb
        return Limits(
            time_s=_TIME_S + _TIME_S_PER_MB * size / 1e6 if time_s is None else float(time_s),
            memory_bytes=_MEMORY_GB * _GIGABYTE + _MEMORY_PER_BYTE * size
            if memory_gb is None
            else memory_gb * _GIGABYTE,
        )

    @property
    def budget_bytes(self) -> float:
        """Memory that all files that are worked on at a time may take together; infinite if not bounded."""
        return math.inf

    def excess(self, path: Path, limit: str) -> str:
        """Return the sentence about a file that exceeded a limit, "time" or "memory", without its name."""
        limits = self.of(path)
        if limit == "time":
            return (
                f"expected to be done with the file within {limits.time_s:g} s, and it was given up; it may "
                "be damaged. If it is sound, allow more with `time_limit_s`."
            )
        return (
            f"expected to need at most {limits.memory_bytes / _GIGABYTE:.3g} GB of memory, and the file was "
            "given up; it may be damaged. If it is sound, allow more with `memory_limit_gb`."
        )

    @contextmanager
    def kept(self, path: Path, *, worded: Callable[[str], str] = str) -> Iterator[None]:
        """Keep the limits within a ``with`` block that works on a file in this process.

        Native code that hangs can only be ended with the process; the sentence is then its last words.

        Parameters
        ----------
        path : Path
        worded : callable (sentence) -> str
            Puts the last words into the words of who called.

        Raises
        ------
        ReadError
            If the block exceeds a limit.
        """
        words = {
            limit: f"nwb-mepp: {path}: {worded(self.excess(path, limit))}" for limit in ("time", "memory")
        }
        try:
            with limited(self.of(path), last_words=words):
                yield
        except LimitError as error:
            raise ReadError(f"{path}: {self.excess(path, error.limit)}") from None


@documented
@dataclass(frozen=True, kw_only=True)
class BatchLimits(LimitOptions):
    """What the work on each of many files may take, and all that are worked on at a time together.

    Raises
    ------
    UsageError
        If a value is not possible.
    """

    memory_budget_gb: float | None = option(
        help="Work on no more files at a time than may take this memory together, in gigabytes, each up to "
        "its memory limit",
        flag="--memory-budget",
        metavar="GB",
        default_text="any",
        check=positive("GB"),
    )

    @property
    def budget_bytes(self) -> float:
        """Memory that all files that are worked on at a time may take together; infinite if not bounded."""
        return math.inf if self.memory_budget_gb is None else self.memory_budget_gb * _GIGABYTE

    def excess(self, path: Path, limit: str) -> str:
        """Return the sentence about a file that exceeded a limit, "time", "memory" or "budget"."""
        if limit != "budget":
            return super().excess(path, limit)
        return (
            f"expected a memory budget of {self.of(path).memory_bytes / _GIGABYTE:.3g} GB or more, which the "
            f"file may take, found {self.memory_budget_gb:g} GB; allow more with `memory_budget_gb`, or less "
            "for a file with `memory_limit_gb`."
        )

    @contextmanager
    def kept(self, path: Path, *, worded: Callable[[str], str] = str) -> Iterator[None]:
        """Keep the limits within a ``with`` block that works on a file in this process.

        Raises
        ------
        ReadError
            If the block exceeds a limit, or the file may take more than the budget.
        """
        if self.of(path).memory_bytes > self.budget_bytes:
            raise ReadError(f"{path}: {self.excess(path, 'budget')}")
        with super().kept(path, worded=worded):
            yield


def _size_of(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        # Parts of a recording of several files have their name in common.
        parts = {path, *path.parent.glob(f"{_literal(path.stem)}.*")}
        return sum(one.stat().st_size for one in parts if one.is_file())
    except OSError:
        return 0


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
