"""From the pieces of one channel to what one detector finds there: chosen, measured, judged, summarised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from nwb_mepp._version import __version__
from nwb_mepp.conditioning import Survey
from nwb_mepp.detectors import Candidates, Detector, SecondOpinion, get_detector
from nwb_mepp.errors import UsageError
from nwb_mepp.kinetics import measure
from nwb_mepp.mepps import Mepps
from nwb_mepp.pipeline.settings import DetectionSettings
from nwb_mepp.provenance import describe_settings
from nwb_mepp.results import ChannelResult
from nwb_mepp.statistics import Baseline, summarize
from nwb_mepp.windows import BlockReader, Piece

__all__ = ["find_mepps", "fit_where_asked", "measure_candidates", "most_probable", "run_detector"]

_MEASURED_BLOCK_S = 10.0
# What MiniUnet gives this probability or more is not taken for empty.
_EMPTY_BELOW = 0.1


def find_mepps(
    detector: Detector, pieces: Sequence[Piece], *, surveyed: Survey, settings: DetectionSettings
) -> Mepps:
    """Find and measure the MEPPs of one channel.

    Parameters
    ----------
    detector : Detector
    pieces : sequence of Piece
        All stretches of the channel, in order.
    surveyed : Survey
        Of the same pieces.
    settings : DetectionSettings

    Returns
    -------
    Mepps
        Without those whose amplitude points against the polarity or is below the least one.

    Raises
    ------
    UsageError
        If a rate of false discoveries is asked of a detector that gives no probabilities.
    """
    rate = settings.rate_of(detector.name)
    threshold = settings.threshold_of(detector.name) if rate is None else 0.0
    candidates = detector.find(pieces, survey=surveyed, threshold=threshold, block_s=settings.block_s)
    if rate is not None:
        candidates = most_probable(candidates, false_discovery_rate=rate, detector=detector.name)
    measured = Mepps.concatenate(
        measure_candidates(piece, found, surveyed=surveyed)
        for piece, found in zip(pieces, candidates, strict=True)
    )
    return _large_enough(measured, surveyed=surveyed, settings=settings)


def most_probable(
    candidates: Sequence[Candidates], *, false_discovery_rate: float, detector: str
) -> list[Candidates]:
    """Choose as many of the most probable candidates of a channel as a rate of false ones permits.

    Parameters
    ----------
    candidates : sequence of Candidates
        One for each piece, doubtful ones included.
    false_discovery_rate : float
        Highest mean of ``1 - probability`` of those that are kept.
    detector : str
        Name, for the message.

    Returns
    -------
    list of Candidates
        One for each piece. Of equally probable ones all are kept or none.

    Raises
    ------
    UsageError
        If the candidates have no probabilities.
    """
    doubt = 1.0 - np.concatenate([one.probability for one in candidates])
    if np.isnan(doubt).any():
        raise UsageError(
            f"--false-discovery-rate: expected a --detector that gives probabilities, found {detector}, "
            "which gives none; use --threshold for it."
        )
    ordered = np.sort(doubt)
    # The last of those with the same doubt stands for all of them.
    last = np.append(ordered[1:] > ordered[:-1], True)[: len(ordered)]
    mean = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    allowed = ordered[last & (mean <= false_discovery_rate)]
    limit = allowed.max(initial=-np.inf)
    return [one.select(1.0 - one.probability <= limit) for one in candidates]


def fit_where_asked(
    detector: Detector, pieces: Sequence[Piece], *, surveyed: Survey, settings: DetectionSettings
) -> Detector:
    """Return a detector fitted to the channel if that is asked for and it can be, else as it is.

    Parameters
    ----------
    detector : Detector
    pieces : sequence of Piece
    surveyed : Survey
    settings : DetectionSettings

    Raises
    ------
    DetectionError
        If there is too little to fit on.
    MissingDependencyError
        If TensorFlow is not installed.
    """
    fit = getattr(detector, "fit_to", None)
    if settings.fit_recording is None or fit is None:
        return detector
    finder = get_detector("miniunet", weights=settings.weights_of("miniunet"))
    occupied = finder.find(pieces, survey=surveyed, threshold=_EMPTY_BELOW, block_s=settings.block_s)
    fitted: Detector = fit(
        pieces, survey=surveyed, occupied=occupied, mode=settings.fit_recording, block_s=settings.block_s
    )
    return fitted


def run_detector(
    detector: Detector,
    pieces: Sequence[Piece],
    *,
    surveyed: Survey,
    baseline: Baseline,
    settings: DetectionSettings,
    judge: Detector | None = None,
) -> ChannelResult:
    """Find, measure and summarise the MEPPs of one channel.

    Parameters
    ----------
    detector : Detector
    pieces : sequence of Piece
        All stretches of the channel, in order.
    surveyed : Survey
        Of the same pieces.
    baseline : Baseline
        Of the same pieces.
    settings : DetectionSettings
    judge : Detector, optional
        Gives its second opinion on what is found; without it ``anomaly`` is NaN.

    Returns
    -------
    ChannelResult

    Raises
    ------
    UsageError
        As :func:`find_mepps`.
    """
    mepps = find_mepps(detector, pieces, surveyed=surveyed, settings=settings)
    how = {**settings.described(), **_described(surveyed), **getattr(detector, "fitting", {})}
    rate, threshold = settings.rate_of(detector.name), settings.threshold_of(detector.name)
    if rate is not None:
        how["false_discovery_rate"] = rate
        # What the rate amounted to in this channel.
        threshold = float(mepps.probability.min()) if len(mepps) else float("nan")
    elif threshold is None:
        threshold = detector.default_threshold
    if isinstance(judge, SecondOpinion):
        how["second_opinion"] = f"{judge.name} {judge.version} {judge.weights_sha256}".rstrip()
        score = judge.judge(pieces, survey=surveyed, mepps=mepps, block_s=settings.block_s)
        mepps = replace(mepps, anomaly=score)
    summary = summarize(
        mepps,
        pieces=pieces,
        detector=detector.name,
        detector_version=detector.version,
        weights_sha256=detector.weights_sha256,
        threshold=threshold,
        polarity=surveyed.polarity,
        noise_sd=surveyed.noise_sd,
        settings=describe_settings(how),
        package_version=__version__,
        sampled_baseline=baseline,
    )
    return ChannelResult(detector=detector.name, mepps=mepps, summary=summary)


def measure_candidates(piece: Piece, candidates: Candidates, *, surveyed: Survey) -> Mepps:
    """Measure events of one piece (:func:`nwb_mepp.kinetics.measure`), hum taken out where there is any.

    Parameters
    ----------
    piece : Piece
    candidates : Candidates
    surveyed : Survey

    Returns
    -------
    Mepps
    """
    # Taking hum out costs a second of context on either side of each block.
    block = round(_MEASURED_BLOCK_S * piece.sampling_rate_hz)
    read = BlockReader(partial(surveyed.values, piece), block=block)
    return measure(piece, candidates, polarity=surveyed.polarity, read=read)


def _large_enough(mepps: Mepps, *, surveyed: Survey, settings: DetectionSettings) -> Mepps:
    size = surveyed.polarity * mepps.amplitude
    least = max(settings.min_amplitude or 0.0, (settings.min_amplitude_sd or 0.0) * surveyed.noise_sd)
    return mepps.select((size > 0.0) & (size >= least))


def _described(surveyed: Survey) -> dict[str, object]:
    """Return what the survey decided, for the provenance."""
    hum = surveyed.hum
    if hum is None:
        return {"polarity_from": surveyed.polarity_reason, "hum_removed": "none found"}
    lines = ", ".join(str(number) for number in hum.harmonics)
    return {
        "polarity_from": surveyed.polarity_reason,
        "hum_removed": f"{hum.frequency_hz:.2f} Hz (harmonics {lines})",
    }
