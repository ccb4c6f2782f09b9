"""The analysis of a short recording in a process beside this one.

The imports of an analysis take as long as the analysis of a minute. So another process begins with them when
a command begins, and this one imports meanwhile what reads, writes and draws.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nwb_mepp._utils.child_process import CrashError, tell_parent
from nwb_mepp._utils.cores import n_cores
from nwb_mepp._utils.heap import share_one_heap
from nwb_mepp._utils.interim_results import InterimResults
from nwb_mepp._utils.side_process import SideProcess

if TYPE_CHECKING:
    from nwb_mepp.core.recording import Recording
    from nwb_mepp.core.results import ChannelResult
    from nwb_mepp.workflows.settings import DetectionSettings
    from nwb_mepp.workflows.steps import ProgressCallback

__all__ = ["Analysis", "analysis_beside"]

# Longer ones take so long that a second of imports does not count; and what they hold would be there twice.
_MAX_BYTES = 1 << 25
_MAX_DURATION_S = 1800.0
_TO_ANALYZE = (
    "nwb_mepp.workflows.analysis",
    "scipy.signal",
    "scipy.ndimage",
    "scipy.optimize",
    "elephant.statistics",
    "ai_edge_litert.interpreter",
)
_TO_WRITE_AND_DRAW = (
    "nwb_mepp.workflows.annotation",
    "nwb_mepp.nwb.writer",
    "nwb_mepp.plots.picture",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)


class Analysis(Protocol):
    """What :func:`nwb_mepp.workflows.analyze` does, here or in another process."""

    def __call__(
        self,
        recording: Recording,
        *,
        settings: DetectionSettings | None = None,
        on_progress: ProgressCallback | None = None,
        interim: InterimResults | None = None,
    ) -> list[ChannelResult]:
        """Find, measure and summarize the MEPPs of a recording."""


@contextmanager
def analysis_beside(paths: Sequence[Path], *, scheduler: str | None = None) -> Iterator[Analysis | None]:
    """Start the process for the analysis of a single file, if it saves time.

    That is not so with one core, or where this process has analyzed something before.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders of a command.
    scheduler : str, optional
        Address of a cluster, which does the work then.

    Yields
    ------
    callable or None
        Analyzes a recording as :func:`~nwb_mepp.workflows.analyze` does, to the last bit.
    """
    here = scheduler is None and len(paths) == 1 and _is_short(paths[0])
    if not here or n_cores() < 2 or _has_analyzed():
        yield None
        return
    with SideProcess(_TO_ANALYZE) as process:
        yield _AnalysisBeside(process)


def _has_analyzed() -> bool:
    return "scipy.signal" in sys.modules


def _is_short(path: Path) -> bool:
    with suppress(OSError):
        return path.is_file() and path.stat().st_size <= 2 * _MAX_BYTES
    return False


class _AnalysisBeside:
    def __init__(self, process: SideProcess) -> None:
        self._process = process

    def __call__(
        self,
        recording: Recording,
        *,
        settings: DetectionSettings | None = None,
        on_progress: ProgressCallback | None = None,
        interim: InterimResults | None = None,
    ) -> list[ChannelResult]:
        try:
            if _can_be_sent(recording):
                job = (_in_memory(recording), settings, on_progress is not None)
                return self._process.do(
                    _analyzed, job, on_message=on_progress, meanwhile=_import_what_follows
                )
        except CrashError:
            pass  # what crashes here, too, is told as ever
        finally:
            self._process.end()
        from nwb_mepp.workflows.analysis import analyze

        return analyze(recording, settings=settings, on_progress=on_progress, interim=interim)


def _can_be_sent(recording: Recording) -> bool:
    sizes = [trace.n_samples * trace.source.dtype.itemsize for trace in recording.traces]
    duration_s = sum(trace.duration_s for trace in recording.traces)
    return sum(sizes) <= _MAX_BYTES and duration_s <= _MAX_DURATION_S


def _in_memory(recording: Recording) -> Recording:
    """Return a recording whose samples do not depend on a file that is open."""
    from nwb_mepp.core.recording import ArraySource

    traces = [replace(trace, source=ArraySource(trace.raw())) for trace in recording.traces]
    return replace(recording, traces=tuple(traces))


def _analyzed(job: tuple[Recording, DetectionSettings | None, bool]) -> list[ChannelResult]:
    from nwb_mepp.workflows.analysis import analyze

    share_one_heap()
    recording, settings, is_told = job
    return analyze(recording, settings=settings, on_progress=tell_parent if is_told else None)


def _import_what_follows() -> None:
    for name in _TO_WRITE_AND_DRAW:
        with suppress(Exception):  # told where it is used
            importlib.import_module(name)
