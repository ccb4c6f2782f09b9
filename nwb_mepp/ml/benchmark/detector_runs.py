"""Detectors on one channel as a user runs them, what they have in common done once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from nwb_mepp.conditioning import ChannelNoise, survey
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Detector, get_detector
from nwb_mepp.workflows import DetectionSettings, find_mepps

__all__ = ["AnyDetector", "SurveyedTrace", "find_all", "load_detectors", "survey_trace"]

# A registered name, or a detector such as one with weights that were trained just now.
AnyDetector: TypeAlias = str | Detector


@dataclass(frozen=True, kw_only=True)
class SurveyedTrace:
    """A trace after the first pass, hum taken out where there is any.

    Attributes
    ----------
    segments : tuple of Segment
        One: the whole trace.
    noise : ChannelNoise
        States no hum, as none is left.
    """

    segments: tuple[Segment, ...]
    noise: ChannelNoise


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


def survey_trace(trace: Trace, *, polarity: Polarity = Polarity.AUTO) -> SurveyedTrace:
    """ChannelNoise a trace and take out its hum, which every reading of it would otherwise repeat.

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
        # Hum is found on a grid fixed to the segment: the whole of it at once gives what blocks would.
        cleaned = ArraySource(noise.values(segment, 0, segment.n_samples))
        (segment,) = cut_segments([replace(trace, source=cleaned, conversion=1.0, offset=0.0)])
    return SurveyedTrace(segments=(segment,), noise=replace(noise, hum=None))


def find_all(
    surveyed: SurveyedTrace, *, detectors: Sequence[AnyDetector], min_amplitude_sd: float | None = None
) -> dict[str, Mepps]:
    """Run detectors with their default thresholds and measure what they find.

    Parameters
    ----------
    surveyed : SurveyedTrace
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
        name: find_mepps(detector, surveyed.segments, noise=surveyed.noise, settings=settings)
        for name, detector in loaded.items()
    }
