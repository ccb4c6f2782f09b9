"""Onset, peak, amplitude, rise, half-width, decay and area of each MEPP, on the original trace.

A detector only says where to look. Everything in the table is measured here, at the trace's own sampling rate
and in its own unit, in three steps:

1. The peak of each candidate is the maximum of the trace smoothed by a Gaussian of 0.2 ms (full width at half
   maximum 0.47 ms), no farther than the valley before the neighboring candidate
   (:mod:`nwb_mepp.measurement.peaks`).
2. A rise and a decay are fitted to the samples around it, up to five decay constants after the peak or to the
   next onset, weighted for the noise of the recording (:mod:`nwb_mepp.measurement.event_fits`). Tails of
   earlier MEPPs are subtracted, so a MEPP that rides on the decay of another is measured from where that
   decay would have been, not from the raised level. Each is fitted twice: by itself, and given the time
   constants that are typical of the recording.
3. Rise, half-width and decay are those of the fit by itself, with their standard errors. Onset, peak position
   and end are read from the other one, which noise moves less; amplitude and area are means and sums of
   samples.

The baseline is the level that is fitted with the shape. In the table it includes the tails of earlier MEPPs
at the peak, so that baseline and amplitude always add up to the peak value. The amplitude is the mean of
+-0.25 ms around the peak less the baseline, times the factor by which the fitted shape is higher at its peak
than in the mean over that time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.event_fits import OPEN_LOG_SE, FittedEvents, Train, fit_train
from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights, white_noise
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S, Events, PolarizedTrace, locate_peaks
from nwb_mepp.measurement.waveform import level_times, log_slopes, widths

__all__ = ["LocatedEvents", "MeasuredEvents", "locate", "measure"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Reader = Callable[[int, int], FloatArray]

# Segments lie this far apart on the clock of a train.
_APART_S = 10.0
# The factor from the mean around the peak to the peak of the fitted shape: more would be that of a spike.
_MOST_CURVED = 1.3
_RISE_S = 1.5e-3
_NORMAL_SCALE = 1.4826  # SD of a normal distribution over its median absolute deviation


def measure(
    segment: Segment,
    candidates: Events,
    *,
    polarity: Polarity,
    read: Reader | None = None,
    autocovariance: FloatArray | None = None,
) -> Mepps:
    """Measure the MEPPs of one segment.

    Parameters
    ----------
    segment : Segment
    candidates : Events
        Where to look: ``start``, ``peak``, ``stop`` and ``probability``, sorted by peak.
    polarity : Polarity
        Positive or negative.
    read : callable (start, stop) -> ndarray, optional
        Trace of the segment in SI units, reflected beyond its borders; ``segment.values`` if not given. Pass
        the trace without hum where hum was found.
    autocovariance : ndarray, shape (n_lags,), optional
        Of the noise, in unit**2, at lags of 0, 1, 2, ... samples. White noise, of the size of that around the
        candidates, if not given.

    Returns
    -------
    Mepps
        Sorted by onset; the intervals neither overlap nor leave the segment, and each holds its peak. Two
        candidates with one peak become one row, that of the more probable. Amplitude, area and baseline
        are signed. ``anomaly`` is NaN.

    Raises
    ------
    ValueError
        If the polarity is ``AUTO``.

    Notes
    -----
    ``decay_tau_s`` is NaN where the next MEPP begins before the decay to 1/e (``overlapped``), where the
    segment ends before it, where noise leaves it open within a factor of five, and where no deflection with a
    decay of 0.1 to 100 ms can be fitted; ``missing_kinetics`` says which. In the last case the interval is
    the candidate's own, and ``rise_10_90_s`` and ``half_width_s`` are NaN too. These are also NaN where noise
    leaves them open, and ``half_width_s`` where the next onset or the end of the segment comes before the
    half.

    Examples
    --------
    A MEPP of 1 mV on a resting potential of -70 mV that begins after 20 ms, rises with 0.4 ms and decays
    with 3 ms.

    >>> from types import SimpleNamespace
    >>> from nwb_mepp.core.recording import ArraySource, Trace
    >>> since_s = np.maximum(np.arange(1000) / 10e3 - 20e-3, 0)
    >>> bump = (1 - np.exp(-since_s / 0.4e-3)) * np.exp(-since_s / 3e-3)
    >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource(bump / bump.max()), unit="V",
    ...               conversion=1e-3, offset=-70e-3, sampling_rate_hz=10e3, start_s=0.0)
    >>> found = SimpleNamespace(start=np.array([195]), peak=np.array([212]), stop=np.array([240]),
    ...                         probability=np.array([0.9]))
    >>> mepps = measure(Segment(trace=trace, start=0, stop=1000), found, polarity=Polarity.POSITIVE)
    >>> int(mepps.start_index[0]), int(mepps.peak_index[0]), round(1e3 * float(mepps.decay_tau_s[0]), 2)
    (200, 209, 3.0)
    """
    located = locate([segment], [candidates], polarity=polarity, readers=[read])
    return located.fit(autocovariance).mepps()


def locate(
    segments: Sequence[Segment],
    candidates: Sequence[Events],
    *,
    polarity: Polarity,
    readers: Sequence[Reader | None] | None = None,
) -> LocatedEvents:
    """Find the peaks of the candidates of one channel, and read the trace around them.

    Parameters
    ----------
    segments : sequence of Segment
        At least one, in order.
    candidates : sequence of Events
        One for each segment.
    polarity : Polarity
    readers : sequence of (callable or None), optional
        One for each segment, as ``read`` of :func:`measure`.

    Raises
    ------
    ValueError
        If the polarity is ``AUTO``.
    """
    rate_hz = segments[0].sampling_rate_hz
    parts, begin = [], 0
    for segment, found, read in zip(segments, candidates, readers or [None] * len(segments), strict=True):
        view = PolarizedTrace(read or segment.values, polarity.sign, rate_hz, segment.n_samples)
        rows, peak = locate_peaks(view, found)
        columns = (found.start[rows], peak, found.stop[rows], found.probability[rows])
        parts.append(_Part(segment, view, begin, *columns))
        begin += segment.n_samples + round(_APART_S * rate_hz)
    bins = Bins.around_peak(rate_hz)
    lengths = [len(part.peak) for part in parts]
    train = Train(
        peak=np.concatenate([part.peak + part.begin for part in parts]),
        low=np.repeat([part.begin for part in parts], lengths),
        high=np.repeat([part.begin + part.view.n_samples for part in parts], lengths),
        values=np.concatenate([part.binned(bins) for part in parts]),
    )
    return LocatedEvents(parts, bins, train)


@dataclass(frozen=True, eq=False)
class LocatedEvents:
    """The events of one channel with the trace around them, from :func:`locate`."""

    parts: list[_Part]
    bins: Bins
    train: Train

    def fit(self, autocovariance: FloatArray | None = None, *, roughly: bool = False) -> MeasuredEvents:
        """Fit the shapes of all events, held by what is typical of all of them.

        Parameters
        ----------
        autocovariance : ndarray, shape (n_lags,), optional
            As of :func:`measure`.
        roughly : bool, default False
            Fit once, held by what is usual: enough to subtract the events from the trace.
        """
        if not len(self.train.peak):
            return MeasuredEvents(self.parts, None)
        known = white_noise(_noise_sd(self.train, self.bins)) if autocovariance is None else autocovariance
        return MeasuredEvents(
            self.parts, fit_train(self.train, NoiseWeights(self.bins, known), roughly=roughly)
        )


@dataclass(frozen=True, eq=False)
class MeasuredEvents:
    """The events of one channel with their shapes; ``fitted`` is None without events."""

    parts: list[_Part]
    fitted: FittedEvents | None

    def mepps(self) -> Mepps:
        """Return the table, sorted by onset."""
        tables = [
            _table(part, fitted)
            for part, fitted in zip(self.parts, self._of_segment, strict=True)
            if fitted is not None
        ]
        trace = self.parts[0].segment.trace
        return Mepps.concatenate(tables) if tables else Mepps.empty(trace.channel, trace.unit)

    def curves(self, number: int, start: int, stop: int) -> FloatArray:
        """Return the sum of the fitted shapes, without level, in samples of a segment.

        Parameters
        ----------
        number : int
            Which segment.
        start, stop : int
            Samples ``start <= i < stop``, counted from the start of the segment.

        Returns
        -------
        ndarray, shape (stop - start,)
            Signed, in the unit of the trace.
        """
        fitted, part = self._of_segment[number], self.parts[number]
        if fitted is None:
            return np.zeros(stop - start)
        return part.view.sign * fitted.sum_at(part.peak, start, stop)

    @cached_property
    def _of_segment(self) -> list[FittedEvents | None]:
        """The events of each segment; None without any."""
        lengths = [len(part.peak) for part in self.parts]
        ends = np.cumsum(lengths).tolist()
        return [
            self.fitted.select(slice(end - length, end)) if self.fitted is not None and length else None
            for end, length in zip(ends, lengths, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class _Part:
    """The events of one segment; ``begin`` is where its first sample is on the clock of the train."""

    segment: Segment
    view: PolarizedTrace
    begin: int
    start: IntArray
    peak: IntArray
    stop: IntArray
    probability: FloatArray

    def binned(self, bins: Bins) -> FloatArray:
        """Return the means of the trace over the bins around each peak, shape (n_events, n_bins)."""
        first, last = bins.edges[[0, -1]].tolist()
        rows = [bins.average(self.view.values(peak + first, peak + last)) for peak in self.peak.tolist()]
        return np.array(rows).reshape(-1, bins.n_bins)


def _noise_sd(train: Train, bins: Bins) -> float:
    """Return the SD of white noise that scatters as the trace does just before the events."""
    before = (bins.center_s < -_RISE_S) & (bins.n_samples == bins.n_samples.min())
    values = train.values[:, before]
    beside = np.abs(values - np.median(values, axis=1, keepdims=True))
    sd = _NORMAL_SCALE * float(np.median(beside)) * float(np.sqrt(bins.n_samples.min()))
    return max(sd, 1e-6 * float(np.ptp(train.values)), float(np.finfo(np.float64).tiny ** 0.5))


def _table(one: _Part, fitted: FittedEvents) -> Mepps:
    segment, rate_hz, n_events = one.segment, one.view.rate_hz, len(one.peak)
    start, peak, stop, overlapped = _intervals(one, fitted)
    sizes = [
        _sizes(one, fitted, number, interval)
        for number, interval in enumerate(zip(start.tolist(), peak.tolist(), stop.tolist(), strict=True))
    ]
    amplitude, area, baseline = np.array(sizes).T
    kinetics = _kinetics(one, fitted, start=start, overlapped=overlapped)
    in_sweep = segment.start + np.stack([start, stop, peak])
    start_s, stop_s, peak_s = segment.trace.start_s + in_sweep / rate_hz
    return Mepps(
        channel=segment.trace.channel,
        unit=segment.trace.unit,
        sweep=np.full(n_events, segment.trace.sweep, dtype=np.int64),
        start_index=in_sweep[0],
        stop_index=in_sweep[1],
        peak_index=in_sweep[2],
        start_s=start_s,
        stop_s=stop_s,
        peak_s=peak_s,
        amplitude=amplitude,
        area=area,
        baseline=baseline,
        probability=one.probability,
        overlapped=overlapped,
        amplitude_se=np.where(fitted.fits, fitted.likely.height_se, np.nan),
        **kinetics,
    )


def _intervals(one: _Part, fitted: FittedEvents) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Return intervals that hold their peak and neither overlap nor leave the segment, and which are cut."""
    likely, fits, rate_hz = fitted.likely, fitted.fits, one.view.rate_hz
    at_peak_s = one.peak / rate_hz
    fall_s = _fall_times(fitted, level=np.exp(-1.0))
    ends = np.append(one.peak[1:], one.view.n_samples)
    with np.errstate(invalid="ignore"):
        onset = np.where(fits, np.round((at_peak_s + likely.onset_s) * rate_hz), one.start)
        stop = np.where(fits, np.ceil((at_peak_s + likely.onset_s + fall_s) * rate_hz), one.stop)
        peak = np.where(fits, np.round((at_peak_s + likely.peak_s) * rate_hz), one.peak)
    rows = np.stack([onset, peak, stop, ends], axis=1).astype(np.int64).tolist()
    floor, placed = 0, []
    for first, top, last, end in rows:
        inside = min(max(top, floor + 1 if floor else floor), end - 1)
        placed.append(
            (
                min(max(first, floor), max(inside - 1, floor)),
                inside,
                min(max(last, inside + 1), one.view.n_samples),
            )
        )
        floor = inside + 1
    start, peak, stop = np.array(placed, dtype=np.int64).T
    overlapped = np.append(stop[:-1] > start[1:], False)
    stop[:-1] = np.minimum(stop[:-1], start[1:])
    return start, peak, stop, overlapped


