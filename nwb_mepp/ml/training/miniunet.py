"""Training of MiniUnet: the crops of each step, and the whole run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.ml.networks import Batch, Fitted, Precision, Validation, build_miniunet, fit, precision
from nwb_mepp.ml.training.examples import Example, ExampleSet, Kind

__all__ = ["TrainingPlan", "draw_batch", "fit_miniunet", "train_miniunet"]


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that defines a training run: the same plan gives the same weights.

    Attributes
    ----------
    seed : int
        Seed of the initial weights and of the batches.
    first_recording, n_recordings : int
        Seeds of the simulated recordings.
    n_artifacts, n_noise : int
        Simulated recordings without MEPPs, with and without artifacts; their seeds follow.
    n_steps, n_batch, n_samples : int
        Optimization steps; crops in a batch; samples in a crop.
    gain_jitter : float
        SD of the logarithm of a gain drawn for each crop, because the noise scale is only known to a few
        percent.
    warm_up, averaging
        See :func:`~nwb_mepp.ml.networks.fit`.
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
    n_artifacts: int = 0
    n_noise: int = 0
    warm_up: int = 200
    averaging: float = 0.999

    def simulated(self) -> list[tuple[range, Kind]]:
        """Return the seeds of the simulated recordings, by kind."""
        parts: list[tuple[range, Kind]] = []
        first = self.first_recording
        numbers: tuple[tuple[int, Kind], ...] = (
            (self.n_recordings, "drawn"),
            (self.n_artifacts, "artifacts"),
            (self.n_noise, "noise"),
        )
        for number, kind in numbers:
            parts.append((range(first, first + number), kind))
            first += number
        return parts


def draw_batch(examples: Sequence[Example], *, plan: TrainingPlan, step: int) -> Batch:
    """Draw the crops of one step; the same plan and step give the same crops.

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


def fit_miniunet(
    folder: Path,
    *,
    plan: TrainingPlan,
    examples: Sequence[Example],
    start: Callable[[Any], None] | None = None,
    validation: Validation | None = None,
    at_precision: Precision = "float32",
    on_step: Callable[[int, float], None] | None = None,
) -> tuple[Any, Fitted]:
    """Train a MiniUnet on examples, or resume the training in a folder.

    Parameters
    ----------
    folder : Path
        Holds the checkpoints.
    plan : TrainingPlan
    examples : sequence of Example
        Each longer than a crop.
    start : callable, optional
        Loads initial weights into the network; random ones otherwise.
    validation : Validation, optional
    at_precision : {"float32", "mixed_float16"}, default "float32"
    on_step : callable, optional
        ``on_step(step, loss)``.

    Returns
    -------
    model : keras.Model
        Ends in logits.
    fitted : Fitted
    """
    with precision(at_precision):
        model = build_miniunet(kernel_size=plan.kernel_size, logits=True, seed=plan.seed)
    if start is not None:
        start(model)
    else:
        # About one sample in thirty lies inside a MEPP: starting from there saves the first hundred steps.
        model.get_layer("logit").bias.assign([-3.4])
    fitted = fit(
        model,
        lambda step: draw_batch(examples, plan=plan, step=step),
        n_steps=plan.n_steps,
        learning_rate=plan.learning_rate,
        folder=folder,
        warm_up=plan.warm_up,
        averaging=plan.averaging,
        validation=validation,
        on_step=on_step,
    )
    return model, fitted


def train_miniunet(
    folder: Path,
    *,
    plan: TrainingPlan,
    on_step: Callable[[int, float], None] | None = None,
) -> Any:
    """Train a MiniUnet on the simulated recordings of a plan, or resume the training in a folder.

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
    examples = ExampleSet(folder / "examples")
    shown = [one for seeds, kind in plan.simulated() for one in examples.made(seeds, kind=kind)]
    model, _ = fit_miniunet(folder / "checkpoints", plan=plan, examples=shown, on_step=on_step)
    return model
