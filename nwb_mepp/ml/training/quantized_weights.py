"""Weights of a MiniUnet with integers of 8 bits: what decides their scales, and making them of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import compress, expand
from nwb_mepp.core.version import __version__
from nwb_mepp.detectors import load_weights
from nwb_mepp.ml.networks import (
    BLOCK_SAMPLES,
    build_miniunet,
    export_miniunet,
    load_arrays,
    quantize_miniunet,
)
from nwb_mepp.ml.training.calibration_set import CalibrationSet

__all__ = ["ARITHMETIC", "crops_to_quantize_on", "quantize_weights"]

Float32Array = npt.NDArray[np.float32]

#: In the configuration of quantized weights.
ARITHMETIC = "8-bit integers; first and last convolution in single precision"
# A fourth of the reference recordings is enough.
_APART = 4 * BLOCK_SAMPLES


def crops_to_quantize_on(recordings: CalibrationSet, *, n_recordings: int = 2) -> Float32Array:
    """Return what decides how a network is quantized: blocks of the reference recordings.

    Parameters
    ----------
    recordings : CalibrationSet
    n_recordings : int, default 2
        At each level; those at the highest one are taken twice as large, too.

    Returns
    -------
    ndarray of float32, shape (n_crops, BLOCK_SAMPLES)
    """
    levels = recordings.reference(n_recordings)
    crops = []
    for level, parts in levels.items():
        for one in parts:
            blocks = np.lib.stride_tricks.sliding_window_view(one.trace, BLOCK_SAMPLES)[::_APART]
            crops.append(blocks)
            if level == max(levels):
                crops.append(compress(2.0 * expand(blocks)))
    return np.concatenate(crops)


def quantize_weights(folder: Path, *, weights: Path, recordings: CalibrationSet) -> str:
    """Write weights in single precision as weights with integers of 8 bits, otherwise as they are.

    Probabilities and threshold stay, so whether they still hold has to be looked at;
    :func:`~nwb_mepp.ml.training.calibrate_and_export` calibrates what it has quantized. The card is left to
    whoever looks.

    Parameters
    ----------
    folder : Path
        Created if absent; its name becomes the version. A folder with weights is refused.
    weights : Path
        Folder of a MiniUnet, with ``weights.npz``.
    recordings : CalibrationSet
        Of which two at each level decide on the scales.

    Returns
    -------
    str
        SHA-256 of the network.

    Raises
    ------
    DetectionError
        If the weights cannot be used.
    FileExistsError
        If the folder holds weights.
    """
    config = load_weights(weights, detector="miniunet").config
    model = build_miniunet(kernel_size=int(config["architecture"]["kernel_size"]), logits=True)
    load_arrays(model, weights)
    changed = {
        "version": folder.name,
        "min_package_version": __version__,
        "arithmetic": ARITHMETIC,
        "training": {**config["training"], "quantized_from": config["sha256"]},
    }
    network = quantize_miniunet(model, crops_to_quantize_on(recordings))
    return export_miniunet(folder, model=model, config={**config, **changed}, network=network)
