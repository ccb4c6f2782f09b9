"""run, convert, detect: the commands that write NWB files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import Progress, complain, show_failures, show_progress
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity

if TYPE_CHECKING:
    from nwb_mepp.workflows import FileOutcome, WriteOptions
    from nwb_mepp.workflows.batch import BatchOutcome, Failure, Plan


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, convert, detect):
        app.command()(command)


def run(
    paths: options.Recordings,
    output: options.OutputFolder,
    detector: options.Detectors = None,
    threshold: options.Threshold = None,
    false_discovery_rate: options.FalseDiscoveryRate = None,
    weights: options.WeightsFolders = None,
    fit_recording: options.FitRecording = None,
    min_amplitude: options.MinAmplitude = None,
    min_amplitude_sd: options.MinAmplitudeSd = None,
    channel: options.Channels = None,
    polarity: options.PolarityOption = Polarity.AUTO,
    exclude: options.Exclude = None,
    exclude_per_sweep: options.ExcludePerSweep = None,
    reader: options.Reader = None,
    unit: options.Unit = None,
    sampling_rate: options.SamplingRate = None,
    gain: options.Gain = None,
    dtype: options.Dtype = None,
    n_channels: options.NChannels = None,
    sweep_interval: options.SweepInterval = None,
    clamp: options.ClampOption = None,
    session_start: options.SessionStart = None,
    timezone: options.Timezone = None,
    session_start_from: options.SessionStartFrom = None,
    override: options.Override = False,
    subject: options.Subject = None,
    metadata: options.MetadataFile = None,
    sessions: options.Sessions = None,
    dandi_names: options.DandiNames = False,
    extension: options.Extension = False,
    overwrite: options.Overwrite = False,
    jobs: options.Jobs = 1,
    no_picture: options.NoPicture = False,
    units: options.UnitsOption = options.Units.SI,
    decimal: options.DecimalOption = options.Decimal.POINT,
) -> None:
    """Convert, detect, measure, summarize and draw lab recordings.

    Writes DIR/path/name.ext.nwb and a picture for each recording, and the tables DIR/mepps.csv and
    DIR/summary.csv of all of them. An output that is there from the same input and settings is kept.
    """
    from nwb_mepp.workflows.batch import run_batch

    settings = options.detection_settings(
        detector=detector,
        threshold=threshold,
        false_discovery_rate=false_discovery_rate,
        weights=weights,
        fit_recording=fit_recording,
        min_amplitude=min_amplitude,
        min_amplitude_sd=min_amplitude_sd,
        channel=channel,
        polarity=polarity,
        exclude=exclude,
        exclude_per_sweep=exclude_per_sweep,
    )
    reading = options.read_options(
        reader=reader,
        unit=unit,
        sampling_rate=sampling_rate,
        gain=gain,
        dtype=dtype,
        n_channels=n_channels,
        sweep_interval=sweep_interval,
    )
    writing = options.write_options(
        clamp=clamp,
        session_start=session_start,
        timezone=timezone,
        session_start_from=session_start_from,
        override=override,
        subject=subject,
        metadata=metadata,
        extension=extension,
    )
    plan = _plan(paths, output, reader=reader, writing=writing, sessions=sessions, dandi_names=dandi_names)
    with show_progress(plan.n_files) as progress:
        outcome = run_batch(
            plan,
            settings=settings,
            read_options=reading,
            overwrite=overwrite,
            picture=not no_picture,
            n_processes=jobs,
            units=units.value,
            decimal=decimal.value,
            on_done=_reporter(progress),
            on_progress=progress.describe,
        )
    _finish(outcome, writing=writing)


def convert(
    paths: options.Recordings,
    output: options.OutputFolder,
    exclude: options.Exclude = None,
    exclude_per_sweep: options.ExcludePerSweep = None,
    events: options.Events = None,
    channel: options.EventsChannel = None,
    reader: options.Reader = None,
    unit: options.Unit = None,
    sampling_rate: options.SamplingRate = None,
    gain: options.Gain = None,
    dtype: options.Dtype = None,
    n_channels: options.NChannels = None,
    sweep_interval: options.SweepInterval = None,
    clamp: options.ClampOption = None,
    session_start: options.SessionStart = None,
    timezone: options.Timezone = None,
    session_start_from: options.SessionStartFrom = None,
    override: options.Override = False,
    subject: options.Subject = None,
    metadata: options.MetadataFile = None,
    sessions: options.Sessions = None,
    dandi_names: options.DandiNames = False,
    extension: options.Extension = False,
    overwrite: options.Overwrite = False,
    jobs: options.Jobs = 1,
) -> None:
    """Convert lab recordings to NWB files, without looking for MEPPs.

    Stretches left out are written as invalid_times; 'nwb-mepp detect' leaves them out too.
    """
    from nwb_mepp.workflows import parse_stretches
    from nwb_mepp.workflows.batch import convert_batch

    if channel is not None and events is None:
        raise UsageError("--channel: expected --events with it, whose channel it names, found none; add it.")

    reading = options.read_options(
        reader=reader,
        unit=unit,
        sampling_rate=sampling_rate,
        gain=gain,
        dtype=dtype,
        n_channels=n_channels,
        sweep_interval=sweep_interval,
    )
    writing = options.write_options(
        clamp=clamp,
        session_start=session_start,
        timezone=timezone,
        session_start_from=session_start_from,
        override=override,
        subject=subject,
        metadata=metadata,
        extension=extension,
    )
    stretches = parse_stretches(exclude or (), option="--exclude")
    per_sweep = parse_stretches(exclude_per_sweep or (), option="--exclude-per-sweep")
    plan = _plan(paths, output, reader=reader, writing=writing, sessions=sessions, dandi_names=dandi_names)
    with show_progress(plan.n_files) as progress:
        outcome = convert_batch(
            plan,
            read_options=reading,
            exclude=stretches,
            exclude_per_sweep=per_sweep,
            events=events,
            channel=channel,
            overwrite=overwrite,
            n_processes=jobs,
            on_done=_reporter(progress),
            on_progress=progress.describe,
        )
    _finish(outcome, writing=writing)


def detect(
    path: options.NwbFile,
    output: options.OutputFile = None,
    detector: options.Detectors = None,
    threshold: options.Threshold = None,
    false_discovery_rate: options.FalseDiscoveryRate = None,
    weights: options.WeightsFolders = None,
    fit_recording: options.FitRecording = None,
    min_amplitude: options.MinAmplitude = None,
    min_amplitude_sd: options.MinAmplitudeSd = None,
    channel: options.Channels = None,
    polarity: options.PolarityOption = Polarity.AUTO,
    exclude: options.Exclude = None,
    exclude_per_sweep: options.ExcludePerSweep = None,
    extension: options.Extension = False,
    overwrite: options.OverwriteFile = False,
) -> None:
    """Put MEPPs into an NWB file; it is replaced in one step.

    Only the tables and summary rows of the same detectors on the same channels change.
    """
    from nwb_mepp.workflows import detect_file

    settings = options.detection_settings(
        detector=detector,
        threshold=threshold,
        false_discovery_rate=false_discovery_rate,
        weights=weights,
        fit_recording=fit_recording,
        min_amplitude=min_amplitude,
        min_amplitude_sd=min_amplitude_sd,
        channel=channel,
        polarity=polarity,
        exclude=exclude,
        exclude_per_sweep=exclude_per_sweep,
    )
    with show_progress(1) as progress:
        results = detect_file(
            path,
            output=output,
            settings=settings,
            extension=extension,
            overwrite=overwrite,
            on_progress=progress.describe,
        )
        found = [(result.mepps.channel, result.detector, len(result.mepps)) for result in results]
        progress.tell(f"{path if output is None else output}: {_counted(found)}")


def _plan(
    paths: list[Path],
    folder: Path,
    *,
    reader: str | None,
    writing: WriteOptions,
    sessions: Path | None,
    dandi_names: bool,
) -> Plan:
    from nwb_mepp.nwb import load_metadata
    from nwb_mepp.workflows.batch import plan_batch, read_sessions, with_dandi_names

    if writing.metadata is not None:
        load_metadata(writing.metadata)  # what is wrong in it would be wrong for every file
    plan = plan_batch(paths, folder=folder, reader=reader, write_options=writing)
    if sessions is not None:
        plan = read_sessions(sessions).complete(plan)
    return with_dandi_names(plan) if dandi_names else plan


def _reporter(progress: Progress) -> Callable[[FileOutcome | Failure], None]:
    """Return what is called for each file that is finished."""
    from nwb_mepp.workflows import FileOutcome

    def report(one: FileOutcome | Failure) -> None:
        progress.advance()
        if not isinstance(one, FileOutcome):
            return  # named in the table at the end
        kept = " (kept, from the same input and settings)" if one.status == "kept" else ""
        found = f": {_counted(one.found)}" if one.found else ""
        progress.tell(f"{one.path} -> {one.output}{kept}{found}")
        for note in one.notes:
            progress.tell(f"nwb-mepp: note: {one.path}: {note}")

    return report


def _counted(found: list[tuple[str, str, int]] | tuple[tuple[str, str, int], ...]) -> str:
    parts = [
        f"{n_mepps} MEPP{'' if n_mepps == 1 else 's'} on {channel} ({detector})"
        for channel, detector, n_mepps in found
    ]
    return ", ".join(parts)


def _finish(outcome: BatchOutcome, *, writing: WriteOptions) -> None:
    """Tell what concerns the whole batch, and end with the exit code that belongs to it."""
    if writing.clamp is None and any(one.status == "written" for one in outcome.done):
        complain(
            "note: no clamp mode is stated, so plain series are written; --clamp current, voltage or izero "
            "states it."
        )
    if outcome.failures:
        rows = [(str(failure.path), failure.reason) for failure in outcome.failures]
        show_failures(rows, n_files=len(outcome.done) + len(rows))
        raise typer.Exit(1)
