"""Running weights with Keras, also on a GPU, where LiteRT is not installed or not wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.ml.networks.weight_files import build_network, load_arrays, read_architecture

__all__ = ["KerasRuntime"]

Float32Array = npt.NDArray[np.float32]


class KerasRuntime:
    """Runs a network with TensorFlow, with the interface that detectors expect of a runtime.

    Parameters
    ----------
    folder : Path
        Contains ``config.json`` and ``weights.npz``.

    Raises
    ------
    DetectionError
        If the weights do not fit the configuration.
    """

    def __init__(self, folder: Path) -> None:
        architecture = read_architecture(folder)
        self._n_samples = int(architecture["n_samples"])
        self._model = build_network(architecture, n_samples=self._n_samples)
        load_arrays(self._model, folder)

    @property
    def n_samples(self) -> int:
        """Length of a block."""
        return self._n_samples

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        return np.asarray(self._model(block.reshape(1, -1, 1), training=False))[0, :, 0].astype(np.float32)
