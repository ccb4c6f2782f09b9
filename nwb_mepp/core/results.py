"""What one detector found on one channel: the MEPPs, how they were found, and their summary."""

from __future__ import annotations

from dataclasses import dataclass, fields

from nwb_mepp.core.mepps import Mepps

__all__ = ["SUMMARY_COLUMNS", "ChannelResult", "SummaryColumn", "SummaryRow"]


@dataclass(frozen=True)
class SummaryColumn:
    """One column of the summary table; ``name`` is a field of :class:`SummaryRow`.

    ``unit`` is an SI unit; ``"{u}"`` stands for the channel's own unit (V or A), ``""`` for none.
    """

    name: str
    unit: str
    description: str


SUMMARY_COLUMNS: tuple[SummaryColumn, ...] = (
    SummaryColumn("detector", "", "Name of the detector."),
    SummaryColumn("channel", "", "Name of the channel."),
    SummaryColumn("amplitude_unit", "", "Unit of the channel: V or A."),
    SummaryColumn("n_mepps", "", "Number of MEPPs, pooled over sweeps."),
    SummaryColumn("analysed_s", "s", "Time analyzed: all sweeps less what was left out."),
    SummaryColumn("rate_hz", "Hz", "MEPPs per analyzed second."),
    SummaryColumn("rate_hz_low", "Hz", "Lower end of the exact 95 % Poisson interval of the rate."),
    SummaryColumn("rate_hz_high", "Hz", "Upper end of the exact 95 % Poisson interval of the rate."),
    SummaryColumn("amplitude_mean", "{u}", "Mean amplitude, signed."),
    SummaryColumn("amplitude_median", "{u}", "Median amplitude, signed."),
    SummaryColumn("amplitude_cv", "", "Coefficient of variation of the amplitude."),
    SummaryColumn("interval_mean", "s", "Mean interval between consecutive MEPPs of a sweep."),
    SummaryColumn("interval_cv", "", "Coefficient of variation of the intervals."),
    SummaryColumn("interval_cv2", "", "CV2 of the intervals (Holt et al. 1996)."),
    SummaryColumn("interval_lv", "", "Local variation LV of the intervals (Shinomoto et al. 2003)."),
    SummaryColumn("interval_lvr", "", "Revised local variation LvR (Shinomoto et al. 2009)."),
    SummaryColumn("fano_factor_1s", "", "Fano factor of the counts in bins of 1 s."),
    SummaryColumn("poisson_p", "", "P value of a test of the intervals against a Poisson process."),
    SummaryColumn("noise_sd", "{u}", "Standard deviation of the noise, MEPPs and drift left out."),
    SummaryColumn("baseline_mean", "{u}", "Mean baseline (the resting or holding level)."),
    SummaryColumn("baseline_drift", "{u}/s", "Slope of the baseline over the recording."),
    SummaryColumn("detection_limit_50", "{u}", "Amplitude found half of the time; NaN until audited."),
    SummaryColumn("detection_limit_95", "{u}", "Amplitude found 95 % of the time; NaN until audited."),
    SummaryColumn(
        "false_discovery_rate",
        "",
        "Expected fraction of false MEPPs, the mean of 1 - probability; NaN if unknown.",
    ),
    SummaryColumn("detector_version", "", "Version of the detector."),
    SummaryColumn("weights_sha256", "", "SHA-256 of the detector's weights; empty without weights."),
    SummaryColumn(
        "threshold",
        "",
        "Threshold on the detector's probability or score; the least kept where a rate of false "
        "discoveries was asked for.",
    ),
    SummaryColumn("polarity", "", "Direction of the MEPPs: positive or negative."),
    SummaryColumn("package_version", "", "Version of nwb-mepp."),
    SummaryColumn("settings", "", "Every other setting, as 'name=value' separated by '; '."),
)


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One row of the summary table; the fields are explained in :data:`SUMMARY_COLUMNS`.

    A statistic that too few MEPPs leave undefined is NaN.
    """

    detector: str
    channel: str
    amplitude_unit: str
    n_mepps: int
    analysed_s: float
    rate_hz: float
    rate_hz_low: float
    rate_hz_high: float
    amplitude_mean: float
    amplitude_median: float
    amplitude_cv: float
    interval_mean: float
    interval_cv: float
    interval_cv2: float
    interval_lv: float
    interval_lvr: float
    fano_factor_1s: float
    poisson_p: float
    noise_sd: float
    baseline_mean: float
    baseline_drift: float
    detection_limit_50: float
    detection_limit_95: float
    false_discovery_rate: float
    detector_version: str
    weights_sha256: str
    threshold: float
    polarity: str
    package_version: str
    settings: str


if tuple(f.name for f in fields(SummaryRow)) != tuple(c.name for c in SUMMARY_COLUMNS):
    raise AssertionError("SUMMARY_COLUMNS and SummaryRow must name the same fields in order.")


@dataclass(frozen=True, kw_only=True)
class ChannelResult:
    """The MEPPs that one detector found on one channel, with their summary."""

    detector: str
    mepps: Mepps
    summary: SummaryRow
