"""The registry: detectors of this package and of others, by name.

A package adds a detector by an entry point in the group ``nwb_mepp.detectors`` that names a class (or another
callable without arguments) which gives a :class:`~nwb_mepp.detectors.interface.Detector`. What its detectors
can do is read off the class: an argument ``weights`` takes folders of other weights, ``judge`` gives a second
opinion (:class:`~nwb_mepp.detectors.interface.SecondOpinion`), ``fit_to`` fits the detector to a recording.
"""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from nwb_mepp._utils.plugins import plugins
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors.interface import Detector

__all__ = [
    "DETECTOR_GROUP",
    "detector_names",
    "fits_recordings",
    "get_detector",
    "gives_probability",
    "gives_second_opinion",
    "takes_weights",
]

DETECTOR_GROUP = "nwb_mepp.detectors"


def detector_names() -> tuple[str, ...]:
    """Return the names of all registered detectors, sorted."""
    return tuple(sorted({point.name for point in plugins(DETECTOR_GROUP)}))


def get_detector(name: str, *, weights: Path | None = None) -> Detector:
    """Return a detector.

    Parameters
    ----------
    name : str
        As :func:`detector_names` lists it.
    weights : Path, optional
        Folder with other weights than the default ones.

    Returns
    -------
    Detector

    Raises
    ------
    UsageError
        If no detector has that name, or it has no weights.
    DetectionError
        If what is registered under the name cannot be loaded or does not fulfill the interface, or the
        weights are not the detector's.

    Notes
    -----
    A network is checked but not loaded: that is done by the first ``find``.
    """
    make = _loaded(name)
    if weights is None:
        detector = make()
    elif takes_weights(name):
        detector = make(weights=weights)
    else:
        others = ", ".join(other for other in detector_names() if takes_weights(other))
        raise UsageError(
            f"`weights`: expected a detector that has weights ({others}), found {name}, which has none; "
            "leave the option out for it."
        )
    if not isinstance(detector, Detector):
        raise DetectionError(
            f"detector {name!r}: expected an object with the attributes and methods of "
            f"nwb_mepp.detectors.Detector, found {type(detector).__name__}; tell the author of "
            f"{_package_of(_registered(name))}."
        )
    return detector


def takes_weights(name: str) -> bool:
    """Return whether a detector can be given other weights; raises UsageError for an unknown name."""
    return "weights" in inspect.signature(_loaded(name)).parameters


def gives_second_opinion(name: str) -> bool:
    """Return whether a detector can judge the MEPPs of others; raises UsageError for an unknown name."""
    return callable(getattr(_loaded(name), "judge", None))


def fits_recordings(name: str) -> bool:
    """Return whether a detector can be fitted to a recording; raises UsageError for an unknown name."""
    return callable(getattr(_loaded(name), "fit_to", None))


def gives_probability(name: str) -> bool:
    """Return whether a detector gives probabilities; raises UsageError for an unknown name."""
    return bool(getattr(_loaded(name), "gives_probability", True))


def _loaded(name: str) -> Any:
    """Return what is registered under a name, usually the class of a detector."""
    point = _registered(name)
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise DetectionError(
            f"The detector {name!r} of {_package_of(point)} cannot be loaded ({error}); update or remove "
            "that package."
        ) from error


def _registered(name: str) -> EntryPoint:
    points = [point for point in plugins(DETECTOR_GROUP) if point.name == name]
    if not points:
        raise UsageError(f"expected a detector among {', '.join(detector_names())}, found {name!r}.")
    if len(points) > 1:
        packages = ", ".join(map(_package_of, points))
        raise UsageError(
            f"Several packages bring a detector called {name!r} ({packages}); keep only one of them."
        )
    return points[0]


def _package_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "that package"
