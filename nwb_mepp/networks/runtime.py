"""Running shipped weights with Keras, on a GPU too, where LiteRT is not installed or not wanted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.networks.miniunet import build_miniunet

__all__ = ["KerasRuntime"]

Float32Array = npt.NDArray[np.float32]


class KerasRuntime:
    """Runs a MiniUnet with TensorFlow behind the interface that detectors expect of a runtime.

    Parameters
    ----------
    folder : Path
        Holds ``config.json`` and ``weights.npz``.
    """

    def __init__(self, folder: Path) -> None:
        architecture = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architecture"]
        self._model = build_miniunet(
            kernel_size=int(architecture["kernel_size"]), n_samples=int(architecture["n_samples"])
        )
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
