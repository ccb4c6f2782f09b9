"""The command benchmark: how good detectors are on recordings that no training has seen."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nwb_mepp._utils.atomic_files import make_folder
from nwb_mepp.cli.console import data_stream, show_progress
from nwb_mepp.core.errors import UsageError

if TYPE_CHECKING:
    from nwb_mepp.ml.benchmark import BenchmarkPlan

_QUICK: dict[str, Any] = {
    "levels": (3.0, 6.0),
    "n_recordings": 6,
    "n_silent": 3,
    "n_varied": 1,
    "n_filtered": 1,
}


class PartName(StrEnum):
    """Parts of the benchmark."""

    LEVELS = "levels"
    SILENCE = "silence"
    CURVES = "curves"
    FILTERS = "filters"


DetectorNames = Annotated[
    list[str] | None,
    typer.Option("--detector", metavar="NAME", help="Detector to run; can be repeated; all by default."),
]
Levels = Annotated[
    list[float] | None,
    typer.Option(
        "--level",
        metavar="X",
        help="Mean amplitude over noise SD; can be repeated; 2, 3, 4, 6 and 10 by default.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(benchmark)


def benchmark(
    detector: DetectorNames = None,
    level: Levels = None,
    recordings: Annotated[
        int | None,
        typer.Option("--recordings", metavar="N", min=1, help="Number of recordings of 60 s at each level."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Fewer levels and recordings: a few minutes, wide intervals."),
    ] = False,
    only: Annotated[
        list[PartName] | None,
        typer.Option(
            "--only",
            metavar="|".join(PartName),
            help="Part to run; can be repeated; all by default. With it, --recordings is the number of "
            "recordings of each kind.",
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights",
            metavar="[DETECTOR=]WEIGHTS",
            help="Weights to use instead of the default ones: a folder that 'nwb-mepp train' wrote, or "
            "shipped ones such as miniunet@3; can be repeated.",
        ),
    ] = None,
    levels_only: Annotated[
        bool, typer.Option("--levels-only", help="Run the reference recordings and nothing else.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.md",
            help="Write the page to this file, and its picture into the folder img beside it.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Number of recordings to process at a time; one per core by default.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="DIR", help="Keep results in this folder, and resume from those in it."
        ),
    ] = None,
) -> None:
    """Measure how good detectors are on simulated recordings that no training has seen.

    Prints a page in Markdown. The results do not depend on the number of processes, nor on an
    interruption after which --keep resumes. With all detectors it takes about three quarters of an hour on
    two cores, with --quick a few minutes. To score a detector on your own marked recordings, see nwb-mepp
    evaluate.
    """
    from nwb_mepp.ml.benchmark import benchmark_page, run_benchmark, write_benchmark

    if levels_only and only:
        raise UsageError("--levels-only is a table of one part, so --only cannot be used with it.")
    if levels_only and output:
        raise UsageError("--levels-only prints a table, not a page, so -o cannot be used with it.")
    if output is not None:
        # Noticed at once, not after half an hour.
        if output.suffix.lower() != ".md":
            raise UsageError(f"-o: expected a page ending in .md, found {output}; name it so.")
        make_folder(output)
    parts = tuple(dict.fromkeys(one.value for one in only or ()))
    plan = _plan(detector, level, recordings, quick=quick, parts=parts, weights=weights or [])
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
    parts: tuple[str, ...] = (),
    weights: Sequence[str] = (),
) -> BenchmarkPlan:
    from nwb_mepp.ml.benchmark import PARTS, BenchmarkPlan
    from nwb_mepp.workflows import DetectionSettings, choose_weights

    for one in level or []:
        if not 0.0 < one < float("inf"):
            raise UsageError(f"--level: expected a finite number above 0, found {one:g}.")
    if len(set(level or [])) != len(level or []):
        raise UsageError("--level: expected each level once, found one twice.")
    plan = BenchmarkPlan(**_QUICK) if quick else BenchmarkPlan()
    checked = DetectionSettings(detectors=tuple(detector or plan.detectors), weights=choose_weights(weights))
    counted = ("n_recordings", "n_silent", "n_varied", "n_filtered") if parts else ("n_recordings",)
    return replace(
        plan,
        detectors=checked.detectors,
        weights=checked.weights,
        levels=tuple(level or plan.levels),
        parts=tuple(part for part in PARTS if part in parts) or PARTS,
        **({} if recordings is None else dict.fromkeys(counted, recordings)),
    )


def _levels_only(plan: BenchmarkPlan, *, n_jobs: int, keep: Path | None) -> str:
    from nwb_mepp.ml.benchmark import level_table, run_levels

    with show_progress(len(plan.levels) * plan.n_recordings) as progress:
        return level_table(run_levels(plan, n_jobs=n_jobs, keep=keep, on_done=progress.advance))
