"""The optimization loop: it learns, and an interruption leaves no trace in the weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.ml.networks import Batch, Fitted, Validation, build_miniunet, fit, precision

pytestmark = pytest.mark.usefixtures("tensorflow")

N_STEPS = 30


def batch_at(step: int) -> Batch:
    """Return traces of noise with a bump, and where it is."""
    rng = np.random.default_rng([1, step])
    traces = rng.normal(size=(4, 64, 1)).astype(np.float32)
    targets = np.zeros_like(traces)
    for row, start in enumerate(rng.integers(0, 54, 4)):
        traces[row, start : start + 10] += 5.0
        targets[row, start : start + 10] = 1.0
    return traces, targets


def small_network() -> Any:
    """Return a network of two layers, always with the same weights, that ends in logits."""
    from keras import Sequential, initializers, layers

    first, second = (initializers.GlorotUniform(seed=seed) for seed in (0, 1))
    return Sequential(
        [
            layers.Input((None, 1)),
            layers.Conv1D(8, 9, padding="same", activation="relu", kernel_initializer=first),
            layers.Conv1D(1, 1, kernel_initializer=second),
        ]
    )


def train(folder: Path, *, on_step: Callable[[int, float], None] | None = None) -> Any:
    model = small_network()
    fit(
        model,
        batch_at,
        n_steps=N_STEPS,
        learning_rate=0.05,
        folder=folder,
        checkpoint_every=10,
        on_step=on_step,
    )
    return model


def test_training_lowers_the_loss_and_goes_on_after_an_interruption_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    losses: dict[int, float] = {}
    whole = train(tmp_path / "whole", on_step=losses.__setitem__)
    assert list(losses) == list(range(N_STEPS))
    assert np.mean([losses[step] for step in range(25, 30)]) < 0.8 * np.mean([losses[s] for s in range(5)])

    def interrupt(step: int, _: float) -> None:
        if step == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", on_step=interrupt)
    again: dict[int, float] = {}
    resumed = train(tmp_path / "parts", on_step=again.__setitem__)
    assert list(again) == list(range(10, N_STEPS))  # from the last checkpoint on
    assert [again[step] for step in again] == pytest.approx([losses[step] for step in again], rel=1e-4)
    for weight, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-5)

    # What is finished is not trained further, and still gives the averaged weights.
    steps: list[int] = []
    finished = train(tmp_path / "whole", on_step=lambda step, _: steps.append(step))
    assert steps == []
    for weight, expected in zip(finished.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_weights_are_left_averaged_over_the_steps(tmp_path: Path) -> None:
    start = small_network().get_weights()
    trained = train(tmp_path).get_weights()
    # Each of 30 steps moved the average by a thousandth of its distance: it has just begun to move.
    moved = max(np.abs(one - other).max() for one, other in zip(trained, start, strict=True))
    assert 0.0 < moved < 0.01


def scored(scores: list[float], *, patience: int = 3, at_start: bool = False) -> tuple[Validation, list[Any]]:
    """Return a validation that gives these scores in turn, and a list that fills with the judged weights."""
    judged: list[Any] = []

    def score(model: Any) -> float:
        judged.append(model.get_weights())
        return scores[len(judged) - 1]

    return Validation(score=score, every=5, patience=patience, at_start=at_start), judged


def fit_judged(folder: Path, validation: Validation, *, n_steps: int = N_STEPS) -> tuple[Any, Fitted]:
    model = small_network()
    fitted = fit(
        model,
        batch_at,
        n_steps=n_steps,
        learning_rate=0.05,
        folder=folder,
        warm_up=5,
        averaging=0.8,
        validation=validation,
    )
    return model, fitted


def assert_equal(one: list[Any], other: list[Any]) -> None:
    for weight, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_weights_that_scored_best_are_left(tmp_path: Path) -> None:
    validation, judged = scored([0.1, 0.5, 0.7, 0.6, 0.7, 0.2])
    model, fitted = fit_judged(tmp_path, validation)
    assert fitted.n_steps == N_STEPS
    assert fitted.best_step == 15  # of equal scores the first
    assert fitted.history == ((5, 0.1), (10, 0.5), (15, 0.7), (20, 0.6), (25, 0.7), (30, 0.2))
    assert_equal(model.get_weights(), judged[2])


def test_training_stops_when_the_score_rises_no_more_and_stays_stopped(tmp_path: Path) -> None:
    validation, judged = scored([0.5, 0.4, 0.5, 0.9], patience=2)
    model, fitted = fit_judged(tmp_path, validation)
    assert (fitted.n_steps, fitted.best_step) == (15, 5)
    assert_equal(model.get_weights(), judged[0])
    again, told = fit_judged(tmp_path, validation)
    assert told == fitted
    assert len(judged) == 3
    assert_equal(again.get_weights(), judged[0])


def test_what_a_training_begins_with_is_kept_if_nothing_is_better(tmp_path: Path) -> None:
    validation, judged = scored([0.5, 0.4, 0.3], patience=2, at_start=True)
    model, fitted = fit_judged(tmp_path, validation)
    assert (fitted.n_steps, fitted.best_step) == (10, 0)
    assert_equal(judged[0], small_network().get_weights())
    assert_equal(model.get_weights(), judged[0])


def test_judging_leaves_no_trace_in_the_training(tmp_path: Path) -> None:
    validation, _ = scored([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    model, _ = fit_judged(tmp_path / "judged", validation)
    plain = small_network()
    fit(
        plain,
        batch_at,
        n_steps=N_STEPS,
        learning_rate=0.05,
        folder=tmp_path / "plain",
        warm_up=5,
        averaging=0.8,
    )
    for weight, expected in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-6)


def test_an_interrupted_training_remembers_its_best(tmp_path: Path) -> None:
    validation, judged = scored([0.1, 0.9, 0.2, 0.3, 0.4, 0.5], patience=9)
    _, before = fit_judged(tmp_path, validation, n_steps=15)
    assert before.history == ((5, 0.1), (10, 0.9), (15, 0.2))
    resumed, fitted = fit_judged(tmp_path, validation)
    assert (fitted.n_steps, fitted.best_step) == (N_STEPS, 10)
    assert fitted.history == (*before.history, (20, 0.3), (25, 0.4), (30, 0.5))
    assert_equal(resumed.get_weights(), judged[1])


def test_in_mixed_precision_weights_stay_single_and_the_loss_falls(tmp_path: Path) -> None:
    with precision("mixed_float16"):
        model = build_miniunet(kernel_size=3, logits=True, seed=0)
    assert {layer.compute_dtype for layer in model.layers} == {"float16", "float32"}
    assert all(weight.dtype == np.float32 for weight in model.get_weights())
    assert build_miniunet(kernel_size=3).layers[1].compute_dtype == "float32"  # outside the block again
    losses: list[float] = []
    fit(
        model,
        batch_at,
        n_steps=40,
        learning_rate=0.01,
        folder=tmp_path,
        warm_up=5,
        averaging=0.9,
        on_step=lambda _, loss: losses.append(loss),
    )
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
