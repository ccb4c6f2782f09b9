"""run, convert, detect: the commands that write NWB files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import (
    Progress,
    UnfinishedError,
    at_terminal,
    complain,
    show_failures,
    show_progress,
    show_search,
)
from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.limits import BatchLimits, LimitOptions
from nwb_mepp.workflows.settings import DetectionSettings, WriteOptions

if TYPE_CHECKING:
    from nwb_mepp.workflows import FileOutcome
    from nwb_mepp.workflows.batch import BatchOutcome, Failure, Group, Job, Plan
    from nwb_mepp.workflows.side_analysis import Analysis


# More files that failed for one reason are one line; failures.csv names them all.
_MAX_EQUAL_ROWS = 2


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, convert, detect):
        app.command()(options.spread(command))


def run(
    *,
    paths: options.Recordings,
    output: options.OutputFolder,
    settings: DetectionSettings,
    read_options: ReadOptions,
    write_options: WriteOptions,
    sessions: options.Sessions = None,
    dandi_names: options.DandiNames = False,
    overwrite: options.Overwrite = False,
    n_processes: options.Jobs = 1,
    scheduler: options.Scheduler = None,
    limits: BatchLimits,
    no_picture: options.NoPicture = False,
    tables: options.TablesOption = options.Tables.CSV,
    units: options.UnitsOption = options.Units.SI,
    decimal: options.DecimalOption = options.Decimal.POINT,
) -> None:
    """Convert, detect, measure, summarize and draw lab recordings.

    Writes DIR/path/name.ext.nwb and a picture for each recording, and the tables DIR/mepps.csv and
    DIR/summary.csv for all outputs in DIR. An output file made from the same input and settings is kept.
    NWB files of other programs are annotated, in a copy.
    """
    from nwb_mepp.workflows.side_analysis import analysis_beside

    with analysis_beside(paths, scheduler=scheduler) as analysis:
        from nwb_mepp.workflows.batch import prepare_processes, run_batch

        prepare_processes(paths, analyze=True, scheduler=scheduler)
        plan = _plan(
            paths,
            output,
            reader=read_options.reader,
            writing=write_options,
            sessions=sessions,
            dandi_names=dandi_names,
            nwb=True,
        )
        with show_progress(plan.n_files) as progress:
            outcome = run_batch(
                plan,
                settings=settings,
                read_options=read_options,
                limits=limits,
                overwrite=overwrite,
                picture=not no_picture,
                n_processes=n_processes,
                scheduler=scheduler,
                units=units.value,
                decimal=decimal.value,
                workbook=tables is options.Tables.XLSX,
                parquet=tables is options.Tables.PARQUET,
                worded=options.as_typed,
                on_done=_reporter(progress),
                on_progress=progress.describe,
                on_interrupt=_announcer(progress),
                analysis=analysis,
            )
    _finish(outcome, plan=plan, writing=write_options)


def convert(
    *,
    paths: options.Recordings,
    output: options.OutputFolder,
    left_out: Annotated[DetectionSettings, options.Only("exclude", "exclude_per_sweep")],
    events: options.Events = None,
    event_column: options.EventColumn = None,
    channel: options.EventsChannel = None,
    read_options: ReadOptions,
    write_options: WriteOptions,
    sessions: options.Sessions = None,
    dandi_names: options.DandiNames = False,
    overwrite: options.Overwrite = False,
    n_processes: options.Jobs = 1,
    scheduler: options.Scheduler = None,
    limits: BatchLimits,
) -> None:
    """Convert lab recordings to NWB files, without looking for MEPPs.

    Excluded stretches are written as invalid_times, which 'nwb-mepp detect' leaves out, too.
    """
    from nwb_mepp.workflows.batch import convert_batch, prepare_processes

    if channel is not None and events is None:
        raise UsageError("--channel names the channel of --events, but --events is not given; add it.")
    if event_column is not None and events is None:
        raise UsageError("--event-column names a column of --events, but --events is not given; add it.")
    prepare_processes(paths, analyze=False, scheduler=scheduler)
    plan = _plan(
        paths,
        output,
        reader=read_options.reader,
        writing=write_options,
        sessions=sessions,
        dandi_names=dandi_names,
    )
    with show_progress(plan.n_files) as progress:
        outcome = convert_batch(
            plan,
            read_options=read_options,
            exclude=left_out.exclude,
            exclude_per_sweep=left_out.exclude_per_sweep,
            events=events,
            event_column=event_column,
            channel=channel,
            limits=limits,
            overwrite=overwrite,
            n_processes=n_processes,
            scheduler=scheduler,
            worded=options.as_typed,
            on_done=_reporter(progress),
            on_progress=progress.describe,
            on_interrupt=_announcer(progress),
        )
    _finish(outcome, plan=plan, writing=write_options)


def detect(
    *,
    paths: options.NwbFiles,
    output: options.DetectionOutput = None,
    settings: DetectionSettings,
    read_options: Annotated[ReadOptions, options.Only("unit", "sampling_rate_hz", "gain")],
    write_options: Annotated[WriteOptions, options.Only("extension")],
    overwrite: options.OverwriteOutputs = False,
    n_processes: options.Jobs = 1,
    scheduler: options.Scheduler = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Look for MEPPs in files that were reviewed without asking first.")
    ] = False,
    limits: BatchLimits,
) -> None:
    """Find MEPPs in NWB files and add them to them; each file is replaced in one step.

    Only the tables and summary rows of the same detectors on the same channels change. At a terminal, it asks
    first where a person has decided on MEPPs already; these decisions stay.
    """
    from nwb_mepp.workflows.side_analysis import analysis_beside

    with analysis_beside(paths, scheduler=scheduler) as analysis:
        from nwb_mepp.workflows.batch import detect_batch, plan_detection, prepare_processes

        prepare_processes(paths, analyze=True, scheduler=scheduler)
        plan = plan_detection(paths, output=output, extension=write_options.extension)
        if not yes and at_terminal():
            plan = _without_declined(plan)
            if not plan.n_files:
                return
        if plan.n_files == 1 and plan.jobs[0].path == paths[0] and scheduler is None:
            # A single file that fails is an error with its own exit code.
            _detect_one(
                plan.jobs[0], settings, read_options, overwrite=overwrite, limits=limits, analysis=analysis
            )
            return
        with show_progress(plan.n_files) as progress:
            outcome = detect_batch(
                plan,
                settings=settings,
                read_options=read_options,
                limits=limits,
                overwrite=overwrite,
                n_processes=n_processes,
                scheduler=scheduler,
                worded=options.as_typed,
                on_done=_reporter(progress),
                on_progress=progress.describe,
                on_interrupt=_announcer(progress),
            )
    _finish(outcome, plan=plan)


def _without_declined(plan: Plan) -> Plan:
    """Return what to detect in: of the files that were reviewed only those that the person agrees to."""
    reviewed = [job for job in plan.jobs if job.path == job.output and _is_reviewed(job.path)]
    if not reviewed:
        return plan
    named = ", ".join(str(job.path) for job in reviewed[:3]) + (", ..." if len(reviewed) > 3 else "")
    question = (
        f"Decisions of a review stand in {len(reviewed)} of {plan.n_files} files ({named}). They stay, and "
        "the next 'nwb-mepp review' takes them over to what is found now, by the times. Look for MEPPs there?"
    )
    if typer.confirm(question, default=True, err=True):
        return plan
    return replace(plan, jobs=tuple(job for job in plan.jobs if job not in reviewed))


def _is_reviewed(path: Path) -> bool:
    from nwb_mepp.nwb import CURATED_TABLE, interval_tables

    with suppress(MeppError):  # what cannot be read is told when it is its turn
        return any(name.startswith(CURATED_TABLE) for name in interval_tables(path))
    return False


def _detect_one(
    job: Job,
    settings: DetectionSettings,
    read_options: ReadOptions,
    *,
    overwrite: bool,
    limits: LimitOptions,
    analysis: Analysis | None,
) -> None:
    from nwb_mepp.workflows import detect_file, remarks_on, remarks_on_reviews

    path, output = job.path, job.output
    with show_progress(1) as progress, limits.kept(path, worded=options.as_typed):
        results = detect_file(
            path,
            output=None if output == path else output,
            settings=settings,
            read_options=read_options,
            extension=job.write_options.extension,
            overwrite=overwrite,
            on_progress=progress.describe,
            analysis=analysis,
        )
        found = [(result.mepps.channel, result.detector, result.summary.n_mepps) for result in results]
        progress.tell(f"{output}: {_counted(found)}")
        for note in (*remarks_on(results), *remarks_on_reviews(output, results)):
            progress.tell(f"nwb-mepp: note: {path}: {options.as_typed(note)}")


def _plan(
    paths: list[Path],
    folder: Path,
    *,
    reader: str | None,
    writing: WriteOptions,
    sessions: Path | None,
    dandi_names: bool,
    nwb: bool = False,
) -> Plan:
    from nwb_mepp.nwb import load_metadata
    from nwb_mepp.workflows.batch import plan_batch, read_sessions, with_dandi_names

    if writing.metadata is not None:
        load_metadata(writing.metadata)  # what is wrong in it would be wrong for every file
    with show_search("recordings"):
        plan = plan_batch(paths, folder=folder, reader=reader, write_options=writing, nwb=nwb)
    if sessions is not None:
        plan = read_sessions(sessions).complete(plan)
        for note in plan.notes:
            complain(f"note: {note}")
    return with_dandi_names(plan) if dandi_names else plan


def _reporter(progress: Progress) -> Callable[[FileOutcome | Failure], None]:
    """Return a function that reports each finished file."""
    from nwb_mepp.workflows import FileOutcome

    def report(one: FileOutcome | Failure) -> None:
        progress.advance()
        if not isinstance(one, FileOutcome):
            return  # named in the table at the end
        kept = " (kept, from the same input and settings)" if one.status == "kept" else ""
        found = f": {_counted(one.found)}" if one.found else ""
        where = f"{one.path} -> {one.output}" if one.output != one.path else f"{one.path}"
        progress.tell(f"{where}{kept}{found}")
        for note in one.notes:
            progress.tell(f"nwb-mepp: note: {one.path}: {options.as_typed(note)}")

    return report


def _announcer(progress: Progress) -> Callable[[], None]:
    """Return a function that says what the first Ctrl-C does."""
    return lambda: progress.tell(
        "nwb-mepp: the files in progress are finished, no others begun; Ctrl-C again ends at once."
    )


def _counted(found: list[tuple[str, str, int]] | tuple[tuple[str, str, int], ...]) -> str:
    parts = [
        f"{n_mepps} MEPP{'' if n_mepps == 1 else 's'} on {channel} ({detector})"
        for channel, detector, n_mepps in found
    ]
    return ", ".join(parts)


def _totals(outcome: BatchOutcome, *, n_skipped: int) -> str:
    """Return how many files are done, failed and skipped."""
    n_failed = len({one.path for one in outcome.failures})
    counts = ((len(outcome.done), "done"), (n_failed, "failed"), (n_skipped, "skipped"))
    return f"{', '.join(f'{n} {what}' for n, what in counts if n or what == 'done')}."


def _failure_rows(groups: list[Group]) -> list[tuple[str, str]]:
    """Return a row for each file, but one for many that failed for one reason."""
    rows = []
    for group in groups:
        if len(group.members) > _MAX_EQUAL_ROWS:
            file = f"{len(group.members)} files, such as {group.first.path}"
            rows.append((file, group.first.reason))
        else:
            rows += [(str(one.path), one.reason) for one in group.members]
    return rows


def _finish(outcome: BatchOutcome, *, plan: Plan, writing: WriteOptions | None = None) -> None:
    """Report on the whole batch and exit with the code that belongs to it."""
    from nwb_mepp.workflows import is_nwb
    from nwb_mepp.workflows.batch import find_outliers, group_by_reason, group_by_suffix

    converted = any(one.status == "written" and not is_nwb(one.path) for one in outcome.done)
    if writing is not None and writing.clamp is None and converted:
        complain(
            "note: plain series were written because the clamp mode is not stated; state it with --clamp "
            "current, voltage or izero."
        )
    for path, what in find_outliers(outcome.done):
        complain(f"note: {path} stands out, {what}")
    for group in group_by_suffix(plan.skipped):
        one, n_files = group.first, len(group.members)
        complain(f"skipped {n_files} {one.path.suffix}: {one.reason} ({one.path}).")
    if plan.n_files > 1 or plan.skipped:
        complain(_totals(outcome, n_skipped=len(plan.skipped)))
    if outcome.failures:
        rows = _failure_rows(group_by_reason(outcome.failures))
        # A file whose picture is missing is done and failed.
        named = {one.path for one in outcome.done} | {one.path for one in outcome.failures}
        show_failures(rows, n_failures=len(outcome.failures), n_files=len(named))
    if outcome.n_left:
        files = "file was" if outcome.n_left == 1 else "files were"
        raise UnfinishedError(
            f"interrupted; {outcome.n_left} {files} not begun. What is done is kept: run the same command "
            "again for the rest."
        )
    if outcome.failures:
        raise typer.Exit(1)
