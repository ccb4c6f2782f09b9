"""From what is known of a candidate to its probability."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.detectors import ProbabilityModel
from nwb_mepp.detectors.candidate_features import N_BY_VERSION, N_FEATURES


def small_model() -> ProbabilityModel:
    """Return a model that looks at the logit of the score alone: 1 hidden number."""
    weight = np.zeros((N_FEATURES, 1))
    weight[0] = 0.5
    return ProbabilityModel(
        center=np.full(N_FEATURES, 0.25),
        scale=np.full(N_FEATURES, 2.0),
        members=(((weight, np.array([0.1])), (np.array([[3.0]]), np.array([-1.0]))),),
    )


def test_the_model_is_tangents_and_a_logistic_function() -> None:
    features = np.zeros((2, N_FEATURES))
    features[1, 0] = 2.25
    hidden = np.tanh(0.5 * (np.array([0.0, 2.25]) - 0.25) / 2.0 + 0.1)
    expected = 1.0 / (1.0 + np.exp(-(3.0 * hidden - 1.0)))
    np.testing.assert_allclose(small_model().probability(features), expected)


def test_of_several_networks_the_mean_of_the_logits_counts() -> None:
    # Two without hidden layers, whose logits are 2 x + 1 and 4 x - 3 of the first feature.
    def line(slope: float, offset: float) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        weight = np.zeros((N_FEATURES, 1))
        weight[0] = slope
        return ((weight, np.array([offset])),)

    both = ProbabilityModel(
        center=np.zeros(N_FEATURES), scale=np.ones(N_FEATURES), members=(line(2.0, 1.0), line(4.0, -3.0))
    )
    features = np.zeros((3, N_FEATURES))
    features[:, 0] = [0.0, 1.0, 2.0]
    expected = 1.0 / (1.0 + np.exp(-np.array([-1.0, 2.0, 5.0])))
    np.testing.assert_allclose(both.probability(features), expected)
    again = ProbabilityModel.from_config(json.loads(json.dumps(both.to_config())))
    np.testing.assert_allclose(again.probability(features), expected)


def test_weights_that_state_layers_are_a_single_network() -> None:
    config = small_model().to_config()
    (config["layers"],) = config.pop("members")
    features = np.random.default_rng(0).normal(size=(20, N_FEATURES))
    np.testing.assert_allclose(
        ProbabilityModel.from_config(config).probability(features),
        small_model().probability(features),
        rtol=1e-4,
    )


def test_what_lies_beyond_the_range_that_was_seen_counts_as_its_end() -> None:
    features = np.zeros((3, N_FEATURES))
    features[:, 0] = [-50.0, 1.5, 80.0]
    seen = replace(small_model(), low=np.full(N_FEATURES, -1.0), high=np.full(N_FEATURES, 2.0))
    cut = np.clip(features, -1.0, 2.0)
    np.testing.assert_array_equal(seen.probability(features), small_model().probability(cut))
    again = ProbabilityModel.from_config(json.loads(json.dumps(seen.to_config())))
    np.testing.assert_allclose(again.probability(features), seen.probability(features), rtol=1e-4)


@settings(max_examples=50)
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
    with pytest.raises(ValueError, match=r"found \[29, 1, 1\] and \[29, 30\] numbers for the features"):
        replace(small_model(), low=np.zeros(N_FEATURES + 1))
    (layers,) = small_model().members
    wide = (layers[0], (np.zeros((1, 2)), np.zeros(2)))
    with pytest.raises(ValueError, match=r"to 1 output, found \[29, 1, 1\] and \[29, 1, 2\] and \[29\]"):
        replace(small_model(), members=(layers, wide))
    with pytest.raises(ValueError, match="found no network"):
        replace(small_model(), members=())


@pytest.mark.parametrize(
    "change", [{"members": 1.0}, {"members": [1.0]}, {"members": [[{"weight": [[1.0]]}]]}]
)
def test_a_configuration_of_other_things_is_refused(change: dict[str, object]) -> None:
    config = {**small_model().to_config(), **change}
    with pytest.raises(ValueError, match="expected 'centre', 'scale' and 'members' of numbers"):
        ProbabilityModel.from_config(config)


def test_a_model_of_older_features_takes_the_columns_that_these_had() -> None:
    assert N_BY_VERSION == {1: 25, 2: 29}
    newer = small_model()
    ((first, last),) = newer.members
    older = replace(
        newer,
        features=1,
        center=newer.center[:25],
        scale=newer.scale[:25],
        members=(((first[0][:25], first[1]), last),),
    )
    features = np.random.default_rng(0).normal(size=(20, N_FEATURES))
    np.testing.assert_array_equal(older.probability(features), newer.probability(features))
    config = older.to_config()
    assert config.pop("features") == 1
    # One that states no version is from before there were several.
    assert ProbabilityModel.from_config(config).features == 1


@pytest.mark.parametrize("version", [3, "2", None])
def test_features_of_an_unknown_version_are_refused(version: object) -> None:
    config = {**small_model().to_config(), "features": version}
    with pytest.raises(ValueError, match=r"expected features of version 1 to 2, found"):
        ProbabilityModel.from_config(config)
