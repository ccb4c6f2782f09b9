"""Run a batch: each file is processed on its own, and those that fail are listed with the reason."""

from __future__ import annotations

import csv
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.core.safe_text import csv_cell
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import (
    DetectionSettings,
    FileOutcome,
    ProgressCallback,
    Stretches,
    convert_file,
    run_file,
)
from nwb_mepp.workflows.batch.plan import Failure, Job, Plan
from nwb_mepp.workflows.batch.tables import (
    Decimal,
    Units,
    event_columns,
    read_event_rows,
    read_summary_rows,
    summary_columns,
    write_csv,
)

__all__ = ["DEBUG_VARIABLE", "BatchOutcome", "convert_batch", "explain", "run_batch"]

# Set to 1, it shows where an error came from.
DEBUG_VARIABLE = "NWB_MEPP_DEBUG"

Report = Callable[[FileOutcome | Failure], None]


@dataclass(frozen=True, kw_only=True)
class BatchOutcome:
    """Outcome of a batch.

    Attributes
    ----------
    done : tuple of FileOutcome
    failures : tuple of Failure
    tables : tuple of Path
        Tables of the whole batch that were written.
    """

    done: tuple[FileOutcome, ...]
    failures: tuple[Failure, ...]
    tables: tuple[Path, ...]


def run_batch(
    plan: Plan,
    *,
    settings: DetectionSettings,
    read_options: ReadOptions,
    overwrite: bool = False,
    picture: bool = True,
    n_processes: int = 1,
    units: Units = "si",
    decimal: Decimal = "point",
    worded: Callable[[str], str] = str,
    on_done: Report | None = None,
    on_progress: ProgressCallback | None = None,
) -> BatchOutcome:
    """Run every file of a plan and write the tables ``mepps.csv`` and ``summary.csv`` of all of them.

    Parameters
    ----------
    plan : Plan
    settings : DetectionSettings
    read_options : ReadOptions
    overwrite, picture : bool
        As for :func:`nwb_mepp.workflows.run_file`.
    n_processes : int, default 1
        How many files are worked on at a time, each in a process of its own.
    units : {"si", "lab"}
    decimal : {"point", "comma"}
        Of the tables.
    worded : callable (reason) -> str
        Puts the reason of a failure into the words of who called: the command line names its options.
    on_done : callable, optional
        Called with the outcome or failure of each file.
    on_progress : callable, optional
        Called with a few words on what is being done; with one process only.

    Returns
    -------
    BatchOutcome
        ``failures.csv`` is among the tables where some files failed. If none was done, nothing is written.
    """
    work = partial(
        run_file, settings=settings, read_options=read_options, overwrite=overwrite, picture=picture
    )
    done, failures = _do_all(plan, work, n_processes=n_processes, on_done=on_done, on_progress=on_progress)
    if not done:
        return BatchOutcome(done=(), failures=tuple(failures), tables=())
    tables = _write_tables(plan.folder, done, units=units, decimal=decimal)
    return _finished(plan, done, failures, tables=tables, worded=worded)


def convert_batch(
    plan: Plan,
    *,
    read_options: ReadOptions,
    exclude: Stretches = (),
    exclude_per_sweep: Stretches = (),
    events: str | None = None,
    channel: str | None = None,
    overwrite: bool = False,
    n_processes: int = 1,
    worded: Callable[[str], str] = str,
    on_done: Report | None = None,
    on_progress: ProgressCallback | None = None,
) -> BatchOutcome:
    """Convert every file of a plan.

    Parameters
    ----------
    plan : Plan
    read_options : ReadOptions
    exclude, exclude_per_sweep : tuple of (start_s, stop_s)
    events, channel : str, optional
    overwrite : bool
        As for :func:`nwb_mepp.workflows.convert_file`.
    n_processes : int, default 1
    worded, on_done, on_progress : callable, optional
        As for :func:`run_batch`.

    Returns
    -------
    BatchOutcome

    Raises
    ------
    UsageError
        If one file of marks is given for several recordings.
    """
    if events is not None and "{}" not in events and plan.n_files > 1:
        raise UsageError(
            f"`events`: expected '{{}}' in the name for {plan.n_files} recordings, found {events!r}; it "
            "stands for the name of each recording without its last suffix, such as '{}_marks.csv'."
        )
    work = partial(
        convert_file,
        read_options=read_options,
        exclude=exclude,
        exclude_per_sweep=exclude_per_sweep,
        events=events,
        channel=channel,
        overwrite=overwrite,
    )
    done, failures = _do_all(plan, work, n_processes=n_processes, on_done=on_done, on_progress=on_progress)
    if not done:
        return BatchOutcome(done=(), failures=tuple(failures), tables=())
    return _finished(plan, done, failures, tables=(), worded=worded)


