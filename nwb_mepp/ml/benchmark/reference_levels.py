"""Scores on the reference recordings, level by level, with oracle and ceiling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.evaluation import f1
from nwb_mepp.ml.benchmark.bounds import THRESHOLDS, Bounds
from nwb_mepp.ml.benchmark.conditions import level_condition
from nwb_mepp.ml.benchmark.detector_runs import AnyDetector
from nwb_mepp.ml.benchmark.recordings import Outcome, run_conditions
from nwb_mepp.ml.benchmark.scores import RecordingScores

__all__ = ["LevelScores", "join_level", "run_reference"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LevelScores:
    """Scores at one level.

    Attributes
    ----------
    level : float
        Mean amplitude over noise SD.
    by_detector : dict of str to list of RecordingScores
        In the order of the recordings.
    bounds : list of Bounds
        Oracle and ceiling, in the same order.
    """

    level: float
    by_detector: dict[str, list[RecordingScores]]
    bounds: list[Bounds]

    def counts(self, detector: str) -> IntArray:
        """Return matched, missed and false MEPPs, shape (n_recordings, 3)."""
        return np.array([scores.counts for scores in self.by_detector[detector]])

    @property
    def oracle_counts(self) -> IntArray:
        """The same for the oracle, at its best threshold for this level."""
        return np.array([one.oracle[self._best("oracle")] for one in self.bounds])

    @property
    def oracle_threshold(self) -> float:
        """That threshold, in noise SD."""
        return float(THRESHOLDS[self._best("oracle")])

    @property
    def ceiling_counts(self) -> IntArray:
        """The same for the ceiling, at its best threshold for this level."""
        return np.array([one.ceiling[self._best("ceiling")] for one in self.bounds])

    @property
    def ceiling_threshold(self) -> float:
        """That threshold, in noise SD."""
        return float(THRESHOLDS[self._best("ceiling")])

    @property
    def ceiling_ious(self) -> FloatArray:
        """IoU of the ceiling there, whole and in patches, shape (n_recordings, 2)."""
        best = self._best("ceiling")
        return np.array([(one.ceiling_iou[best], one.ceiling_iou_patches[best]) for one in self.bounds])

    def _best(self, bound: str) -> int:
        rows = np.array([getattr(one, bound) for one in self.bounds])
        return int(np.argmax([f1(rows[:, index]) for index in range(rows.shape[1])]))


def run_reference(
    *,
    level: float,
    detectors: Sequence[AnyDetector],
    n_recordings: int,
    n_jobs: int = 1,
    on_recording: Callable[[int], None] | None = None,
) -> LevelScores:
    """Run detectors over the reference recordings of one level.

    Parameters
    ----------
    level : float
        Mean amplitude over the SD of the white and 1/f noise.
    detectors : sequence of str or Detector
        Registered names, or detectors, such as one with your own weights; each runs with its default
        threshold, the same for all levels.
    n_recordings : int
        Of 60 s each, with seeds that training refuses.
    n_jobs : int, default 1
        Number of recordings processed at a time; must be 1 unless all detectors are given by name.
    on_recording : callable, optional
        Called with the number of recordings done.

    Returns
    -------
    LevelScores

    Raises
    ------
    UsageError
        If a name is not registered.
    ValueError
        If two detectors have the same name and version, or ``n_jobs`` is above 1 and a detector is not
        given by its name.
    """
    condition = level_condition(level)
    n_done = 0

    def count() -> None:
        nonlocal n_done
        n_done += 1
        if on_recording is not None:
            on_recording(n_done)

    outcomes = run_conditions({condition: n_recordings}, detectors=detectors, n_jobs=n_jobs, on_done=count)
    return join_level(level, outcomes[condition.name])


def join_level(level: float, outcomes: Sequence[Outcome]) -> LevelScores:
    """Combine the recordings of one level.

    Parameters
    ----------
    level : float
    outcomes : sequence of Outcome
        With bounds, in order.
    """
    return LevelScores(
        level=level,
        by_detector={name: [one.scores[name] for one in outcomes] for name in outcomes[0].scores},
        bounds=[one.bounds for one in outcomes if one.bounds is not None],
    )
