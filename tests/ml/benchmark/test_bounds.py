from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nwb_mepp.ml.benchmark import Bounds, Condition, bounds
from nwb_mepp.ml.benchmark.bounds import THRESHOLDS, bound_recording, mean_shape
from nwb_mepp.ml.benchmark.conditions import NOISE_ONLY
from nwb_mepp.ml.benchmark.detector_runs import survey_trace


def bound(condition: Condition) -> tuple[Bounds, int]:
    simulated = condition.simulate(0)
    surveyed = survey_trace(simulated.trace())
    return bound_recording(condition, 0, surveyed=surveyed, simulated=simulated), len(simulated.truth)


def test_oracle_and_ceiling_count_every_mepp_at_every_threshold(short: Condition) -> None:
    found, n_true = bound(replace(short, level=3.0))
    for counts in (found.oracle, found.ceiling):
        assert counts.shape == (len(THRESHOLDS), 3)
        assert (counts[:, 0] + counts[:, 1] == n_true).all()
    # The stricter, the fewer: of both what is found and what is false.
    assert (np.diff(found.ceiling[:, 0]) <= 0).all()
    assert (np.diff(found.ceiling[:, 2]) <= 0).all()
    again = Bounds.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    np.testing.assert_array_equal(again.ceiling, found.ceiling)
    assert again.measured_iou == found.measured_iou


def test_large_mepps_are_all_found_by_the_ceiling_with_their_borders(short: Condition) -> None:
    found, n_true = bound(replace(short, level=200.0))
    # At 5 SD the noise of 4 s gives nothing; the smallest MEPP is far larger.
    (at,) = np.flatnonzero(THRESHOLDS == 5.0)
    assert found.ceiling[at].tolist() == [n_true, 0, 0]
    assert found.ceiling_iou[at] == found.border_iou > 0.98
    assert found.ceiling_iou_patches[at] == found.border_iou_patches > 0.98


def test_borders_blur_with_the_noise(short: Condition) -> None:
    clear, blurred = (bound(replace(short, level=level))[0] for level in (20.0, 2.0))
    assert clear.border_iou > blurred.border_iou + 0.05
    assert clear.measured_iou > blurred.measured_iou
    assert clear.border_iou > clear.measured_iou


def test_the_score_of_a_mepp_alone_is_its_energy() -> None:
    event = np.array([0.0, 3.0, 4.0, 0.0])
    silence = np.zeros(200)
    # A filter of norm 5 on itself; the square root of 9 + 16.
    assert bounds._score(event, silence, 100) == pytest.approx(5.0)
    # Only the 3 lies before the end: the filter finds it best one sample early, under its own 4.
    assert bounds._score(event, silence, 198) == pytest.approx(4.0 * 3.0 / 5.0)
    noise = np.zeros(200)
    noise[101] = -1.0
    assert bounds._score(event, noise, 100) == pytest.approx((3.0 * 2.0 + 16.0) / 5.0)


def test_uncertainty_falls_as_the_noise_says(short: Condition) -> None:
    fits = []
    for level in (20.0, 40.0):
        quiet = replace(short, level=level, changes={**short.changes, **NOISE_ONLY}).simulate(0)
        noise = bounds._whitened_noise(quiet)
        fits.append(bounds._fit(quiet, 0, noise))
    # Half the noise: about twice the score, and if only the onset is open, half its uncertainty.
    assert fits[1].score / fits[0].score == pytest.approx(2.0, rel=0.15)
    onset_sd_s = [float(np.linalg.inv(fit.covariance)[0, 0] ** -0.5) for fit in fits]
    assert onset_sd_s[0] / onset_sd_s[1] == pytest.approx(2.0, rel=0.15)
    # Nothing is known better than if it were the only unknown: an amplitude to one part in the score.
    for fit in fits:
        assert np.sqrt(fit.covariance[3, 3]) > 0.9 / fit.score


def test_the_mean_shape_rises_from_the_onset_to_one_and_falls() -> None:
    shape = mean_shape(6.0)
    peak = int(np.argmax(shape))
    assert (shape[0], shape[peak]) == (0.0, 1.0)
    # The peak of a MEPP of 0.7 ms rise and 2.5 ms decay comes after 1.2 ms, in samples of 0.2 ms.
    assert peak in (5, 6, 7)
    assert (np.diff(shape[peak:]) < 0).all()
