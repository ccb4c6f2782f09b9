"""Export of a trained Keras model to the files that detectors run: numbers and JSON, no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.ml.networks.autoencoder import build_autoencoder
from nwb_mepp.ml.networks.miniunet import build_miniunet
from nwb_mepp.ml.networks.weight_files import ARRAYS

__all__ = ["BLOCK_MARGIN", "BLOCK_SAMPLES", "export_autoencoder", "export_miniunet"]

# A block is a tile of 4096 samples with a margin of 128 on each side: more than half of the receptive
# field of a network with kernels up to 11, and short enough to stay in a processor's cache.
BLOCK_MARGIN = 128
BLOCK_SAMPLES = 4096 + 2 * BLOCK_MARGIN


def export_miniunet(
    folder: Path, *, model: Any, config: Mapping[str, Any], network: bytes | None = None
) -> str:
    """Write ``model.tflite``, ``weights.npz`` and ``config.json`` of a trained MiniUnet.

    Parameters
    ----------
    folder : Path
        Created if absent. Its name is the version; a folder with weights is refused.
    model : keras.Model
        As trained, ending in logits.
    config : mapping
        Description of the weights; checksum, block and architecture are added.
    network : bytes, optional
        The same network in LiteRT's format, as :func:`~nwb_mepp.ml.networks.quantize_miniunet` gives it; by
        default it is converted as it is, in single precision.

    Returns
    -------
    str
        SHA-256 of the exported network.

    Raises
    ------
    FileExistsError
        If the folder holds weights: a version is never overwritten.
    """
    kernel_size = int(model.layers[1].kernel_size[0])
    weights = model.get_weights()
    if network is None:
        network = _convert(build_miniunet(kernel_size=kernel_size, n_samples=BLOCK_SAMPLES), weights)
    return _export(
        folder,
        weights=weights,
        network=network,
        config=config,
        architecture={"kernel_size": kernel_size, "n_samples": BLOCK_SAMPLES},
    )


def export_autoencoder(folder: Path, *, model: Any, config: Mapping[str, Any]) -> str:
    """Write ``model.tflite``, ``weights.npz`` and ``config.json`` of a trained autoencoder.

    Parameters
    ----------
    folder, model, config
        As for :func:`export_miniunet`.

    Returns
    -------
    str
        SHA-256 of the exported network.

    Raises
    ------
    FileExistsError
        If the folder holds weights: a version is never overwritten.
    """
    weights = model.get_weights()
    return _export(
        folder,
        weights=weights,
        network=_convert(build_autoencoder(n_samples=BLOCK_SAMPLES), weights),
        config=config,
        architecture={"name": "autoencoder", "n_samples": BLOCK_SAMPLES},
    )


def _export(
    folder: Path,
    *,
    weights: list[Any],
    network: bytes,
    config: Mapping[str, Any],
    architecture: Mapping[str, Any],
) -> str:
    """Write the files of a network; ``network`` has the same weights in LiteRT's format."""
    if (folder / "config.json").exists():
        raise FileExistsError(
            f"{folder.name}: expected a new version, found weights; a version is never overwritten."
        )
    sha256 = hashlib.sha256(network).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(network)
    arrays = {f"weight_{i:02d}": weight for i, weight in enumerate(weights)}
    np.savez(folder / ARRAYS, **arrays)
    complete = {
        **config,
        "sha256": sha256,
        "arrays_sha256": sha256_of([folder / ARRAYS]),
        "margin": BLOCK_MARGIN,
        "architecture": dict(architecture),
    }
    (folder / "config.json").write_text(json.dumps(complete, indent=2) + "\n", encoding="utf-8")
    return sha256


def _convert(model: Any, weights: list[Any]) -> bytes:
    """Convert a network of fixed block length to LiteRT's format."""
    import tensorflow as tf

    model.set_weights(weights)
    # Keras prints the place of a temporary model on standard output, native code prints on standard error.
    with redirect_stdout(StringIO()), quiet_stderr():
        return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
