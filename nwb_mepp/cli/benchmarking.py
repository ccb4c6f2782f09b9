"""benchmark: how good the detectors are, on simulated recordings that no training has seen."""

from __future__ import annotations

from typing import Annotated

import typer

from nwb_mepp.cli.console import data_stream, tell

DetectorNames = Annotated[
    list[str] | None, typer.Option("--detector", metavar="NAME", help="Which; may be given several times.")
]
Levels = Annotated[
    list[float] | None,
    typer.Option("--level", metavar="X", help="Mean amplitude over noise SD; 2, 3, 4, 6 and 10 by default."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(benchmark)


def benchmark(
    detector: DetectorNames = None,
    level: Levels = None,
    recordings: Annotated[
        int, typer.Option("--recordings", metavar="N", min=1, help="Of 60 s each, at every level.")
    ] = 40,
) -> None:
    """Measure the detectors on simulated reference recordings and print the table."""
    from nwb_mepp.benchmark import level_table, run_reference
    from nwb_mepp.pipeline import DetectionSettings
    from nwb_mepp.simulation import LEVELS

    names = (
        DetectionSettings(detectors=tuple(detector)).detectors if detector else ("miniunet", "matched_filter")
    )
    done = []
    for wanted in level or LEVELS:
        tell(f"level {wanted:g}: {recordings} recordings")
        done.append(run_reference(level=wanted, detectors=names, n_recordings=recordings))
    with data_stream() as stream:
        stream.write(level_table(done) + "\n")
