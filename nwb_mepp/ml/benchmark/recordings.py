"""Runs of all detectors on the recordings of the benchmark, each simulated and surveyed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.ml.benchmark.bounds import Bounds, bound_recording
from nwb_mepp.ml.benchmark.conditions import Condition
from nwb_mepp.ml.benchmark.detector_runs import (
    AnyDetector,
    StatedWeights,
    find_all,
    load_detectors,
    survey_trace,
)
from nwb_mepp.ml.benchmark.result_cache import ResultCache
from nwb_mepp.ml.benchmark.scores import RecordingScores, score_recording

__all__ = ["Outcome", "run_conditions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Results of one recording.

    Attributes
    ----------
    scores : dict of str to RecordingScores
        By the name of the detector.
    bounds : Bounds or None
        Only for conditions with ``bounded``.
    """

    scores: dict[str, RecordingScores] = field(default_factory=dict)
    bounds: Bounds | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """One recording, with the detectors that have not run on it yet."""

    condition: Condition
    number: int
    detectors: tuple[AnyDetector, ...]
    bounded: bool
    weights: StatedWeights = ()

    @property
    def key(self) -> str:
        return f"{self.condition.name}-{self.number:03d}"


def run_conditions(
    conditions: Mapping[Condition, int],
    *,
    detectors: Sequence[AnyDetector],
    weights: StatedWeights = (),
    n_jobs: int = 1,
    cache: ResultCache | None = None,
    on_done: Callable[[], None] | None = None,
) -> dict[str, list[Outcome]]:
    """Run detectors over simulated recordings.

    Parameters
    ----------
    conditions : mapping of Condition to int
        Number of recordings for each condition.
    detectors : sequence of str or Detector
        Registered names, or detectors, which need ``n_jobs=1``.
    weights : sequence of (str, Path)
        Folders of other weights of registered detectors than the default ones.
    n_jobs : int, default 1
        Number of recordings processed at a time, each in a process of its own. The results do not
        depend on it.
    cache : ResultCache, optional
        Takes the results as they come, and provides those of earlier runs.
    on_done : callable, optional
        Called whenever a recording is done.

    Returns
    -------
    dict of str to list of Outcome
        The recordings in order, by the name of the condition.

    Raises
    ------
    ValueError
        If ``n_jobs`` is above 1 and a detector is not given by its name.
    DetectionError
        If a process dies.
    """
    if n_jobs > 1 and not all(isinstance(one, str) for one in detectors):
        raise ValueError("expected names of detectors for several processes, found a detector; use n_jobs=1.")
    tell = on_done or (lambda: None)
    every = [
        _Task(
            condition=one,
            number=number,
            detectors=tuple(detectors),
            weights=tuple(weights),
            bounded=one.bounded,
        )
        for one, n_recordings in conditions.items()
        for number in range(n_recordings)
    ]
    done: dict[str, Outcome] = {}
    waiting = []
    for task in every:
        known, rest = _taken(task, cache)
        done[task.key] = known
        if rest is None:
            tell()
        else:
            waiting.append(rest)
    n_processes = n_jobs if n_jobs > 1 else 0
    for key, outcome in run_jobs(waiting, work=_do, on_crash=_crashed, n_processes=n_processes):
        joined = Outcome(scores=done[key].scores | outcome.scores, bounds=outcome.bounds or done[key].bounds)
        done[key] = joined
        if cache is not None:
            cache.put(key, scores=joined.scores, bounds=joined.bounds)
        tell()
    names = tuple(load_detectors(detectors, weights=weights))
    return {
        one.name: [_ordered(done[task.key], names) for task in every if task.condition is one]
        for one in conditions
    }


def _ordered(outcome: Outcome, names: Sequence[str]) -> Outcome:
    """Sort scores into the requested order of detectors."""
    return replace(outcome, scores={name: outcome.scores[name] for name in names})


def _taken(task: _Task, cache: ResultCache | None) -> tuple[Outcome, _Task | None]:
    """Return the cached results of a task, and the remaining task, or None if nothing remains."""
    if cache is None:
        return Outcome(), task
    scores, bounds = cache.take(task.key)
    missing = tuple(one for one in task.detectors if one not in scores)
    bounded = task.bounded and bounds is None
    rest = replace(task, detectors=missing, bounded=bounded) if missing or bounded else None
    return Outcome(scores=scores, bounds=bounds), rest


def _do(task: _Task) -> tuple[str, Outcome]:
    simulated = task.condition.simulate(task.number)
    surveyed = survey_trace(simulated.trace(), polarity=task.condition.polarity)
    found = find_all(surveyed, detectors=task.detectors, weights=task.weights)
    bounds = (
        bound_recording(task.condition, task.number, surveyed=surveyed, simulated=simulated)
        if task.bounded
        else None
    )
    scores = {name: score_recording(simulated, mepps) for name, mepps in found.items()}
    return task.key, Outcome(scores=scores, bounds=bounds)


def _crashed(task: _Task, _: str) -> tuple[str, Outcome]:
    raise DetectionError(
        f"The process for recording {task.number} of {task.condition.words!r} died (killed, or out of "
        "memory). Use a smaller `n_processes`."
    )
