"""Detection on one channel: candidates are chosen, measured, given a second opinion and summarized."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from nwb_mepp.conditioning import ChannelNoise
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.provenance import describe_settings
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.core.segments import BlockReader, Segment
from nwb_mepp.core.version import __version__
from nwb_mepp.detectors import Candidates, Detector, SecondOpinion, get_detector
from nwb_mepp.measurement.kinetics import measure
from nwb_mepp.statistics import Baseline, summarize
from nwb_mepp.workflows.settings import DetectionSettings

__all__ = ["find_mepps", "fit_where_asked", "measure_candidates", "most_probable", "run_detector"]

_MEASURED_BLOCK_S = 10.0
# What MiniUnet gives this probability or more is not taken for empty.
_EMPTY_BELOW = 0.1


def find_mepps(
    detector: Detector, segments: Sequence[Segment], *, noise: ChannelNoise, settings: DetectionSettings
) -> Mepps:
    """Find and measure the MEPPs of one channel.

    Parameters
    ----------
    detector : Detector
    segments : sequence of Segment
        All stretches of the channel, in order.
    noise : ChannelNoise
        Of the same segments.
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
    candidates = detector.find(segments, noise=noise, threshold=threshold, block_s=settings.block_s)
    if rate is not None:
        candidates = most_probable(candidates, false_discovery_rate=rate, detector=detector.name)
    measured = Mepps.concatenate(
        measure_candidates(segment, found, noise=noise)
        for segment, found in zip(segments, candidates, strict=True)
    )
    return _large_enough(measured, noise=noise, settings=settings)


def most_probable(
    candidates: Sequence[Candidates], *, false_discovery_rate: float, detector: str
) -> list[Candidates]:
    """Choose the most probable candidates of a channel, as many as the rate of false discoveries allows.

    Parameters
    ----------
    candidates : sequence of Candidates
        One for each segment, doubtful ones included.
    false_discovery_rate : float
        Highest mean of ``1 - probability`` of those that are kept.
    detector : str
        Name, for the message.

    Returns
    -------
    list of Candidates
        One for each segment. Of equally probable ones all are kept or none.

    Raises
    ------
    UsageError
        If the candidates have no probabilities.
    """
    doubt = 1.0 - np.concatenate([one.probability for one in candidates])
    if np.isnan(doubt).any():
        raise UsageError(
            f"`false_discovery_rate`: expected a detector that gives probabilities, found {detector}, "
            "which gives none; use `threshold` for it."
        )
    ordered = np.sort(doubt)
    # The last of those with the same doubt stands for all of them.
    last = np.append(ordered[1:] > ordered[:-1], True)[: len(ordered)]
    mean = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    allowed = ordered[last & (mean <= false_discovery_rate)]
    limit = allowed.max(initial=-np.inf)
    return [one.select(1.0 - one.probability <= limit) for one in candidates]


def fit_where_asked(
    detector: Detector, segments: Sequence[Segment], *, noise: ChannelNoise, settings: DetectionSettings
) -> Detector:
    """Return a detector, fitted to the channel if the settings ask for it and it can be fitted.

    Parameters
    ----------
    detector : Detector
    segments : sequence of Segment
    noise : ChannelNoise
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
    occupied = finder.find(segments, noise=noise, threshold=_EMPTY_BELOW, block_s=settings.block_s)
    fitted: Detector = fit(
        segments, noise=noise, occupied=occupied, mode=settings.fit_recording, block_s=settings.block_s
    )
    return fitted


def run_detector(
    detector: Detector,
    segments: Sequence[Segment],
    *,
    noise: ChannelNoise,
    baseline: Baseline,
    settings: DetectionSettings,
    judge: Detector | None = None,
) -> ChannelResult:
    """Find, measure and summarize the MEPPs of one channel.

    Parameters
    ----------
    detector : Detector
    segments : sequence of Segment
        All stretches of the channel, in order.
    noise : ChannelNoise
        Of the same segments.
    baseline : Baseline
        Of the same segments.
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
    mepps = find_mepps(detector, segments, noise=noise, settings=settings)
    how = {**settings.described(), **_described(noise), **getattr(detector, "fitting", {})}
    rate, threshold = settings.rate_of(detector.name), settings.threshold_of(detector.name)
    if rate is not None:
        how["false_discovery_rate"] = rate
        # What the rate amounted to in this channel.
        threshold = float(mepps.probability.min()) if len(mepps) else float("nan")
    elif threshold is None:
        threshold = detector.default_threshold
    if isinstance(judge, SecondOpinion):
        how["second_opinion"] = f"{judge.name} {judge.version} {judge.weights_sha256}".rstrip()
        score = judge.judge(segments, noise=noise, mepps=mepps, block_s=settings.block_s)
        mepps = mepps.replace(anomaly=score)
    summary = summarize(
        mepps,
        segments=segments,
        detector=detector.name,
        detector_version=detector.version,
        weights_sha256=detector.weights_sha256,
        threshold=threshold,
        polarity=noise.polarity,
        noise_sd=noise.noise_sd,
        settings=describe_settings(how),
        package_version=__version__,
        sampled_baseline=baseline,
        bandwidth_hz=noise.bandwidth_hz,
        converter_step=noise.converter_step,
        hum_hz=np.nan if noise.hum is None else noise.hum.frequency_hz,
        noise_growth=noise.noise_growth,
    )
    return ChannelResult(detector=detector.name, mepps=mepps, summary=summary)


def measure_candidates(segment: Segment, candidates: Candidates, *, noise: ChannelNoise) -> Mepps:
    """Measure the events of one segment, with hum taken out where there is any.

    Parameters
    ----------
    segment : Segment
    candidates : Candidates
    noise : ChannelNoise

    Returns
    -------
    Mepps
    """
    # Taking hum out costs a second of context on either side of each block.
    block = round(_MEASURED_BLOCK_S * segment.sampling_rate_hz)
    read = BlockReader(partial(noise.values, segment), block=block)
    return measure(segment, candidates, polarity=noise.polarity, read=read)


def _large_enough(mepps: Mepps, *, noise: ChannelNoise, settings: DetectionSettings) -> Mepps:
    size = noise.polarity.sign * mepps.amplitude
    stated = settings.min_amplitude.value if settings.min_amplitude else 0.0
    least = max(stated, (settings.min_amplitude_sd or 0.0) * noise.noise_sd)
    return mepps.select((size > 0.0) & (size >= least))


def _described(noise: ChannelNoise) -> dict[str, object]:
    """Return what the survey decided, for the provenance."""
    hum = noise.hum
    if hum is None:
        return {"polarity_from": noise.polarity_reason, "hum_removed": "none found"}
    lines = ", ".join(str(number) for number in hum.harmonics)
    return {
        "polarity_from": noise.polarity_reason,
        "hum_removed": f"{hum.frequency_hz:.2f} Hz (harmonics {lines})",
    }
