"""Weights: a folder with a network, its configuration and its card, checked before use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.core.version import __version__

__all__ = [
    "Weights",
    "load_weights",
    "owner_of_weights",
    "reading_config",
    "shipped_versions",
    "shipped_weights",
]

_SHIPPED = Path(__file__).resolve().parents[1] / "weights"
_NETWORK, _SINGLE = "model.tflite", "float32.tflite"
_REQUIRED = ("detector", "version", "sha256", "min_package_version", "sampling_rate_hz", "threshold")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One version of a detector's weights.

    Attributes
    ----------
    folder : Path
    config : dict
        The content of ``config.json``.
    network : bytes
        The network in LiteRT's format, whose SHA-256 is the one in the configuration.
    single : bytes or None
        If it computes with integers: the same network in single precision, for large inputs.
    file : str
        Name of the file of ``network``.
    """

    folder: Path
    config: dict[str, Any]
    network: bytes
    single: bytes | None = None
    file: str = _NETWORK

    def in_single_precision(self) -> Weights | None:
        """Return these weights with the network in single precision alone, if there is one."""
        return None if self.single is None else replace(self, network=self.single, single=None, file=_SINGLE)


def shipped_versions(detector: str) -> tuple[str, ...]:
    """Return the versions of a detector's weights in the installed package, newest first.

    The newest is the default. A detector without weights has none.

    Examples
    --------
    >>> shipped_versions("miniunet")
    ('6', '5', '4', '3')
    """
    folders = [path.name for path in (_SHIPPED / detector).glob("*") if path.name.isdigit()]
    return tuple(sorted(folders, key=int, reverse=True))


def shipped_weights(detector: str, *, version: str | None = None) -> Path:
    """Return the folder of weights in the installed package.

    Parameters
    ----------
    detector : str
    version : str, optional
        One of :func:`shipped_versions`; the newest by default.

    Raises
    ------
    UsageError
        If there is no such version.
    DetectionError
        If the installation holds no weights of the detector at all.
    """
    versions = shipped_versions(detector)
    if version is not None and version not in versions:
        there = ", ".join(f"{detector}@{one}" for one in versions)
        raise UsageError(
            f"`weights`: expected weights of {detector} in the installed package ({there or 'it has none'}), "
            f"found {detector}@{version}; give {'one of these' if there else 'their folder'}."
        )
    if not versions:
        raise DetectionError(
            f"expected weights of {detector} in the installed package, found none; reinstall nwb-mepp."
        )
    return _SHIPPED / detector / (version or versions[0])


def load_weights(folder: Path, *, detector: str, keys: Sequence[str] = ()) -> Weights:
    """Load weights and check that they are what their configuration says.

    Parameters
    ----------
    folder : Path
        Holds ``model.tflite`` and ``config.json``.
    detector : str
        Name of the detector that they must be for.
    keys : sequence of str, default ()
        What this detector needs in the configuration besides what all detectors need.

    Returns
    -------
    Weights

    Raises
    ------
    DetectionError
        If a file is missing, the configuration lacks a key or is that of another detector, the checksum
        differs or a newer package is needed.
    """
    config, network = _read(folder)
    owner = config.get("detector", detector) if isinstance(config, dict) else detector
    if owner != detector:
        raise DetectionError(
            f"{folder.name}: expected weights of {detector}, found those of {owner}; give another folder, or "
            "choose that detector."
        )
    required = (*_REQUIRED, *keys)
    absent = [key for key in required if not isinstance(config, dict) or key not in config]
    if absent:
        raise DetectionError(
            f"{folder.name}/config.json: expected the keys {', '.join(required)}, "
            f"{', '.join(absent)} missing; export the weights again."
        )
    _check(network, config["sha256"], name=f"{folder.name}/{_NETWORK}")
    single = None
    if isinstance(config.get("float32"), dict):
        single = _content(folder, _SINGLE, needed=f"{_NETWORK} and {_SINGLE}")
        _check(single, str(config["float32"].get("sha256")), name=f"{folder.name}/{_SINGLE}")
    if _version(config["min_package_version"]) > _version(__version__):
        raise DetectionError(
            f"{folder.name}: expected nwb-mepp {config['min_package_version']} or newer, found "
            f"{__version__}; upgrade with pip install -U nwb-mepp."
        )
    return Weights(folder=folder, config=config, network=network, single=single)


def _check(network: bytes, stated: str, *, name: str) -> None:
    found = hashlib.sha256(network).hexdigest()
    if found != stated:
        raise DetectionError(
            f"{name}: expected SHA-256 {stated}, found {found}; the network is not the one that the "
            "configuration describes, so get both from the same place."
        )


@contextmanager
def reading_config(weights: Weights) -> Iterator[dict[str, Any]]:
    """Give a configuration to read, and turn errors in its values into one that names it.

    Parameters
    ----------
    weights : Weights

    Raises
    ------
    DetectionError
        If a value is missing or has the wrong type.
    """
    try:
        yield weights.config
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DetectionError(
            f"{weights.folder.name}/config.json: expected values as a training exports them, found one that "
            f"does not fit: {str(error).rstrip('.')}; export the weights again."
        ) from error


def owner_of_weights(folder: Path) -> str:
    """Return the name of the detector that weights are for.

    Parameters
    ----------
    folder : Path
        Holds ``model.tflite`` and ``config.json``.

    Raises
    ------
    DetectionError
        If a file is missing, or the configuration does not name a detector.
    """
    config, _ = _read(folder)
    if not isinstance(config, dict) or not isinstance(config.get("detector"), str):
        raise DetectionError(
            f"{folder.name}/config.json: expected the key detector, found none; export the weights again."
        )
    return str(config["detector"])


def _read(folder: Path) -> tuple[Any, bytes]:
    """Return the content of the configuration, and the network."""
    files = ("config.json", _NETWORK)
    text, network = (_content(folder, name, needed=f"{_NETWORK} and config.json") for name in files)
    try:
        return json.loads(text.decode("utf-8")), network
    except json.JSONDecodeError as error:
        raise DetectionError(
            f"{folder.name}/config.json: expected JSON, found an error in line {error.lineno} "
            f"({error.msg}); export the weights again."
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise DetectionError(
            f"{folder.name}/config.json: expected JSON, found other bytes or endless brackets; export the "
            "weights again."
        ) from error


def _content(folder: Path, name: str, *, needed: str) -> bytes:
    kind = special_kind(folder / name)
    if kind is not None:
        raise DetectionError(
            f"{folder.name}: expected the file {name}, found {kind}; export the weights again."
        )
    try:
        return (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = Path(str(error.filename)).name
        raise DetectionError(
            f"{folder.name}: expected {needed}, {missing} is missing; give the folder that the training "
            "exported."
        ) from error


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
