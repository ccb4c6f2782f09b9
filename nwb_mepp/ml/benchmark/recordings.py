"""The recordings of the benchmark, each simulated, surveyed and cleaned once for all detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.ml.benchmark.bounds import Bounds, bound_recording
from nwb_mepp.ml.benchmark.conditions import Condition
from nwb_mepp.ml.benchmark.detector_runs import AnyDetector, find_all, load_detectors, survey_trace
from nwb_mepp.ml.benchmark.result_cache import KeptFolder
from nwb_mepp.ml.benchmark.scores import RecordingScores, score_recording

__all__ = ["Outcome", "run_conditions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What came of one recording.

    Attributes
    ----------
    scores : dict of str to RecordingScores
        By the name of the detector.
    bounds : Bounds or None
        For conditions that ask for them.
    """

    scores: dict[str, RecordingScores] = field(default_factory=dict)
    bounds: Bounds | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """One recording and what is still to be done with it."""

    condition: Condition
    number: int
    detectors: tuple[AnyDetector, ...]
    bounded: bool

    @property
    def key(self) -> str:
        return f"{self.condition.name}-{self.number:03d}"


def run_conditions(
    conditions: Mapping[Condition, int],
    *,
    detectors: Sequence[AnyDetector],
    n_jobs: int = 1,
    kept: KeptFolder | None = None,
    on_done: Callable[[], None] | None = None,
) -> dict[str, list[Outcome]]:
    """Run detectors over simulated recordings.

    Parameters
    ----------
    conditions : mapping of Condition to int
        How many recordings of each.
    detectors : sequence of str or Detector
        Registered names, or detectors, which stay in this process.
    n_jobs : int, default 1
        How many recordings are worked on at a time, each in a process of its own. The result does
        not depend on it.
    kept : KeptFolder, optional
        Where results are kept as they come, and taken from if they are there.
    on_done : callable, optional
        Called whenever a recording is done.

    Returns
    -------
    dict of str to list of Outcome
        For the name of each condition the recordings in order.

    Raises
    ------
    ValueError
        If detectors other than registered ones are to be sent to other processes.
    DetectionError
        If a process ends without a result.
    """
    if n_jobs > 1 and not all(isinstance(one, str) for one in detectors):
        raise ValueError("expected names of detectors for several processes, found a detector; use n_jobs=1.")
    tell = on_done or (lambda: None)
    every = [
        _Task(condition=one, number=number, detectors=tuple(detectors), bounded=one.bounded)
        for one, n_recordings in conditions.items()
        for number in range(n_recordings)
    ]
    done: dict[str, Outcome] = {}
    waiting = []
    for task in every:
        known, rest = _taken(task, kept)
        done[task.key] = known
        if rest is None:
            tell()
        else:
            waiting.append(rest)
    for key, outcome in run_jobs(waiting, work=_do, on_crash=_crashed, n_processes=n_jobs):
        joined = Outcome(scores=done[key].scores | outcome.scores, bounds=outcome.bounds or done[key].bounds)
        done[key] = joined
        if kept is not None:
            kept.put(key, scores=joined.scores, bounds=joined.bounds)
        tell()
    names = tuple(load_detectors(detectors))
    return {
        one.name: [_ordered(done[task.key], names) for task in every if task.condition is one]
        for one in conditions
    }


def _ordered(outcome: Outcome, names: Sequence[str]) -> Outcome:
    """Put scores into the order that was asked for, whichever came first."""
    return replace(outcome, scores={name: outcome.scores[name] for name in names})


def _taken(task: _Task, kept: KeptFolder | None) -> tuple[Outcome, _Task | None]:
    """Return what is kept of a task, and what is left to be done, None if nothing is."""
    if kept is None:
        return Outcome(), task
    scores, bounds = kept.take(task.key)
    missing = tuple(one for one in task.detectors if one not in scores)
    bounded = task.bounded and bounds is None
    rest = replace(task, detectors=missing, bounded=bounded) if missing or bounded else None
    return Outcome(scores=scores, bounds=bounds), rest


def _do(task: _Task) -> tuple[str, Outcome]:
    simulated = task.condition.simulate(task.number)
    surveyed = survey_trace(simulated.trace(), polarity=task.condition.polarity)
    found = find_all(surveyed, detectors=task.detectors)
    bounds = (
        bound_recording(task.condition, task.number, surveyed=surveyed, simulated=simulated)
        if task.bounded
        else None
    )
    scores = {name: score_recording(simulated, mepps) for name, mepps in found.items()}
    return task.key, Outcome(scores=scores, bounds=bounds)


def _crashed(task: _Task) -> tuple[str, Outcome]:
    raise DetectionError(
        f"the process that worked on recording {task.number} of {task.condition.words!r} ended without a "
        "word (killed, or out of memory); use a smaller `n_processes`."
    )
