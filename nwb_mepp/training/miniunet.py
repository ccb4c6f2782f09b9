"""Training of MiniUnet on simulated recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.networks.fitting import Batch, fit
from nwb_mepp.networks.miniunet import build_miniunet
from nwb_mepp.training.examples import Example, ExampleSet

__all__ = ["TrainingPlan", "draw_batch", "train_miniunet"]


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that defines a training run: the same plan gives the same weights.

    Attributes
    ----------
    seed : int
        Of the initial weights and of the batches.
    first_recording, n_recordings : int
        Seeds of the simulated recordings.
    n_steps, n_batch, n_samples : int
        Optimisation steps; crops in a batch; samples in a crop.
    gain_jitter : float
        SD of the logarithm of a gain drawn for each crop: the noise scale is known to some per cent only.
    """

    seed: int = 0
    first_recording: int = 0
    n_recordings: int = 2100
    n_steps: int = 15_000
    n_batch: int = 16
    n_samples: int = 2048
    learning_rate: float = 2e-3
    kernel_size: int = 9
    gain_jitter: float = 0.05


def draw_batch(examples: Sequence[Example], *, plan: TrainingPlan, step: int) -> Batch:
    """Draw the crops of one step; depends on nothing but the plan and the step.

    Returns
    -------
    traces, targets : ndarray of float32, shape (n_batch, n_samples, 1)
    """
    rng = np.random.default_rng([plan.seed, step])
    traces = np.empty((plan.n_batch, plan.n_samples, 1), dtype=np.float32)
    targets = np.empty_like(traces)
    for row, number in enumerate(rng.integers(0, len(examples), plan.n_batch)):
        example = examples[number]
        start = int(rng.integers(0, len(example.trace) - plan.n_samples))
        stop = start + plan.n_samples
        gain = np.exp(plan.gain_jitter * rng.standard_normal())
        traces[row, :, 0] = gain * example.trace[start:stop]
        targets[row, :, 0] = example.mask[start:stop]
    return traces, targets


def train_miniunet(
    folder: Path,
    *,
    plan: TrainingPlan,
    on_step: Callable[[int, float], None] | None = None,
) -> Any:
    """Train a MiniUnet, or go on with the training that a folder holds.

    Parameters
    ----------
    folder : Path
        Holds simulated examples and checkpoints.
    plan : TrainingPlan
    on_step : callable, optional
        ``on_step(step, loss)``.

    Returns
    -------
    keras.Model
        Ends in logits.
    """
    seeds = range(plan.first_recording, plan.first_recording + plan.n_recordings)
    examples = ExampleSet(folder / "examples")
    for _ in examples.add(seeds):
        pass
    loaded = examples.load(seeds)
    model = build_miniunet(kernel_size=plan.kernel_size, logits=True, seed=plan.seed)
    # About one sample in thirty lies inside a MEPP: starting from there saves the first hundred steps.
    model.get_layer("logit").bias.assign([-3.4])
    fit(
        model,
        lambda step: draw_batch(loaded, plan=plan, step=step),
        n_steps=plan.n_steps,
        learning_rate=plan.learning_rate,
        folder=folder / "checkpoints",
        on_step=on_step,
    )
    return model
