"""simulate: recordings whose MEPPs are known, as files."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import show_progress
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.settings import DetectionSettings, WriteOptions

if TYPE_CHECKING:
    from nwb_mepp.workflows.simulate import SimulationOutcome


class Format(StrEnum):
    """Formats of a simulated recording."""

    NWB = "nwb"
    ABF = "abf"
    LABELED_TEXT = "labeled-text"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(simulate))


def simulate(
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for the files DIR/simulated_<seed>.nwb.",
            show_default=False,
        ),
    ],
    format: Annotated[  # noqa: A002 - the name of the option
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="|".join(Format),
            help="Format of the files; beside all but nwb, a table simulated_<seed>.truth.csv is written; "
            "can be repeated [nwb].",
            show_default=False,
        ),
    ] = None,
    n_recordings: Annotated[int, typer.Option("--recordings", metavar="N", help="Number of recordings.")] = 1,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="Seed of the first recording; each of the others has the next one."
        ),
    ] = 0,
    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            metavar="X",
            help="Mean amplitude divided by the SD of the noise [6].",
            show_default=False,
        ),
    ] = None,
    rate_hz: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="HZ",
            help="MEPPs per second [0.5, 1 and 3 in turn; every fourth recording has bursts].",
            show_default=False,
        ),
    ] = None,
    duration_s: Annotated[
        float | None,
        typer.Option(
            "--duration",
            metavar="S",
            help="Duration in seconds [60; 20 with --training-distribution; whole stretches with --noise].",
            show_default=False,
        ),
    ] = None,
    polarity: Annotated[
        Polarity,
        typer.Option("--polarity", metavar="positive|negative", help="Direction in which MEPPs point."),
    ] = Polarity.POSITIVE,
    from_training: Annotated[
        bool,
        typer.Option(
            "--training-distribution",
            help="Draw from the distribution that networks are trained on, instead of the reference "
            "recording of the benchmark.",
        ),
    ] = False,
    noise: Annotated[
        Path | None,
        typer.Option(
            "--noise",
            metavar="FILE",
            help="Recording whose stretches, one after another, are used as noise.",
            show_default=False,
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar="NAME",
            help="Channel of --noise, needed if it has several.",
            show_default=False,
        ),
    ] = None,
    left_out: Annotated[DetectionSettings, options.Only("exclude")],
    read_options: Annotated[ReadOptions, options.Only("reader", "unit", "gain", "dtype", "n_channels")],
    sampling_rate_hz: Annotated[
        float | None,
        typer.Option(
            "--sampling-rate",
            metavar="HZ",
            help="Sampling rate in Hz [10000]; with --noise, instead of the one in the file.",
            show_default=False,
        ),
    ] = None,
    session: Annotated[WriteOptions, options.Only("session_start", "timezone")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Write simulated recordings whose MEPPs are known.

    NWB files hold the truth as the table mepps_truth, labeled text as labels; the same seed and options
    give the same recordings. A simulated recording has no date, so NWB needs --session-start. With --noise,
    exclude stretches that have events of their own (--exclude).
    """
    from nwb_mepp.core.errors import UsageError
    from nwb_mepp.core.session import resolve_session_start
    from nwb_mepp.workflows.simulate import NoiseFile, SimulationPlan, simulate_files

    of_noise = [*(["channel"] if channel is not None else []), *left_out.stated(), *read_options.stated()]
    if noise is None and of_noise:
        raise UsageError(
            f"expected `{of_noise[0]}` together with `noise`, whose file it is for, found it alone."
        )
    source = (
        None
        if noise is None
        else NoiseFile(
            path=noise,
            options=replace(read_options, sampling_rate_hz=sampling_rate_hz),
            channel=channel,
            exclude=left_out.exclude,
        )
    )
    plan = SimulationPlan(
        n_recordings=n_recordings,
        seed=seed,
        level=level,
        rate_hz=rate_hz,
        duration_s=duration_s,
        sampling_rate_hz=sampling_rate_hz,
        polarity=polarity,
        from_training=from_training,
        noise=source,
    )
    start = None
    if session.session_start is not None:
        start = resolve_session_start(None, given=session.session_start, timezone=session.timezone)
    with show_progress(n_recordings) as progress:

        def report(one: SimulationOutcome) -> None:
            progress.advance()
            files = ", ".join(map(str, one.paths))
            progress.tell(f"{files}: {one.n_mepps} MEPP{'' if one.n_mepps == 1 else 's'}")

        simulate_files(
            output,
            plan=plan,
            formats=tuple(dict.fromkeys(one.value for one in format or (Format.NWB,))),
            session_start=start,
            overwrite=overwrite,
            on_done=report,
        )
