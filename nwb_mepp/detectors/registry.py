"""Which detectors there are: the package's own and those that others register.

Another package adds one with an entry point in the group ``nwb_mepp.detectors`` that names a callable without
arguments returning a :class:`~nwb_mepp.detectors.interface.Detector`; where it takes an argument
``weights``, a folder, users can give their own. Usually it is the class itself, and then its methods tell
what else it can do: ``judge`` (:class:`~nwb_mepp.detectors.interface.SecondOpinion`) and ``fit_to`` (fitting
to the recording).
"""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors.interface import Detector

__all__ = [
    "DETECTOR_GROUP",
    "claims_probability",
    "detector_names",
    "fits_recordings",
    "get_detector",
    "gives_second_opinion",
    "takes_weights",
]

DETECTOR_GROUP = "nwb_mepp.detectors"


def detector_names() -> tuple[str, ...]:
    """Return the names of all registered detectors, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=DETECTOR_GROUP)}))


def get_detector(name: str, *, weights: Path | None = None) -> Detector:
    """Return a detector ready to run.

    Parameters
    ----------
    name : str
        As :func:`detector_names` lists it.
    weights : Path, optional
        Folder with weights other than those that the detector brings.

    Returns
    -------
    Detector

    Raises
    ------
    UsageError
        If no detector has that name, or it has no weights.
    DetectionError
        If what is registered under the name does not fulfill the interface, or the weights are not the
        detector's.
    """
    point = _registered(name)
    if weights is None:
        detector = point.load()()
    elif takes_weights(name):
        detector = point.load()(weights=weights)
    else:
        others = ", ".join(other for other in detector_names() if takes_weights(other))
        raise UsageError(
            f"`weights`: expected a detector that has weights ({others}), found {name}, which has none; give "
            "none for it."
        )
    if not isinstance(detector, Detector):
        raise DetectionError(
            f"detector {name!r}: expected an object with the attributes and methods of "
            f"nwb_mepp.detectors.Detector, found {type(detector).__name__}; tell the author of "
            f"{point.dist.name if point.dist else 'that package'}."
        )
    return detector


def takes_weights(name: str) -> bool:
    """Return whether a detector can be given other weights; raises UsageError for an unknown name."""
    return "weights" in inspect.signature(_registered(name).load()).parameters


def gives_second_opinion(name: str) -> bool:
    """Return whether a detector can judge the MEPPs of others; raises UsageError for an unknown name."""
    return callable(getattr(_registered(name).load(), "judge", None))


def fits_recordings(name: str) -> bool:
    """Return whether a detector can be fitted to a recording; raises UsageError for an unknown name."""
    return callable(getattr(_registered(name).load(), "fit_to", None))


def claims_probability(name: str) -> bool:
    """Return whether a detector may give probabilities; raises UsageError for an unknown name."""
    return bool(getattr(_registered(name).load(), "claims_probability", True))


def _registered(name: str) -> EntryPoint:
    for point in entry_points(group=DETECTOR_GROUP):
        if point.name == name:
            return point
    raise UsageError(f"expected a detector among {', '.join(detector_names())}, found {name!r}.")
