"""What is fitted to each event: which samples, without the tails of earlier events, and from which level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights
from nwb_mepp.measurement.shape_fit import Shapes, Windows
from nwb_mepp.measurement.train import TAIL_DECAYS, Train, plausible

__all__ = ["LOW_QUANTILE", "RISE_S", "TrainWindows", "affected_by", "windows_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: From onset to peak, while it is unknown (s).
RISE_S = 1.2e-3
#: The level while it is unknown.
LOW_QUANTILE = 0.1

# Events whose values are in memory at a time.
_BLOCK = 4096
_FIT_DECAYS = 5.0
_MIN_FIT_S = 6e-3
_FIRST_STEP = 4  # windows begin at every 4th bin, so that many begin with the same one
_SURE_BEFORE_S = 3e-3  # before the onset, for a level that needs no help of what is known beforehand
_LEAST_BEFORE_S = 0.5e-3
_BEFORE_NEXT_ONSET_S = 0.1e-3
# No event is larger, in ranges of the trace around it. Less of one shows where tails of earlier ones fall as
# it rises; but where a tail that was fitted wrongly is subtracted, all that follows would be fitted wrongly.
_LARGEST = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainWindows:
    """What is fitted to each event of a train; the values are worked out for some events at a time.

    Attributes
    ----------
    train : Train
    tails : _Tails
        The curves of earlier events.
    first, last : ndarray of int64, shape (n_events,)
    level, level_sd : ndarray, shape (n_events,)
        As of :class:`~nwb_mepp.measurement.shape_fit.Windows`.
    """

    train: Train
    tails: _Tails
    first: IntArray
    last: IntArray
    level: FloatArray
    level_sd: FloatArray

    def select(self, rows: IntArray) -> Windows:
        """Return the windows of some events."""
        values = self.train.values.stacked(rows)
        return Windows(
            values=values - self.tails.of(rows),
            first=self.first[rows],
            last=self.last[rows],
            level=self.level[rows],
            level_sd=self.level_sd[rows],
            largest=_LARGEST * np.ptp(values, axis=1),
        )


def windows_of(train: Train, weights: NoiseWeights, shapes: Shapes) -> TrainWindows:
    """Return what is to be fitted, given what is known of the shapes so far."""
    bins, rate_hz = weights.bins, weights.bins.rate_hz
    n_events = len(train.peak)
    follows, fits = train.follows, plausible(shapes)
    onset = train.peak + np.where(fits, shapes.onset_s, -RISE_S) * rate_hz
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
    tails = _Tails(train, shapes, fits, bins)
    known, level = shapes.level.copy(), np.empty(n_events)
    for rows, values in _in_blocks(train, tails, ~np.isfinite(known)):
        known[rows] = np.quantile(values, LOW_QUANTILE, axis=1)
    level[1:] = known[:-1]
    peak_bin = int(np.searchsorted(bins.edges, 0))
    for rows, values in _in_blocks(train, tails, ~follows):
        level[rows] = _lowest_before(values, first[rows], peak_bin)
    short = onset - train.peak - bins.edges[first] < _SURE_BEFORE_S * rate_hz
    level_sd = np.where(short, weights.noise_sd * np.where(follows, 0.5, 1.0), np.inf)
    return TrainWindows(
        train=train,
        tails=tails,
        first=first,
        last=np.maximum(last, first + 1),
        level=level,
        level_sd=level_sd,
    )


def affected_by(changed: BoolArray, *, train: Train, shapes: Shapes, bins: Bins) -> BoolArray:
    """Return which windows change with some events: theirs, the ones before, and those that tails reach."""
    affected, follows = changed.copy(), train.follows
    affected[:-1] |= changed[1:] & follows[1:]
    tail = TAIL_DECAYS * np.where(plausible(shapes), shapes.tau_decay_s, 0.0) * bins.rate_hz
    faded = np.maximum.accumulate(np.where(changed, train.peak + tail, -np.inf))
    affected[1:] |= follows[1:] & (changed[:-1] | (faded[:-1] > train.peak[1:] + bins.edges[0]))
    return affected


def _in_blocks(train: Train, tails: _Tails, wanted: BoolArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield the numbers of the events that are wanted, and their values, some at a time."""
    rows = np.flatnonzero(wanted)
    for begin in range(0, len(rows), _BLOCK):
        some = rows[begin : begin + _BLOCK]
        yield some, _without_tails(train, tails, some)


def _without_tails(train: Train, tails: _Tails, rows: IntArray) -> FloatArray:
    return np.asarray(train.values.stacked(rows) - tails.of(rows))


def _lowest_before(values: FloatArray, first: IntArray, peak_bin: int) -> FloatArray:
    """Return the lowest value from the first bin of each window to the peak."""
    number = np.arange(values.shape[1])
    inside = (number >= first[:, None]) & (number <= np.maximum(peak_bin, first)[:, None])
    return np.asarray(np.where(inside, values, np.inf).min(axis=1))


class _Tails:
    """The curves of earlier events in the bins of each event."""

    def __init__(self, train: Train, shapes: Shapes, fits: BoolArray, bins: Bins) -> None:
        self._peak, self._shapes, self._bins = train.peak, shapes, bins
        # How many events before, and which events are reached from there.
        self._reached: list[tuple[int, BoolArray]] = []
        faded = train.peak + np.where(fits, TAIL_DECAYS * shapes.tau_decay_s * bins.rate_hz, 0.0)
        begin = train.peak + bins.edges[0]
        for lag in range(1, len(train.peak)):
            same = (train.low[lag:] == train.low[:-lag]) & (faded[:-lag] > begin[lag:])
            if same.any():
                self._reached.append((lag, np.concatenate([np.zeros(lag, dtype=bool), same])))
            # An early event that is slower than those after it may still matter, but not at many lags.
            elif lag > 3 and np.max(faded[:-lag] - begin[lag:]) < 0:
                break

    def of(self, rows: IntArray) -> FloatArray:
        """Return their sum for some events, shape (n_rows, n_bins)."""
        total = np.zeros((len(rows), self._bins.n_bins))
        for lag, reached in self._reached:
            later = np.flatnonzero(reached[rows])
            if not len(later):
                continue
            earlier = rows[later] - lag
            distance_s = (self._peak[rows[later]] - self._peak[earlier]) / self._bins.rate_hz
            total[later] += self._shapes.select(earlier).curves(self._bins.center_s + distance_s[:, None])
        return total
