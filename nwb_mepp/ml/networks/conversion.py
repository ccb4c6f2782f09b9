"""Conversion of a Keras network to LiteRT's format, for blocks of a fixed length."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from nwb_mepp._utils.native_stderr import quiet_stderr

__all__ = ["BLOCK_MARGIN", "BLOCK_SAMPLES", "convert"]

# A block is a tile of 4096 samples with a margin of 128 on each side: more than half of the receptive
# field of a network with kernels up to 11, and short enough to stay in a processor's cache.
BLOCK_MARGIN = 128
BLOCK_SAMPLES = 4096 + 2 * BLOCK_MARGIN


def convert(model: Any, weights: list[Any]) -> bytes:
    """Convert a network of fixed block length to LiteRT's format.

    Parameters
    ----------
    model : keras.Model
        Receives the weights.
    weights : list of ndarray
        As ``get_weights`` of the same network gives them.
    """
    import tensorflow as tf

    model.set_weights(weights)
    # Keras prints the place of a temporary model on standard output, native code prints on standard error.
    with redirect_stdout(StringIO()), quiet_stderr():
        return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
