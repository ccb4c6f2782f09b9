"""The events of a channel, fitted together: each to the trace without the tails of earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights
from nwb_mepp.measurement.population import describe_population
from nwb_mepp.measurement.shape_fit import Prior, Shapes, Windows, fit_shapes
from nwb_mepp.measurement.waveform import POWERS, time_to_peak, unit_curve

__all__ = ["OPEN_LOG_SE", "FittedEvents", "Train", "fit_train"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Typical of end-plate potentials and synaptic currents, with a spread that samples outweigh wherever they are
# informative.
_USUAL = Prior(log_mean=(np.log(0.4e-3), np.log(3.0e-3)), log_sd=(0.7, 0.7))
# What stands for the population of a recording is not narrower or wider than populations are.
_LOG_SD_LIMITS = (0.1, 0.7)
_MIN_CLEAR = 5
#: A time constant whose logarithm has a larger standard error is open within a factor of five.
OPEN_LOG_SE = 0.8
_MAX_JUDGING_POWER = 400

_FIT_DECAYS = 5.0
_MIN_FIT_S = 6e-3
_MIN_BINS = 6
_FIRST_STEP = 4  # windows begin at every 4th bin, so that many begin with the same one
_SURE_BEFORE_S = 3e-3  # before the onset, for a level that needs no help of what is known beforehand
_LEAST_BEFORE_S = 0.5e-3
_BEFORE_NEXT_ONSET_S = 0.1e-3
_RISE_S = 1.2e-3  # from onset to peak, while it is unknown
# After this many decay constants, an event no longer affects later ones: 0.03 % of it is left.
_TAIL_DECAYS = 8.0
_FAR_S = 0.4
_LOW_QUANTILE = 0.1

# Starting points: onsets (s) from that which puts the peak where it was seen, rise and decay constants (s).
_START_SHIFTS_S = np.arange(-0.6e-3, 0.61e-3, 0.2e-3)
_START_RISES_S = np.array([0.1e-3, 0.2e-3, 0.4e-3, 0.8e-3, 1.6e-3])
_START_DECAYS_S = np.array([0.7e-3, 1.2e-3, 2e-3, 3.5e-3, 6e-3, 10e-3, 18e-3])


@dataclass(frozen=True, eq=False)
class Train:
    """Where the events of one or more segments are; arrays of shape (n_events,), sorted by peak.

    Attributes
    ----------
    peak, low, high : ndarray of int64
        Sample of the peak; first sample of the segment, and the one after its last; counted on a clock on
        which segments are far apart.
    values : ndarray, shape (n_events, n_bins)
        Means over the bins around each peak; events point upward.
    """

    peak: IntArray
    low: IntArray
    high: IntArray
    values: FloatArray

    @property
    def follows(self) -> BoolArray:
        """Whether the event before is in the same segment."""
        same = np.zeros(len(self.peak), dtype=bool)
        same[1:] = self.low[1:] == self.low[:-1]
        return same


@dataclass(frozen=True, eq=False)
class FittedEvents:
    """Shapes of events.

    Attributes
    ----------
    likely : Shapes
        As they most likely are, given those of the recording: decides on borders and tails.
    free : Shapes
        As their own samples alone say.
    fits : ndarray of bool, shape (n_events,)
        Whether there is a likely shape.
    """

    likely: Shapes
    free: Shapes
    fits: BoolArray
    rate_hz: float

    def select(self, rows: slice) -> FittedEvents:
        """Return some of the events."""
        return replace(
            self, likely=self.likely.select(rows), free=self.free.select(rows), fits=self.fits[rows]
        )

    def sum_at(self, peak: IntArray, start: int, stop: int, *, without: int = -1) -> FloatArray:
        """Return the sum of the likely curves of the events of a segment.

        Parameters
        ----------
        peak : ndarray of int64, shape (n_events,)
            Samples of the peaks.
        start, stop : int
            Samples ``start <= i < stop``.
        without : int, optional
            An event that is left out.

        Returns
        -------
        ndarray, shape (stop - start,)
        """
        total = np.zeros(stop - start)
        reach = round(_FAR_S * self.rate_hz)
        near = slice(*np.searchsorted(peak, [start - reach, stop + reach]))
        begins, ends = peak[near] + self._extent[0][near], peak[near] + self._extent[1][near]
        for number in (np.flatnonzero((begins < stop) & (ends > start)) + (near.start or 0)).tolist():
            if number == without:
                continue
            onset_s, rise_s, decay_s, scale = self._parameters[number].tolist()
            first = max(int(peak[number]) + int(self._extent[0][number]), start)
            last = min(int(peak[number]) + int(self._extent[1][number]), stop)
            since_s = np.arange(first - peak[number], last - peak[number]) / self.rate_hz - onset_s
            risen = 1.0 - np.exp(since_s * (-1.0 / rise_s))
            total[first - start : last - start] += (
                scale * risen**self.likely.power * np.exp(since_s * (-1.0 / decay_s))
            )
        return total

    @cached_property
    def _extent(self) -> tuple[IntArray, IntArray]:
        """Samples of the onsets, and of when nothing is left, counted from the peaks; empty without a fit."""
        likely = self.likely
        faded_s = likely.peak_s + _TAIL_DECAYS * likely.tau_decay_s
        begin, end = (
            np.where(self.fits, np.ceil(time_s * self.rate_hz), 0.0) for time_s in (likely.onset_s, faded_s)
        )
        return begin.astype(np.int64), end.astype(np.int64)

    @cached_property
    def _parameters(self) -> FloatArray:
        """Onset, rise, decay, and what scales the curve to its amplitude."""
        likely = self.likely
        taus = likely.tau_rise_s, likely.tau_decay_s
        peak_s = time_to_peak(*taus, power=likely.power)
        height = (-np.expm1(-peak_s / taus[0])) ** likely.power * np.exp(-peak_s / taus[1])
        return np.stack([likely.onset_s, *taus, likely.amplitude / height], axis=1)


def fit_train(train: Train, weights: NoiseWeights, *, roughly: bool = False) -> FittedEvents:
    """Fit all events of a train; roughly, with the first step only, whose shapes then stand for both.

    Notes
    -----
    1. A search over a grid gives starting points; the fits from there are held by what is usual.
    2. The clear events decide with which ``power`` the rise of this recording begins.
    3. Fits that nothing holds give the population of time constants of the recording.
    4. Fits held by this population give the likely shapes, whose tails are subtracted from later events.
    5. Fits that nothing holds, from there, give the estimates of each event.
    """
    likely = _first_shapes(train, weights)
    likely = fit_shapes(windows_of(train, weights, likely), weights, start=likely, prior=_USUAL)
    if roughly:
        return FittedEvents(likely, likely, _plausible(likely), weights.bins.rate_hz)
    likely = _with_best_power(train, weights, likely)
    windows = windows_of(train, weights, likely)
    free = fit_shapes(windows, weights, start=_patched(likely), prior=None)
    population = _population(train, free, rate_hz=weights.bins.rate_hz)
    for _ in range(2):
        likely = fit_shapes(windows, weights, start=_patched(likely), prior=population)
        windows = windows_of(train, weights, likely)
    free = fit_shapes(windows, weights, start=_patched(likely), prior=None)
    return FittedEvents(likely, free, _plausible(likely), weights.bins.rate_hz)


def windows_of(train: Train, weights: NoiseWeights, shapes: Shapes) -> Windows:
    """Return what is to be fitted, given what is known of the shapes so far."""
    bins, rate_hz = weights.bins, weights.bins.rate_hz
    n_events = len(train.peak)
    follows, fits = train.follows, _plausible(shapes)
    onset = train.peak + np.where(fits, shapes.onset_s, -_RISE_S) * rate_hz
    decay = np.where(fits, shapes.tau_decay_s, 3e-3) * rate_hz
    earliest = train.low.astype(np.float64)
    settled = train.peak + np.maximum(decay, _LEAST_BEFORE_S * rate_hz)
    latest = onset - _LEAST_BEFORE_S * rate_hz
    before = np.maximum(np.minimum(settled[:-1], latest[1:]), train.peak[:-1])
    earliest[1:] = np.where(follows[1:], np.maximum(earliest[1:], before), earliest[1:])
    first = np.searchsorted(bins.edges, np.ceil(earliest - train.peak))
    shown = np.searchsorted(bins.edges, latest - train.peak, side="right") - 1
    rounded = -(-first // _FIRST_STEP) * _FIRST_STEP
    first = np.where(rounded <= shown, rounded, first)
    end = np.minimum(train.high, train.peak + np.maximum(_FIT_DECAYS * decay, _MIN_FIT_S * rate_hz))
    next_onset = np.maximum(onset[1:] - _BEFORE_NEXT_ONSET_S * rate_hz, train.peak[:-1] + 1)
    end[:-1] = np.where(follows[1:], np.minimum(end[:-1], next_onset), end[:-1])
    last = np.searchsorted(bins.edges, end - train.peak, side="right") - 1
    values = train.values - _tails(train, shapes, fits, bins)
    level, level_sd = np.empty(n_events), np.full(n_events, np.inf)
    known = np.where(np.isfinite(shapes.level), shapes.level, np.quantile(values, _LOW_QUANTILE, axis=1))
    previous = np.concatenate([known[:1], known[:-1]])
    lowest = _lowest_before(values, first, int(np.searchsorted(bins.edges, 0)))
    level = np.where(follows, previous, lowest)
    short = onset - train.peak - bins.edges[first] < _SURE_BEFORE_S * rate_hz
    level_sd = np.where(short, weights.noise_sd * np.where(follows, 0.5, 1.0), np.inf)
    return Windows(
        values=values, first=first, last=np.maximum(last, first + 1), level=level, level_sd=level_sd
    )


def _lowest_before(values: FloatArray, first: IntArray, peak_bin: int) -> FloatArray:
    """Return the lowest value from the first bin of each window to the peak."""
    number = np.arange(values.shape[1])
    inside = (number >= first[:, None]) & (number <= np.maximum(peak_bin, first)[:, None])
    return np.asarray(np.where(inside, values, np.inf).min(axis=1))


def _tails(train: Train, shapes: Shapes, fits: BoolArray, bins: Bins) -> FloatArray:
    """Return the curves of earlier events in the bins of each event."""
    total = np.zeros_like(train.values)
    rate_hz = bins.rate_hz
    faded = train.peak + np.where(fits, _TAIL_DECAYS * shapes.tau_decay_s * rate_hz, 0.0)
    begin = train.peak + bins.edges[0]
    for lag in range(1, len(train.peak)):
        same = (train.low[lag:] == train.low[:-lag]) & (faded[:-lag] > begin[lag:])
        if not same.any():
            # An early event that is slower than those after it may still matter, but not at many lags.
            if lag > 3 and np.max(faded[:-lag] - begin[lag:]) < 0:
                break
            continue
        later = np.flatnonzero(same) + lag
        distance_s = (train.peak[later] - train.peak[later - lag]) / rate_hz
        earlier = shapes.select(later - lag)
        total[later] += earlier.curves(bins.center_s + distance_s[:, None])
    return total


def _first_shapes(train: Train, weights: NoiseWeights, *, power: int = 2) -> Shapes:
    """Return the best of a grid of shapes for each event."""
    blank = Shapes.blank(len(train.peak), power=power)
    # Crude shapes of the usual kind stand for the tails of earlier events.
    level = np.quantile(train.values, _LOW_QUANTILE, axis=1) + 0.5 * weights.noise_sd
    at_peak = train.values[:, np.searchsorted(weights.bins.edges, 0)] - level
    rise_s, decay_s = np.exp(_USUAL.log_mean)
    crude = replace(
        blank,
        onset_s=np.full(len(blank), -_RISE_S),
        tau_rise_s=np.full(len(blank), rise_s),
        tau_decay_s=np.full(len(blank), decay_s),
        amplitude=np.maximum(at_peak, 0.0),
        level=level,
    )
    windows = windows_of(train, weights, crude)
    grid = np.stack(
        [
            axis.ravel()
            for axis in np.meshgrid(_START_RISES_S, _START_DECAYS_S, _START_SHIFTS_S, indexing="ij")
        ]
    )
    onset_s = grid[2] - grid[0] * np.log1p(power * grid[1] / grid[0])
    beside = np.log(grid[:2]).T - np.array(_USUAL.log_mean)
    penalty = np.sum((beside / np.array(_USUAL.log_sd)) ** 2, axis=1)
    for first in np.unique(windows.first):
        rows = np.flatnonzero(windows.first == first)
        time_s = weights.bins.center_s[first:]
        curves = unit_curve(time_s - onset_s[:, None], grid[0][:, None], grid[1][:, None], power=power)
        best = _best_of(curves, penalty, windows.select(rows), weights)
        crude.onset_s[rows], crude.tau_rise_s[rows], crude.tau_decay_s[rows] = (
            onset_s[best],
            grid[0][best],
            grid[1][best],
        )
    return crude


def _best_of(curves: FloatArray, penalty: FloatArray, windows: Windows, weights: NoiseWeights) -> IntArray:
    """Return which of the curves explains each window best, each with the best amplitude and level."""
    first = int(windows.first[0])
    whitener = weights.whitener(first)
    used = (np.arange(first, weights.bins.n_bins) < windows.last[:, None]).astype(np.float64)
    center = np.where(np.isfinite(windows.level), windows.level, windows.values[:, -1])
    values = (windows.values[:, first:] - center[:, None]) @ whitener.T * used
    templates, ones = curves @ whitener.T, whitener.sum(axis=1)
    of_level = used @ ones**2 + windows.level_sd**-2.0
    level = (values @ ones) / of_level
    both = used @ (templates * ones).T
    power = used @ (templates**2).T - both**2 / of_level[:, None]
    product = values @ templates.T - level[:, None] * both
    gain = np.maximum(product, 0.0) ** 2 / np.maximum(power, 1e-300)
    return np.asarray(np.argmax(gain - penalty, axis=1))


def _patched(shapes: Shapes) -> Shapes:
    """Return starting points, usual ones where there is no shape."""
    lost = ~_plausible(shapes)
    rise_s, decay_s = np.exp(_USUAL.log_mean)
    return replace(
        shapes,
        onset_s=np.where(lost, -_RISE_S, shapes.onset_s),
        tau_rise_s=np.where(lost, rise_s, shapes.tau_rise_s),
        tau_decay_s=np.where(lost, decay_s, shapes.tau_decay_s),
    )


def _plausible(shapes: Shapes) -> BoolArray:
    """Return whether shapes are those of a MEPP whose peak is where it was seen."""
    beyond = np.maximum(np.maximum(1.5e-3, shapes.peak_s - shapes.onset_s), 0.3 * shapes.tau_decay_s)
    return np.asarray(shapes.usable & (np.abs(shapes.peak_s) <= beyond))


def _with_best_power(train: Train, weights: NoiseWeights, shapes: Shapes) -> Shapes:
    """Return the shapes fitted with the power that explains the clear events of the recording best."""
    isolated = isolated_events(train, shapes, rate_hz=weights.bins.rate_hz)
    rows = np.flatnonzero(isolated & _plausible(shapes))
    if not len(rows):
        return _refitted(train, weights, shapes, power=1)
    rows = rows[np.argsort(-shapes.amplitude[rows], kind="stable")[:_MAX_JUDGING_POWER]]
    windows, start = windows_of(train, weights, shapes).select(rows), shapes.select(rows)
    misfit = [
        float(fit_shapes(windows, weights, start=replace(start, power=power), prior=_USUAL).chi_square.sum())
        for power in POWERS
    ]
    return _refitted(train, weights, shapes, power=POWERS[int(np.argmin(misfit))])


def _refitted(train: Train, weights: NoiseWeights, shapes: Shapes, *, power: int) -> Shapes:
    if power == shapes.power:
        return shapes
    windows = windows_of(train, weights, shapes)
    return fit_shapes(windows, weights, start=replace(_patched(shapes), power=power), prior=_USUAL)


def isolated_events(train: Train, shapes: Shapes, *, rate_hz: float) -> BoolArray:
    """Return which events reach 1/e before the next one, and begin after the one before has decayed."""
    decay = np.nan_to_num(shapes.tau_decay_s, nan=3e-3) * rate_hz
    fallen = np.nan_to_num(shapes.peak_s) * rate_hz + 1.5 * decay + train.peak
    follows = train.follows
    alone = fallen < train.high
    alone[:-1] &= ~follows[1:] | (fallen[:-1] < train.peak[1:] - _RISE_S * rate_hz)
    alone[1:] &= ~follows[1:] | (train.peak[:-1] + 3.0 * decay[:-1] < train.peak[1:])
    return np.asarray(alone)


def _population(train: Train, free: Shapes, *, rate_hz: float) -> Prior:
    """Return what isolated events say of the time constants of a recording; what is usual if they are few."""
    rows = isolated_events(train, free, rate_hz=rate_hz) & _plausible(free)
    means, sds = [], []
    for number, taus in enumerate((free.tau_rise_s, free.tau_decay_s)):
        error = np.sqrt(free.covariance[:, number + 1, number + 1])
        clear = rows & (error < OPEN_LOG_SE)
        if clear.sum() < _MIN_CLEAR:
            return _USUAL
        described = describe_population(np.log(taus[clear]), error[clear])
        means.append(described.mean)
        sds.append(float(np.clip(described.sd, *_LOG_SD_LIMITS)))
    return Prior(log_mean=(means[0], means[1]), log_sd=(sds[0], sds[1]))