def _do_all(
    plan: Plan,
    work: Callable[..., FileOutcome],
    *,
    n_processes: int,
    on_done: Report | None,
    on_progress: ProgressCallback | None,
) -> tuple[list[FileOutcome], list[Failure]]:
    """Do every job; return outcomes and failures in the order of the plan."""
    tell = on_done or (lambda _: None)
    for failure in plan.failures:
        tell(failure)
    if n_processes <= 1 and on_progress is not None:
        work = partial(work, on_progress=on_progress)
    finished: list[FileOutcome | Failure] = []
    for result in run_jobs(
        plan.jobs, work=partial(_guarded, work), on_crash=_crashed, n_processes=n_processes
    ):
        finished.append(result)
        tell(result)
    order = {job.path: number for number, job in enumerate(plan.jobs)}
    finished.sort(key=lambda one: order[one.path])
    done = [one for one in finished if isinstance(one, FileOutcome)]
    return done, [*plan.failures, *(one for one in finished if isinstance(one, Failure))]


def _guarded(work: Callable[..., FileOutcome], job: Job) -> FileOutcome | Failure:
    try:
        return work(job.path, job.output, write_options=job.write_options)
    except Exception as error:
        return Failure.because(job.path, explain(error))


def _crashed(job: Job) -> Failure:
    return Failure(
        path=job.path,
        reason="the process that worked on it was killed or ran out of memory; run it "
        "alone, without `n_processes`.",
    )


def explain(error: Exception) -> str:
    """Return the sentence that a user gets for an error; for a bug it asks for a report.

    Parameters
    ----------
    error : Exception
        Its traceback is printed where the environment variable NWB_MEPP_DEBUG is 1.
    """
    if os.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error)
    text = " ".join(str(error).split())
    if isinstance(error, MeppError):
        return text
    if isinstance(error, OSError):
        return f"the operating system reports: {text}."
    if isinstance(error, MemoryError):
        return "there is not enough free memory; close other programs or use a smaller `n_processes`."
    return (
        f"this is a bug in nwb-mepp ({type(error).__name__}: {text}); please report it, with "
        f"the traceback that appears when the environment variable {DEBUG_VARIABLE} is 1."
    )


def _finished(
    plan: Plan,
    done: Sequence[FileOutcome],
    failures: Sequence[Failure],
    *,
    tables: Sequence[Path],
    worded: Callable[[str], str],
) -> BatchOutcome:
    """Write the list of failures, or remove that of an earlier batch."""
    path = plan.folder / "failures.csv"
    if failures:
        with complete_or_absent(path) as temporary, _text_file(temporary) as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["file", "reason"])
            writer.writerows(
                [csv_cell(one.path.as_posix()), csv_cell(worded(one.reason))] for one in failures
            )
        tables = [*tables, path]
    else:
        path.unlink(missing_ok=True)
    return BatchOutcome(done=tuple(done), failures=tuple(failures), tables=tuple(tables))


def _write_tables(folder: Path, done: Sequence[FileOutcome], *, units: Units, decimal: Decimal) -> list[Path]:
    """Write both tables from the outputs, those included that were kept."""
    # Files are named relative to the tables, so that all can be moved together.
    names = {one.output: one.output.relative_to(folder).as_posix() for one in done}
    tables = (
        ("mepps.csv", event_columns(), read_event_rows),
        ("summary.csv", summary_columns(), read_summary_rows),
    )
    for name, columns, read_rows in tables:
        rows = chain.from_iterable(read_rows(path, file=file) for path, file in names.items())
        with complete_or_absent(folder / name) as temporary, _text_file(temporary) as stream:
            write_csv(stream, columns, rows, units=units, decimal=decimal)
    return [folder / name for name, _, _ in tables]


def _text_file(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", newline="")
