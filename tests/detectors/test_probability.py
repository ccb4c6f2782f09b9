"""From candidates to probabilities: what is known of a candidate, and what the model makes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.detectors import Described, ProbabilityModel, describe_candidates
from nwb_mepp.detectors.probability import N_FEATURES
from nwb_mepp.detectors.shape_bank import SHAPES_S, ShapeFits

USUAL = SHAPES_S.index((0.6e-3, 2.5e-3))
SLOW = SHAPES_S.index((2.4e-3, 11.0e-3))


def described(
    start_s: list[float], *, score: list[float], height: list[float], best: int = USUAL, misfit: float = 1.0
) -> Described:
    """Return candidates of 4 ms that stand out under one shape, and by 1 less under all others."""
    heights = np.tile(np.array(height)[:, None] - 1.0, (1, len(SHAPES_S)))
    heights[:, best] = height
    start = np.array(start_s)
    return Described(
        start_s=start,
        stop_s=start + 4e-3,
        score=np.array(score),
        fits=ShapeFits(heights=heights, misfit=np.full(len(start), misfit)),
    )


def test_a_candidate_is_described_by_itself_its_neighbors_and_its_recording() -> None:
    # Two 5 ms apart, one far away; 0.5 has the logit 0, 0.9 ln 9.
    one = described([0.1, 0.105, 3.0], score=[0.9, 0.5, 0.9], height=[6.0, 3.5, 7.0], misfit=2.0)
    features = describe_candidates([one], duration_s=10.0)
    assert features.shape == (3, N_FEATURES)
    own = [np.log(9.0), 6.0, 6.0, np.log(2.0), *np.log([0.6e-3, 2.5e-3]), np.log(4e-3)]
    np.testing.assert_allclose(features[0, :7], own)
    np.testing.assert_allclose(features[:, 7:11].T[0], [0.02, 0.005, 0.02])  # distance to the one before
    np.testing.assert_allclose(features[:, 7:11].T[1], [0.0, 6.0, 0.0])  # its height
    np.testing.assert_allclose(features[:, 7:11].T[2], [0.005, 0.02, 0.02])
    np.testing.assert_allclose(features[:, 7:11].T[3], [3.5, 0.0, 0.0])
    # Above logits of -2, 0, 2 and 4: 3, 2, 2 and 0 in 10 s; above heights of 3, 4, 5, 6.5 and 8: 3, 2, 2, 1
    # and 0.
    rates = np.log(np.array([3, 2, 2, 0, 3, 2, 2, 1, 0]) / 10.0 + 0.02)
    np.testing.assert_allclose(features[:, 11:20], np.tile(rates, (3, 1)))
    # The two sure ones are 6.5 high in the mean; the doubtful one leaves twice the noise.
    rest = [6.5, np.log(2.0), *np.log([0.6e-3, 2.5e-3]), np.log(10.0)]
    np.testing.assert_allclose(features[1, 20:], rest)


def test_the_typical_shape_is_that_of_the_sure_ones() -> None:
    slow = described([1.0, 2.0, 3.0], score=[0.99] * 3, height=[9.0] * 3, best=SLOW)
    fast = described([4.0, 5.0], score=[0.2] * 2, height=[9.0] * 2, best=USUAL)
    features = describe_candidates([slow, fast], duration_s=6.0)
    np.testing.assert_allclose(np.exp(features[:, 22:24]), np.tile(SHAPES_S[SLOW], (5, 1)))
    # Under that shape the others stand out by 1 less, under their own by 9.
    np.testing.assert_allclose(features[3:, 1:3], [[8.0, 9.0]] * 2)


def test_segments_are_described_together_but_are_not_neighbors() -> None:
    parts = [described([0.1], score=[0.9], height=[5.0]), described([0.101], score=[0.9], height=[5.0])]
    features = describe_candidates(parts, duration_s=2.0)
    np.testing.assert_allclose(features[:, 7:11], [[0.02, 0.0, 0.02, 0.0]] * 2)
    np.testing.assert_allclose(features[0, 12], np.log(2 / 2.0 + 0.02))


@pytest.mark.parametrize("n_segments", [1, 3])
def test_no_candidates_have_no_description(n_segments: int) -> None:
    none = described([], score=[], height=[])
    assert describe_candidates([none] * n_segments, duration_s=1.0).shape == (0, N_FEATURES)


def small_model() -> ProbabilityModel:
    """Return a model that looks at the logit of the score alone: 1 hidden number."""
    weight = np.zeros((N_FEATURES, 1))
    weight[0] = 0.5
    return ProbabilityModel(
        center=np.full(N_FEATURES, 0.25),
        scale=np.full(N_FEATURES, 2.0),
        layers=((weight, np.array([0.1])), (np.array([[3.0]]), np.array([-1.0]))),
    )


def test_the_model_is_tangents_and_a_logistic_function() -> None:
    features = np.zeros((2, N_FEATURES))
    features[1, 0] = 2.25
    hidden = np.tanh(0.5 * (np.array([0.0, 2.25]) - 0.25) / 2.0 + 0.1)
    expected = 1.0 / (1.0 + np.exp(-(3.0 * hidden - 1.0)))
    np.testing.assert_allclose(small_model().probability(features), expected)


def test_what_lies_beyond_the_range_that_was_seen_counts_as_its_end() -> None:
    features = np.zeros((3, N_FEATURES))
    features[:, 0] = [-50.0, 1.5, 80.0]
    seen = replace(small_model(), low=np.full(N_FEATURES, -1.0), high=np.full(N_FEATURES, 2.0))
    cut = np.clip(features, -1.0, 2.0)
    np.testing.assert_array_equal(seen.probability(features), small_model().probability(cut))
    again = ProbabilityModel.from_config(json.loads(json.dumps(seen.to_config())))
    np.testing.assert_allclose(again.probability(features), seen.probability(features), rtol=1e-4)


@settings(max_examples=50, deadline=None)
@given(value=st.floats(-1e6, 1e6))
def test_probabilities_stay_between_0_and_1(value: float) -> None:
    (probability,) = small_model().probability(np.full((1, N_FEATURES), value))
    assert 0.0 <= probability <= 1.0


def test_a_model_survives_json_to_five_digits() -> None:
    model = small_model()
    again = ProbabilityModel.from_config(json.loads(json.dumps(model.to_config())))
    features = np.random.default_rng(0).normal(size=(20, N_FEATURES))
    np.testing.assert_allclose(again.probability(features), model.probability(features), rtol=1e-4)


def test_layers_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match=rf"expected layers from {N_FEATURES} features to 1 output, found"):
        replace(small_model(), center=np.zeros(3))
    layers = (small_model().layers[0], (np.zeros((1, 2)), np.zeros(2)))
    with pytest.raises(ValueError, match=r"to 1 output, found \[25, 1, 2\]"):
        replace(small_model(), layers=layers)


@pytest.mark.parametrize("change", [{"layers": 1.0}, {"layers": [{"weight": [[1.0]]}]}])
def test_a_configuration_of_other_things_is_refused(change: dict[str, object]) -> None:
    config = {**small_model().to_config(), **change}
    with pytest.raises(ValueError, match="expected 'centre', 'scale' and 'layers' of numbers"):
        ProbabilityModel.from_config(config)
