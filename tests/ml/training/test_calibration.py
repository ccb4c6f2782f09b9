"""Calibration of a network on simulated recordings, here of a stand-in for the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import by_score_alone, described
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.detectors import ProbabilityModel, take_together
from nwb_mepp.detectors.candidate_features import N_FEATURES
from nwb_mepp.ml.training import calibration
from nwb_mepp.ml.training.calibration import (
    LabeledCandidates,
    _best,
    calibrate,
    correct,
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
def test_calibration_tells_mepps_from_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_N_MEMBERS", 2)
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
    # The two are not the same one twice.
    one, other = (layers[0][0] for layers in calibrated.model.members)
    assert one.shape == other.shape
    assert (one != other).all()
    assert list(calibrated.f1_by_level) == [10.0]
    assert calibrated.f1_by_level[10.0] > 0.8
    reliability = calibrated.reliability
    assert reliability.n_recordings == 2
    # What it rejects is nearly never a MEPP.
    assert reliability.true[0] < 0.1
    assert reliability.count.sum() > 100


def test_a_network_that_finds_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        DetectionError, match=r"found none: the network has not learned enough; train it longer"
    ):
        calibrate(np.zeros_like, FewLevels(tmp_path), n_drawn=1, n_reference=1)


def test_candidates_are_described_where_the_network_sees_them(tmp_path: Path) -> None:
    (recording,) = CalibrationSet(tmp_path).reference(1)[10.0]
    judged = label_candidates(output, recording)
    n_candidates = len(judged.parts.score) + len(judged.wholes.first)
    assert judged.features.shape == (n_candidates, N_FEATURES)
    assert judged.is_mepp.shape == (n_candidates,)
    np.testing.assert_array_equal(judged.truth_s, recording.truth_s)
    # Those that are MEPPs stand out far more under the shapes than the rest.
    height = judged.features[:, 2]
    assert np.median(height[judged.is_mepp]) > np.median(height[~judged.is_mepp]) + 4.0


def judged(
    peak_s: list[float], truth_s: list[float], *, score: float | list[float] = 0.5, height: float = 4.0
) -> LabeledCandidates:
    """Return candidates of 2 ms, whose peaks are thought to be 0.7 ms after their start."""
    n_parts = len(peak_s)
    parts = described(
        np.array(peak_s) - 0.7e-3,
        score=np.broadcast_to(score, n_parts).tolist(),
        height=[height] * n_parts,
        length_s=2e-3,
    )
    return LabeledCandidates(
        parts=parts, wholes=take_together(parts), truth_s=np.array(truth_s), duration_s=1.0
    )


def test_candidates_within_5_ms_of_a_mepp_are_true_each_mepp_once() -> None:
    one = judged([0.101, 0.104, 0.2, 0.306], [0.1, 0.3, 0.5])
    assert one.is_mepp.tolist() == [True, False, False, False]


def test_a_whole_is_a_mepp_where_one_is_near_that_is_not_another_candidate_s() -> None:
    # The MEPP at 0.1 s belongs to the first two together as well; that at 0.2055 s to the last one.
    one = judged([0.1, 0.103, 0.2, 0.203, 0.2055], [0.101, 0.2055], height=9.0)
    wholes = list(zip(one.wholes.first.tolist(), one.wholes.stop.tolist(), strict=True))
    assert wholes == [(0, 2), (2, 4), (2, 5), (3, 5)]
    assert one.is_mepp.tolist() == [True, False, False, False, True, True, False, True, True]


def logits_of(one: LabeledCandidates, model: ProbabilityModel) -> np.ndarray:
    _, probability = one.explained(model)
    return np.log(probability / (1.0 - probability))


def test_probabilities_that_are_too_sure_are_corrected_on_other_recordings() -> None:
    # Of those that are said to be MEPPs with 0.9, seven in ten are, and of those with 0.2 one in ten.
    peaks_s = (0.1 * np.arange(1, 2001)).tolist()
    scores = [0.9 if number % 2 else 0.2 for number in range(2000)]
    rng = np.random.default_rng(0)
    shares = {0.9: 0.7, 0.2: 0.1}
    truth_s = [at for at, score in zip(peaks_s, scores, strict=True) if rng.random() < shares[score]]
    one = judged(peaks_s, truth_s, score=scores)
    model = correct(by_score_alone(), [one])
    _, probability = one.explained(model)
    assert probability[np.array(scores) == 0.9] == pytest.approx(0.7, abs=0.05)
    assert probability[np.array(scores) == 0.2] == pytest.approx(0.1, abs=0.03)


def test_few_candidates_change_probabilities_little() -> None:
    one = judged([0.1, 0.2], [0.1], score=[0.6, 0.6])
    before, after = logits_of(one, by_score_alone()), logits_of(one, correct(by_score_alone(), [one]))
    assert np.abs(after - before).max() < 0.5
    none = judged([], [])
    assert correct(by_score_alone(), [none]).to_config() == by_score_alone().to_config()


def test_reliability_is_counted_by_tenths() -> None:
    # The model says what the score is.
    found = measure_reliability([judged([0.1, 0.2, 0.3], [0.1], score=[0.88, 0.88, 0.27])], by_score_alone())
    assert found.count.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 2, 0]
    assert found.stated[[2, 8]] == pytest.approx([0.27, 0.88])
    assert found.true[[2, 8]].tolist() == [0.0, 0.5]
    assert np.isnan(found.stated[0])


@pytest.mark.parametrize(
    ("f1_by_threshold", "best"),
    [([0.5, 0.9, 0.8], 1), ([0.9, 0.8982, 0.8], 1), ([0.9, 0.8978, 0.8], 0), ([0.8, 0.9, 0.9], 2)],
)
def test_of_thresholds_that_are_as_good_the_highest_is_taken(f1_by_threshold: list[float], best: int) -> None:
    assert _best(np.array(f1_by_threshold)) == best
