"""The first pass over a channel: whether it can be analyzed, and its noise, hum and polarity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.interim_results import InterimResults
from nwb_mepp._utils.kept import Kept
from nwb_mepp._utils.threads import at_once
from nwb_mepp.conditioning.hum import Hum, find_hum
from nwb_mepp.conditioning.polarity import count_deflections, judge_polarity
from nwb_mepp.conditioning.spectrum import (
    drop_constant,
    informative_bandwidth,
    noise_spectrum,
    periodograms,
    quantization_step,
    rounding_density,
    typical_density,
    varying,
    without_lines,
    without_slope,
)
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.segments import Segment, fold_indices, spread_evenly
from nwb_mepp.core.units import ELECTRICAL_UNITS

__all__ = [
    "MIN_BANDWIDTH_HZ",
    "MIN_DURATION_S",
    "MIN_SAMPLING_RATE_HZ",
    "ChannelNoise",
    "noise_sd_of",
    "survey",
]

FloatArray = npt.NDArray[np.float64]

MIN_SAMPLING_RATE_HZ = 2000.0
MIN_DURATION_S = 0.5
MIN_BANDWIDTH_HZ = 100.0

_CHECK_BLOCK = 1 << 20
_MAX_KEPT_BYTES = 1 << 26
_EXCERPT_S = 0.2
_MAX_SEGMENTS = 1000
_NOISE_FROM_HZ = 10.0  # slower fluctuations are drift
_SLOW_RISE = 0.7  # of the measured rise; then half of its square is due to the filter
# Even rare steps of a coarse converter are more frequent where there is noise.
_MIN_CHANGES_HZ = 40.0
# Strength is compared where a stretch of 2 s suffices to measure it, and above the strongest hum.
_GROWTH_FROM_HZ = 100.0
_STRETCH_EXCERPTS = 20
_MAX_STRETCHES = 15
_POLARITY_STRETCH_S = 10.0
_MAX_POLARITY_STRETCHES = 30


@dataclass(frozen=True, kw_only=True)
class ChannelNoise:
    """What the first pass over a channel finds.

    Attributes
    ----------
    unit : str
        ``"V"`` or ``"A"``.
    noise_sd : float
        Standard deviation of the noise above 10 Hz, without MEPPs, hum and drift.
    bandwidth_hz : float
        Up to which frequency the trace holds more than what a filter and the converter's rounding leave; half
        the sampling rate without a filter. See
        :func:`~nwb_mepp.conditioning.spectrum.informative_bandwidth`.
    converter_step : float
        Smallest difference between sample values.
    rounding_density : float
        Power spectral density of the rounding error, in unit**2 per Hz.
    noise_growth : float
        Standard deviation of the noise in the loudest stretch over that in the median one, of up to 15 equal
        stretches of 2 s or more; 1.0 if there are fewer than three.
    hum : Hum or None
        Mains hum, where found.
    polarity : Polarity
        Positive or negative.
    polarity_reason : str
        What the polarity is based on.
    warnings : tuple of str
        What the user should know of the recording, each a sentence.
    events : callable (segment, start, stop) -> ndarray, optional
        Known events in samples of a segment, taken away where the spectrum of the noise is measured.
    interim : InterimResults
        What a run that was interrupted has worked out of the channel and its noise.
    kept : Kept
        What several parts work out of them, so that only the first of them does.
    """

    unit: str
    noise_sd: float
    bandwidth_hz: float
    converter_step: float
    rounding_density: float
    noise_growth: float
    hum: Hum | None
    polarity: Polarity
    polarity_reason: str
    warnings: tuple[str, ...] = ()
    events: Callable[[Segment, int, int], FloatArray] | None = field(default=None, repr=False, compare=False)
    interim: InterimResults = field(default_factory=InterimResults, repr=False, compare=False)
    kept: Kept = field(
        init=False, repr=False, compare=False, default_factory=lambda: Kept(max_bytes=_MAX_KEPT_BYTES)
    )

    def values(self, segment: Segment, start: int, stop: int) -> FloatArray:
        """Return samples of a segment in SI units, with any hum removed."""
        if self.hum is None:
            return segment.values(start, stop)
        return self.hum.remove(segment, start, stop)

    def knowing(self, events: Callable[[Segment, int, int], FloatArray]) -> ChannelNoise:
        """Return the same with events that are known by now.

        Parameters
        ----------
        events : callable (segment, start, stop) -> ndarray
            Signed, without level, in the unit of the trace.
        """
        return replace(self, events=events)

    def values_between_events(self, segment: Segment, start: int, stop: int) -> FloatArray:
        """Return samples of a segment in SI units, with any hum and known events removed."""
        values = self.values(segment, start, stop)
        if self.events is None:
            return values
        folded = fold_indices(np.arange(start, stop), n_samples=segment.n_samples)
        first = int(folded.min())
        return values - self.events(segment, first, int(folded.max()) + 1)[folded - first]

    def rise_warnings(self, rises_s: npt.ArrayLike) -> tuple[str, ...]:
        """Say whether filter or sampling rate are too slow for the rises that were measured.

        Parameters
        ----------
        rises_s : array_like, shape (n_mepps,)
            10-90 % rise times; NaN where there is none.

        Returns
        -------
        tuple of str
            A sentence without a period, or none.

        Notes
        -----
        A low-pass of corner f turns a step into a rise of 0.34 / f. The bandwidth, down to where hardly
        anything is left, is about twice the corner.
        """
        rises = np.asarray(rises_s, dtype=np.float64)
        rises = rises[np.isfinite(rises)]
        own_s = 0.34 / (0.5 * self.bandwidth_hz)
        if not len(rises) or own_s <= _SLOW_RISE * float(np.median(rises)):
            return ()
        return (
            f"rise times are too short for the recording: their median is {1e3 * np.median(rises):.2g} ms, "
            f"and its filter or rate, which leave nothing above {self.bandwidth_hz:.0f} Hz, alone give about "
            f"{1e3 * own_s:.2g} ms",
        )


def survey(segments: Sequence[Segment], *, polarity: Polarity | str = Polarity.AUTO) -> ChannelNoise:
    """Check that a channel can be analyzed, and measure its noise, hum and polarity.

    Parameters
    ----------
    segments : sequence of Segment
        All stretches of one channel that are to be analyzed, in order.
    polarity : Polarity or str
        ``"auto"`` counts clear deflections of either sign.

    Returns
    -------
    ChannelNoise

    Raises
    ------
    UsageError
        If the polarity is none of these.
    DetectionError
        If the sampling rate is below 2 kHz, the unit is neither volt nor ampere, less than 0.5 s is
        left, a sample is not finite, the trace is constant or nearly so, consists of steps only, or holds
        nothing above 100 Hz.

    Notes
    -----
    Excerpts lie on a grid fixed to the segments, so the result does not depend on how the trace is read.
    """
    decided, reason = Polarity(polarity), "stated"
    _check(segments)
    first = segments[0]
    rate_hz, excerpts = first.sampling_rate_hz, _excerpts(segments)

    def typical_level() -> tuple[FloatArray, FloatArray]:
        # A slope of 0.1 V within an excerpt leaks so far that it outweighs noise of 50 uV below 300 Hz.
        return noise_spectrum(without_slope(excerpts), sampling_rate_hz=rate_hz)

    def strength() -> tuple[FloatArray, float]:
        power, kept = periodograms(excerpts, sampling_rate_hz=rate_hz), varying(excerpts)
        return typical_density(power[kept]), _growth(power, kept, spacing_hz=rate_hz / excerpts.shape[1])

    def converter_step() -> float:
        # Neighboring excerpts overlap by half; where they do not, there are hundreds of others.
        return quantization_step(excerpts[::2])

    def deflections() -> tuple[int, int]:
        return _count_deflections(segments) if decided is Polarity.AUTO else (0, 0)

    (frequencies_hz, level), (density, growth), step, (n_positive, n_negative) = at_once(
        typical_level, strength, converter_step, deflections
    )
    # Noise below the converter's step leaves hardly any trace.
    least = step**2 / 6.0 / rate_hz
    noise_sd = _sd_above(
        _NOISE_FROM_HZ, frequencies_hz, np.maximum(without_lines(frequencies_hz, density), least)
    )
    if noise_sd == 0.0:
        raise DetectionError(
            f"channel {first.trace.channel!r} repeats one value nearly throughout, so its noise cannot be "
            "measured; choose another channel with `channels`, or leave out the constant stretches with "
            "`exclude=[(START, STOP)]`."
        )
    rounding = rounding_density(frequencies_hz, level, step=step)
    bandwidth_hz = informative_bandwidth(frequencies_hz, np.maximum(level, least), rounding=rounding)
    _check_noise(excerpts, bandwidth_hz, trace=first.trace)
    if decided is Polarity.AUTO:
        decided, reason = judge_polarity(n_positive, n_negative, unit=first.trace.unit)
    return ChannelNoise(
        unit=first.trace.unit,
        noise_sd=noise_sd,
        bandwidth_hz=bandwidth_hz,
        converter_step=step,
        rounding_density=rounding,
        noise_growth=growth,
        hum=find_hum(segments, noise_sd=noise_sd),
        polarity=decided,
        polarity_reason=reason,
    )


def _check(segments: Sequence[Segment]) -> None:
    if not segments:
        raise DetectionError(
            "no samples are left to analyze: `exclude`, `exclude_per_sweep` or the file's invalid_times "
            "leave out everything; leave out less."
        )
    trace = segments[0].trace
    name = f"channel {trace.channel!r}"
    if trace.unit not in ELECTRICAL_UNITS:
        raise DetectionError(
            f"{name}: expected a voltage or a current, found unit {trace.unit!r}; choose another channel "
            f"with `channels`, or pass `unit` if the label is wrong."
        )
    if trace.sampling_rate_hz < MIN_SAMPLING_RATE_HZ:
        raise DetectionError(
            f"{name}: expected a sampling rate of at least {MIN_SAMPLING_RATE_HZ:g} Hz to resolve a MEPP, "
            f"found {trace.sampling_rate_hz:g} Hz; if the file states a wrong rate, correct it with "
            "`sampling_rate_hz`."
        )
    total_s = sum(segment.n_samples / segment.sampling_rate_hz for segment in segments)
    longest_s = max(segment.n_samples / segment.sampling_rate_hz for segment in segments)
    if longest_s < MIN_DURATION_S:
        raise DetectionError(
            f"{name}: expected a stretch of at least {MIN_DURATION_S:g} s to measure the noise, found "
            f"{total_s:g} s in stretches of at most {longest_s:g} s; record longer or leave out less."
        )
    low, high = np.inf, -np.inf
    for segment in segments:
        for start in range(0, segment.n_samples, _CHECK_BLOCK):
            values = segment.values(start, min(start + _CHECK_BLOCK, segment.n_samples))
            if not np.isfinite(values).all():
                index = start + int(np.flatnonzero(~np.isfinite(values))[0])
                time_s = segment.trace.start_s + (segment.start + index) / segment.sampling_rate_hz
                raise DetectionError(
                    f"{name}: expected finite samples, found {values[index - start]} at {time_s:.4f} s "
                    f"(sweep {segment.trace.sweep}, sample {segment.start + index}); leave the stretch "
                    f"out with `exclude=[(START, STOP)]`."
                )
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low == high:
        raise DetectionError(
            f"{name}: expected a signal, found the constant {low:g} {trace.unit}; choose the recorded "
            f"channel with `channels`."
        )


def _check_noise(excerpts: FloatArray, bandwidth_hz: float, *, trace: Trace) -> None:
    changing = drop_constant(excerpts)
    changes_hz = float(np.mean(np.diff(changing, axis=1) != 0.0)) * trace.sampling_rate_hz
    if changes_hz < _MIN_CHANGES_HZ:
        raise DetectionError(
            f"channel {trace.channel!r}: expected noise to compare MEPPs with, found steps only, about "
            f"{changes_hz:.2g} per s and constant values in between; choose the recorded channel with "
            "`channels`, or record with a converter whose step is below the noise."
        )
    if bandwidth_hz < MIN_BANDWIDTH_HZ:
        raise DetectionError(
            f"channel {trace.channel!r}: expected a bandwidth of at least {MIN_BANDWIDTH_HZ:g} Hz to resolve "
            f"a MEPP, found nothing above {bandwidth_hz:.0f} Hz but what a filter and the converter's "
            "rounding leave; record with a faster filter, or choose another channel with `channels`."
        )


def _excerpts(segments: Sequence[Segment]) -> FloatArray:
    """Return overlapping excerpts of 0.2 s, at most 1000, evenly spaced; shape (n, n_samples)."""
    n_samples = round(_EXCERPT_S * segments[0].sampling_rate_hz)
    chosen = spread_evenly(segments, length=n_samples, step=n_samples // 2, most=_MAX_SEGMENTS)
    return np.array([segments[number].values(start, start + n_samples) for number, start in chosen])


def noise_sd_of(frequencies_hz: FloatArray, density: FloatArray) -> float:
    """Integrate the noise density above 10 Hz, with hum lines replaced by the level around them."""
    return _sd_above(_NOISE_FROM_HZ, frequencies_hz, without_lines(frequencies_hz, density))


def _sd_above(lowest_hz: float, frequencies_hz: FloatArray, density: FloatArray) -> float:
    """Integrate the density above a frequency."""
    # The bin at the limit still holds drift, through the main lobe of the window.
    above = frequencies_hz > lowest_hz
    return float(np.sqrt(np.sum(density[above]) * (frequencies_hz[1] - frequencies_hz[0])))


def _growth(power: FloatArray, kept: npt.NDArray[np.bool_], *, spacing_hz: float) -> float:
    """Return the SD of the noise in the loudest stretch over that in the median one."""
    frequencies_hz = np.arange(power.shape[1], dtype=np.float64) * spacing_hz
    n_stretches = min(len(power) // _STRETCH_EXCERPTS, _MAX_STRETCHES)
    if n_stretches < 3:
        return 1.0
    sds = []
    for rows in np.array_split(np.arange(len(power)), n_stretches):
        varied = rows[kept[rows]]
        density = typical_density(power[varied if len(varied) else rows])
        sds.append(_sd_above(_GROWTH_FROM_HZ, frequencies_hz, density))
    typical = float(np.median(sds))
    return max(sds) / typical if typical > 0.0 else 1.0


def _count_deflections(segments: Sequence[Segment]) -> tuple[int, int]:
    """Count deflections of either sign in stretches of 10 s, at most 30, evenly spaced."""
    length = round(_POLARITY_STRETCH_S * segments[0].sampling_rate_hz)
    n_positive = n_negative = 0
    for number, start in spread_evenly(segments, length=1, step=length, most=_MAX_POLARITY_STRETCHES):
        segment = segments[number]
        values = segment.values(start, min(start + length, segment.n_samples))
        counts = count_deflections(values, sampling_rate_hz=segment.sampling_rate_hz)
        n_positive += counts[0]
        n_negative += counts[1]
    return n_positive, n_negative
