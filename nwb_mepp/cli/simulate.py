"""simulate: recordings whose MEPPs are known, as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import show_progress
from nwb_mepp.core.polarity import Polarity

if TYPE_CHECKING:
    from nwb_mepp.workflows.simulate import SimulationOutcome


class Format(StrEnum):
    """Formats of a simulated recording."""

    NWB = "nwb"
    ABF = "abf"
    LABELED_TEXT = "labeled-text"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder of DIR/simulated_<seed>.nwb.", show_default=False
        ),
    ],
    format: Annotated[  # noqa: A002 - the name of the option
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="|".join(Format),
            help="Can be repeated [nwb]; beside all but nwb a table simulated_<seed>.truth.csv is written.",
            show_default=False,
        ),
    ] = None,
    recordings: Annotated[int, typer.Option("--recordings", metavar="N", help="How many.")] = 1,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the first; the others follow.")] = 0,
    level: Annotated[
        float | None,
        typer.Option("--level", metavar="X", help="Mean amplitude over noise SD [6].", show_default=False),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="HZ",
            help="MEPPs per second [0.5, 1 and 3 take turns, every fourth recording with bursts].",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            metavar="S",
            help="[60; 20 from the training distribution; whole stretches of --noise].",
            show_default=False,
        ),
    ] = None,
    polarity: Annotated[
        Polarity, typer.Option("--polarity", metavar="positive|negative", help="Which way MEPPs point.")
    ] = Polarity.POSITIVE,
    training_distribution: Annotated[
        bool,
        typer.Option(
            "--training-distribution",
            help="Draw from what networks are trained on, instead of the benchmark's reference recording.",
        ),
    ] = False,
    noise: Annotated[
        Path | None,
        typer.Option(
            "--noise",
            metavar="FILE",
            help="Put the MEPPs into stretches of a recording, one after another.",
            show_default=False,
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", metavar="NAME", help="Of --noise, if it has several.", show_default=False),
    ] = None,
    exclude: options.Exclude = None,
    reader: options.Reader = None,
    unit: options.Unit = None,
    sampling_rate: Annotated[
        float | None,
        typer.Option(
            "--sampling-rate",
            metavar="HZ",
            help="[10000]; with --noise, replaces the sampling rate of the file.",
            show_default=False,
        ),
    ] = None,
    gain: options.Gain = None,
    dtype: options.Dtype = None,
    n_channels: options.NChannels = None,
    session_start: options.SessionStart = None,
    timezone: options.Timezone = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write simulated recordings whose MEPPs are known.

    NWB files hold the truth as the table mepps_truth, labeled text as labels; the same seed and options
    give the same recordings. A simulated recording has no date, so NWB needs --session-start. With --noise,
    stretches left out by --exclude are not used: leave out those with events of their own.
    """
    from nwb_mepp.core.errors import UsageError
    from nwb_mepp.core.session import resolve_session_start
    from nwb_mepp.workflows import parse_stretches
    from nwb_mepp.workflows.simulate import NoiseFile, SimulationPlan, simulate_files

    of_noise = {
        "--channel": channel,
        "--exclude": exclude,
        "--reader": reader,
        "--unit": unit,
        "--gain": gain,
        "--dtype": dtype,
        "--n-channels": n_channels,
    }
    if noise is None and (stated := [name for name, value in of_noise.items() if value is not None]):
        raise UsageError(f"expected {stated[0]} together with --noise, whose file it is for, found it alone.")
    source = (
        None
        if noise is None
        else NoiseFile(
            path=noise,
            options=options.read_options(
                reader=reader,
                unit=unit,
                sampling_rate=sampling_rate,
                gain=gain,
                dtype=dtype,
                n_channels=n_channels,
                sweep_interval=None,
            ),
            channel=channel,
            exclude=parse_stretches(exclude or (), option="--exclude"),
        )
    )
    plan = SimulationPlan(
        n_recordings=recordings,
        seed=seed,
        level=level,
        rate_hz=rate,
        duration_s=duration,
        sampling_rate_hz=sampling_rate,
        polarity=polarity,
        from_training=training_distribution,
        noise=source,
    )
    start = None
    if session_start is not None:
        start = resolve_session_start(None, given=session_start, timezone=timezone)
    with show_progress(recordings) as progress:

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
