"""A small network on the features of a candidate: the probability that it is a MEPP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Classifier", "fit_classifier"]

FloatArray = npt.NDArray[np.float64]

_HIDDEN = (32, 16)
_N_EPOCHS = 40
_N_BATCH = 1024
# At least and at most about this many steps are made, however few or many the rows.
_LEAST_STEPS, _MOST_STEPS = 400, 30_000
_LEARNING_RATE = 5e-3
_WEIGHT_DECAY = 1e-5
_LEAST_SCALE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """Parameters of a network with hyperbolic tangents and a logistic output.

    Attributes
    ----------
    center, scale : ndarray, shape (n_features,)
        Subtracted from the features, and divided into them.
    low, high : ndarray, shape (n_features,)
        Least and greatest value of each feature.
    layers : tuple of (weight, bias)
        ``weight`` of shape (n_in, n_out).
    """

    center: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray
    layers: tuple[tuple[FloatArray, FloatArray], ...]


def fit_classifier(
    features: npt.ArrayLike, labels: npt.ArrayLike, *, n_epochs: int = _N_EPOCHS, seed: int = 0
) -> Classifier:
    """Fit the network by cross-entropy, so that its output is a probability.

    Parameters
    ----------
    features : array_like, shape (n_rows, n_features)
    labels : array_like of bool, shape (n_rows,)
    n_epochs : int, default 40
        More if that would make fewer than 400 steps, and fewer if it would make more than 30,000.
    seed : int, default 0
        The same seed and data give the same network, on one thread to the bit. It seeds the generators of
        Keras for all that follows.

    Returns
    -------
    Classifier
    """
    from keras import Input, Sequential, layers, optimizers, utils

    rows = np.asarray(features, dtype=np.float64)
    targets = np.asarray(labels, dtype=np.float32)
    center, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), _LEAST_SCALE)
    scaled = ((rows - center) / scale).astype(np.float32)
    utils.set_random_seed(seed)
    model = Sequential(
        [
            Input((rows.shape[1],)),
            *(layers.Dense(size, activation="tanh") for size in _HIDDEN),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    per_epoch = -(-len(rows) // _N_BATCH)
    n_done = _n_epochs(n_epochs, per_epoch=per_epoch)
    rate = optimizers.schedules.CosineDecay(_LEARNING_RATE, n_done * per_epoch, alpha=0.01)
    model.compile(optimizer=optimizers.AdamW(rate, weight_decay=_WEIGHT_DECAY), loss="binary_crossentropy")
    model.fit(scaled, targets, batch_size=_N_BATCH, epochs=n_done, verbose=0)
    numbers = [np.asarray(value, dtype=np.float64) for value in model.get_weights()]
    return Classifier(
        center=center,
        scale=scale,
        low=rows.min(axis=0),
        high=rows.max(axis=0),
        layers=tuple(zip(numbers[::2], numbers[1::2], strict=True)),
    )


def _n_epochs(wanted: int, *, per_epoch: int) -> int:
    """Return how often the rows are gone through, given the steps for that."""
    return min(max(wanted, -(-_LEAST_STEPS // per_epoch)), max(_MOST_STEPS // per_epoch, 1))
