"""Weights that a user chooses instead of those that the detectors bring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from nwb_mepp.core.errors import UsageError
from nwb_mepp.detectors import (
    detector_names,
    get_detector,
    owner_of_weights,
    shipped_weights,
    takes_weights,
)

__all__ = ["choose_weights"]

_NAMED = re.compile(r"(\w+)@(\w+)")


def choose_weights(values: Iterable[str | PathLike[str]]) -> tuple[tuple[str, Path], ...]:
    """Return which detector gets which folder of weights, each checked.

    Parameters
    ----------
    values : iterable of path-like
        ``DETECTOR@VERSION`` for weights that the package brings, or a folder: ``FOLDER`` or
        ``DETECTOR=FOLDER``. Without a detector the folder's ``config.json`` says whose weights they are.

    Returns
    -------
    tuple of (str, Path)

    Raises
    ------
    UsageError
        If the detector is unknown or has no weights, or the package does not bring that version.
    DetectionError
        If the folder does not hold weights of that detector, or they are damaged.

    Examples
    --------
    >>> ((name, folder),) = choose_weights(["miniunet@3"])
    >>> name, folder.name
    ('miniunet', '3')
    """
    chosen = []
    for value in map(str, values):
        name, given, folder = value.partition("=")
        if given and name in detector_names():
            pair = (name, _named(folder) or Path(folder))
        elif given and not Path(value).exists():
            raise UsageError(
                f"`weights`: expected DETECTOR=FOLDER with one of {', '.join(detector_names())}, found "
                f"{value!r}."
            )
        elif named := _named(value):
            pair = (value.partition("@")[0], named)
        else:
            pair = (owner_of_weights(Path(value)), Path(value))
        get_detector(pair[0], weights=pair[1])  # refuses what would fail in every recording
        chosen.append(pair)
    return tuple(chosen)


def _named(value: str) -> Path | None:
    """Return the folder of weights given as DETECTOR@VERSION, None for anything else."""
    match = _NAMED.fullmatch(value)
    if match is None:
        return None
    detector, version = match.groups()
    if detector in detector_names():
        # get_detector refuses one that takes no weights, whatever the folder.
        return shipped_weights(detector, version=version) if takes_weights(detector) else Path(value)
    if Path(value).exists():
        return None
    raise UsageError(
        f"`weights`: expected DETECTOR@VERSION with one of {', '.join(detector_names())}, found {value!r}."
    )
