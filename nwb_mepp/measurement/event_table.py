"""The table of the MEPPs of a segment: what is read from fitted shapes, and what from samples."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.event_fits import OPEN_LOG_SE
from nwb_mepp.measurement.noise_weights import Bins
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S, PolarizedTrace
from nwb_mepp.measurement.shape_fit import Shapes
from nwb_mepp.measurement.train import FittedEvents
from nwb_mepp.measurement.waveform import level_times, log_slopes, widths

__all__ = ["Part", "ShapeTimes", "table_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# The factor from the mean around the peak to the peak of the fitted shape: more would be that of a spike.
_MOST_CURVED = 1.3
# Events whose shapes are worked out at a time.
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Part:
    """The events of one segment; ``begin`` is where its first sample is on the clock of the train."""

    segment: Segment
    view: PolarizedTrace
    begin: int
    start: IntArray
    peak: IntArray
    stop: IntArray
    probability: FloatArray
    held: BoolArray

    def binned(self, peak: int, bins: Bins) -> FloatArray:
        """Return the means of the trace over the bins around a peak, shape (n_bins,)."""
        first, last = bins.edges[[0, -1]].tolist()
        return bins.average(self.view.values(peak + first, peak + last))


@dataclass(frozen=True, eq=False)
class ShapeTimes:
    """How long shapes take; arrays of shape (n_events,), NaN without a shape.

    Worked out for the events of all segments at once: for those of each, it would take longer than fits do.

    Attributes
    ----------
    falls_to_half_s, falls_to_end_s : ndarray
        From onset until likely shapes fall to half and to 1/e of their amplitude.
    rise_s, half_width_s, decay_s : ndarray
        Of free shapes.
    slopes : ndarray, shape (n_events, 3, 2)
        By what fraction rise, half-width and decay grow with the logarithms of the time constants.
    """

    falls_to_half_s: FloatArray
    falls_to_end_s: FloatArray
    rise_s: FloatArray
    half_width_s: FloatArray
    decay_s: FloatArray
    slopes: FloatArray

    @classmethod
    def of(cls, fitted: FittedEvents) -> ShapeTimes:
        """Work out the times of the shapes of events."""
        likely, free = fitted.likely, fitted.free
        half_s, end_s = (
            level_times(*_taus(likely, fitted.fits), level=level, falling=True, power=likely.power)
            for level in (0.5, np.exp(-1.0))
        )
        taus = _taus(free, fitted.fits & free.usable)
        of_decay = np.tile([0.0, 1.0], (len(free), 1))
        slopes = np.stack([*log_slopes(*taus, power=free.power), of_decay], axis=1)
        rise_s, half_width_s = widths(*taus, power=free.power)
        return cls(half_s, end_s, rise_s, half_width_s, taus[1], slopes)

    def select(self, rows: slice) -> ShapeTimes:
        """Return those of some of the events."""
        return ShapeTimes(*(getattr(self, one.name)[rows] for one in fields(self)))


def _taus(shapes: Shapes, are_known: BoolArray) -> tuple[FloatArray, FloatArray]:
    rise_s, decay_s = (
        np.where(are_known, tau_s, np.nan) for tau_s in (shapes.tau_rise_s, shapes.tau_decay_s)
    )
    return rise_s, decay_s


def table_of(one: Part, fitted: FittedEvents, times: ShapeTimes) -> Mepps:
    """Return the table of the events of one segment."""
    segment, rate_hz, n_events = one.segment, one.view.rate_hz, len(one.peak)
    start, peak, stop, overlapped = _intervals(one, fitted, times)
    sizes, higher = np.empty((n_events, 3)), _higher_at_peak(one, fitted, peak)
    for number in range(n_events):
        interval = (int(start[number]), int(peak[number]), int(stop[number]))
        sizes[number] = _sizes(one, fitted, number, interval, higher=float(higher[number]))
    amplitude, area, baseline = sizes.T
    kinetics = _kinetics(one, fitted, times, start=start, overlapped=overlapped)
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
        unresolved=fitted.unresolved,
        amplitude_se=np.where(fitted.fits, fitted.likely.height_se, np.nan),
        **kinetics,
    )


def _intervals(
    one: Part, fitted: FittedEvents, times: ShapeTimes
) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Return intervals that hold their peak and neither overlap nor leave the segment, and which are cut."""
    likely, fits, rate_hz = fitted.likely, fitted.fits, one.view.rate_hz
    at_peak_s = one.peak / rate_hz
    ends = np.append(one.peak[1:], one.view.n_samples)
    with np.errstate(invalid="ignore"):
        onset = np.where(fits, np.round((at_peak_s + likely.onset_s) * rate_hz), one.start)
        stop = np.where(
            fits, np.ceil((at_peak_s + likely.onset_s + times.falls_to_end_s) * rate_hz), one.stop
        )
        peak = np.where(fits, np.round((at_peak_s + likely.peak_s) * rate_hz), one.peak)
    floor, placed = 0, np.stack([onset, peak, stop, ends], axis=1).astype(np.int64)
    for row in placed:
        first, top, last, end = row.tolist()
        inside = min(max(top, floor + 1 if floor else floor), end - 1)
        begin = min(max(first, floor), max(inside - 1, floor))
        row[:3] = begin, inside, min(max(last, inside + 1), one.view.n_samples)
        floor = inside + 1
    start, peak, stop, _ = placed.T
    overlapped = np.append(stop[:-1] > start[1:], False)
    stop[:-1] = np.minimum(stop[:-1], start[1:])
    return start, peak, stop, overlapped


