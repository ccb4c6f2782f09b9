"""Two MEPPs in one deflection: whether two typical shapes explain it better than one of its own.

One shape of free time constants is compared with two of the time constants that are typical of the recording.
Both are judged by the squares of whitened residuals plus what each assumes: that one MEPP has time constants
so far from the typical ones; that a second MEPP happens to begin within a few milliseconds, which is the less
likely the lower the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S
from nwb_mepp.measurement.shape_fit import ManyWindows, Prior, Shapes, Windows
from nwb_mepp.measurement.train import FittedEvents, Train
from nwb_mepp.measurement.waveform import time_to_peak, unit_curve

__all__ = ["Pairs", "find_pairs", "separable", "split_events"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Onsets from the peak that was seen, and how far apart the two may be.
_STEP_S = 0.15e-3
_ONSETS_S = np.arange(-6e-3, 3.01e-3, _STEP_S)
_GAPS_S = (0.6e-3, 5e-3)
# When the first of the two begins, from the onset of the one shape, which may be that of the second.
_NEAR_ONSET_S = (-4.0e-3, 1.0e-3)
_SEEN_S = 0.4e-3  # of the second, and before the first, as much is in the window
_DISTINCT = 1e-4
_SMALLEST_SHARE = 0.2  # of the larger of the two amplitudes
# A second MEPP costs this much chi-square, besides what its coincidence does, to be told apart; less, to be
# suspected.
_TELL_APART = 10.0
_SUSPECT = 0.0
_BLOCK = 256
# Between two peaks, so that the means around them do not overlap.
_ROOM_S = 2.2 * PEAK_HALF_WINDOW_S


@dataclass(frozen=True, eq=False)
class Pairs:
    """The best two shapes for each event; arrays of shape (n_events,).

    Attributes
    ----------
    onset_s, amplitude : ndarray, shape (n_events, 2)
        Onsets counted from the peak.
    gain : ndarray
        By how much chi-square is less than for one shape, what either assumes included.
    apart, suspected : ndarray of bool
        Whether the two are told apart; whether there may be two.
    """

    onset_s: FloatArray
    amplitude: FloatArray
    gain: FloatArray
    apart: BoolArray
    suspected: BoolArray

    @classmethod
    def nothing(cls, n_events: int) -> Pairs:
        """Return that no second MEPP is known anywhere."""
        nowhere, no = np.full((n_events, 2), np.nan), np.zeros(n_events, dtype=bool)
        return cls(nowhere, nowhere, np.full(n_events, -np.inf), no, no)

    def select(self, rows: IntArray) -> Pairs:
        """Return the pairs of some events."""
        return Pairs(*(getattr(self, one.name)[rows] for one in fields(self)))


def find_pairs(
    windows: ManyWindows,
    weights: NoiseWeights,
    *,
    shapes: Shapes,
    fits: BoolArray,
    typical: Prior,
    rate_hz: float,
    known: Pairs | None = None,
) -> Pairs:
    """Fit two typical shapes to each deflection.

    Parameters
    ----------
    windows : ManyWindows
    weights : NoiseWeights
    shapes : Shapes
        The fits of one shape, held by ``typical``.
    fits : ndarray of bool, shape (n_events,)
        Which of them are to be looked at.
    typical : Prior
    rate_hz : float
        How frequent MEPPs are.
    known : Pairs, optional
        Of the events that are not to be looked at, from before; nothing if not given.
    """
    n_events = len(shapes)
    old = Pairs.nothing(n_events) if known is None else known
    onset_s, amplitude = old.onset_s.copy(), old.amplitude.copy()
    gain = np.where(fits, -np.inf, old.gain)
    for first in np.unique(windows.first[fits]):
        group = np.flatnonzero((windows.first == first) & fits)
        # Those with like onsets together: fewer pairs are possible for any of them.
        group = group[np.argsort(shapes.onset_s[group], kind="stable")]
        for begin in range(0, len(group), _BLOCK):
            rows = group[begin : begin + _BLOCK]
            found = _best_two(windows.select(rows), weights, shapes.onset_s[rows], typical, shapes.power)
            onset_s[rows], amplitude[rows] = found[0], found[1]
            gain[rows] = shapes.cost[rows] - found[2]
    expected = max(rate_hz * (_GAPS_S[1] - _GAPS_S[0]), 1e-9)
    surprise = -2.0 * np.log(min(expected, 1.0))
    energy = np.where(np.isfinite(gain), shapes.energy, 0.0)
    # What the typical shape differs from the real one by looks like a second event, in all events alike.
    plain = gain[np.isfinite(gain)] / np.maximum(energy[np.isfinite(gain)], 1e-300)
    misfit = max(float(np.median(plain)), 0.0) * energy if len(plain) else energy
    above = gain - 3.0 * misfit - surprise
    return Pairs(onset_s, amplitude, gain, above > _TELL_APART, above > _SUSPECT)


def separable(train: Train, fitted: FittedEvents, pairs: Pairs, *, rate_hz: float) -> BoolArray:
    """Return which pairs are told apart and leave their neighbors the room that a peak needs."""
    with np.errstate(invalid="ignore"):
        peak = train.peak[:, None] + (pairs.onset_s + _to_peak_s(fitted)) * rate_hz
    room = _ROOM_S * rate_hz
    same = train.low[1:] == train.low[:-1]
    fits = pairs.apart & (peak[:, 0] > train.low + room) & (peak[:, 1] < train.high - room)
    fits[1:] &= ~same | (peak[1:, 0] > train.peak[:-1] + room)
    fits[:-1] &= ~same | (peak[:-1, 1] < train.peak[1:] - room)
    # Of neighbors that both are pairs, the later one waits for the next round.
    fits[1:] &= ~(fits[:-1] & same & (train.peak[1:] - train.peak[:-1] < _GAPS_S[1] * rate_hz))
    return fits


def split_events(
    train: Train, fitted: FittedEvents, *, pairs: Pairs, apart: BoolArray
) -> tuple[Shapes, IntArray, BoolArray]:
    """Return shapes, peaks and which are held, with two events in place of each that is a pair.

    The first of two is held at the typical shape that was found together with the second: too little of it is
    seen alone.

    Returns
    -------
    shapes : Shapes
    peak, held : ndarray, shape (n_events + n_pairs,)
    """
    source = np.repeat(np.arange(len(apart)), 1 + apart)
    first = np.flatnonzero(np.append(source[:-1] == source[1:], False))
    shapes = fitted.likely.select(source)
    peak, held = train.peak[source], train.held[source]
    rise_s, decay_s = np.exp(fitted.population.log_mean)
    for number, rows in ((0, first), (1, first + 1)):
        onset_s = pairs.onset_s[source[rows], number]
        shift = np.round((onset_s + _to_peak_s(fitted)) * fitted.rate_hz).astype(np.int64)
        peak[rows] += shift
        shapes.onset_s[rows] = onset_s - shift / fitted.rate_hz
        shapes.tau_rise_s[rows], shapes.tau_decay_s[rows] = rise_s, decay_s
        shapes.amplitude[rows] = pairs.amplitude[source[rows], number]
        shapes.height_se[rows] = np.nan
    held[first] = True
    return shapes, peak, held


def _to_peak_s(fitted: FittedEvents) -> float:
    rise_s, decay_s = np.exp(fitted.population.log_mean)
    return float(time_to_peak(rise_s, decay_s, power=fitted.likely.power))


def _best_two(
    windows: Windows, weights: NoiseWeights, onset_s: FloatArray, typical: Prior, power: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return onsets and amplitudes of the best two typical shapes for each window, and their chi-square."""
    first = int(windows.first[0])
    whitener, time_s = weights.whitener(first), weights.bins.center_s[first:]
    used = (np.arange(first, weights.bins.n_bins) < windows.last[:, None]).astype(np.float64)
    center = np.where(np.isfinite(windows.level_sd), windows.level, windows.values[:, -1])
    values = (windows.values[:, first:] - center[:, None]) @ whitener.T * used
    rise_s, decay_s = np.exp(typical.log_mean)
    templates = unit_curve(time_s - _ONSETS_S[:, None], rise_s, decay_s, power=power) @ whitener.T
    ones = whitener.sum(axis=1)
    one, two, allowed = _allowed_pairs(onset_s, time_s[0], weights.bins.center_s[windows.last - 1])
    if not len(one):
        nowhere = np.full((len(onset_s), 2), np.nan)
        return nowhere, nowhere, np.full(len(onset_s), np.inf)
    of_level = used @ ones**2 + windows.level_sd**-2.0
    level = values @ ones / of_level
    both = used @ (templates * ones).T
    product = values @ templates.T - level[:, None] * both
    alone = used @ (templates**2).T - both**2 / of_level[:, None]
    shared = used @ (templates[one] * templates[two]).T - both[:, one] * both[:, two] / of_level[:, None]
    # Two that can hardly be told from one have no amplitudes of their own.
    square = alone[:, one] * alone[:, two]
    distinct = square - shared**2 > _DISTINCT * np.max(alone, axis=1, keepdims=True) ** 2
    determinant = np.where(distinct, square - shared**2, np.inf)
    first_size = (product[:, one] * alone[:, two] - product[:, two] * shared) / determinant
    second_size = (product[:, two] * alone[:, one] - product[:, one] * shared) / determinant
    explained = first_size * product[:, one] + second_size * product[:, two]
    smaller, larger = np.minimum(first_size, second_size), np.maximum(first_size, second_size)
    allowed &= distinct & (smaller > 0.0) & (smaller >= _SMALLEST_SHARE * larger)
    best = np.argmax(np.where(allowed, explained, -np.inf), axis=1)
    rows = np.arange(len(best))
    left = np.einsum("nb,nb->n", values, values) - of_level * level**2 - explained[rows, best]
    chi_square = np.where(allowed[rows, best], left, np.inf)
    onsets = np.stack([_ONSETS_S[one[best]], _ONSETS_S[two[best]]], axis=1)
    sizes = np.stack([first_size[rows, best], second_size[rows, best]], axis=1)
    return onsets, sizes, chi_square


def _allowed_pairs(
    onset_s: FloatArray, begin_s: float, end_s: FloatArray
) -> tuple[IntArray, IntArray, BoolArray]:
    """Return the numbers of the onsets of all pairs that any window allows, and which windows allow them.

    The first of the two begins near the onset that was fitted, and of either something is seen.
    """
    one, two = _combinations()
    beside = _ONSETS_S[one] - onset_s[:, None]
    allowed = (beside >= _NEAR_ONSET_S[0]) & (beside <= _NEAR_ONSET_S[1])
    allowed &= _ONSETS_S[one] >= begin_s + _SEEN_S
    allowed &= _ONSETS_S[two] <= end_s[:, None] - _SEEN_S
    anywhere = allowed.any(axis=0)
    return one[anywhere], two[anywhere], allowed[:, anywhere]


def _combinations() -> tuple[IntArray, IntArray]:
    """Return the numbers of the onsets of all pairs that are not too near and not too far apart."""
    one, two = np.triu_indices(len(_ONSETS_S), k=1)
    gap_s = _ONSETS_S[two] - _ONSETS_S[one]
    kept = (gap_s >= _GAPS_S[0] - 1e-9) & (gap_s <= _GAPS_S[1] + 1e-9)
    return one[kept], two[kept]
