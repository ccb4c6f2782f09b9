"""Which detectors there are: the package's own and those that others register.

Another package adds one with an entry point in the group ``nwb_mepp.detectors`` that names a callable without
arguments returning a :class:`~nwb_mepp.detectors.base.Detector`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from nwb_mepp.detectors.base import Detector
from nwb_mepp.errors import DetectionError, UsageError

__all__ = ["DETECTOR_GROUP", "detector_names", "get_detector"]

DETECTOR_GROUP = "nwb_mepp.detectors"


def detector_names() -> tuple[str, ...]:
    """Return the names of all registered detectors, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=DETECTOR_GROUP)}))


def get_detector(name: str) -> Detector:
    """Return a detector ready to run.

    Parameters
    ----------
    name : str
        As :func:`detector_names` lists it.

    Returns
    -------
    Detector

    Raises
    ------
    UsageError
        If no detector has that name.
    DetectionError
        If what is registered under it does not fulfil the interface.
    """
    for point in entry_points(group=DETECTOR_GROUP):
        if point.name == name:
            detector = point.load()()
            if not isinstance(detector, Detector):
                raise DetectionError(
                    f"detector {name!r}: expected an object with the attributes and methods of "
                    f"nwb_mepp.detectors.Detector, found {type(detector).__name__}; tell the author of "
                    f"{point.dist.name if point.dist else 'that package'}."
                )
            return detector
    raise UsageError(f"expected a detector among {', '.join(detector_names())}, found {name!r}.")
