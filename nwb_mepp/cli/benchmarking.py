"""benchmark: how good the detectors are, on recordings that no training has seen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nwb_mepp.cli.console import data_stream, tell

_N_RECORDINGS, _N_ROBUST = 40, 10
_QUICK_LEVELS, _QUICK_RECORDINGS, _QUICK_ROBUST = (3.0, 6.0), 6, 1

DetectorNames = Annotated[
    list[str] | None,
    typer.Option("--detector", metavar="NAME", help="Which; may be given several times; all by default."),
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
        int | None, typer.Option("--recordings", metavar="N", min=1, help="Of 60 s each, at every level.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer levels and recordings.")] = False,
    levels_only: Annotated[
        bool, typer.Option("--levels-only", help="The reference recordings, nothing else.")
    ] = False,
    winchester: Annotated[
        Path | None, typer.Option("--winchester", metavar="DIR", help="Folder of real, marked recordings.")
    ] = None,
) -> None:
    """Measure the detectors on simulated reference recordings and print the page, in Markdown."""
    from nwb_mepp.benchmark import BenchmarkPlan, benchmark_page, level_table, run_reference
    from nwb_mepp.detectors import detector_names
    from nwb_mepp.pipeline import DetectionSettings
    from nwb_mepp.simulation import LEVELS

    plan = BenchmarkPlan(
        detectors=DetectionSettings(detectors=tuple(detector or detector_names())).detectors,
        levels=tuple(level or (_QUICK_LEVELS if quick else LEVELS)),
        n_recordings=recordings or (_QUICK_RECORDINGS if quick else _N_RECORDINGS),
        n_robust=_QUICK_ROBUST if quick else _N_ROBUST,
        winchester=winchester,
    )
    if levels_only:
        done = []
        for wanted in plan.levels:
            tell(f"level {wanted:g}: {plan.n_recordings} recordings")
            done.append(run_reference(level=wanted, detectors=plan.detectors, n_recordings=plan.n_recordings))
        page = level_table(done)
    else:
        page = benchmark_page(plan, command=" ".join(["nwb-mepp", *sys.argv[1:]]), on_part=tell)
    with data_stream() as stream:
        stream.write(page.rstrip("\n") + "\n")
