"""Conversion of a MiniUnet to integers of 8 bits, with which it is three times as fast."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp.ml.networks.export import BLOCK_SAMPLES
from nwb_mepp.ml.networks.miniunet import build_miniunet

__all__ = ["quantize_miniunet"]

Float32Array = npt.NDArray[np.float32]

_CONVOLUTION = "CONV_2D"


def quantize_miniunet(model: Any, crops: Float32Array) -> bytes:
    """Convert a trained MiniUnet to LiteRT's format, with weights and activations of 8 bits.

    Parameters
    ----------
    model : keras.Model
        As trained, ending in logits.
    crops : ndarray of float32, shape (n_crops, BLOCK_SAMPLES)
        Traces as the network will see them. What a layer gives can later have 256 values, from 0 to the
        highest that it gives on these crops.

    Returns
    -------
    bytes
        The network for blocks of ``BLOCK_SAMPLES``, ending in probabilities.

    Notes
    -----
    Weights have a scale for each channel, activations one for each layer [1]_. The first and the last
    convolution, 0.4 % of the multiplications, stay in single precision: artifacts have no highest value, and
    of low probabilities 256 values are too few.

    References
    ----------
    .. [1] Jacob, B. et al. (2018). Quantization and training of neural networks for efficient
       integer-arithmetic-only inference. CVPR, 2704-2713, doi:10.1109/CVPR.2018.00286.
    """
    import tensorflow as tf

    runnable = build_miniunet(kernel_size=int(model.layers[1].kernel_size[0]), n_samples=BLOCK_SAMPLES)
    runnable.set_weights(model.get_weights())

    def shown(chosen: Float32Array) -> Iterator[list[Float32Array]]:
        for crop in chosen:
            yield [np.asarray(crop, dtype=np.float32).reshape(1, -1, 1)]

    def quantized(in_single_precision: list[str]) -> Any:
        converter = tf.lite.TFLiteConverter.from_keras_model(runnable)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: shown(crops)
        # The converter quantizes some operations only through what compares them with the original ones.
        return tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=lambda: shown(crops[:1]),
            debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=in_single_precision),
        )

    # It warns of its own parts, and prints where it keeps its temporary files.
    with redirect_stdout(StringIO()), quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        operations = _operations(quantized([]))
        convolutions = [number for number, (kind, _) in enumerate(operations) if kind == _CONVOLUTION]
        ends = operations[: convolutions[1]] + operations[convolutions[-1] :]
        return bytes(quantized([tensor for _, tensor in ends]).get_nondebug_quantized_model())


def _operations(debugger: Any) -> list[tuple[str, str]]:
    """Return the kind of each operation and the tensor that it gives, in the order of computation."""
    debugger.run()
    table = StringIO()
    debugger.layer_statistics_dump(table)
    table.seek(0)
    return [(row["op_name"], row["tensor_name"]) for row in csv.DictReader(table)]
