"""Loading weights into networks: numbers only, checked against the architecture; no code is ever run."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.ml.networks.autoencoder import build_autoencoder
from nwb_mepp.ml.networks.miniunet import build_miniunet

__all__ = ["ARRAYS", "build_network", "load_arrays", "load_keras_file", "read_architecture"]

ARRAYS = "weights.npz"
_KERNEL_SIZE = 9


def read_architecture(source: Path) -> dict[str, Any]:
    """Return the architecture of the network in a folder of weights or a ``.keras`` file.

    Parameters
    ----------
    source : Path

    Returns
    -------
    dict
        ``name``, and for a MiniUnet ``kernel_size``.

    Raises
    ------
    DetectionError
        If it is not stated, or the file holds code.
    """
    if source.is_dir():
        config = _read_config(source)
        architecture = config.get("architecture")
        if not isinstance(architecture, dict):
            raise DetectionError(
                f"{source.name}/config.json: expected the architecture of the network, found none; export "
                "the weights anew."
            )
        return {"name": "miniunet", **architecture}
    layers = list(_layers(_keras_config(source)))
    kernels = [layer["kernel_size"][0] for layer in layers if isinstance(layer.get("kernel_size"), list)]
    transposed = any(layer.get("class_name") == "Conv1DTranspose" for layer in layers)
    if transposed:
        return {"name": "autoencoder"}
    return {"name": "miniunet", "kernel_size": int(kernels[0]) if kernels else _KERNEL_SIZE}


def build_network(
    architecture: Mapping[str, Any], *, n_samples: int | None = None, logits: bool = False
) -> Any:
    """Build the network that a configuration describes.

    Parameters
    ----------
    architecture : mapping
        ``name`` (by default a MiniUnet) and, for a MiniUnet, ``kernel_size``.
    n_samples : int, optional
        Fixed input length.
    logits : bool, default False
        Whether a MiniUnet ends in logits, as for training.

    Returns
    -------
    keras.Model
    """
    if architecture.get("name", "miniunet") == "autoencoder":
        return build_autoencoder(n_samples=n_samples)
    return build_miniunet(kernel_size=int(architecture["kernel_size"]), n_samples=n_samples, logits=logits)


def load_arrays(model: Any, folder: Path) -> None:
    """Load the numbers of ``weights.npz`` into a network.

    Parameters
    ----------
    model : keras.Model
    folder : Path
        Exported weights; ``config.json`` may state the checksum ``arrays_sha256`` of the numbers.

    Raises
    ------
    DetectionError
        If the file is missing or damaged, is not the one that the configuration describes, or does not fit
        the network.
    """
    path, name = folder / ARRAYS, f"{folder.name}/{ARRAYS}"
    if not path.is_file():
        raise DetectionError(
            f"{folder.name}: expected {ARRAYS}, found none; give a folder that the training exported."
        )
    stated = _read_config(folder).get("arrays_sha256")
    if stated is not None and (found := sha256_of([path])) != stated:
        raise DetectionError(
            f"{name}: expected SHA-256 {stated}, found {found}; the numbers are not those that the "
            "configuration describes, so get both from the same place."
        )
    try:
        # NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = [stored[key] for key in sorted(stored.files)]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise DetectionError(
            f"{name}: expected arrays of numbers, found that they cannot be read ({error}); get the weights "
            "anew."
        ) from error
    expected = [tuple(weight.shape) for weight in model.get_weights()]
    found_shapes = [array.shape for array in arrays]
    if found_shapes != expected:
        raise DetectionError(
            f"{name}: expected {len(expected)} arrays of the shapes of the {model.name} in config.json, "
            f"found {_difference(expected, found_shapes)}; get both from the same place."
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise DetectionError(
            f"{name}: expected finite numbers, found NaN or infinity; get the weights again."
        )
    model.set_weights(arrays)


def load_keras_file(model: Any, path: Path) -> None:
    """Load the weights of a ``.keras`` file into a network.

    Only the numbers are read. A model is never built from the description in the file, and a file whose
    description holds code (a Lambda layer) or layers from outside Keras is refused.

    Parameters
    ----------
    model : keras.Model
    path : Path

    Raises
    ------
    DetectionError
        If the file is damaged or holds code, or its weights do not fit the network.
    """
    _keras_config(path)
    try:
        model.load_weights(str(path))
    except Exception as error:  # Keras raises many kinds of exception if a file does not fit
        raise DetectionError(
            f"{path.name}: expected the weights of a {model.name} of {model.count_params()} parameters, "
            "found others; give weights that were trained with this package, or a folder that it exported."
        ) from error


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DetectionError(
            f"{folder.name}: expected config.json, found none; give a folder that the training exported."
        ) from error
    except ValueError as error:
        raise DetectionError(
            f"{folder.name}/config.json: expected JSON, found an error ({error}); export the weights again."
        ) from error
    if not isinstance(config, dict):
        raise DetectionError(
            f"{folder.name}/config.json: expected a JSON object, found a {type(config).__name__}; export the "
            "weights anew."
        )
    return config


def _keras_config(path: Path) -> Any:
    """Return the description in a ``.keras`` file; refuse one that holds code."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except FileNotFoundError as error:
        raise DetectionError(f"{path}: expected a .keras file, found nothing; check the path.") from error
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DetectionError(
            f"{path.name}: expected a .keras file of Keras 3, found none that can be read; save the model "
            "with model.save('name.keras')."
        ) from error
    for layer in _objects(config):
        class_name, module = layer.get("class_name"), layer.get("module")
        own = isinstance(module, str) and (module == "builtins" or module.split(".")[0] == "keras")
        if class_name in ("Lambda", "__lambda__", "function") or (module is not None and not own):
            raise DetectionError(
                f"{path.name}: expected a network made of Keras layers alone, found {class_name} of "
                f"{module}: such a file can hold code, which is never run; give weights without it."
            )
    return config


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Return every object of a nested description that names a class."""
    if isinstance(node, dict):
        if "class_name" in node:
            yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _layers(config: Any) -> Iterator[dict[str, Any]]:
    """Return class and settings of every layer, flat."""
    for one in _objects(config):
        settings = one.get("config")
        yield {"class_name": one["class_name"], **(settings if isinstance(settings, dict) else {})}


def _difference(expected: list[tuple[int, ...]], found: list[tuple[int, ...]]) -> str:
    if len(expected) != len(found):
        return str(len(found))
    number = next(n for n, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other)
    return f"shape {found[number]} instead of {expected[number]} at number {number}"
