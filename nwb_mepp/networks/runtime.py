"""Running shipped weights with Keras, on a GPU too, where LiteRT is not installed or not wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.networks.autoencoder import build_autoencoder
from nwb_mepp.networks.miniunet import build_miniunet

__all__ = ["KerasRuntime"]

Float32Array = npt.NDArray[np.float32]


class KerasRuntime:
    """Runs a network with TensorFlow behind the interface that detectors expect of a runtime.

    Parameters
    ----------
    folder : Path
        Holds ``config.json`` and ``weights.npz``.
    """

    def __init__(self, folder: Path) -> None:
        architecture = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architecture"]
        self._model = _build(architecture)
        with np.load(folder / "weights.npz", allow_pickle=False) as stored:
            self._model.set_weights([stored[name] for name in sorted(stored.files)])
        self._n_samples = int(architecture["n_samples"])

    @property
    def n_samples(self) -> int:
        """Length of a block."""
        return self._n_samples

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        return np.asarray(self._model(block.reshape(1, -1, 1), training=False))[0, :, 0].astype(np.float32)


def _build(architecture: Mapping[str, Any]) -> Any:
    """Build the network that a configuration describes; without a name it is a MiniUnet."""
    n_samples = int(architecture["n_samples"])
    if architecture.get("name", "miniunet") == "autoencoder":
        return build_autoencoder(n_samples=n_samples)
    return build_miniunet(kernel_size=int(architecture["kernel_size"]), n_samples=n_samples)
