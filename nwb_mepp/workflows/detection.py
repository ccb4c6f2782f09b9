"""Detection on one channel: candidates are chosen, measured, given a second opinion and summarized."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.heap import give_back
from nwb_mepp.conditioning import ChannelNoise
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.mepps import MEPP, Mepps
from nwb_mepp.core.provenance import describe_settings
from nwb_mepp.core.results import AverageWaveform, ChannelResult
from nwb_mepp.core.segments import Segment
from nwb_mepp.core.version import __version__
from nwb_mepp.detectors import Candidates, Detector, SecondOpinion, get_detector, unexplained
from nwb_mepp.measurement.average import average_waveform, describe_average
from nwb_mepp.measurement.plausibility import doubtful_scale
from nwb_mepp.statistics import Baseline, summarize
from nwb_mepp.workflows.confirmation import confirm
from nwb_mepp.workflows.event_sorting import EventSorting
from nwb_mepp.workflows.measured_candidates import (
    are_frequent,
    locate_candidates,
    measure_candidates,
    readers_of,
)
from nwb_mepp.workflows.settings import DetectionSettings
from nwb_mepp.workflows.steps import FIND, JUDGE, MEASURE, Steps

__all__ = [
    "find_mepps",
    "fit_where_asked",
    "most_probable",
    "run_detector",
]

FloatArray = npt.NDArray[np.float64]

# What MiniUnet gives this probability or more is not taken for empty.
_EMPTY_BELOW = 0.1
# What the steps of a longer channel free is worth giving back.
_MUCH_TO_FREE_S = 1800.0


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
        Without those whose amplitude points against the polarity, does not exceed twice its standard error,
        or is below the least one.

    Raises
    ------
    UsageError
        If a rate of false discoveries is asked of a detector that gives no probabilities.
    """
    upright, noise_sd, _ = _measured(detector, segments, noise=noise, settings=settings)
    return _large_enough(upright, noise, noise_sd=noise_sd, settings=settings)


def _measured(
    detector: Detector,
    segments: Sequence[Segment],
    *,
    noise: ChannelNoise,
    settings: DetectionSettings,
    steps: Steps | None = None,
) -> tuple[Mepps, float, ChannelNoise]:
    """Find and measure the MEPPs of one channel, of any amplitude that has the polarity.

    Returns
    -------
    mepps : Mepps
    noise_sd : float
        SD of the noise when they are taken away.
    noise : ChannelNoise
        In which they were found: where MEPPs are frequent, so that hardly any excerpt is free of them, they
        are looked for again in a trace that is whitened without those that were found first.
    """
    trace, steps = segments[0].trace, steps or Steps(None)
    where = f"{detector.name} on {trace.channel}"
    find = partial(_candidates, segments, detector=detector, settings=settings)
    steps.begin(f"{where}: looking", work=FIND)
    found = _kept_candidates(noise, f"{where}: what was found", partial(find, noise=noise))
    if are_frequent(found, segments):
        noise = noise.knowing(locate_candidates(segments, found, noise=noise).fit(roughly=True).curves)
        found = _kept_candidates(noise, f"{where}: what was found again", partial(find, noise=noise))
    _tidy_up(segments)
    steps.begin(f"{where}: measuring", work=MEASURE)

    def measure() -> dict[str, npt.NDArray[Any]]:
        mepps, noise_sd = measure_candidates(segments, found, noise=noise, split=True)
        arrays = {name: getattr(mepps, name) for name in mepps.array_names()}
        return {**arrays, "noise_sd": np.array(noise_sd)}

    columns = dict(noise.interim.get(f"{where}: measures", measure))
    _tidy_up(segments)
    noise_sd = float(columns.pop("noise_sd"))
    measured = Mepps(channel=trace.channel, unit=trace.unit, **columns)
    return _standing_out(measured, noise=noise, noise_sd=noise_sd), noise_sd, noise


def _tidy_up(segments: Sequence[Segment]) -> None:
    """Give back the memory that a step has freed, if it can be much: it takes some milliseconds."""
    if sum(segment.n_samples / segment.sampling_rate_hz for segment in segments) > _MUCH_TO_FREE_S:
        give_back()


def _kept_candidates(
    noise: ChannelNoise, step: str, find: Callable[[], Sequence[Candidates]]
) -> list[Candidates]:
    return [
        Candidates(**part) for part in noise.interim.get_parts(step, lambda: [vars(one) for one in find()])
    ]


def _standing_out(mepps: Mepps, *, noise: ChannelNoise, noise_sd: float) -> Mepps:
    """Return the events whose amplitude has the polarity and exceeds twice its standard error.

    It is fitted together with the neighbors: what they explain, such as the foot of a large MEPP that a
    detector took for another one, has none of its own. Beside neighbors that leave it no decay of its own, an
    event must exceed three standard errors.
    """
    known = np.isfinite(mepps.amplitude_se)
    usual = float(np.median(mepps.amplitude_se[known])) if known.any() else 0.5 * noise_sd
    in_doubt = ~known | (mepps.overlapped & ~np.isfinite(mepps.decay_tau_s))
    least = np.where(in_doubt, 3.0, 2.0) * np.where(known, mepps.amplitude_se, usual)
    return mepps.select(noise.polarity.sign * mepps.amplitude > least)