def _fall_times(fitted: FittedEvents, *, level: float) -> FloatArray:
    """Return when likely shapes fall to a fraction of their amplitude, in seconds from onset; else NaN."""
    likely = fitted.likely
    taus = (np.where(fitted.fits, tau_s, np.nan) for tau_s in (likely.tau_rise_s, likely.tau_decay_s))
    return level_times(*taus, level=level, falling=True, power=likely.power)


def _kinetics(
    one: _Part, fitted: FittedEvents, *, start: IntArray, overlapped: BoolArray
) -> dict[str, npt.NDArray[Any]]:
    """Return rise, half-width and decay, their standard errors, and why they are missing."""
    free, fits = fitted.free, fitted.fits
    # How long a MEPP is visible: from its onset to the next one or to the end of the segment.
    onset_s = one.peak / one.view.rate_hz + fitted.likely.onset_s
    visible_s = np.append(start[1:], one.view.n_samples) / one.view.rate_hz - onset_s
    reaches_half = _fall_times(fitted, level=0.5) <= visible_s
    reaches_end = _fall_times(fitted, level=np.exp(-1.0)) <= visible_s
    measured = fits & free.usable
    taus = np.where(measured, free.tau_rise_s, np.nan), np.where(measured, free.tau_decay_s, np.nan)
    covariance = free.covariance[:, 1:3, 1:3]
    slopes = (*log_slopes(*taus, power=free.power), np.array([0.0, 1.0]))
    rise_s, half_width_s = widths(*taus, power=free.power)
    found: dict[str, npt.NDArray[Any]] = {}
    visible = (np.ones(len(fits), dtype=bool), reaches_half, reaches_end)
    names = ("rise_10_90", "half_width", "decay_tau")
    for name, value, slope, seen in zip(names, (rise_s, half_width_s, taus[1]), slopes, visible, strict=True):
        gradient = np.broadcast_to(slope, (len(fits), 2))
        with np.errstate(invalid="ignore"):
            log_se = np.sqrt(np.einsum("ni,nij,nj->n", gradient, covariance, gradient))
        given = seen & (log_se < OPEN_LOG_SE)
        found[f"{name}_s"] = np.where(given, value, np.nan)
        found[f"{name}_se_s"] = np.where(given, value * log_se, np.nan)
    found["missing_kinetics"] = np.select(
        [~np.isnan(found["decay_tau_s"]), ~fits, overlapped, ~reaches_end],
        ["", "no fit", "overlapped", "at border"],
        default="noise",
    )
    return found


def _sizes(
    one: _Part, fitted: FittedEvents, number: int, interval: tuple[int, int, int]
) -> tuple[float, float, float]:
    """Return amplitude, area and baseline of one event, signed."""
    start, peak, stop = interval
    view, likely, fits = one.view, fitted.likely, bool(fitted.fits[number])
    half = view.samples(PEAK_HALF_WINDOW_S)
    first, last = min(start, peak - half), max(stop, peak + half + 1)
    level = likely.level[number]
    trace, others = view.values(first, last), fitted.sum_at(one.peak, first, last, without=number)
    if not np.isfinite(level):
        level = float(trace.min())
    at = slice(peak - half - first, peak + half + 1 - first)
    amplitude = float((trace - others)[at].mean()) - level
    if fits:
        window = np.arange(peak - half, peak + half + 1) - one.peak[number]
        own = likely.select(np.array([number])).curves(window / view.rate_hz)[0].mean()
        amplitude *= min(max(float(likely.amplitude[number] / own), 1.0), _MOST_CURVED) if own > 0 else 1.0
    area = float((trace - others - level)[start - first : stop - first].sum()) / view.rate_hz
    baseline = level + float(others[peak - first])
    return view.sign * amplitude, view.sign * area, view.sign * baseline
