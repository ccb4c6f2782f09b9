"""The optimisation loop: it learns, and an interruption leaves no trace in the weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.networks import Batch, fit

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