def _kinetics(
    one: Part, fitted: FittedEvents, times: ShapeTimes, *, start: IntArray, overlapped: BoolArray
) -> dict[str, npt.NDArray[Any]]:
    """Return rise, half-width and decay, their standard errors, and why they are missing."""
    free, fits = fitted.free, fitted.fits
    # How long a MEPP is visible: from its onset to the next one or to the end of the segment.
    onset_s = one.peak / one.view.rate_hz + fitted.likely.onset_s
    visible_s = np.append(start[1:], one.view.n_samples) / one.view.rate_hz - onset_s
    reaches_half, reaches_end = times.falls_to_half_s <= visible_s, times.falls_to_end_s <= visible_s
    # Einsum takes the order of its sums, which decides on their last digits, from how arrays lie in memory.
    covariance = np.empty((len(fits), 2, 5))[:, :, 1:3]
    covariance[:] = free.covariance
    found: dict[str, npt.NDArray[Any]] = {}
    visible = (np.ones(len(fits), dtype=bool), reaches_half, reaches_end)
    values = (times.rise_s, times.half_width_s, times.decay_s)
    names = ("rise_10_90", "half_width", "decay_tau")
    for name, value, gradient, seen in zip(
        names, values, times.slopes.transpose(1, 0, 2), visible, strict=True
    ):
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


def _higher_at_peak(one: Part, fitted: FittedEvents, peak: IntArray) -> FloatArray:
    """Return by which factor shapes are higher at their peaks than in the mean around, shape (n_events,)."""
    half = one.view.samples(PEAK_HALF_WINDOW_S)
    around = np.arange(-half, half + 1)
    higher = np.ones(len(peak))
    for first in range(0, len(peak), _BLOCK):
        some = slice(first, first + _BLOCK)
        likely = fitted.likely.select(some)
        beside_s = ((peak[some] - one.peak[some])[:, None] + around) / one.view.rate_hz
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = likely.curves(beside_s).mean(axis=1)
            factor = np.clip(likely.amplitude / mean, 1.0, _MOST_CURVED)
        higher[some] = np.where(fitted.fits[some] & (mean > 0.0), factor, 1.0)
    return higher


def _sizes(
    one: Part, fitted: FittedEvents, number: int, interval: tuple[int, int, int], *, higher: float
) -> tuple[float, float, float]:
    """Return amplitude, area and baseline of one event, signed."""
    start, peak, stop = interval
    view = one.view
    half = view.samples(PEAK_HALF_WINDOW_S)
    first, last = min(start, peak - half), max(stop, peak + half + 1)
    level = fitted.likely.level[number]
    trace, others = view.values(first, last), fitted.sum_at(one.peak, first, last, without=number)
    if not np.isfinite(level):
        level = float(trace.min())
    at = slice(peak - half - first, peak + half + 1 - first)
    amplitude = (float((trace - others)[at].mean()) - level) * higher
    area = float((trace - others - level)[start - first : stop - first].sum()) / view.rate_hz
    baseline = level + float(others[peak - first])
    return view.sign * amplitude, view.sign * area, view.sign * baseline
