"""The plan of the benchmark, its run and its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nwb_mepp.detectors import detector_names
from nwb_mepp.ml.benchmark.conditions import (
    INVERTED,
    PLAIN,
    SILENCE,
    Condition,
    curves,
    level_condition,
)
from nwb_mepp.ml.benchmark.detector_runs import StatedWeights
from nwb_mepp.ml.benchmark.filtered import filtered, filtered_silence
from nwb_mepp.ml.benchmark.recordings import Outcome, run_conditions
from nwb_mepp.ml.benchmark.reference_levels import LevelScores, join_level
from nwb_mepp.ml.benchmark.result_cache import ResultCache
from nwb_mepp.ml.benchmark.robustness import f1_by_detector, measured_curves
from nwb_mepp.plots import CurvePanel
from nwb_mepp.simulation import LEVELS

__all__ = ["PARTS", "BenchmarkPlan", "BenchmarkResults", "Part", "run_benchmark", "run_levels"]

# The reference recordings, recordings without MEPPs, one property after another (with what must make no
# difference), and recordings as amplifiers filter them.
Part: TypeAlias = Literal["levels", "silence", "curves", "filters"]
PARTS: tuple[Part, ...] = get_args(Part)


def _every_detector() -> tuple[str, ...]:
    return tuple(sorted(detector_names(), key=lambda name: (name != "miniunet", name)))


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """Which detectors the benchmark runs, and on how many recordings.

    Attributes
    ----------
    detectors : tuple of str
        The others are compared with the first. By default all that are registered, ``miniunet`` first.
    levels : tuple of float
        Mean amplitudes over the SD of the noise.
    n_recordings, n_silent, n_varied, n_filtered : int
        Recordings at each level, of each kind without MEPPs, at each point of a curve, and behind each
        filter, with and without MEPPs.
    weights : tuple of (str, Path)
        Folders of other weights of these detectors than the default ones.
    parts : tuple of str
        Those of ``PARTS`` that are run and shown.
    """

    detectors: tuple[str, ...] = field(default_factory=_every_detector)
    levels: tuple[float, ...] = LEVELS
    n_recordings: int = 40
    n_silent: int = 40
    n_varied: int = 12
    n_filtered: int = 12
    weights: StatedWeights = ()
    parts: tuple[Part, ...] = PARTS

    def conditions(self) -> dict[Condition, int]:
        """Return how many recordings of each condition there are."""
        varied = [condition for curve in curves() for _, condition in curve.points]
        by_part: dict[Part, tuple[Sequence[Condition], int]] = {
            "levels": ([level_condition(level) for level in self.levels], self.n_recordings),
            "silence": (SILENCE, self.n_silent),
            "curves": ([PLAIN, INVERTED, *varied], self.n_varied),
            "filters": ([*filtered().values(), *filtered_silence()], self.n_filtered),
        }
        numbers: dict[Condition, int] = {}
        for part in PARTS:
            if part in self.parts:
                conditions, number = by_part[part]
                for one in conditions:
                    numbers[one] = number
        return numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchmarkResults:
    """The results of the benchmark.

    Attributes
    ----------
    plan : BenchmarkPlan
    outcomes : mapping of str to sequence of Outcome
        The recordings of each condition, by its name.
    """

    plan: BenchmarkPlan
    outcomes: Mapping[str, Sequence[Outcome]]

    def levels(self) -> list[LevelScores]:
        """Return the scores of the reference recordings, level by level."""
        if "levels" not in self.plan.parts:
            return []
        return [join_level(level, self.outcomes[level_condition(level).name]) for level in self.plan.levels]

    def panels(self) -> list[CurvePanel]:
        """Return the panels of the picture: F1 over the level, then over one property after another."""
        by_level = [
            (one.level, f1_by_detector(self.outcomes[level_condition(one.level).name]))
            for one in self.levels()
        ]
        panels = [_panel("mean amplitude, noise SD", by_level, logarithmic=True)] if by_level else []
        if "curves" not in self.plan.parts:
            return panels
        return panels + [
            _panel(curve.words, points, logarithmic=curve.logarithmic)
            for curve, points in measured_curves(self.outcomes)
        ]


def run_benchmark(
    plan: BenchmarkPlan,
    *,
    n_jobs: int = 1,
    keep: Path | None = None,
    on_done: Callable[[], None] | None = None,
) -> BenchmarkResults:
    """Run the benchmark.

    Parameters
    ----------
    plan : BenchmarkPlan
    n_jobs : int, default 1
        Number of recordings processed at a time, each in a process of its own.
    keep : Path, optional
        Folder where results are kept as they come; results of an earlier run are taken from it.
    on_done : callable, optional
        Called whenever a simulated recording is done.

    Returns
    -------
    BenchmarkResults

    Raises
    ------
    ReadError
        If the folder holds files that are not results.
    """
    outcomes = _run(plan.conditions(), plan, n_jobs=n_jobs, keep=keep, on_done=on_done)
    return BenchmarkResults(plan=plan, outcomes=outcomes)


def run_levels(
    plan: BenchmarkPlan,
    *,
    n_jobs: int = 1,
    keep: Path | None = None,
    on_done: Callable[[], None] | None = None,
) -> list[LevelScores]:
    """Run the reference recordings of a plan and nothing else.

    Parameters
    ----------
    plan : BenchmarkPlan
    n_jobs : int, default 1
    keep : Path, optional
    on_done : callable, optional
        As for :func:`run_benchmark`.

    Returns
    -------
    list of LevelScores
        In the order of the plan.

    Raises
    ------
    ReadError
        If the folder holds files that are not results.
    """
    conditions = {condition: n for condition, n in plan.conditions().items() if condition.bounded}
    outcomes = _run(conditions, plan, n_jobs=n_jobs, keep=keep, on_done=on_done)
    return BenchmarkResults(plan=plan, outcomes=outcomes).levels()


def _run(
    conditions: Mapping[Condition, int],
    plan: BenchmarkPlan,
    *,
    n_jobs: int,
    keep: Path | None,
    on_done: Callable[[], None] | None,
) -> dict[str, list[Outcome]]:
    cache = ResultCache(keep, detectors=plan.detectors, weights=plan.weights) if keep else None
    return run_conditions(
        conditions,
        detectors=plan.detectors,
        weights=plan.weights,
        n_jobs=n_jobs,
        cache=cache,
        on_done=on_done,
    )


def _panel(
    words: str, points: Sequence[tuple[float, Mapping[str, float]]], *, logarithmic: bool
) -> CurvePanel:
    return CurvePanel(
        words=words,
        values=tuple(value for value, _ in points),
        scores={name: [scores[name] for _, scores in points] for name in points[0][1]},
        logarithmic=logarithmic,
    )
