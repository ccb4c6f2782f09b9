"""Events that recur: at the same place of nearly every sweep, after stimuli, or with a constant period.

MEPPs come at random. That events fall on the same place of many repetitions by chance has a probability that
can be computed, and only what chance would give in less than one of a million recordings counts as recurring.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Recurrence", "find_period", "find_places"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ComplexArray = npt.NDArray[np.complex128]

# Chance gives what is called recurrent in one of a million recordings, whatever was tried.
_CHANCE = 1e-6
_MIN_REPETITIONS = 5
# Responses to a nerve vary by 1 ms at room temperature, and by several in cold or in little calcium.
_WIDTHS_S = (3e-3, 10e-3)
_MARGIN_S = 1e-3
# A place that is met in fewer repetitions is no cause of what happens there.
_MIN_SHARE = 0.2
# Of the windows with most events, how many are searched for the one that most repetitions meet.
_N_FULLEST = 30

_BIN_S = 5e-3
_MAX_FREQUENCY_HZ = 20.0
_N_CANDIDATES = 12
# Samples that are transformed, and frequencies that are compared, at a time.
_MAX_TRANSFORMED = 1 << 19
_COMPARED = 1 << 18
# Points of the grid to either side over which an event is spread: for twelve digits.
_SPREAD = 12
_NEARLY = 0.9
_TOLERANCES = (0.1, 0.03, 0.03)


@dataclass(frozen=True)
class Recurrence:
    """Where events recur.

    Attributes
    ----------
    starts_s : ndarray, shape (n_repetitions,)
        Start of each repetition: a sweep, a stimulus or a period.
    places_s : tuple of (start_s, stop_s)
        Where in every repetition events recur, counted from its start.
    period_s : float
        NaN where the repetitions are not those of a period.
    """

    starts_s: FloatArray
    places_s: tuple[tuple[float, float], ...]
    period_s: float = np.nan

    def holds(self, times_s: npt.ArrayLike) -> BoolArray:
        """Return which times lie at a place that recurs."""
        times = np.asarray(times_s, dtype=np.float64)
        inside = np.zeros(len(times), dtype=np.bool_)
        for start_s, stop_s in self.places_s:
            last = np.searchsorted(self.starts_s + start_s, times, side="right") - 1
            begun = last >= 0
            inside[begun] |= times[begun] <= self.starts_s[last[begun]] + stop_s
        return inside


def find_places(
    times_s: npt.ArrayLike, starts_s: npt.ArrayLike, *, reach_s: tuple[float, float], n_tried: float = 1.0
) -> Recurrence | None:
    """Find where events recur in repetitions whose starts are known.

    Parameters
    ----------
    times_s : array_like, shape (n_events,)
        Sorted.
    starts_s : array_like, shape (n_repetitions,)
        Sorted starts of sweeps or stimuli, on the same clock.
    reach_s : tuple of float
        What belongs to a repetition, from its start.
    n_tried : float
        How many such sets of starts were tried, so that more of them find no more by chance.

    Returns
    -------
    Recurrence or None

    Examples
    --------
    Five sweeps of a second: one event 0.3 s after the start of each, among others.

    >>> found = find_places([0.3, 0.7, 1.3, 2.3, 3.1, 3.3, 4.3], np.arange(5.0), reach_s=(0.0, 1.0))
    >>> found.holds([0.3, 0.7, 3.1, 4.3])
    array([ True, False, False,  True])
    """
    times, starts = np.asarray(times_s, dtype=np.float64), np.asarray(starts_s, dtype=np.float64)
    if len(starts) < _MIN_REPETITIONS or len(times) < _MIN_REPETITIONS:
        return None
    first, last = reach_s
    repetition = np.searchsorted(starts + first, times, side="right") - 1
    after = times - starts[np.maximum(repetition, 0)]
    own = (repetition >= 0) & (after < last)
    after, repetition = after[own], repetition[own]
    places: list[tuple[float, float]] = []
    while len(after) >= _MIN_REPETITIONS:
        place = _likeliest_place(
            after, repetition, n_repetitions=len(starts), length_s=last - first, n_tried=n_tried
        )
        if place is None:
            break
        places.append(place)
        rest = (after < place[0]) | (after > place[1])
        after, repetition = after[rest], repetition[rest]
    return Recurrence(starts, tuple(sorted(places))) if places else None


def _likeliest_place(
    after: FloatArray, repetition: IntArray, *, n_repetitions: int, length_s: float, n_tried: float
) -> tuple[float, float] | None:
    """Return the window that chance explains least, if it explains it badly enough."""
    from scipy.stats import binom

    order = np.argsort(after, kind="stable")
    after, repetition = after[order], repetition[order]
    least = max(_MIN_REPETITIONS, int(np.ceil(_MIN_SHARE * n_repetitions)))
    best: tuple[float, float, float] | None = None
    for width_s in _WIDTHS_S:
        stops = np.searchsorted(after, after + width_s, side="right")
        counts = stops - np.arange(len(after))
        # Nothing is known of the rate but the events themselves; to count all of them errs towards chance.
        by_chance = -np.expm1(-len(after) / n_repetitions * min(width_s / length_s, 1.0))
        n_windows = n_tried * length_s / width_s
        most = min(int(counts.max()), n_repetitions)
        if most < least or binom.sf(most - 1, n_repetitions, by_chance) * n_windows >= _CHANCE:
            continue
        starts = np.argsort(-counts, kind="stable")[:_N_FULLEST]
        met = np.array([len(np.unique(repetition[start : stops[start]])) for start in starts])
        if met.max() < least:
            continue
        fullest = int(starts[np.argmax(met)])
        probability = binom.sf(met.max() - 1, n_repetitions, by_chance) * n_windows
        if probability < _CHANCE and (best is None or probability < best[0]):
            best = (float(probability), float(after[fullest]), float(after[stops[fullest] - 1]))
    return None if best is None else (best[1] - _MARGIN_S, best[2] + _MARGIN_S)


def find_period(times_s: npt.ArrayLike, *, duration_s: float) -> Recurrence | None:
    """Find a constant period with which events recur, and where in it.

    Parameters
    ----------
    times_s : array_like, shape (n_events,)
        Sorted, from the start of the recording.
    duration_s : float
        Of the recording.

    Returns
    -------
    Recurrence or None
        Of the period that chance explains least, up to 20 Hz; at least five periods must fit the recording.

    Examples
    --------
    >>> found = find_period([0.2, 1.2, 1.9, 2.2, 3.2, 3.5, 4.2, 5.2], duration_s=6.0)
    >>> round(found.period_s, 3), found.holds([1.9, 5.2])
    (1.0, array([False,  True]))
    """
    times = np.asarray(times_s, dtype=np.float64)
    if len(times) < _MIN_REPETITIONS or duration_s < _MIN_REPETITIONS * _WIDTHS_S[-1]:
        return None
    n_tried = 2.0 * duration_s * _MAX_FREQUENCY_HZ
    found = []
    for frequency_hz in _candidate_frequencies(times, duration_s):
        period_s, phase_s = _refined(times, 1.0 / frequency_hz)
        if not (1.0 / _MAX_FREQUENCY_HZ <= period_s <= duration_s / (_MIN_REPETITIONS - 1)):
            continue
        # The middle of each repetition is where events recur, so that no border divides them.
        starts = np.arange(phase_s - (0.5 + np.ceil(phase_s / period_s)) * period_s, duration_s, period_s)
        places = find_places(times, starts, reach_s=(0.0, period_s), n_tried=n_tried)
        if places is not None:
            n_held = int(places.holds(times).sum())
            found.append((n_held, Recurrence(places.starts_s, places.places_s, period_s)))
    # What recurs at 1 Hz does so at 2 and 3 Hz, and these hold a few more by chance: of the periods that hold
    # nearly as many events at the fewest places, the longest.
    most = max((n_held for n_held, _ in found), default=0)
    good = [one for n_held, one in found if n_held >= _NEARLY * most]
    return min(good, key=lambda one: (len(one.places_s), -one.period_s), default=None)


def _candidate_frequencies(times: FloatArray, duration_s: float) -> Iterator[float]:
    """Yield frequencies at which the train of events has most power, the lowest first."""
    n_bins = int(np.ceil(duration_s / _BIN_S)) + 1
    bins = (times / _BIN_S).astype(np.int64).clip(0, n_bins - 1)
    n_padded = 4 * n_bins
    spacing_hz = 1.0 / (n_padded * _BIN_S)
    first = _first_from((_MIN_REPETITIONS - 1) / duration_s, spacing_hz)
    last = min(_first_from(_MAX_FREQUENCY_HZ, spacing_hz), n_padded // 2 + 1)
    if last - first < 3:
        return
    power = train_power(bins, n_bins=n_bins, first=first, stop=last)
    strong = np.flatnonzero(power > 0.5 * power.max())
    strong = strong[_is_peak(power, strong)]
    highest = _highest_peaks(power)
    for peak in np.unique(np.concatenate([strong[:_N_CANDIDATES], highest])):
        yield float((first + peak) * spacing_hz)


def _first_from(limit_hz: float, spacing_hz: float) -> int:
    """Return the number of the first of equally spaced frequencies that is not below a limit."""
    number = max(int(limit_hz / spacing_hz) - 1, 0)
    while number * spacing_hz < limit_hz:
        number += 1
    return number


def _is_peak(power: FloatArray, numbers: IntArray) -> BoolArray:
    inside = (numbers > 0) & (numbers < len(power) - 1)
    near = numbers.clip(1, len(power) - 2)
    return np.asarray(inside & (power[near] >= power[near - 1]) & (power[near] > power[near + 1]))


def _highest_peaks(power: FloatArray) -> IntArray:
    """Return where the highest local maxima are, of equal ones the first; some are compared at a time."""
    kept = np.empty(0, dtype=np.int64)
    for begin in range(0, len(power), _COMPARED):
        numbers = np.arange(begin, min(begin + _COMPARED, len(power)))
        found = np.concatenate([kept, numbers[_is_peak(power, numbers)]])
        kept = np.sort(found[np.argsort(-power[found], kind="stable")][:_N_CANDIDATES])
    return kept


def train_power(
    bins: IntArray, *, n_bins: int, first: int, stop: int, n_at_once: int = _MAX_TRANSFORMED
) -> FloatArray:
    """Return the power of a train of events, less its mean, padded to four times its length.

    Parameters
    ----------
    bins : ndarray of int64, shape (n_events,)
        In which bin of time each event lies.
    n_bins : int
    first, stop : int
        Frequencies ``first <= k < stop``, ``first`` above 0.
    n_at_once : int
        A longer transform would take gigabytes: then some frequencies at a time come from short transforms,
        for which the events are spread over a grid by Gaussians [1]_. The error is below 1e-11.

    Returns
    -------
    ndarray, shape (stop - first,)

    References
    ----------
    .. [1] Greengard, L. & Lee, J.-Y. (2004). Accelerating the nonuniform fast Fourier transform. SIAM Rev.
       46, 443-454. https://doi.org/10.1137/S003614450343200X

    Examples
    --------
    >>> bins = np.array([0, 3, 3, 700])
    >>> whole = train_power(bins, n_bins=800, first=5, stop=900)
    >>> bool(np.allclose(train_power(bins, n_bins=800, first=5, stop=900, n_at_once=256), whole, rtol=1e-9))
    True
    """
    n_padded = 4 * n_bins
    if n_padded <= n_at_once:
        train = np.bincount(bins, minlength=n_bins)
        return np.asarray(np.abs(np.fft.rfft(train - train.mean(), n_padded)) ** 2)[first:stop]
    power = np.empty(stop - first)
    n_modes = n_at_once // 2
    for begin in range(first, stop, n_modes):
        numbers = np.arange(begin, min(begin + n_modes, stop))
        found = _nonuniform_transform(bins, n_padded, center=begin + n_modes // 2, n_modes=n_modes)
        turn = np.exp(-2j * np.pi / n_padded * numbers)
        # The mean is that of a train with as many events in every bin, a geometric series.
        mean = len(bins) / n_bins * (1.0 - np.exp(-0.5j * np.pi * (numbers % 4))) / (1.0 - turn)
        power[numbers - first] = np.abs(found[: len(numbers)] - mean) ** 2
    return power


def _nonuniform_transform(bins: IntArray, n_padded: int, *, center: int, n_modes: int) -> ComplexArray:
    """Return the Fourier transform of events at some frequencies around a central one, shape (n_modes,)."""
    n_grid = 2 * n_modes
    width = np.pi * _SPREAD / (3.0 * n_modes**2)
    # Whole turns are taken out while numbers are whole.
    turned = np.exp(-2j * np.pi * ((bins * center) % n_padded / n_padded))
    place = bins * (n_grid / n_padded)
    nearest = np.floor(place).astype(np.int64)
    grid = np.zeros(n_grid, dtype=np.complex128)
    for offset in range(1 - _SPREAD, _SPREAD + 1):
        distance = (place - nearest - offset) * (2.0 * np.pi / n_grid)
        spread = turned * np.exp(-(distance**2) / (4.0 * width))
        at = (nearest + offset) % n_grid
        grid.real += np.bincount(at, weights=spread.real, minlength=n_grid)
        grid.imag += np.bincount(at, weights=spread.imag, minlength=n_grid)
    modes = np.arange(n_modes) - n_modes // 2
    transformed = np.fft.fft(grid)[modes] / n_grid
    return np.asarray(np.sqrt(np.pi / width) * np.exp(width * modes.astype(np.float64) ** 2) * transformed)


def _refined(times: FloatArray, period_s: float) -> tuple[float, float]:
    """Return period and phase after a straight line through the events that fit the period."""
    angle = float(np.angle(np.exp(2j * np.pi * times / period_s).sum()))
    phase_s = angle / (2.0 * np.pi) * period_s
    for tolerance in _TOLERANCES:
        number = np.round((times - phase_s) / period_s)
        near = np.abs(times - phase_s - number * period_s) <= max(tolerance * period_s, _WIDTHS_S[-1])
        if len(np.unique(number[near])) < 2:
            break
        slope, intercept = np.polyfit(number[near], times[near], 1)
        period_s, phase_s = float(slope), float(intercept)
    return period_s, phase_s
