"""Initial weights of a training: the shipped ones, an exported folder, or a Keras file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.detectors import load_weights, shipped_weights
from nwb_mepp.ml.networks import load_arrays, load_keras_file, read_architecture
from nwb_mepp.workflows import choose_weights

__all__ = ["InitialWeights", "find_initial_weights"]

_SHIPPED = "shipped"
_NETWORKS = {"miniunet": "miniunet", "autoencoder": "autoencoder", "autoencoder_anomalous": "autoencoder"}


@dataclass(frozen=True, kw_only=True)
class InitialWeights:
    """Initial weights of a training.

    Attributes
    ----------
    path : Path
        A folder of weights, or a Keras file.
    description : str
        Description for the card.
    sha256 : str
    kernel_size : int or None
        Of a MiniUnet.
    load : callable
        ``load(model)`` loads the weights into a network.
    """

    path: Path
    description: str
    sha256: str
    kernel_size: int | None
    load: Callable[[Any], None]


def find_initial_weights(start: str, *, detector: str) -> InitialWeights:
    """Find the weights that a user names, and check that they fit the detector.

    Parameters
    ----------
    start : str
        ``"shipped"``, shipped weights of a version such as ``"miniunet@3"``, a folder that a training
        exported, or a ``.keras`` file.
    detector : str

    Returns
    -------
    InitialWeights

    Raises
    ------
    UsageError
        If there are no weights of that name.
    DetectionError
        If the weights are damaged, are those of another detector, or hold code.
    """
    path, shipped = _find(start, detector)
    if path.is_dir():
        weights = load_weights(path, detector=detector)
        named = "shipped weights" if shipped else "weights"
        description = f"{named} {weights.config['version']} (SHA-256 {weights.config['sha256']})"
        sha256 = str(weights.config["sha256"])
        load: Callable[[Any], None] = lambda model: load_arrays(model, path)  # noqa: E731
    elif path.is_file():
        sha256 = sha256_of([path])
        description = f"the weights of a Keras file (SHA-256 {sha256})"
        load = lambda model: load_keras_file(model, path)  # noqa: E731
    else:
        raise UsageError(
            "`start`: expected 'shipped', DETECTOR@VERSION, a folder of weights or a .keras file, found "
            f"{start!r}, which is none; check the path."
        )
    architecture = read_architecture(path)
    if architecture["name"] != _NETWORKS[detector]:
        raise UsageError(
            f"`start`: expected the weights of a {_NETWORKS[detector]} for `detector={detector!r}`, found "
            "those "
            f"of a {architecture['name']} in {path}; choose that detector or other weights."
        )
    return InitialWeights(
        path=path,
        description=description,
        sha256=sha256,
        kernel_size=architecture.get("kernel_size"),
        load=load,
    )


def _find(start: str, detector: str) -> tuple[Path, bool]:
    """Return where the weights are, and whether the package brings them."""
    if start == _SHIPPED:
        return shipped_weights(detector), True
    path = Path(start)
    if "@" not in start or path.exists():
        return path, False
    ((_, found),) = choose_weights([start])
    return found, True
