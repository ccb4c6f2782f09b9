"""Detectors on one channel as a user runs them, what they have in common done once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias

from nwb_mepp.conditioning import Survey, survey
from nwb_mepp.detectors import Detector, get_detector
from nwb_mepp.mepps import Mepps
from nwb_mepp.pipeline import DetectionSettings, find_mepps
from nwb_mepp.recording import ArraySource, Trace
from nwb_mepp.windows import Piece, cut_pieces

__all__ = ["AnyDetector", "Surveyed", "find_all", "load_detectors", "survey_trace"]

# A registered name, or a detector such as one with weights that were trained just now.
AnyDetector: TypeAlias = str | Detector
Polarity: TypeAlias = Literal["auto", "positive", "negative"]


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """A trace after the first pass, hum taken out where there is any.

    Attributes
    ----------
    pieces : tuple of Piece
        One: the whole trace.
    survey : Survey
        States no hum, as none is left.
    """

    pieces: tuple[Piece, ...]
    survey: Survey


def load_detectors(detectors: Iterable[AnyDetector]) -> dict[str, Detector]:
    """Return detectors by name, those registered loaded once for each process.

    Parameters
    ----------
    detectors : iterable of str or Detector

    Returns
    -------
    dict of str to Detector
        The second of a name, such as one with other weights, goes by name and version.

    Raises
    ------
    UsageError
        If a name is not registered.
    ValueError
        If two detectors have the same name and version.
    """
    loaded: dict[str, Detector] = {}
    for one in detectors:
        detector = _load(one) if isinstance(one, str) else one
        name = f"{detector.name} {detector.version}" if detector.name in loaded else detector.name
        if name in loaded:
            raise ValueError(f"expected each detector once, found {name} twice.")
        loaded[name] = detector
    return loaded


_load = lru_cache(maxsize=None)(get_detector)


def survey_trace(trace: Trace, *, polarity: Polarity = "auto") -> Surveyed:
    """Survey a trace and take out its hum, which every reading of it would otherwise repeat.

    Parameters
    ----------
    trace : Trace
    polarity : {"auto", "positive", "negative"}

    Returns
    -------
    Surveyed

    Raises
    ------
    DetectionError
        If the samples do not allow detection.
    """
    (piece,) = cut_pieces([trace])
    surveyed = survey([piece], polarity=polarity)
    if surveyed.hum is not None:
        # Hum is found on a grid fixed to the piece: the whole of it at once gives what blocks would.
        cleaned = ArraySource(surveyed.values(piece, 0, piece.n_samples))
        (piece,) = cut_pieces([replace(trace, source=cleaned, conversion=1.0, offset=0.0)])
    return Surveyed(pieces=(piece,), survey=replace(surveyed, hum=None))


def find_all(
    surveyed: Surveyed, *, detectors: Sequence[AnyDetector], min_amplitude_sd: float | None = None
) -> dict[str, Mepps]:
    """Run detectors with their default thresholds and measure what they find.

    Parameters
    ----------
    surveyed : Surveyed
    detectors : sequence of str or Detector
    min_amplitude_sd : float, optional
        Least amplitude in SD of the noise.

    Returns
    -------
    dict of str to Mepps
        By the name of the detector.
    """
    loaded = load_detectors(detectors)
    settings = DetectionSettings(min_amplitude_sd=min_amplitude_sd)
    return {
        name: find_mepps(detector, surveyed.pieces, surveyed=surveyed.survey, settings=settings)
        for name, detector in loaded.items()
    }
