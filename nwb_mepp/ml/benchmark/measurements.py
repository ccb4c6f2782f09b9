"""What the benchmark runs, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nwb_mepp.ml.benchmark.conditions import SILENCE, Condition, all_conditions, level_condition
from nwb_mepp.ml.benchmark.real_recordings import RealScores, run_winchester
from nwb_mepp.ml.benchmark.recordings import Outcome, run_conditions
from nwb_mepp.ml.benchmark.reference_levels import LevelScores, join_level
from nwb_mepp.ml.benchmark.result_cache import KeptFolder
from nwb_mepp.ml.benchmark.robustness import f1_by_detector, measured_curves
from nwb_mepp.plots import CurvePanel

__all__ = ["BenchmarkPlan", "BenchmarkResults", "run_benchmark", "run_levels"]


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """What the benchmark runs.

    Attributes
    ----------
    detectors : tuple of str
        The first is the one that is held against what is asked.
    levels : tuple of float
    n_recordings, n_silent, n_varied : int
        At each level, of each kind of silence, and at each point of a curve.
    winchester : Path or None
        Folder of the real recordings.
    """

    detectors: tuple[str, ...]
    levels: tuple[float, ...]
    n_recordings: int
    n_silent: int
    n_varied: int
    winchester: Path | None = None

    def conditions(self) -> dict[Condition, int]:
        """Return how many recordings of each condition there are."""
        silent = {condition.name for condition in SILENCE}
        levels = {level_condition(level).name for level in self.levels}

        def number(name: str) -> int:
            if name in levels:
                return self.n_recordings
            return self.n_silent if name in silent else self.n_varied

        return {condition: number(condition.name) for condition in all_conditions(self.levels)}


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchmarkResults:
    """What the benchmark measured.

    Attributes
    ----------
    plan : BenchmarkPlan
    outcomes : mapping of str to sequence of Outcome
        The recordings of each condition, by its name.
    real : tuple of RealScores
        Empty without the real recordings.
    """

    plan: BenchmarkPlan
    outcomes: Mapping[str, Sequence[Outcome]]
    real: tuple[RealScores, ...] = ()

    def levels(self) -> list[LevelScores]:
        """Return the scores of the reference recordings, level by level."""
        return [join_level(level, self.outcomes[level_condition(level).name]) for level in self.plan.levels]

    def panels(self) -> list[CurvePanel]:
        """Return what the picture shows: F1 over the level, then over one property after another."""
        by_level = [
            (level, f1_by_detector(self.outcomes[level_condition(level).name])) for level in self.plan.levels
        ]
        panels = [_panel("mean amplitude, noise SD", by_level, logarithmic=True)] if by_level else []
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
        How many recordings are worked on at a time, each in a process of its own.
    keep : Path, optional
        Folder where results are kept as they come; what an earlier run left there is taken from it.
    on_done : callable, optional
        Called whenever a simulated recording is done.

    Returns
    -------
    BenchmarkResults

    Raises
    ------
    ReadError
        If a real recording is missing, or the folder holds other things than results.
    """
    # The real recordings come first: a wrong folder is said at once, not after half an hour.
    real = run_winchester(plan.winchester, detectors=plan.detectors) if plan.winchester else []
    outcomes = _run(plan.conditions(), plan, n_jobs=n_jobs, keep=keep, on_done=on_done)
    return BenchmarkResults(plan=plan, outcomes=outcomes, real=tuple(real))


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
        If the folder holds other things than results.
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
    kept = KeptFolder(keep, detectors=plan.detectors) if keep else None
    return run_conditions(conditions, detectors=plan.detectors, n_jobs=n_jobs, kept=kept, on_done=on_done)


def _panel(
    words: str, points: Sequence[tuple[float, Mapping[str, float]]], *, logarithmic: bool
) -> CurvePanel:
    return CurvePanel(
        words=words,
        values=tuple(value for value, _ in points),
        scores={name: [scores[name] for _, scores in points] for name in points[0][1]},
        logarithmic=logarithmic,
    )
