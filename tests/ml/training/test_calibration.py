"""Calibration of a network on simulated recordings, here of a stand-in for the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.detectors import ProbabilityModel
from nwb_mepp.detectors.probability import N_FEATURES
from nwb_mepp.ml.training.calibration import (
    LabeledCandidates,
    calibrate,
    label_candidates,
    measure_reliability,
)
from nwb_mepp.ml.training.calibration_set import CalibrationSet, Conditioned


def output(trace: np.ndarray) -> np.ndarray:
    """Say yes where the mean of 9 samples stands out of the noise."""
    smooth = np.convolve(np.clip(trace, -5.0, 5.0), np.full(9, 1.0 / 9.0), mode="same")
    return (1.0 / (1.0 + np.exp(-4.0 * (smooth - 1.5)))).astype(np.float32)


class FewLevels(CalibrationSet):
    """The calibration's recordings, but of the highest level alone."""

    def reference(self, n_recordings: int) -> Mapping[float, Iterator[Conditioned]]:
        return {10.0: super().reference(n_recordings)[10.0]}


@pytest.mark.usefixtures("tensorflow")
def test_calibration_tells_mepps_from_noise(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    calibrated = calibrate(
        output,
        FewLevels(tmp_path),
        n_drawn=10,
        n_reference=1,
        on_recording=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(done, 11) for done in range(1, 12)]
    assert 0.0 < calibrated.threshold < 1.0
    assert list(calibrated.f1_by_level) == [10.0]
    assert calibrated.f1_by_level[10.0] > 0.8
    reliability = calibrated.reliability
    assert reliability.n_recordings == 2
    # What it rejects is nearly never a MEPP.
    assert reliability.true[0] < 0.1
    assert reliability.count.sum() > 100


def test_candidates_are_described_where_the_network_sees_them(tmp_path: Path) -> None:
    (recording,) = CalibrationSet(tmp_path).reference(1)[10.0]
    judged = label_candidates(output, recording)
    assert judged.features.shape == (len(judged.time_s), N_FEATURES)
    np.testing.assert_array_equal(judged.truth_s, recording.truth_s)
    # Those that are MEPPs stand out far more under the shapes than the rest.
    height = judged.features[:, 2]
    assert np.median(height[judged.is_mepp]) > np.median(height[~judged.is_mepp]) + 4.0


def judged(
    time_s: list[float], truth_s: list[float], *, logit: list[float] | None = None
) -> LabeledCandidates:
    features = np.zeros((len(time_s), N_FEATURES))
    features[:, 0] = 0.0 if logit is None else logit
    return LabeledCandidates(features=features, time_s=np.array(time_s), truth_s=np.array(truth_s))


def test_candidates_within_5_ms_of_a_mepp_are_true_each_mepp_once() -> None:
    one = judged([0.101, 0.104, 0.2, 0.306], [0.1, 0.3, 0.5])
    assert one.is_mepp.tolist() == [True, False, False, False]


def test_reliability_is_counted_by_tenths() -> None:
    # The model says 1 / (1 + exp(-logit)): 0.88, 0.88, 0.27.
    weight = np.zeros((N_FEATURES, 1))
    weight[0] = 1.0
    model = ProbabilityModel(
        center=np.zeros(N_FEATURES), scale=np.ones(N_FEATURES), layers=((weight, np.zeros(1)),)
    )
    found = measure_reliability([judged([0.1, 0.2, 0.3], [0.1], logit=[2.0, 2.0, -1.0])], model)
    assert found.count.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 2, 0]
    assert found.stated[[2, 8]] == pytest.approx([0.2689, 0.8808], abs=1e-4)
    assert found.true[[2, 8]].tolist() == [0.0, 0.5]
    assert np.isnan(found.stated[0])
