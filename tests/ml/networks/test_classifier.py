"""The classifier: its output is a probability, and its numbers are all there is to it."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.ml.networks import Classifier, classifier, fit_classifier

pytestmark = pytest.mark.usefixtures("tensorflow")


def probability(network: Classifier, features: np.ndarray) -> np.ndarray:
    values = (features - network.center) / network.scale
    for weight, bias in network.layers[:-1]:
        values = np.tanh(values @ weight + bias)
    weight, bias = network.layers[-1]
    return 1.0 / (1.0 + np.exp(-(values @ weight + bias)[:, 0]))


def drawn(n_rows: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, labels and the probability that the labels were drawn with."""
    rng = np.random.default_rng(seed)
    features = np.column_stack([100.0 + 20.0 * rng.standard_normal((n_rows, 2)), np.ones(n_rows)])
    first, second = (features[:, :2] - 100.0).T / 20.0
    true = 1.0 / (1.0 + np.exp(-2.0 * first * second))
    return features, rng.random(n_rows) < true, true


def test_it_learns_the_probability_that_labels_are_drawn_with() -> None:
    features, labels, _ = drawn(10_000, seed=0)
    fitted = fit_classifier(features, labels)
    others, _, true = drawn(2_000, seed=1)
    # The spread of the probabilities is what knowing nothing leaves, and what a straight line would, too.
    assert np.sqrt(np.mean((probability(fitted, others) - true) ** 2)) < true.std() / 3.0


def test_the_same_seed_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "_LEAST_STEPS", 20)  # a step for each epoch of so few rows takes long
    features, labels, _ = drawn(600, seed=0)
    one, other = (fit_classifier(features, labels, n_epochs=2, seed=3) for _ in range(2))
    np.testing.assert_allclose(probability(one, features), probability(other, features), atol=1e-5)
    np.testing.assert_array_equal([one.low, one.high], [features.min(axis=0), features.max(axis=0)])
    # A feature that never changes is no reason to divide by nothing.
    assert np.isfinite(probability(one, features)).all()


# 40 times unless that makes fewer than 400 steps, or more than 30,000; never less than once.
@pytest.mark.parametrize(
    ("per_epoch", "n_epochs"), [(1, 400), (9, 45), (10, 40), (750, 40), (1000, 30), (40_000, 1)]
)
def test_few_rows_are_gone_through_more_often_and_many_less(per_epoch: int, n_epochs: int) -> None:
    assert classifier._n_epochs(40, per_epoch=per_epoch) == n_epochs
