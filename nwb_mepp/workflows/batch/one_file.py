"""The work on one file of a batch: an error becomes a failure, what is logged becomes notes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from nwb_mepp._utils.child_process import give_up_process
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.workflows.batch.explanation import explain
from nwb_mepp.workflows.batch.plan import Failure, Job
from nwb_mepp.workflows.limits import LimitOptions
from nwb_mepp.workflows.outcomes import FileOutcome

__all__ = ["guarded", "guarded_alone"]


def guarded(job: Job, *, work: Callable[..., FileOutcome]) -> FileOutcome | Failure:
    """Do a job in a process of the pool; what is logged there becomes notes on its file."""
    with _logged() as messages:
        outcome = _done(work, job)
    if isinstance(outcome, Failure):
        return outcome
    return replace(outcome, notes=(*outcome.notes, *messages))


def _done(work: Callable[..., FileOutcome], job: Job) -> FileOutcome | Failure:
    try:
        return work(job.path, job.output, write_options=job.write_options, **_of_its_own(work, job))
    except Exception as error:
        if isinstance(error, (OSError, OutputError)):
            # On a full disk, HDF5 keeps a file that it cannot close, and crashes with the next one.
            give_up_process()
        return Failure.because(job.path, explain(error))


def _of_its_own(work: Callable[..., FileOutcome], job: Job) -> dict[str, Any]:
    """Return the arguments that are other for this file than for all."""
    common = getattr(work, "keywords", {})
    arguments: dict[str, Any] = {}
    if job.reading:
        arguments["read_options"] = replace(common["read_options"], **job.reading)
    if job.detecting and "settings" in common:
        arguments["settings"] = replace(common["settings"], **job.detecting)
    elif "exclude" in job.detecting:
        arguments["exclude"] = job.detecting["exclude"]
    return arguments


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect what the package logs within a ``with`` block."""
    messages: list[str] = []
    handler, log = logging.Handler(logging.WARNING), logging.getLogger("nwb_mepp")
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    try:
        yield messages
    finally:
        log.removeHandler(handler)


def guarded_alone(
    job: Job, *, work: Callable[..., FileOutcome], limits: LimitOptions, worded: Callable[[str], str]
) -> FileOutcome | Failure:
    """Do a job in this process, within its limits."""
    try:
        with limits.kept(job.path, worded=worded):
            return _done(work, job)
    except ReadError as error:
        return Failure.because(job.path, str(error))
