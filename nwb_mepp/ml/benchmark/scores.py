"""Scores of a detector on one simulated recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.evaluation import count_matches, interval_iou, match_times, patch_iou
from nwb_mepp.simulation import Simulated

__all__ = ["TOLERANCE_S", "RecordingScores", "overlaps", "score_recording"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TOLERANCE_S = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordingScores:
    """Scores of one detector on one recording.

    Attributes
    ----------
    counts : ndarray of int64, shape (3,)
        Matched, missed and false MEPPs; peaks are matched one to one.
    iou : float
        Intersection over union of the intervals, samples pooled.
    iou_patches : float
        The same within the patches of 10 ms that hold a true peak.
    peak_error_s, onset_error_s : ndarray, shape (n_matched,)
        Found minus true time.
    amplitude_error, decay_error : ndarray, shape (n_matched,)
        Found over true value, minus 1; NaN if a decay could not be fitted.
    """

    counts: IntArray
    iou: float
    iou_patches: float
    peak_error_s: FloatArray
    onset_error_s: FloatArray
    amplitude_error: FloatArray
    decay_error: FloatArray

    def to_json(self) -> dict[str, Any]:
        """Return all values as numbers and lists, NaN as None."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, figures: Mapping[str, Any]) -> RecordingScores:
        """Make scores from the output of :meth:`to_json`."""
        read: dict[str, Any] = {
            name: np.array(value, dtype=np.float64) if isinstance(value, list) else float(np.float64(value))
            for name, value in figures.items()
        }
        return cls(**{**read, "counts": read["counts"].astype(np.int64)})


def _plain(value: float | npt.NDArray[Any]) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    return None if np.isnan(value) else value


def score_recording(simulated: Simulated, mepps: Mepps) -> RecordingScores:
    """Compare the MEPPs found in a simulated recording with its truth.

    Parameters
    ----------
    simulated : Simulated
    mepps : Mepps
        Found by any detector in ``simulated.trace()``.

    Returns
    -------
    RecordingScores
    """
    truth = simulated.truth
    matching = match_times(truth.peak_s, mepps.peak_s, tolerance_s=TOLERANCE_S)
    true, found = matching.pairs[:, 0], matching.pairs[:, 1]
    iou, iou_patches = overlaps(simulated, np.stack([mepps.start_s, mepps.stop_s], axis=1))
    return RecordingScores(
        counts=count_matches(matching),
        iou=iou,
        iou_patches=iou_patches,
        peak_error_s=mepps.peak_s[found] - truth.peak_s[true],
        onset_error_s=mepps.start_s[found] - truth.start_s[true],
        amplitude_error=mepps.amplitude[found] / truth.amplitude[true] - 1.0,
        decay_error=mepps.decay_tau_s[found] / truth.decay_tau_s[true] - 1.0,
    )


def overlaps(simulated: Simulated, intervals: FloatArray) -> tuple[float, float]:
    """Return IoU with the true intervals, over the whole recording and over patches that contain an event.

    Parameters
    ----------
    simulated : Simulated
    intervals : ndarray, shape (n_intervals, 2), seconds
    """
    truth, scenario = simulated.truth, simulated.scenario
    both = np.stack([truth.start_s, truth.stop_s], axis=1), intervals
    length = {"duration_s": scenario.duration_s, "sampling_rate_hz": scenario.sampling_rate_hz}
    return interval_iou(*both, **length), patch_iou(*both, events_s=truth.peak_s, **length)
