"""From scores to probabilities: calibrated on known candidates, and for each recording anew."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.detectors import ScoreModel, fit_score_model
from nwb_mepp.detectors.calibration import LOWEST_SCORE

NULL_RATE_HZ = 0.5


def false_scores(n: int, rng: np.random.Generator) -> np.ndarray:
    return LOWEST_SCORE + (1.0 - LOWEST_SCORE) * rng.beta(1.0, 5.0, n)


def small_scores(n: int, rng: np.random.Generator) -> np.ndarray:
    return LOWEST_SCORE + (1.0 - LOWEST_SCORE) * rng.beta(2.0, 2.0, n)


def large_scores(n: int, rng: np.random.Generator) -> np.ndarray:
    return LOWEST_SCORE + (1.0 - LOWEST_SCORE) * rng.beta(20.0, 1.0, n)


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    rng = np.random.default_rng(0)
    return fit_score_model(
        false_scores(20_000, rng),
        [small_scores(20_000, rng), large_scores(20_000, rng)],
        null_rate_hz=NULL_RATE_HZ,
    )


def test_distributions_sum_to_one_and_hold_no_zero(model: ScoreModel) -> None:
    for row in (model.null, *model.mepps):
        assert sum(row) == pytest.approx(1.0, abs=2e-3)
        assert min(row) > 0.0


@pytest.mark.parametrize(("n_small", "n_large"), [(120, 0), (0, 120), (300, 100), (30, 30)])
def test_probability_is_the_share_of_mepps_among_candidates_of_that_score(
    model: ScoreModel, n_small: int, n_large: int
) -> None:
    # Twenty recordings of 240 s, with the 120 false candidates each that noise gives.
    probabilities, is_mepp = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed + 1)
        scores = np.concatenate(
            [false_scores(120, rng), small_scores(n_small, rng), large_scores(n_large, rng)]
        )
        probabilities.append(model.probability(scores, duration_s=240.0))
        is_mepp.append(np.arange(len(scores)) >= 120)
    probability, truth = np.concatenate(probabilities), np.concatenate(is_mepp)
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        inside = (probability >= low) & (probability < high)
        if inside.sum() > 100:
            assert truth[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.1)


def test_in_a_silent_recording_the_same_score_means_less(model: ScoreModel) -> None:
    rng = np.random.default_rng(3)
    doubtful = np.array([0.6])
    silent = model.probability(np.append(doubtful, false_scores(60, rng)), duration_s=120.0)[0]
    busy = model.probability(np.append(doubtful, small_scores(300, rng)), duration_s=120.0)[0]
    assert silent < 0.5 < busy


def test_noise_alone_gives_hardly_any_probable_candidate(model: ScoreModel) -> None:
    n_probable = [
        np.sum(model.probability(false_scores(60, np.random.default_rng(seed)), duration_s=120.0) >= 0.5)
        for seed in range(50)
    ]
    assert np.mean(n_probable) < 1.0


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.floats(0.0, 1.0), max_size=60),
    duration_s=st.floats(0.001, 1e5),
)
def test_probabilities_rise_with_the_score_and_stay_between_0_and_1(
    model: ScoreModel, scores: list[float], duration_s: float
) -> None:
    probability = model.probability(scores, duration_s=duration_s)
    assert probability.shape == (len(scores),)
    assert np.all((probability >= 0.0) & (probability <= 1.0))
    ordered = probability[np.argsort(scores, kind="stable")]
    assert np.all(np.diff(ordered) >= -1e-12)


def test_order_of_the_candidates_does_not_matter(model: ScoreModel) -> None:
    rng = np.random.default_rng(4)
    scores = np.concatenate([false_scores(40, rng), large_scores(20, rng)])
    order = rng.permutation(len(scores))
    straight = model.probability(scores, duration_s=60.0)
    np.testing.assert_allclose(model.probability(scores[order], duration_s=60.0), straight[order])


def test_a_model_survives_json(model: ScoreModel) -> None:
    assert ScoreModel.from_config(json.loads(json.dumps(model.to_config()))) == model


def test_distributions_of_another_length_are_refused(model: ScoreModel) -> None:
    config = {**model.to_config(), "null": [1.0]}
    with pytest.raises(ValueError, match="expected distributions over 45 bins"):
        ScoreModel.from_config(config)


def test_a_configuration_without_lists_is_refused(model: ScoreModel) -> None:
    with pytest.raises(ValueError, match="expected 'null' and 'mepps' to be lists of numbers"):
        ScoreModel.from_config({**model.to_config(), "null": 1.0})
