"""Where the events of a channel are, and the shapes that were fitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.spool import Spool
from nwb_mepp.measurement.shape_fit import Prior, Shapes
from nwb_mepp.measurement.waveform import time_to_peak

__all__ = ["TAIL_DECAYS", "FittedEvents", "Train", "isolated_events", "plausible"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: After this many decay constants, an event no longer affects later ones: 0.03 % of it is left.
TAIL_DECAYS = 8.0
_FAR_S = 0.4
# Events whose values are in memory at a time.
_BLOCK = 4096
_RISE_S = 1.2e-3


@dataclass(frozen=True, eq=False)
class Train:
    """Where the events of one or more segments are; arrays of shape (n_events,), sorted by peak.

    Attributes
    ----------
    peak, low, high : ndarray of int64
        Sample of the peak; first sample of the segment, and the one after its last; counted on a clock on
        which segments are far apart.
    values : Spool
        Means over the bins around each peak, a row of shape (n_bins,) for each; events point upward.
    held : ndarray of bool
        Whether the shape was found together with that of the next event, and is not fitted again.
    """

    peak: IntArray
    low: IntArray
    high: IntArray
    values: Spool
    held: BoolArray

    def in_blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield which events, and their values of shape (n_some, n_bins), some at a time."""
        for first in range(0, len(self.peak), _BLOCK):
            rows = slice(first, min(first + _BLOCK, len(self.peak)))
            yield rows, self.values.stacked(np.arange(rows.start, rows.stop))

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
    rate_hz : float
    population : Prior
        The time constants of the recording.
    unresolved : ndarray of bool, shape (n_events,)
        Which may be two events.
    """

    likely: Shapes
    free: Shapes
    fits: BoolArray
    rate_hz: float
    population: Prior
    unresolved: BoolArray

    def select(self, rows: slice) -> FittedEvents:
        """Return some of the events."""
        return replace(
            self,
            likely=self.likely.select(rows),
            free=self.free.select(rows),
            fits=self.fits[rows],
            unresolved=self.unresolved[rows],
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
        faded_s = likely.peak_s + TAIL_DECAYS * likely.tau_decay_s
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


def plausible(shapes: Shapes) -> BoolArray:
    """Return whether shapes are those of a MEPP whose peak is where it was seen."""
    beyond = np.maximum(np.maximum(1.5e-3, shapes.peak_s - shapes.onset_s), 0.3 * shapes.tau_decay_s)
    return np.asarray(shapes.usable & (np.abs(shapes.peak_s) <= beyond))


def isolated_events(train: Train, shapes: Shapes, *, rate_hz: float) -> BoolArray:
    """Return which events reach 1/e before the next one, and begin after the one before has decayed."""
    decay = np.nan_to_num(shapes.tau_decay_s, nan=3e-3) * rate_hz
    fallen = np.nan_to_num(shapes.peak_s) * rate_hz + 1.5 * decay + train.peak
    follows = train.follows
    alone = fallen < train.high
    alone[:-1] &= ~follows[1:] | (fallen[:-1] < train.peak[1:] - _RISE_S * rate_hz)
    alone[1:] &= ~follows[1:] | (train.peak[:-1] + 3.0 * decay[:-1] < train.peak[1:])
    return np.asarray(alone)
