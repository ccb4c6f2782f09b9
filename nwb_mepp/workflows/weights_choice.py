"""Weights that a user gives instead of the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from nwb_mepp.core.errors import UsageError
from nwb_mepp.detectors import detector_names, get_detector, owner_of_weights

__all__ = ["choose_weights"]


def choose_weights(values: Iterable[str | PathLike[str]]) -> tuple[tuple[str, Path], ...]:
    """Return which detector gets which folder of weights, each checked.

    Parameters
    ----------
    values : iterable of path-like
        ``FOLDER`` or ``DETECTOR=FOLDER``; without a detector the folder's ``config.json`` says whose weights
        they are.

    Returns
    -------
    tuple of (str, Path)

    Raises
    ------
    UsageError
        If the detector is unknown or has no weights.
    DetectionError
        If the folder does not hold weights of that detector, or they are damaged.

    Examples
    --------
    >>> from nwb_mepp.detectors import shipped_weights
    >>> ((name, folder),) = choose_weights([shipped_weights("miniunet")])
    >>> name
    'miniunet'
    """
    chosen = []
    for value in map(str, values):
        name, given, folder = value.partition("=")
        if given and name in detector_names():
            pair = (name, Path(folder))
        elif given and not Path(value).exists():
            raise UsageError(
                f"`weights`: expected DETECTOR=FOLDER with one of {', '.join(detector_names())}, found "
                f"{value!r}."
            )
        else:
            pair = (owner_of_weights(Path(value)), Path(value))
        get_detector(pair[0], weights=pair[1])  # refuses what would fail in every recording
        chosen.append(pair)
    return tuple(chosen)
