"""A process beside this one, which imports what a job needs before there is a job."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from nwb_mepp._utils.child_process import Child, CrashError, packed

__all__ = ["SideProcess"]

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class SideProcess:
    """A process that begins with imports at once, and does jobs afterwards.

    Parameters
    ----------
    modules : sequence of str
        What it imports. What cannot be imported is told where it is used.

    Examples
    --------
    >>> import math
    >>> with SideProcess(["math"]) as process:
    ...     process.do(math.sqrt, 4.0)
    2.0
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._child = Child(share_cores=False)
        self._child.start(packed(_import_all, tuple(modules)), None)
        self._is_ready = False

    def do(
        self,
        work: Callable[[JobT], ResultT],
        job: JobT,
        *,
        on_message: Callable[[Any], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> ResultT:
        """Do a job there, and return its result.

        Parameters
        ----------
        work : callable (job) -> result
            Importable by name; ``job`` and result are pickled.
        job : object
        on_message : callable, optional
            Called with what the job says by :func:`~nwb_mepp._utils.child_process.tell_parent`.
        meanwhile : callable, optional
            Called once the job is on its way.

        Raises
        ------
        CrashError
            If the process has died, or was ended.
        Exception
            Whatever ``work`` raises.
        """
        if self._child.gone:
            raise CrashError
        self._child.start(packed(work, job), None)
        if meanwhile is not None:
            meanwhile()
        while True:
            kind, content = self._child.receive()
            if kind == "message" and on_message is not None:
                on_message(pickle.loads(content))
            elif kind == "error":
                raise pickle.loads(content)
            elif kind in ("result", "last result"):
                if self._is_ready:
                    return pickle.loads(content)  # type: ignore[no-any-return]
                self._is_ready = True  # these were the imports

    def end(self) -> None:
        """Let the process end, a job in it given up; do not wait for it."""
        self._child.ask_to_stop()

    def __enter__(self) -> SideProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._child.stop()


def _import_all(modules: Sequence[str]) -> None:
    for name in modules:
        with suppress(Exception):
            importlib.import_module(name)
