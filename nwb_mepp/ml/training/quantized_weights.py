"""Weights of a MiniUnet with integers of 8 bits: what decides their scales, and making them of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

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
ARITHMETIC = "8-bit integers; single precision in the first and last convolution, and near large samples"
# Larger samples, in compressed SD of the noise, are left to single precision: the less the integers have to
# reach, the finer they are. In reference recordings with MEPPs of ten times the noise, these are 1 %.
_LARGE = 6.0
_MOST_CROPS = 200


def crops_to_quantize_on(recordings: CalibrationSet, *, n_recordings: int = 6) -> Float32Array:
    """Return what decides how a network is quantized: blocks of reference recordings without large samples.

    Parameters
    ----------
    recordings : CalibrationSet
    n_recordings : int, default 6
        At each level.

    Returns
    -------
    ndarray of float32, shape (n_crops, BLOCK_SAMPLES)
    """
    crops = np.concatenate(
        [
            np.lib.stride_tricks.sliding_window_view(one.trace, BLOCK_SAMPLES)[:: 2 * BLOCK_SAMPLES]
            for parts in recordings.reference(n_recordings).values()
            for one in parts
        ]
    )
    small = crops[np.abs(crops).max(axis=1) <= _LARGE]
    return np.asarray(small[:: max(1, len(small) // _MOST_CROPS)])


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
        Of which six at each level decide on the scales.

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
    quantized = quantize_miniunet(model, crops_to_quantize_on(recordings))
    return export_miniunet(folder, model=model, config={**config, **changed}, quantized=quantized)
