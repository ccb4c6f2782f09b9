"""Running several detectors on one channel as a user would, with the common steps done once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from nwb_mepp.conditioning import ChannelNoise, survey
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Detector, get_detector
from nwb_mepp.workflows import DetectionSettings, find_mepps

__all__ = ["AnyDetector", "StatedWeights", "SurveyedTrace", "find_all", "load_detectors", "survey_trace"]

# A registered name, or a detector, such as one with newly trained weights.
AnyDetector: TypeAlias = str | Detector
# Folders of other weights than the default ones, by the name of the detector.
StatedWeights: TypeAlias = Sequence[tuple[str, Path]]


@dataclass(frozen=True, kw_only=True)
class SurveyedTrace:
    """A trace after the survey, with any hum removed.

    Attributes
    ----------
    segments : tuple of Segment
        A single segment, the whole trace.
    noise : ChannelNoise
        Without hum, because it has been removed.
    """

    segments: tuple[Segment, ...]
    noise: ChannelNoise


def load_detectors(detectors: Iterable[AnyDetector], *, weights: StatedWeights = ()) -> dict[str, Detector]:
    """Return detectors by name; registered ones are loaded once in each process.

    Parameters
    ----------
    detectors : iterable of str or Detector
    weights : sequence of (str, Path)
        Other weights of registered detectors than the default ones.

    Returns
    -------
    dict of str to Detector
        A second detector of the same name, such as one with other weights, is called by name and version.

    Raises
    ------
    UsageError
        If a name is not registered.
    ValueError
        If two detectors have the same name and version.
    """
    loaded: dict[str, Detector] = {}
    stated = dict(weights)
    for one in detectors:
        detector = _load(one, weights=stated.get(one)) if isinstance(one, str) else one
        name = f"{detector.name} {detector.version}" if detector.name in loaded else detector.name
        if name in loaded:
            raise ValueError(f"expected each detector once, found {name} twice.")
        loaded[name] = detector
    return loaded


_load = lru_cache(maxsize=None)(get_detector)


def survey_trace(trace: Trace, *, polarity: Polarity = Polarity.AUTO) -> SurveyedTrace:
    """Survey a trace and remove its hum once, rather than in every detector.

    Parameters
    ----------
    trace : Trace
    polarity : Polarity

    Returns
    -------
    SurveyedTrace

    Raises
    ------
    DetectionError
        If the samples do not allow detection.
    """
    (segment,) = cut_segments([trace])
    noise = survey([segment], polarity=polarity)
    if noise.hum is not None:
        # Hum is estimated on a grid fixed to the segment, so reading it at once gives the same as in blocks.
        cleaned = ArraySource(noise.values(segment, 0, segment.n_samples))
        (segment,) = cut_segments([replace(trace, source=cleaned, conversion=1.0, offset=0.0)])
    return SurveyedTrace(segments=(segment,), noise=replace(noise, hum=None))


def find_all(
    surveyed: SurveyedTrace,
    *,
    detectors: Sequence[AnyDetector],
    weights: StatedWeights = (),
    min_amplitude_sd: float | None = None,
) -> dict[str, Mepps]:
    """Run detectors with their default thresholds and measure what they find.

    Parameters
    ----------
    surveyed : SurveyedTrace
    detectors : sequence of str or Detector
    weights : sequence of (str, Path)
        As for :func:`load_detectors`.
    min_amplitude_sd : float, optional
        Smallest amplitude in SD of the noise.

    Returns
    -------
    dict of str to Mepps
        By the name of the detector.
    """
    loaded = load_detectors(detectors, weights=weights)
    settings = DetectionSettings(min_amplitude_sd=min_amplitude_sd)
    return {
        name: find_mepps(detector, surveyed.segments, noise=surveyed.noise, settings=settings)
        for name, detector in loaded.items()
    }
