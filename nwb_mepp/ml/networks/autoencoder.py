"""1-D autoencoder: learns to reproduce what it was trained on, and fails on anything else."""

from __future__ import annotations

from typing import Any

__all__ = ["build_autoencoder"]

_KERNEL_SIZE = 7
_STRIDE = 2
_DROPOUT = 0.2


def build_autoencoder(*, n_samples: int | None = None, seed: int | None = None) -> Any:
    """Build the network, with random weights.

    Convolutions 1 -> 32 -> 16, each halving the rate; transposed convolutions 16 -> 16, dropout, 16 -> 32,
    each doubling it; 32 -> 1. Kernel 7; all but the last followed by a ReLU.

    Parameters
    ----------
    n_samples : int, optional
        Fixed input length, a multiple of 4; any such length if None.
    seed : int, optional
        The same seed gives the same weights. It seeds the generators of Keras for all that follows.

    Returns
    -------
    keras.Model
        Input and output of shape (batch, n_samples, 1).

    Raises
    ------
    ValueError
        If ``n_samples`` is not a multiple of 4.
    """
    if n_samples is not None and n_samples % _STRIDE**2:
        raise ValueError(f"expected n_samples to be a multiple of {_STRIDE**2}, found {n_samples}.")
    from keras import Model, layers, utils

    if seed is not None:
        utils.set_random_seed(seed)
    shape: dict[str, Any] = {"kernel_size": _KERNEL_SIZE, "padding": "same"}
    halving = {**shape, "strides": _STRIDE, "activation": "relu"}
    trace = layers.Input((n_samples, 1), name="trace")
    # Fixed names instead of numbers by Keras, so that the exported file depends on the weights alone.
    x = layers.Conv1D(32, **halving, name="halve_1")(trace)
    x = layers.Conv1D(16, **halving, name="halve_2")(x)
    x = layers.Conv1DTranspose(16, **halving, name="double_1")(x)
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    x = layers.Conv1DTranspose(32, **halving, name="double_2")(x)
    output = layers.Conv1DTranspose(1, **shape, name="reconstruction", dtype="float32")(x)
    return Model(trace, output, name="autoencoder")
