"""Conversion of a MiniUnet to integers of 8 bits, with which it is three times as fast."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp.ml.networks.conversion import BLOCK_SAMPLES, convert
from nwb_mepp.ml.networks.miniunet import build_miniunet

__all__ = ["Quantized", "quantize_miniunet"]

Float32Array = npt.NDArray[np.float32]

_CONVOLUTION = "CONV_2D"


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A network in LiteRT's format, for blocks of ``BLOCK_SAMPLES``, ending in probabilities.

    Attributes
    ----------
    integers : bytes
        With weights and activations of 8 bits.
    single : bytes
        The same in single precision.
    above : float
        Where a sample is larger, the integers do not reach.
    """

    integers: bytes
    single: bytes
    above: float


def quantize_miniunet(model: Any, crops: Float32Array) -> Quantized:
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
    Quantized
        ``above`` is the largest sample of the crops.

    Notes
    -----
    Weights have a scale for each channel, activations one for each layer [1]_. The first and the last
    convolution, 0.4 % of the multiplications, stay in single precision: of low probabilities 256 values are
    too few.

    References
    ----------
    .. [1] Jacob, B. et al. (2018). Quantization and training of neural networks for efficient
       integer-arithmetic-only inference. CVPR, 2704-2713, doi:10.1109/CVPR.2018.00286.
    """
    import tensorflow as tf

    weights = model.get_weights()
    runnable = build_miniunet(kernel_size=int(model.layers[1].kernel_size[0]), n_samples=BLOCK_SAMPLES)
    runnable.set_weights(weights)

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
        integers = bytes(quantized([tensor for _, tensor in ends]).get_nondebug_quantized_model())
    return Quantized(integers=integers, single=convert(runnable, weights), above=float(np.abs(crops).max()))


def _operations(debugger: Any) -> list[tuple[str, str]]:
    """Return the kind of each operation and the tensor that it gives, in the order of computation."""
    debugger.run()
    table = StringIO()
    debugger.layer_statistics_dump(table)
    table.seek(0)
    return [(row["op_name"], row["tensor_name"]) for row in csv.DictReader(table)]
