from __future__ import annotations

import json

import numpy as np
import pytest

from builders.tables import mepps_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.ml.benchmark import RecordingScores, score_recording
from nwb_mepp.simulation import Scenario, Simulated, Truth


@pytest.fixture
def simulated() -> Simulated:
    """A recording of 1 s whose two MEPPs are set by hand."""
    truth = Truth(
        start_s=np.array([0.1, 0.5]),
        peak_s=np.array([0.102, 0.502]),
        stop_s=np.array([0.110, 0.510]),
        amplitude=np.array([1e-3, 2e-3]),
        rise_10_90_s=np.array([1e-3, 1e-3]),
        decay_tau_s=np.array([4e-3, 4e-3]),
    )
    nothing = np.zeros(10_000)
    return Simulated(scenario=Scenario(duration_s=1.0), seed=0, values=nothing, truth=truth, clean=nothing)


def found(*rows: tuple[float, float, float, float, float]) -> Mepps:
    """Make a table from start, peak, stop (s), amplitude (V) and decay (s)."""
    start_s, peak_s, stop_s, amplitude, decay_tau_s = np.array(rows).T
    return mepps_of(
        start_s=start_s, peak_s=peak_s, stop_s=stop_s, amplitude=amplitude, decay_tau_s=decay_tau_s
    )


def test_counts_errors_and_overlap_come_from_the_truth(simulated: Simulated) -> None:
    mepps = found((0.101, 0.1025, 0.110, 0.9e-3, 5e-3), (0.7, 0.702, 0.71, 1e-3, 4e-3))
    scores = score_recording(simulated, mepps)
    assert scores.counts.tolist() == [1, 1, 1]
    assert scores.peak_error_s == pytest.approx([0.5e-3])
    assert scores.onset_error_s == pytest.approx([1e-3])
    assert scores.amplitude_error == pytest.approx([-0.1])
    assert scores.decay_error == pytest.approx([0.25])
    # 9 ms in common; 10 ms and 10 ms true, 9 ms and 10 ms found.
    assert scores.iou == pytest.approx(9.0 / (20.0 + 19.0 - 9.0))
    # The true peaks lie in the patches of 10 ms from 0.1 s and 0.5 s on; the false find lies in neither.
    assert scores.iou_patches == pytest.approx(9.0 / 20.0)


def test_a_peak_more_than_5_ms_away_does_not_count(simulated: Simulated) -> None:
    scores = score_recording(simulated, found((0.1, 0.1071, 0.11, 1e-3, 4e-3)))
    assert scores.counts.tolist() == [0, 2, 1]


def test_scores_pass_through_json_unchanged(simulated: Simulated) -> None:
    scores = score_recording(simulated, found((0.1, 0.102, 0.11, 1e-3, np.nan)))
    again = RecordingScores.from_json(json.loads(json.dumps(scores.to_json(), allow_nan=False)))
    assert again.counts.dtype == np.int64
    assert np.isnan(again.decay_error).tolist() == [True]
    for name in ("counts", "peak_error_s", "onset_error_s", "amplitude_error", "decay_error"):
        np.testing.assert_array_equal(getattr(again, name), getattr(scores, name))
    assert (again.iou, again.iou_patches) == (scores.iou, scores.iou_patches)
    nothing = RecordingScores.from_json({**scores.to_json(), "iou": None, "peak_error_s": []})
    assert np.isnan(nothing.iou)
    assert len(nothing.peak_error_s) == 0
