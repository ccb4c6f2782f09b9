"""Results of the benchmark that nobody measured."""

from __future__ import annotations

import numpy as np

from nwb_mepp.ml.benchmark import Bounds, RecordingScores
from nwb_mepp.ml.benchmark.bounds import THRESHOLDS


def scores_of(matched: int, missed: int, false: int, iou: float = 0.5) -> RecordingScores:
    """Return the scores of a recording from its counts; every error is 0."""
    return RecordingScores(
        counts=np.array([matched, missed, false]),
        iou=iou,
        iou_patches=iou,
        peak_error_s=np.zeros(matched),
        onset_error_s=np.zeros(matched),
        amplitude_error=np.zeros(matched),
        decay_error=np.full(matched, np.nan),
    )


def bounds_of(oracle: tuple[int, int, int], ceiling: tuple[int, int, int]) -> Bounds:
    """Return bounds whose best threshold is the third: at every other one nothing is found."""
    rows = np.zeros((2, len(THRESHOLDS), 3), dtype=np.int64)
    rows[:, :, 1] = sum(oracle[:2])
    rows[:, 2] = oracle, ceiling
    ious = np.zeros(len(THRESHOLDS))
    ious[2] = 0.9
    return Bounds(
        oracle=rows[0],
        ceiling=rows[1],
        ceiling_iou=ious,
        ceiling_iou_patches=ious,
        border_iou=0.95,
        border_iou_patches=0.96,
        measured_iou=0.85,
        measured_iou_patches=0.86,
    )
