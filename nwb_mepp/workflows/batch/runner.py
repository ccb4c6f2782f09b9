"""Run a batch: each file is processed on its own, and those that fail are listed with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp._utils.child_process import tell_parent
from nwb_mepp._utils.cluster_jobs import run_on_cluster
from nwb_mepp._utils.limits import Limits
from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp._utils.process_start import start_server
from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, FileOutcome, Stretches, convert_file, run_file
from nwb_mepp.workflows.batch.cluster import REASONS, shared_by
from nwb_mepp.workflows.batch.folder_tables import FAILURES, refuse_foreign_tables, write_failures
from nwb_mepp.workflows.batch.one_file import guarded, guarded_alone
from nwb_mepp.workflows.batch.plan import Failure, Job, Plan
from nwb_mepp.workflows.batch.run_tables import check_run_tables, write_run_tables
from nwb_mepp.workflows.batch.tables import Decimal, Units
from nwb_mepp.workflows.batch.written_tables import WrittenTables
from nwb_mepp.workflows.limits import LimitOptions

if TYPE_CHECKING:
    from nwb_mepp.workflows import ProgressCallback
    from nwb_mepp.workflows.side_analysis import Analysis

__all__ = ["BatchOutcome", "convert_batch", "detect_batch", "prepare_processes", "run_batch"]

# Not imported here, where little of it is needed.
_IMPORTED_TO_CONVERT = "nwb_mepp.workflows.batch.imported_to_convert"
_IMPORTED_TO_ANALYZE = "nwb_mepp.workflows.batch.imported_to_analyze"

Report = Callable[[FileOutcome | Failure], None]


@dataclass(frozen=True, kw_only=True)
class BatchOutcome:
    """Outcome of a batch.

    Attributes
    ----------
    done : tuple of FileOutcome
    failures : tuple of Failure
        Also of files that are done, but whose picture or rows in the tables are missing.
    tables : tuple of Path
        Tables that were written.
    n_left : int
        Number of files that were not begun, because the batch was interrupted.
    """

    done: tuple[FileOutcome, ...]
    failures: tuple[Failure, ...]
    tables: tuple[Path, ...]
    n_left: int = 0


def prepare_processes(paths: Sequence[Path], *, analyze: bool, scheduler: str | None) -> None:
    """Let the processes of a batch begin their imports while its plan is still being made.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders. A single file needs no process.
    analyze : bool
        Whether MEPPs will be looked for.
    scheduler : str or None
        As for :func:`run_batch`; the workers of a cluster are there.
    """
    if scheduler is None and (len(paths) > 1 or any(path.is_dir() for path in paths)):
        start_server(imported_first=_IMPORTED_TO_ANALYZE if analyze else _IMPORTED_TO_CONVERT)


def run_batch(
    plan: Plan,
    *,
    settings: DetectionSettings,
    read_options: ReadOptions,
    limits: LimitOptions | None = None,
    overwrite: bool = False,
    picture: bool = True,
    n_processes: int = 1,
    scheduler: str | None = None,
    units: Units = "si",
    decimal: Decimal = "point",
    workbook: bool = False,
    parquet: bool = False,
    worded: Callable[[str], str] = str,
    on_done: Report | None = None,
    on_progress: ProgressCallback | None = None,
    on_interrupt: Callable[[], None] | None = None,
    analysis: Analysis | None = None,
) -> BatchOutcome:
    """Run every file of a plan and write the tables ``mepps.csv`` and ``summary.csv`` of its folder.

    The tables list all outputs in the folder, those of earlier batches included.

    Parameters
    ----------
    plan : Plan
    settings : DetectionSettings
    read_options : ReadOptions
    limits : LimitOptions, optional
        A file that exceeds them fails, and the batch goes on.
    overwrite, picture : bool
        As for :func:`nwb_mepp.workflows.run_file`.
    n_processes : int, default 1
        How many files are worked on at a time, each in another process; a single file in this one.
    scheduler : str, optional
        Address of the scheduler of a Dask cluster, whose workers do the files; see
        :func:`nwb_mepp._utils.cluster_jobs.run_on_cluster`.
    units : {"si", "lab"}
    decimal : {"point", "comma"}
        Of the tables.
    workbook : bool, default False
        Write the tables as ``mepps.xlsx``, too; one of an earlier batch is brought up to date in any case.
    parquet : bool, default False
        Write the MEPPs as ``mepps.parquet``, too, in SI units; as for the workbook.
    worded : callable (reason) -> str
        Puts the reason of a failure into the words of who called: the command line names its options.
    on_done : callable, optional
        Called with the outcome or failure of each file.
    on_progress : callable, optional
        Called with a few words on what is being done; with one process only.
    on_interrupt : callable, optional
        Called after Ctrl-C; see :func:`nwb_mepp._utils.process_pool.run_jobs`.
    analysis : callable, optional
        Analyzes the recording, if there is a single one
        (:func:`~nwb_mepp.workflows.side_analysis.analysis_beside`).

    Returns
    -------
    BatchOutcome
        ``failures.csv`` is among the tables where some files failed. If none was done, nothing is written.

    Raises
    ------
    OutputError
        If files of someone else bear the names of the tables; nothing is done then.
    MissingDependencyError
        If a workbook is asked for and openpyxl is not installed, or a Parquet file and pyarrow is not, or a
        scheduler and distributed is not.
    UsageError
        If both a number of processes and a scheduler are stated.
    ClusterError
        If the cluster cannot do the work.
    """
    check_run_tables(plan.folder, workbook=workbook, parquet=parquet)
    kept = limits or LimitOptions()
    work = partial(
        run_file, settings=settings, read_options=read_options, overwrite=overwrite, picture=picture
    )
    if analysis is not None and len(plan.jobs) == 1 and scheduler is None:
        work = partial(work, analysis=analysis)
    with WrittenTables() as written:
        runner = _Runner(
            plan=plan,
            limits=kept,
            n_processes=n_processes,
            scheduler=scheduler,
            worded=worded,
            on_done=on_done,
            on_interrupt=on_interrupt,
            written=written,
        )
        outcome = runner.run(work, on_progress=on_progress)
        if not outcome.done:
            return outcome
        tables, missing = write_run_tables(
            plan.folder,
            [one.output for one in outcome.done],
            limits=kept,
            written=written,
            units=units,
            decimal=decimal,
            columns={job.output: job.columns for job in plan.jobs},
            workbook=workbook,
            parquet=parquet,
        )
    outcome = replace(outcome, failures=(*outcome.failures, *missing), tables=tables)
    return _with_failures_listed(plan, outcome, worded=worded)


def convert_batch(
    plan: Plan,
    *,
    read_options: ReadOptions,
    exclude: Stretches = (),
    exclude_per_sweep: Stretches = (),
    events: str | None = None,
    event_column: str | None = None,
    channel: str | None = None,
    limits: LimitOptions | None = None,
    overwrite: bool = False,
    n_processes: int = 1,
    scheduler: str | None = None,
    worded: Callable[[str], str] = str,
    on_done: Report | None = None,
    on_progress: ProgressCallback | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> BatchOutcome:
    """Convert every file of a plan.

    Parameters
    ----------
    plan : Plan
    read_options : ReadOptions
    exclude, exclude_per_sweep : tuple of (start_s, stop_s)
    events, event_column, channel : str, optional
    limits : LimitOptions, optional
        As for :func:`run_batch`.
    overwrite : bool
        As for :func:`nwb_mepp.workflows.convert_file`.
    n_processes : int, default 1
    scheduler : str, optional
    worded, on_done, on_progress, on_interrupt : callable, optional
        As for :func:`run_batch`.

    Returns
    -------
    BatchOutcome

    Raises
    ------
    UsageError
        If one file of marks is given for several recordings.
    OutputError
        If a file of someone else bears the name of the list of failures; nothing is done then.
    """
    if events is not None and "{}" not in events and plan.n_files > 1:
        raise UsageError(
            f"`events`: expected '{{}}' in the name for {plan.n_files} recordings, found {events!r}; it "
            "stands for the name of each recording without its last suffix, such as '{}_marks.csv'."
        )
    refuse_foreign_tables(plan.folder, [FAILURES])
    work = partial(
        convert_file,
        read_options=read_options,
        exclude=exclude,
        exclude_per_sweep=exclude_per_sweep,
        events=events,
        event_column=event_column,
        channel=channel,
        overwrite=overwrite,
    )
    runner = _Runner(
        plan=plan,
        limits=limits or LimitOptions(),
        n_processes=n_processes,
        scheduler=scheduler,
        worded=worded,
        on_done=on_done,
        on_interrupt=on_interrupt,
        imported_first=_IMPORTED_TO_CONVERT,
    )
    outcome = runner.run(work, on_progress=on_progress)
    return _with_failures_listed(plan, outcome, worded=worded) if outcome.done else outcome


def detect_batch(
    plan: Plan,
    *,
    settings: DetectionSettings,
    read_options: ReadOptions,
    limits: LimitOptions | None = None,
    overwrite: bool = False,
    n_processes: int = 1,
    scheduler: str | None = None,
    worded: Callable[[str], str] = str,
    on_done: Report | None = None,
    on_progress: ProgressCallback | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> BatchOutcome:
    """Find MEPPs in every NWB file of a plan.

    Parameters
    ----------
    plan : Plan
        From :func:`~nwb_mepp.workflows.batch.plan_detection`.
    settings : DetectionSettings
    read_options : ReadOptions
    limits : LimitOptions, optional
    overwrite : bool, default False
    n_processes : int, default 1
    scheduler : str, optional
    worded, on_done, on_progress, on_interrupt : callable, optional
        As for :func:`run_batch`.

    Returns
    -------
    BatchOutcome
    """
    runner = _Runner(
        plan=plan,
        limits=limits or LimitOptions(),
        n_processes=n_processes,
        scheduler=scheduler,
        worded=worded,
        on_done=on_done,
        on_interrupt=on_interrupt,
    )
    from nwb_mepp.workflows import annotate_file

    work = partial(annotate_file, settings=settings, read_options=read_options, overwrite=overwrite)
    return runner.run(work, on_progress=on_progress)


@dataclass(frozen=True, kw_only=True)
class _Runner:
    """How the files of a plan are worked on."""

    plan: Plan
    limits: LimitOptions
    n_processes: int
    scheduler: str | None
    worded: Callable[[str], str]
    on_done: Report | None
    on_interrupt: Callable[[], None] | None
    written: WrittenTables | None = None
    imported_first: str = _IMPORTED_TO_ANALYZE

    def __post_init__(self) -> None:
        if self.scheduler is not None and self.n_processes != 1:
            raise UsageError(
                f"`n_processes`: expected none beside `scheduler`, found {self.n_processes}; the workers of "
                "the cluster decide how many files are worked on at a time."
            )
        if self.scheduler is not None and math.isfinite(self.limits.budget_bytes):
            raise UsageError(
                "`memory_budget_gb`: expected none beside `scheduler`, found "
                f"{self.limits.budget_bytes / 1e9:g} GB; the workers of the cluster decide how many files "
                "are worked on at a time."
            )

    def run(self, work: Callable[..., FileOutcome], *, on_progress: ProgressCallback | None) -> BatchOutcome:
        """Do every job; return outcomes and failures in the order of the plan."""
        jobs, tell = self.plan.jobs, self.on_done or (lambda _: None)
        for failure in self.plan.failures:
            tell(failure)
        # For a single file, another process would take a second to start.
        alone = len(jobs) <= 1 and self.scheduler is None
        if on_progress is not None and self.scheduler is None and (alone or self.n_processes <= 1):
            work = partial(work, on_progress=on_progress if alone else tell_parent)
        finished: list[FileOutcome | Failure] = []
        for result in self._results(work, jobs, alone=alone, on_progress=on_progress):
            tell(result)
            finished.append(self._lighter(result))
        order = {job.path: number for number, job in enumerate(jobs)}
        finished.sort(key=lambda one: order[one.path])
        done = tuple(one for one in finished if isinstance(one, FileOutcome))
        failures = [*self.plan.failures, *(one for one in finished if isinstance(one, Failure))]
        failures += [Failure(path=one.path, reason=reason) for one in done for reason in one.missing]
        n_left = len(jobs) - len(finished)
        return BatchOutcome(done=done, failures=tuple(failures), tables=(), n_left=n_left)

    def _results(
        self,
        work: Callable[..., FileOutcome],
        jobs: Sequence[Job],
        *,
        alone: bool,
        on_progress: ProgressCallback | None,
    ) -> Iterator[FileOutcome | Failure]:
        """Yield what each job gives, as it ends."""
        if self.scheduler is not None and jobs:
            yield from run_on_cluster(
                jobs,
                work=partial(guarded, work=work),
                on_crash=self._given_up,
                scheduler=self.scheduler,
                name_of=lambda job: str(job.path),
                shared=shared_by(jobs),
                limits=self._limits_of,
                on_interrupt=self.on_interrupt,
            )
            return
        yield from run_jobs(
            jobs,
            work=partial(guarded_alone, work=work, limits=self.limits, worded=self.worded)
            if alone
            else partial(guarded, work=work),
            on_crash=self._given_up,
            n_processes=0 if alone else self.n_processes,
            limits=self._limits_of,
            budget_bytes=self.limits.budget_bytes,
            on_message=on_progress,
            on_interrupt=self.on_interrupt,
            imported_first=self.imported_first,
            # As many cores as files at a time, also with one: that is what a user decides on.
            share_cores=True,
        )

    def _lighter(self, result: FileOutcome | Failure) -> FileOutcome | Failure:
        """Put the tables of an outcome aside."""
        if isinstance(result, Failure) or result.written is None:
            return result
        if self.written is not None:
            self.written.add(result.output, result.written, elsewhere=self.scheduler is not None)
        return replace(result, written=None)

    def _limits_of(self, job: Job) -> Limits:
        return self.limits.of(job.path)

    def _given_up(self, job: Job, why: str) -> Failure:
        if why in ("time", "memory", "budget"):
            return Failure(path=job.path, reason=self.limits.excess(job.path, why))
        if self.scheduler is not None:
            return Failure(path=job.path, reason=REASONS[why])
        reason = (
            "the process that worked on it was killed or ran out of memory; run it alone, without "
            "`n_processes`."
        )
        return Failure(path=job.path, reason=reason)


def _with_failures_listed(plan: Plan, outcome: BatchOutcome, *, worded: Callable[[str], str]) -> BatchOutcome:
    try:
        listed = write_failures(plan.folder, outcome.failures, worded=worded)
    except OutputError as error:
        reason = f"the list of failures cannot be written: {error}"
        return replace(outcome, failures=(*outcome.failures, Failure(path=plan.folder, reason=reason)))
    return replace(outcome, tables=(*outcome.tables, *listed))
