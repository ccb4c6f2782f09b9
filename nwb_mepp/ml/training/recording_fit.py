"""Fitting an autoencoder to one recording, for ``--fit-recording``: a few more steps from given weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.ml.networks import build_autoencoder, export_autoencoder
from nwb_mepp.ml.networks.devices import prepare_tensorflow
from nwb_mepp.ml.networks.optimization import Batch, fit
from nwb_mepp.ml.networks.weight_files import load_arrays

__all__ = ["fit_autoencoder"]

Float32Array = npt.NDArray[np.float32]

_N_STEPS = 200
_N_BATCH = 16
_N_SAMPLES = 320  # 32 ms: longer stretches between MEPPs are missing where these are frequent
# At fifty times this rate the network learns to reproduce MEPPs even if it is trained on none: on simulated
# recordings mean F1 fell from 0.87 to 0.82, and from random weights (600 steps) to 0.64.
_LEARNING_RATE = 2e-5
_WARM_UP = 20
_AVERAGING = 0.98
_SEED = 0


def fit_autoencoder(
    folder: Path, stretches: Sequence[Float32Array], *, start: Path, config: Mapping[str, Any]
) -> None:
    """Fit an autoencoder to stretches of a recording and export it.

    Parameters
    ----------
    folder : Path
        Created, with ``model.tflite``, ``weights.npz`` and ``config.json``.
    stretches : sequence of ndarray of float32, shape (n_samples,)
        Conditioned as by the detector, each of 320 samples or more.
    start : Path
        Folder of the initial weights.
    config : mapping
        Content of ``config.json``; how it was fitted is added as ``training``.

    Raises
    ------
    ValueError
        If a stretch is shorter than a crop.
    DetectionError
        If the initial weights are not those of an autoencoder.
    MissingDependencyError
        If TensorFlow is not installed.
    """
    if not stretches or min(map(len, stretches)) < _N_SAMPLES:
        raise ValueError(f"expected stretches of at least {_N_SAMPLES} samples.")
    prepare_tensorflow()
    model = build_autoencoder(seed=_SEED)
    load_arrays(model, start)
    with TemporaryDirectory() as checkpoints:
        fit(
            model,
            lambda step: _draw(stretches, step),
            n_steps=_N_STEPS,
            learning_rate=_LEARNING_RATE,
            folder=Path(checkpoints),
            checkpoint_every=_N_STEPS,
            loss="squared_error",
            warm_up=_WARM_UP,
            averaging=_AVERAGING,
        )
    training = {
        "data": "one recording",
        "n_stretches": len(stretches),
        "n_stretch_samples": sum(map(len, stretches)),
        "n_steps": _N_STEPS,
        "n_batch": _N_BATCH,
        "n_samples": _N_SAMPLES,
        "learning_rate": _LEARNING_RATE,
        "seed": _SEED,
    }
    export_autoencoder(folder, model=model, config={**config, "training": training})


def _draw(stretches: Sequence[Float32Array], step: int) -> Batch:
    """Draw the crops of one step, every sample equally likely; they are also the targets."""
    rng = np.random.default_rng([_SEED, step])
    n_starts = np.array([len(stretch) - _N_SAMPLES + 1 for stretch in stretches])
    ends = np.cumsum(n_starts)
    crops = np.empty((_N_BATCH, _N_SAMPLES, 1), dtype=np.float32)
    for crop, place in zip(crops, rng.integers(0, ends[-1], _N_BATCH), strict=True):
        number = int(np.searchsorted(ends, place, side="right"))
        first = int(place - (ends[number] - n_starts[number]))
        crop[:, 0] = stretches[number][first : first + _N_SAMPLES]
    return crops, crops
