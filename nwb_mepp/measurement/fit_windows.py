"""What is fitted to each event: which samples, without the tails of earlier events, and from which level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights
from nwb_mepp.measurement.shape_fit import Shapes, Windows
from nwb_mepp.measurement.train import TAIL_DECAYS, Train, plausible

__all__ = ["LOW_QUANTILE", "RISE_S", "windows_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: From onset to peak, while it is unknown (s).
RISE_S = 1.2e-3
#: The level while it is unknown.
LOW_QUANTILE = 0.1

_FIT_DECAYS = 5.0
_MIN_FIT_S = 6e-3
_FIRST_STEP = 4  # windows begin at every 4th bin, so that many begin with the same one
_SURE_BEFORE_S = 3e-3  # before the onset, for a level that needs no help of what is known beforehand
_LEAST_BEFORE_S = 0.5e-3
_BEFORE_NEXT_ONSET_S = 0.1e-3


def windows_of(train: Train, weights: NoiseWeights, shapes: Shapes) -> Windows:
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
    values = train.values - _tails(train, shapes, fits, bins)
    level, level_sd = np.empty(n_events), np.full(n_events, np.inf)
    known = np.where(np.isfinite(shapes.level), shapes.level, np.quantile(values, LOW_QUANTILE, axis=1))
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
    faded = train.peak + np.where(fits, TAIL_DECAYS * shapes.tau_decay_s * rate_hz, 0.0)
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
