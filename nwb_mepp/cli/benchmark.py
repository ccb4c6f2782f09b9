"""benchmark: how good the detectors are, on recordings that no training has seen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp._utils.atomic_files import make_folder
from nwb_mepp.cli.console import data_stream, show_progress
from nwb_mepp.core.errors import UsageError

if TYPE_CHECKING:
    from nwb_mepp.ml.benchmark import BenchmarkPlan

_N_RECORDINGS, _N_SILENT, _N_VARIED = 40, 40, 12
_QUICK_LEVELS, _QUICK_RECORDINGS, _QUICK_SILENT, _QUICK_VARIED = (3.0, 6.0), 6, 3, 1

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
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer levels and recordings: some minutes, wide intervals.")
    ] = False,
    levels_only: Annotated[
        bool, typer.Option("--levels-only", help="The reference recordings, nothing else.")
    ] = False,
    winchester: Annotated[
        Path | None, typer.Option("--winchester", metavar="DIR", help="Folder of real, marked recordings.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.md",
            help="Write the page there, and its picture into the folder img beside it.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="How many recordings at a time; one for each core by default."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="DIR", help="Keep results there as they come, and go on from what is there."
        ),
    ] = None,
) -> None:
    """Measure the detectors on simulated reference recordings and print the page, in Markdown.

    Neither the number of processes nor an interruption that --keep bridges changes the figures. With all
    detectors it takes about half an hour on two cores, with --quick some minutes.
    """
    from nwb_mepp.ml.benchmark import benchmark_page, run_benchmark, write_benchmark

    if levels_only and (output or winchester):
        raise UsageError(
            "--levels-only: expected neither -o nor --winchester with it, for it prints a table and no page; "
            "leave out one of them."
        )
    if output is not None:
        # Seen at once, not after half an hour.
        if output.suffix.lower() != ".md":
            raise UsageError(f"-o: expected a page ending in .md, found {output}; name it so.")
        make_folder(output)
    plan = _plan(detector, level, recordings, quick=quick, winchester=winchester)
    n_jobs = jobs or os.cpu_count() or 1
    if levels_only:
        page = _levels_only(plan, n_jobs=n_jobs, keep=keep)
    else:
        command = " ".join(["nwb-mepp", *sys.argv[1:]])
        with show_progress(sum(plan.conditions().values())) as progress:
            results = run_benchmark(plan, n_jobs=n_jobs, keep=keep, on_done=progress.advance)
        if output is not None:
            write_benchmark(results, output, command=command)
            return
        page = benchmark_page(results, command=command)
    with data_stream() as stream:
        stream.write(page.rstrip("\n") + "\n")


def _plan(
    detector: list[str] | None,
    level: list[float] | None,
    recordings: int | None,
    *,
    quick: bool,
    winchester: Path | None,
) -> BenchmarkPlan:
    from nwb_mepp.detectors import detector_names
    from nwb_mepp.ml.benchmark import BenchmarkPlan
    from nwb_mepp.simulation import LEVELS
    from nwb_mepp.workflows import DetectionSettings

    levels = level or (_QUICK_LEVELS if quick else LEVELS)
    for one in levels:
        if not 0.0 < one < float("inf"):
            raise UsageError(f"--level: expected a finite number above 0, found {one:g}.")
    if len(set(levels)) != len(levels):
        raise UsageError("--level: expected each level once, found one twice.")
    # MiniUnet comes first: it is the one that is held against what is asked.
    names = detector or sorted(detector_names(), key=lambda name: (name != "miniunet", name))
    return BenchmarkPlan(
        detectors=DetectionSettings(detectors=tuple(names)).detectors,
        levels=tuple(levels),
        n_recordings=recordings or (_QUICK_RECORDINGS if quick else _N_RECORDINGS),
        n_silent=_QUICK_SILENT if quick else _N_SILENT,
        n_varied=_QUICK_VARIED if quick else _N_VARIED,
        winchester=winchester,
    )


def _levels_only(plan: BenchmarkPlan, *, n_jobs: int, keep: Path | None) -> str:
    from nwb_mepp.ml.benchmark import level_table, run_levels

    with show_progress(len(plan.levels) * plan.n_recordings) as progress:
        return level_table(run_levels(plan, n_jobs=n_jobs, keep=keep, on_done=progress.advance))
