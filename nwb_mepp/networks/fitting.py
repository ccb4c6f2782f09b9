"""The optimisation loop: averaged weights, checkpoints, resumption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Batch", "fit"]

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

_WARM_UP_STEPS = 200
_AVERAGING = 0.999  # of the exponential moving average of the weights
_CLIP_NORM = 1.0


def fit(
    model: Any,
    batch_at: Callable[[int], Batch],
    *,
    n_steps: int,
    learning_rate: float,
    folder: Path,
    checkpoint_every: int = 500,
    loss: Literal["cross_entropy", "squared_error"] = "cross_entropy",
    on_step: Callable[[int, float], None] | None = None,
) -> None:
    """Fit a network and leave it with averaged weights.

    Parameters
    ----------
    model : keras.Model
    batch_at : callable
        ``batch_at(step)`` returns traces and targets, shape (n_batch, n_samples, 1). As it depends on
        nothing but the step, a resumed training sees just what an uninterrupted one would have seen.
    n_steps : int
    learning_rate : float
        Highest rate; it warms up over 200 steps and then falls to a hundredth along a cosine.
    folder : Path
        Holds the checkpoints; if there is one, training goes on from it.
    checkpoint_every : int, default 500
    loss : {"cross_entropy", "squared_error"}, default "cross_entropy"
        Binary cross-entropy for a network that ends in logits, or the mean squared error.
    on_step : callable, optional
        ``on_step(step, loss)`` after each step.
    """
    import keras
    import tensorflow as tf

    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 100.0,
        decay_steps=max(n_steps - _WARM_UP_STEPS, 1),
        warmup_target=learning_rate,
        warmup_steps=_WARM_UP_STEPS,
        alpha=0.01,
    )
    optimizer = keras.optimizers.Adam(schedule, clipnorm=_CLIP_NORM, use_ema=True, ema_momentum=_AVERAGING)
    optimizer.build(model.trainable_variables)
    done = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, done=done)
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint)

    @tf.function  # type: ignore[untyped-decorator,unused-ignore]
    def step(traces: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            output = model(traces, training=True)
            if loss == "cross_entropy":
                each = tf.nn.sigmoid_cross_entropy_with_logits(targets, output)
            else:
                each = tf.square(output - targets)
            mean = tf.reduce_mean(each)
        gradients = tape.gradient(mean, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return mean

    for number in range(int(done.numpy()), n_steps):
        value = float(step(*batch_at(number)))
        if on_step is not None:
            on_step(number, value)
        if (number + 1) % checkpoint_every == 0 or number + 1 == n_steps:
            done.assign(number + 1)
            manager.save()
    optimizer.finalize_variable_values(model.trainable_variables)
