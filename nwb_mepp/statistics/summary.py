"""Summary of what a detector found on a channel, as one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.core.segments import Segment
from nwb_mepp.statistics.baseline import Baseline, sample_baseline
from nwb_mepp.statistics.poisson import rate_interval
from nwb_mepp.statistics.population import describe_amplitudes, describe_kinetics
from nwb_mepp.statistics.timing import describe_timing

__all__ = ["summarize"]


def summarize(
    mepps: Mepps,
    *,
    segments: Sequence[Segment],
    detector: str,
    detector_version: str,
    weights_sha256: str,
    threshold: float,
    polarity: Polarity,
    noise_sd: float,
    settings: str,
    package_version: str,
    sampled_baseline: Baseline | None = None,
    warnings: Sequence[str] = (),
    n_unexplained: float = np.nan,
    average: Mapping[str, float] | None = None,
    bandwidth_hz: float = np.nan,
    converter_step: float = np.nan,
    hum_hz: float = np.nan,
    noise_growth: float = np.nan,
) -> SummaryRow:
    """Summarize the MEPPs of one channel; events of another kind are only counted.

    Parameters
    ----------
    mepps : Mepps
        Pooled over sweeps, sorted by onset; may be empty.
    segments : sequence of Segment
        All stretches of the channel that were analyzed, in order.
    detector, detector_version, weights_sha256 : str
    threshold : float
    polarity : Polarity
        Positive or negative.
    noise_sd : float
        SD of the noise, in the unit of the trace.
    settings : str
        Every other setting, as :func:`nwb_mepp.core.provenance.describe_settings` writes them.
    package_version : str
    sampled_baseline : Baseline, optional
        Avoids reading the trace again if several detectors are summarized; measured on ``segments`` by
        default.
    warnings : sequence of str
        What is implausible or a lower bound, without full stops.
    n_unexplained : float, optional
        Number of clear deflections that no MEPP explains; NaN where nobody looked for them.
    average : mapping of str to float, optional
        What is known of the averaged waveform, by attribute of the row.
    bandwidth_hz, converter_step, hum_hz, noise_growth : float, optional
        What the survey found besides, see :class:`~nwb_mepp.conditioning.ChannelNoise`; NaN if unknown.

    Returns
    -------
    SummaryRow
        Statistics that are undefined for so few MEPPs are NaN. The SD of the amplitude divides by n - 1, that
        of the intervals by n, as in Elephant.

    Raises
    ------
    ValueError
        If the polarity is ``AUTO``.
    """
    if polarity is Polarity.AUTO:
        raise ValueError("expected a positive or negative polarity, found auto; take that of the noise.")
    others = {kind: float(len(mepps.of_kind(kind))) for kind in ("evoked", "spike", "artifact")}
    mepps = mepps.of_kind("mepp")
    timing = describe_timing(mepps, segments=segments)
    low_hz, high_hz = rate_interval(len(mepps), duration_s=timing.analyzed_s)
    level = sample_baseline(segments) if sampled_baseline is None else sampled_baseline
    mean, median, cv = _describe_amplitude(mepps)
    return SummaryRow(
        detector=detector,
        channel=mepps.channel,
        amplitude_unit=mepps.unit,
        n_mepps=len(mepps),
        analyzed_s=timing.analyzed_s,
        rate_hz=timing.rate_hz,
        rate_hz_low=low_hz,
        rate_hz_high=high_hz,
        resolving_s=timing.resolving_s,
        rate_hz_corrected=timing.corrected_hz,
        rate_hz_corrected_low=timing.corrected_hz_low,
        rate_hz_corrected_high=timing.corrected_hz_high,
        amplitude_mean=mean,
        amplitude_median=median,
        amplitude_cv=cv,
        **describe_amplitudes(mepps, seen=_fraction(timing.rate_hz, timing.corrected_hz)),
        **describe_kinetics(mepps),
        **(average or {}),
        interval_mean=timing.interval_mean,
        interval_cv=timing.interval_cv,
        interval_cv2=timing.interval_cv2,
        interval_lv=timing.interval_lv,
        interval_lvr=timing.interval_lvr,
        fano_factor_1s=timing.fano_factor_1s,
        poisson_p=timing.poisson_p,
        noise_sd=noise_sd,
        baseline_mean=level.mean,
        baseline_drift=level.drift_per_s,
        false_discovery_rate=_false_discovery_rate(mepps),
        detector_version=detector_version,
        weights_sha256=weights_sha256,
        threshold=threshold,
        polarity=polarity.value,
        package_version=package_version,
        settings=settings,
        n_evoked=others["evoked"],
        n_spikes=others["spike"],
        n_artifacts=others["artifact"],
        warnings="; ".join(warnings),
        n_unexplained=float(n_unexplained),
        bandwidth_hz=bandwidth_hz,
        converter_step=converter_step,
        hum_hz=hum_hz,
        noise_growth=noise_growth,
    )


def _fraction(rate_hz: float, corrected_hz: float) -> float:
    return rate_hz / corrected_hz if corrected_hz > 0.0 else np.nan


def _describe_amplitude(mepps: Mepps) -> tuple[float, float, float]:
    """Return mean, median and coefficient of variation, without amplitudes that are lower bounds."""
    mepps = mepps.select(np.char.find(mepps.quality.astype(np.str_), "clipped") < 0)
    if not len(mepps):
        return np.nan, np.nan, np.nan
    mean = float(mepps.amplitude.mean())
    cv = float(mepps.amplitude.std(ddof=1) / abs(mean)) if len(mepps) > 1 and mean != 0.0 else np.nan
    return mean, float(np.median(mepps.amplitude)), cv


def _false_discovery_rate(mepps: Mepps) -> float:
    """Return the expected fraction of false positives: the mean of 1 - probability."""
    if not len(mepps) or not np.all(np.isfinite(mepps.probability)):
        return np.nan
    return float(1.0 - mepps.probability.mean())
