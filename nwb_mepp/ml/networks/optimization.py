"""The optimization loop: averaged weights, checkpoints, resumption, early stopping."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Batch", "Fitted", "Validation", "fit"]

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

_CLIP_NORM = 1.0


@dataclass(frozen=True, kw_only=True)
class Validation:
    """How a network is validated during training, and when training stops.

    Attributes
    ----------
    score : callable
        ``score(model)`` with the averaged weights in the model; higher is better.
    every : int
        Steps between validations; the last step is validated too.
    patience : int
        Training ends after this many consecutive validations without a new best.
    at_start : bool
        Validate the initial weights too, and keep them if nothing is better.
    on_score : callable, optional
        ``on_score(step, score)``.
    """

    score: Callable[[Any], float]
    every: int
    patience: int
    at_start: bool = False
    on_score: Callable[[int, float], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Result of the optimization.

    Attributes
    ----------
    n_steps : int
        Number of steps that were made.
    best_step : int
        The step whose weights are kept.
    history : tuple of (step, score)
        Empty without validation.
    """

    n_steps: int
    best_step: int
    history: tuple[tuple[int, float], ...] = ()


def fit(
    model: Any,
    batch_at: Callable[[int], Batch],
    *,
    n_steps: int,
    learning_rate: float,
    folder: Path,
    checkpoint_every: int = 500,
    loss: Literal["cross_entropy", "squared_error"] = "cross_entropy",
    warm_up: int = 200,
    averaging: float = 0.999,
    validation: Validation | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Fitted:
    """Fit a network; afterwards it has averaged weights.

    Parameters
    ----------
    model : keras.Model
    batch_at : callable
        ``batch_at(step)`` returns traces and targets, shape (n_batch, n_samples, 1). It must
        depend only on the step, so that a resumed training sees the same as an uninterrupted one.
    n_steps : int
    learning_rate : float
        Highest rate, reached after the warm-up; it then falls to a hundredth along a cosine.
    folder : Path
        Folder of the checkpoints; if there is one, training resumes from it.
    checkpoint_every : int, default 500
    loss : {"cross_entropy", "squared_error"}, default "cross_entropy"
        Binary cross-entropy for a network that ends in logits, or the mean squared error.
    warm_up : int, default 200
        Steps in which the learning rate rises.
    averaging : float, default 0.999
        Momentum of the exponential moving average of the weights.
    validation : Validation, optional
        With it, the best averaged weights are kept, not the last.
    on_step : callable, optional
        ``on_step(step, loss)`` after each step.

    Returns
    -------
    Fitted
    """
    trainer = _Trainer(
        model,
        folder=folder,
        schedule={"n_steps": n_steps, "learning_rate": learning_rate, "warm_up": warm_up},
        averaging=averaging,
        loss=loss,
    )
    if validation is not None and validation.at_start and not trainer.history:
        trainer.validate(0, validation)
    for number in range(trainer.n_done, n_steps):
        if validation is not None and trainer.n_stale >= validation.patience:
            break
        value = trainer.step(*batch_at(number))
        if on_step is not None:
            on_step(number, value)
        done, last = number + 1, number + 1 == n_steps
        validated = validation is not None and (done % validation.every == 0 or last)
        if validation is not None and validated:
            trainer.validate(done, validation)
        if validated or last or done % checkpoint_every == 0:
            trainer.save(done)
    return trainer.finish()


class _Trainer:
    """Everything that changes during training, kept together in one checkpoint."""

    def __init__(
        self, model: Any, *, folder: Path, schedule: dict[str, Any], averaging: float, loss: str
    ) -> None:
        import tensorflow as tf

        self._model = model
        self._weights = list(model.trainable_variables)
        self._optimizer = _make_optimizer(model, averaging=averaging, **schedule)
        self._step = _make_step(model, self._optimizer, loss=loss)
        self._done = tf.Variable(0, dtype=tf.int64)
        self._n_stale = tf.Variable(0, dtype=tf.int64)
        self._history = tf.Variable("[]", dtype=tf.string)
        self._best = [tf.Variable(weight) for weight in model.get_weights()]
        state = tf.train.Checkpoint(
            model=model,
            optimizer=self._optimizer,
            done=self._done,
            n_stale=self._n_stale,
            history=self._history,
            best=self._best,
        )
        self._manager = tf.train.CheckpointManager(state, str(folder), max_to_keep=2)
        if self._manager.latest_checkpoint:
            state.restore(self._manager.latest_checkpoint)

    @property
    def n_done(self) -> int:
        return int(self._done.numpy())

    @property
    def n_stale(self) -> int:
        """Number of validations since the best one."""
        return int(self._n_stale.numpy())

    @property
    def history(self) -> list[tuple[int, float]]:
        return [(step, score) for step, score in json.loads(self._history.numpy())]

    def step(self, traces: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> float:
        return float(self._step(traces, targets))

    def validate(self, step: int, validation: Validation) -> None:
        """Score the averaged weights, keep them if they are the best, and restore the raw ones."""
        raw = [weight.numpy() for weight in self._weights]
        if step > 0:  # before the first step there is no average yet
            self._optimizer.finalize_variable_values(self._weights)
        score = float(validation.score(self._model))
        before = self.history
        if all(score > earlier for _, earlier in before):
            self._n_stale.assign(0)
            for kept, value in zip(self._best, self._model.get_weights(), strict=True):
                kept.assign(value)
        else:
            self._n_stale.assign_add(1)
        self._history.assign(json.dumps([*before, (step, score)]))
        for weight, value in zip(self._weights, raw, strict=True):
            weight.assign(value)
        if validation.on_score is not None:
            validation.on_score(step, score)

    def save(self, done: int) -> None:
        self._done.assign(done)
        self._manager.save()

    def finish(self) -> Fitted:
        """Give the model the best averaged weights, or the last ones without validation."""
        history = self.history
        if not history:
            self._optimizer.finalize_variable_values(self._weights)
            return Fitted(n_steps=self.n_done, best_step=self.n_done)
        self._model.set_weights([kept.numpy() for kept in self._best])
        # The first of equal scores was kept.
        best_step, _ = max(history, key=lambda entry: entry[1])
        return Fitted(n_steps=self.n_done, best_step=best_step, history=tuple(history))


def _make_optimizer(model: Any, *, averaging: float, n_steps: int, learning_rate: float, warm_up: int) -> Any:
    import keras

    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 100.0,
        decay_steps=max(n_steps - warm_up, 1),
        warmup_target=learning_rate,
        warmup_steps=warm_up,
        alpha=0.01,
    )
    optimizer = keras.optimizers.Adam(schedule, clipnorm=_CLIP_NORM, use_ema=True, ema_momentum=averaging)
    if any(layer.compute_dtype == "float16" for layer in model.layers):
        # Small gradients vanish in half precision unless the loss is scaled up, and the gradients down again.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def _make_step(model: Any, optimizer: Any, *, loss: str) -> Any:
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator,unused-ignore]
    def step(traces: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            output = tf.cast(model(traces, training=True), tf.float32)
            if loss == "cross_entropy":
                each = tf.nn.sigmoid_cross_entropy_with_logits(targets, output)
            else:
                each = tf.square(output - targets)
            mean = tf.reduce_mean(each)
            scaled = optimizer.scale_loss(mean)
        gradients = tape.gradient(scaled, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return mean

    return step