def _candidates(
    segments: Sequence[Segment], *, detector: Detector, noise: ChannelNoise, settings: DetectionSettings
) -> Sequence[Candidates]:
    """Return the candidates that threshold or rate of false discoveries keep."""
    rate = settings.rate_of(detector.name)
    threshold = settings.threshold_of(detector.name) if rate is None else 0.0
    found = detector.find(segments, noise=noise, threshold=threshold, block_s=settings.block_s)
    if rate is None:
        return found
    return most_probable(found, false_discovery_rate=rate, detector=detector.name)


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
    sorting: EventSorting | None = None,
    clear_s: Sequence[npt.NDArray[np.float64]] | None = None,
    stated: Mapping[str, object] | None = None,
    steps: Steps | None = None,
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
        Gives its second opinion on the MEPPs that are found; without it ``anomaly`` is NaN.
    sorting : EventSorting, optional
        Tells MEPPs from other events; without it all are MEPPs.
    clear_s : sequence of ndarray, optional
        From :func:`~nwb_mepp.detectors.find_clear_deflections`, to count those that are left unexplained.
        What is found but smaller than asked for explains them too.
    stated : mapping of str to object, optional
        What the user stated about the channel instead of its file, for the provenance.
    steps : Steps, optional
        Tells what is being done.

    Returns
    -------
    ChannelResult

    Raises
    ------
    UsageError
        As :func:`find_mepps`.
    """
    steps = steps or Steps(None)
    upright, noise_sd, found_in = _measured(detector, segments, noise=noise, settings=settings, steps=steps)
    where = f"{detector.name} on {upright.channel}"
    left = () if clear_s is None else unexplained(clear_s, segments=segments, mepps=upright)
    mepps = _large_enough(upright, noise, noise_sd=noise_sd, settings=settings)
    warnings = tuple(one.removesuffix(".") for one in noise.warnings)
    if sorting is not None:
        mepps, said = sorting.sort(mepps)
        if getattr(detector, "gives_probability", True):
            again = partial(_candidates, detector=detector, noise=found_in, settings=settings)
            mepps = confirm(again, segments, mepps)
        level = {"level": baseline.mean, "noise_sd": noise_sd}
        warnings = (*doubtful_scale(mepps.of_kind(MEPP), **level), *warnings, *said)
    warnings = (*warnings, *noise.rise_warnings(mepps.of_kind(MEPP).rise_10_90_s))
    how = {
        **settings.described(),
        **(stated or {}),
        **_described(noise),
        **getattr(detector, "fitting", {}),
    }
    threshold = settings.threshold_of(detector.name)
    if (rate := settings.rate_of(detector.name)) is not None:
        how["false_discovery_rate"] = rate
        # What the rate amounted to in this channel.
        threshold = float(mepps.probability.min()) if len(mepps) else float("nan")
    steps.begin(f"{where}: summary", work=JUDGE)
    if isinstance(judge, SecondOpinion):
        how["second_opinion"] = f"{judge.name} {judge.version} {judge.weights_sha256}".rstrip()
        second = partial(_second_opinion, mepps, judge, segments, noise=noise, block_s=settings.block_s)
        mepps = mepps.replace(**noise.interim.get(f"{where}: second opinion", second))
    waveform = average_waveform(
        mepps.of_kind(MEPP), segments, polarity=noise.polarity, readers=readers_of(segments, noise=noise)
    )
    summary = summarize(
        mepps,
        segments=segments,
        detector=detector.name,
        detector_version=detector.version,
        weights_sha256=detector.weights_sha256,
        threshold=detector.default_threshold if threshold is None else threshold,
        polarity=noise.polarity,
        noise_sd=noise_sd,
        settings=describe_settings(how),
        package_version=__version__,
        sampled_baseline=baseline,
        warnings=warnings,
        n_unexplained=np.nan if clear_s is None else len(left),
        average=_of_average(waveform, segments, noise=noise),
        bandwidth_hz=noise.bandwidth_hz,
        converter_step=noise.converter_step,
        hum_hz=np.nan if noise.hum is None else noise.hum.frequency_hz,
        noise_growth=noise.noise_growth,
    )
    return ChannelResult(
        detector=detector.name,
        mepps=mepps,
        summary=summary,
        left_out=() if sorting is None else sorting.left_out,
        unexplained=left,
        waveform=waveform,
    )


def _second_opinion(
    mepps: Mepps, judge: SecondOpinion, segments: Sequence[Segment], *, noise: ChannelNoise, block_s: float
) -> dict[str, FloatArray]:
    """Return the column ``anomaly``, with the second opinion on the MEPPs among the events."""
    counted, score = np.isin(mepps.kind, ("", MEPP)), np.full(len(mepps), np.nan)
    score[counted] = judge.judge(segments, noise=noise, mepps=mepps.select(counted), block_s=block_s)
    return {"anomaly": score}


def _of_average(
    waveform: AverageWaveform | None, segments: Sequence[Segment], *, noise: ChannelNoise
) -> dict[str, float]:
    """Return what the summary says of the averaged waveform."""
    rate_hz = segments[0].sampling_rate_hz if segments else 0.0
    kinetics = describe_average(waveform, rate_hz=rate_hz, polarity=noise.polarity)
    values = {f"average_{name}": value for name, value in vars(kinetics).items()}
    return values | {"average_n": float(waveform.n_mepps) if waveform else 0.0}


def _large_enough(
    mepps: Mepps, noise: ChannelNoise, *, noise_sd: float, settings: DetectionSettings
) -> Mepps:
    size = noise.polarity.sign * mepps.amplitude
    stated = settings.min_amplitude.value if settings.min_amplitude else 0.0
    least = max(stated, (settings.min_amplitude_sd or 0.0) * noise_sd)
    most = settings.max_amplitude.value if settings.max_amplitude else np.inf
    return mepps.select((size >= least) & (size <= most))


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
