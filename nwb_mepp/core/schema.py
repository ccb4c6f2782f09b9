"""The columns of every table of MEPPs, defined once.

NWB tables, plain and typed, CSV, JSON, Neo epochs, the specification of ``ndx-mepp`` and the tables in the
documentation follow these definitions. ``docs/how-to/add-a-column.md`` shows how to add one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.columns import Column, Columns

__all__ = [
    "DETECTOR_COLUMNS",
    "DETECTOR_OPTIONAL",
    "SAMPLES",
    "CurationColumns",
    "EventColumns",
    "LinkedSamples",
    "ListingColumns",
    "SummaryColumns",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]


# Of columns that the first version of ndx-mepp does not have.
_LATER: dict[str, Any] = {"since": "0.3.0", "optional": True}


def _floats(name: str, unit: str, description: str, **other: Any) -> Column[FloatArray]:
    return Column(name, unit, description, **other)


def _integers(name: str, description: str) -> Column[IntArray]:
    return Column(name, "", description, dtype="int64", given=True, in_nwb=False, in_csv=name == "sweep")


def _flags(name: str, description: str, **other: Any) -> Column[BoolArray]:
    return Column(name, "", description, dtype="bool", **other)


def _texts(name: str, description: str, **other: Any) -> Column[TextArray]:
    return Column(name, "", description, dtype="text", **other)


def _number(name: str, unit: str, description: str, **other: Any) -> Column[float]:
    return Column(name, unit, description, **other)


def _count(name: str, description: str) -> Column[int]:
    return Column(name, "", description, dtype="int64", given=True)


def _text(name: str, description: str, **other: Any) -> Column[str]:
    return Column(name, "", description, dtype="text", **other)


class EventColumns(Columns):
    """The columns of a table of MEPPs, an array for each; rows of another kind than mepp are not counted.

    The numbers of the samples are not written: an NWB file refers to the samples themselves.
    """

    sweep = _integers("sweep", "Number of the sweep, from 0.")
    start_index = _integers("start_index", "First sample, counted from the first of the sweep.")
    stop_index = _integers("stop_index", "The sample after the last one.")
    peak_index = _integers("peak_index", "Sample of the peak.")
    start_s = _floats("start_time", "s", "Onset (foot of the rise) from the session start.", given=True)
    stop_s = _floats(
        "stop_time",
        "s",
        "First sample after the peak below 1/e of the amplitude, or the next onset if that is earlier.",
        given=True,
    )
    peak_s = _floats("peak_time", "s", "Time of the peak from the session start.")
    amplitude = _floats(
        "amplitude",
        "{u}",
        "Peak minus baseline, signed; the peak is the mean of +-0.25 ms around the extremum, corrected for "
        "the curvature of the fitted shape.",
    )
    rise_10_90_s = _floats("rise_10_90", "s", "Time from 10 % to 90 % of the amplitude while rising.")
    half_width_s = _floats("half_width", "s", "Time spent beyond half of the amplitude.")
    decay_tau_s = _floats(
        "decay_tau",
        "s",
        "Decay time constant of the fitted rise and decay; NaN where missing_kinetics says why.",
    )
    area = _floats("area", "{u} s", "Integral of trace minus baseline over the interval, signed.")
    baseline = _floats("baseline", "{u}", "Level just before the onset, tails of earlier MEPPs included.")
    probability = _floats(
        "probability", "", "Probability that this is a MEPP; NaN where the detector states none."
    )
    overlapped = _flags("overlapped", "True where the next MEPP begins before the decay to 1/e.")
    anomaly = _floats(
        "anomaly",
        "",
        "How unusual this MEPP is among those of its channel: the largest of five robust deviations, in SD "
        "(amplitude, if larger; error of an autoencoder's reconstruction at the peak, given the amplitude; "
        "its deepest error against the polarity, given both; rise_10_90 and half_width, with their standard "
        "errors). Being small is not unusual. On simulated recordings 3 % of ordinary MEPPs exceed 3; the "
        "area under the curve against these is 0.93 for giant MEPPs, 0.78 for slow ones of half the "
        "amplitude, 0.74 for artifacts. NaN without a second opinion or with fewer than 5 MEPPs.",
    )
    kind = _texts(
        "kind",
        "What the event is: mepp; evoked (locked to a stimulus); spike (an action potential); artifact. "
        "Empty in files written before there was this column: all are MEPPs.",
        **_LATER,
    )
    quality = _texts(
        "quality",
        "How far the measures can be trusted: ok, or why not, joined by '; ': clipped (the peak lies on the "
        "end of the range, so that the amplitude is a lower bound), overlapped, unresolved (may be more than "
        "one), no fit, at border (a border of the segment cuts it short).",
        **_LATER,
    )
    amplitude_se = _floats("amplitude_se", "{u}", "Standard error of the amplitude.", **_LATER)
    rise_10_90_se_s = _floats("rise_10_90_se", "s", "Standard error of rise_10_90.", **_LATER)
    half_width_se_s = _floats("half_width_se", "s", "Standard error of half_width.", **_LATER)
    decay_tau_se_s = _floats("decay_tau_se", "s", "Standard error of decay_tau.", **_LATER)
    unresolved = _flags(
        "unresolved",
        "True where the deflection may be two MEPPs: two explain it better than one, but not well enough to "
        "tell them apart.",
        **_LATER,
    )
    missing_kinetics = _text(
        "missing_kinetics",
        "Why decay_tau is NaN: overlapped (the next MEPP begins before 1/e), at border (the segment ends "
        "before it), noise (open within a factor of five), no fit; empty where it is given.",
        **_LATER,
    )

    @classmethod
    def measures(cls) -> tuple[Column[Any], ...]:
        """Return the columns of an NWB table beyond those of every table of intervals."""
        of_intervals = (cls.start_s, cls.stop_s)
        return tuple(column for column in cls.columns() if column.in_nwb and column not in of_intervals)


# Stands in an NWB table for the sweep and the numbers of the samples.
SAMPLES = Column[Any](
    "timeseries", "", "The samples from onset to stop: first sample, number of samples, series."
)


class LinkedSamples(Columns):
    """What replaces :data:`SAMPLES` where a series is a link: HDF5 has no references to another file."""

    series = _text("series", "Path of the series in this file, which may be a link to another one.")
    first = _count("idx_start", "First sample of the series: the onset, counted from 0.")
    n_samples = _count("count", "Number of samples from onset to stop.")


class CurationColumns(Columns):
    """What a table of MEPPs that a person marked or corrected has besides, a text for each MEPP."""

    source = _text("source", "Who found it: the name of a detector, or hand.", optional=True)
    status = _text(
        "status",
        "What the person decided: accepted, rejected, added, moved (onset, peak or end), or unreviewed.",
        optional=True,
    )
    reviewer = _text("reviewer", "Who decided; empty where nobody is named.", **_LATER)
    reviewed_at = _text("reviewed_at", "When, in ISO 8601 with time zone; empty if unreviewed.", **_LATER)
    note = _text("note", "What the person wrote about it.", **_LATER)


class SummaryColumns(Columns):
    """The columns of the summary, a value for each detector and channel."""

    detector = _text("detector", "Name of the detector.", given=True)
    channel = _text("channel", "Name of the channel.", given=True)
    amplitude_unit = _text("amplitude_unit", "Unit of the channel: V or A.", given=True)
    n_mepps = _count("n_mepps", "Number of MEPPs, pooled over sweeps.")
    analyzed_s = _number("analyzed_s", "s", "Time analyzed: all sweeps less what was left out.")
    rate_hz = _number("rate_hz", "Hz", "MEPPs per analyzed second.")
    rate_hz_low = _number("rate_hz_low", "Hz", "Lower end of the exact 95 % Poisson interval of the rate.")
    rate_hz_high = _number("rate_hz_high", "Hz", "Upper end of the exact 95 % Poisson interval of the rate.")
    resolving_s = _number(
        "resolving_time",
        "s",
        "Time after an onset in which another MEPP may stay unseen: the median from onset to 1/e.",
        **_LATER,
    )
    rate_hz_corrected = _number(
        "rate_hz_corrected",
        "Hz",
        "Rate corrected for MEPPs that stay unseen within the resolving time after another: those that come "
        "later than this, over the time left for them; of a Poisson process it is the true rate.",
        **_LATER,
    )
    rate_hz_corrected_low = _number(
        "rate_hz_corrected_low",
        "Hz",
        "Lower end of the exact 95 % Poisson interval of the corrected rate.",
        **_LATER,
    )
    rate_hz_corrected_high = _number(
        "rate_hz_corrected_high",
        "Hz",
        "Upper end of the exact 95 % Poisson interval of the corrected rate.",
        **_LATER,
    )
    amplitude_mean = _number("amplitude_mean", "{u}", "Mean amplitude, signed.")
    amplitude_median = _number("amplitude_median", "{u}", "Median amplitude, signed.")
    amplitude_cv = _number("amplitude_cv", "", "Coefficient of variation of the amplitude.")
    amplitude_mean_corrected = _number(
        "amplitude_mean_corrected",
        "{u}",
        "Mean amplitude, signed, corrected for MEPPs that are no rows of their own: times rate_hz over "
        "rate_hz_corrected.",
        **_LATER,
    )
    amplitude_sd_corrected = _number(
        "amplitude_sd_corrected",
        "{u}",
        "Standard deviation of the amplitude over the population, corrected for the error of measurement.",
        **_LATER,
    )
    amplitude_mean_corrected_se = _number(
        "amplitude_mean_corrected_se", "{u}", "Standard error of amplitude_mean_corrected.", **_LATER
    )
    decay_tau_median_s = _number("decay_tau_median", "s", "Median decay time constant as measured.", **_LATER)
    decay_tau_mean_s = _number(
        "decay_tau_mean",
        "s",
        "Mean decay time constant over the population, corrected for the error of measurement.",
        **_LATER,
    )
    decay_tau_sd_s = _number(
        "decay_tau_sd",
        "s",
        "Standard deviation of the decay time constant over the population, corrected in the same way.",
        **_LATER,
    )
    decay_tau_mean_se_s = _number("decay_tau_mean_se", "s", "Standard error of decay_tau_mean.", **_LATER)
    rise_10_90_median_s = _number(
        "rise_10_90_median", "s", "Median time from 10 % to 90 % as measured.", **_LATER
    )
    rise_10_90_mean_s = _number(
        "rise_10_90_mean",
        "s",
        "Mean time from 10 % to 90 % over the population, corrected for the error of measurement.",
        **_LATER,
    )
    rise_10_90_sd_s = _number(
        "rise_10_90_sd",
        "s",
        "Standard deviation of the time from 10 % to 90 % over the population, corrected in the same way.",
        **_LATER,
    )
    rise_10_90_mean_se_s = _number("rise_10_90_mean_se", "s", "Standard error of rise_10_90_mean.", **_LATER)
    half_width_median_s = _number("half_width_median", "s", "Median half-width as measured.", **_LATER)
    half_width_mean_s = _number(
        "half_width_mean",
        "s",
        "Mean half-width over the population, corrected for the error of measurement.",
        **_LATER,
    )
    half_width_sd_s = _number(
        "half_width_sd",
        "s",
        "Standard deviation of the half-width over the population, corrected in the same way.",
        **_LATER,
    )
    half_width_mean_se_s = _number("half_width_mean_se", "s", "Standard error of half_width_mean.", **_LATER)
    average_n = _number("average_n", "", "Number of isolated MEPPs in the averaged waveform.", **_LATER)
    average_amplitude = _number(
        "average_amplitude", "{u}", "Amplitude of the averaged waveform, signed.", **_LATER
    )
    average_rise_10_90_s = _number(
        "average_rise_10_90", "s", "Time from 10 % to 90 % of the averaged waveform.", **_LATER
    )
    average_half_width_s = _number(
        "average_half_width", "s", "Half-width of the averaged waveform.", **_LATER
    )
    average_decay_tau_s = _number(
        "average_decay_tau", "s", "Decay time constant of the averaged waveform.", **_LATER
    )
    interval_mean = _number("interval_mean", "s", "Mean interval between consecutive MEPPs of a sweep.")
    interval_cv = _number("interval_cv", "", "Coefficient of variation of the intervals.")
    interval_cv2 = _number("interval_cv2", "", "CV2 of the intervals (Holt et al. 1996).")
    interval_lv = _number("interval_lv", "", "Local variation LV of the intervals (Shinomoto et al. 2003).")
    interval_lvr = _number("interval_lvr", "", "Revised local variation LvR (Shinomoto et al. 2009).")
    fano_factor_1s = _number("fano_factor_1s", "", "Fano factor of the counts in bins of 1 s.")
    poisson_p = _number(
        "poisson_p",
        "",
        "P value of a test of the intervals beyond the resolving time against a Poisson process.",
    )
    noise_sd = _number("noise_sd", "{u}", "Standard deviation of the noise, MEPPs and drift left out.")
    baseline_mean = _number("baseline_mean", "{u}", "Mean baseline (the resting or holding level).")
    baseline_drift = _number("baseline_drift", "{u}/s", "Slope of the baseline over the recording.")
    false_discovery_rate = _number(
        "false_discovery_rate",
        "",
        "Expected fraction of false MEPPs, the mean of 1 - probability; NaN if unknown.",
    )
    detector_version = _text("detector_version", "Version of the detector.")
    weights_sha256 = _text("weights_sha256", "SHA-256 of the detector's weights; empty without weights.")
    threshold = _number(
        "threshold",
        "",
        "Threshold on the detector's probability or score; with a false discovery rate, the lowest "
        "probability kept.",
    )
    polarity = _text("polarity", "Direction of the MEPPs: positive or negative.")
    package_version = _text("package_version", "Version of nwb-mepp.")
    settings = _text("settings", "Every other setting, as 'name=value' separated by '; '.")
    n_evoked = _number(
        "n_evoked", "", "Number of evoked responses, which are not counted.", since="0.3.0", optional=True
    )
    n_spikes = _number(
        "n_spikes", "", "Number of action potentials, which are not counted.", since="0.3.0", optional=True
    )
    n_artifacts = _number(
        "n_artifacts", "", "Number of artifacts, which are not counted.", since="0.3.0", optional=True
    )
    warnings = _text(
        "warnings", "What is implausible or a lower bound, a sentence each.", since="0.3.0", optional=True
    )
    n_unexplained = _number(
        "n_unexplained",
        "",
        "Number of deflections of 8 SD or more of the noise around them, after filtering for the shape that "
        "fits best, that look like a MEPP and that no MEPP found by this detector explains.",
        since="0.3.0",
        optional=True,
    )
    bandwidth_hz = _number(
        "bandwidth_hz",
        "Hz",
        "Up to which frequency the recording holds more than what a filter and the converter's rounding "
        "leave; half the sampling rate without a filter.",
        since="0.3.0",
        optional=True,
    )
    converter_step = _number(
        "converter_step", "{u}", "Smallest difference between sample values.", since="0.3.0", optional=True
    )
    hum_hz = _number(
        "hum_hz",
        "Hz",
        "Frequency of the mains hum that was removed; NaN without any.",
        since="0.3.0",
        optional=True,
    )
    noise_growth = _number(
        "noise_growth",
        "",
        "Standard deviation of the noise above 100 Hz in the loudest stretch over that in the median one, of "
        "up to 15 equal stretches of 2 s or more; 1 if there are fewer than three.",
        since="0.3.0",
        optional=True,
    )
    reviewed = _number(
        "reviewed",
        "",
        "Fraction of the rows of a curated table that the person decided on; NaN for a detector.",
        **_LATER,
    )


# What the type MEPPDetector states; the summary repeats it, so that it can be read alone.
DETECTOR_COLUMNS: tuple[Column[Any], ...] = (
    SummaryColumns.detector,
    SummaryColumns.detector_version,
    SummaryColumns.weights_sha256,
    SummaryColumns.threshold,
    SummaryColumns.polarity,
    SummaryColumns.package_version,
    SummaryColumns.settings,
)
# Those that a MEPPDetector may lack.
DETECTOR_OPTIONAL = frozenset({"package_version", "settings"})


class ListingColumns(Columns):
    """What a row of CSV or JSON says besides: where the MEPP or the summary is from."""

    file = _text("file", "The NWB file.")
    channel = _text("channel", "Name of the channel.")
    series = _text("series", "Name of the series that the MEPP lies in.")
    amplitude_unit = _text("amplitude_unit", "Unit of the channel: V or A.")
    detector = _text("detector", "Name of the detector.")
