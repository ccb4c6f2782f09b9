"""Export of a trained Keras model to the files that detectors run: numbers and JSON, no code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.ml.networks.autoencoder import build_autoencoder
from nwb_mepp.ml.networks.conversion import BLOCK_MARGIN, BLOCK_SAMPLES, convert
from nwb_mepp.ml.networks.miniunet import build_miniunet
from nwb_mepp.ml.networks.quantization import Quantized
from nwb_mepp.ml.networks.weight_files import ARRAYS

__all__ = ["export_autoencoder", "export_miniunet"]

# A text may look like a list, but has no line breaks.
_NUMBERS = re.compile(r"\[\n[\s\d.,eE+-]+\]")


def export_miniunet(
    folder: Path, *, model: Any, config: Mapping[str, Any], quantized: Quantized | None = None
) -> str:
    """Write ``model.tflite``, ``weights.npz`` and ``config.json`` of a trained MiniUnet.

    Parameters
    ----------
    folder : Path
        Created if absent. Its name is the version; a folder with weights is refused.
    model : keras.Model
        As trained, ending in logits.
    config : mapping
        Description of the weights; checksums, block and architecture are added.
    quantized : Quantized, optional
        The same network, as :func:`~nwb_mepp.ml.networks.quantize_miniunet` gives it: ``model.tflite``
        computes with integers then, and ``float32.tflite`` is written for large inputs.

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
    weights, large = model.get_weights(), {}
    if quantized is None:
        network = convert(build_miniunet(kernel_size=kernel_size, n_samples=BLOCK_SAMPLES), weights)
    else:
        network = quantized.integers
        sha256 = hashlib.sha256(quantized.single).hexdigest()
        large = {"float32": {"sha256": sha256, "above": quantized.above}}
    exported = _export(
        folder,
        weights=weights,
        network=network,
        config={**config, **large},
        architecture={"kernel_size": kernel_size, "n_samples": BLOCK_SAMPLES},
    )
    if quantized is not None:
        (folder / "float32.tflite").write_bytes(quantized.single)
    return exported


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
        network=convert(build_autoencoder(n_samples=BLOCK_SAMPLES), weights),
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
    (folder / "config.json").write_text(_text(complete), encoding="utf-8")
    return sha256


def _text(config: Mapping[str, Any]) -> str:
    """Return JSON for people to compare: each list of numbers in one line, all else in a line of its own."""
    indented = json.dumps(config, indent=2)
    return (
        _NUMBERS.sub(lambda found: f"[{', '.join(found[0][1:-1].replace(',', ' ').split())}]", indented)
        + "\n"
    )
