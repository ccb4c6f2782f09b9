"""Fits of the shape to many events at once, weighted for the noise of the recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.small_systems import NOTHING_KNOWN, inverse, solve, solve_two
from nwb_mepp.measurement.waveform import time_to_peak, unit_curve
from nwb_mepp.measurement.whitened_windows import LinearSums, WhitenedWindows

__all__ = ["ManyWindows", "Prior", "Shapes", "Windows", "fit_shapes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# A time constant beyond these limits is not a measurement but indicates a step, a spike or a slow wave.
_TAU_RISE_LIMITS_S = (5e-6, 20e-3)
_TAU_DECAY_LIMITS_S = (0.1e-3, 100e-3)
_LATEST_ONSET_S = 3e-3
# Where the next event begins so early that less of a rise is left, what is above it would be guessed: a curve
# that begins in the last sample can be of any height.
_LEAST_SHOWN = 0.2

# Fitted at the same time: the more, the fewer are those that end last and have an iteration for themselves.
_BATCH = 2048
_MAX_ITERATIONS = 40
_MAX_DAMPING = 1e7
# Iterations end when they lower chi-square by less than this (absolute, relative): the parameters are then
# within about a tenth of their standard error, and exact where there is no noise.
_TOLERANCE = (3e-3, 1e-6)
# The largest step of the onset (s) and of the logarithms of the time constants in one iteration.
_MAX_STEP = np.array([0.5e-3, 0.7, 0.7])


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """What is fitted: the bins around each peak, without the curves of other events.

    Attributes
    ----------
    values : ndarray, shape (n_events, n_bins)
        Events point upward.
    first, last : ndarray of int64, shape (n_events,)
        The bins ``first <= i < last`` are fitted.
    level, level_sd : ndarray, shape (n_events,)
        What is known of the baseline beforehand, and how well; infinite where nothing is known.
    largest : ndarray, shape (n_events,)
        More than any event there can have for an amplitude.
    """

    values: FloatArray
    first: IntArray
    last: IntArray
    level: FloatArray
    level_sd: FloatArray
    largest: FloatArray

    def select(self, rows: IntArray) -> Windows:
        """Return the windows of some events."""
        return replace(self, **{one.name: getattr(self, one.name)[rows] for one in fields(self)})


class ManyWindows(Protocol):
    """Windows of many events, of which a few at a time are in memory."""

    @property
    def first(self) -> IntArray:
        """First bin of each window, shape (n_events,)."""

    @property
    def last(self) -> IntArray:
        """The bin before which each window ends, shape (n_events,)."""

    def select(self, rows: IntArray) -> Windows:
        """Return the windows of some events."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """Shapes that events have, or may have; arrays of shape (n_events,).

    Attributes
    ----------
    onset_s : ndarray
        Counted from the peak's sample that the bins are counted from.
    tau_rise_s, tau_decay_s, amplitude, level : ndarray
    covariance : ndarray, shape (n_events, 2, 2)
        Of the estimates of the logarithms of the time constants.
    chi_square : ndarray
    cost : ndarray
        Chi-square and what the prior and the level known beforehand add to it.
    energy : ndarray
        Square of the amplitude over its standard error, if all else were known.
    height_se : ndarray
        Standard error of the mean of the samples around the peak less the fitted level; NaN where it was not
        asked for.
    power : int
    """

    onset_s: FloatArray
    tau_rise_s: FloatArray
    tau_decay_s: FloatArray
    amplitude: FloatArray
    level: FloatArray
    covariance: FloatArray
    chi_square: FloatArray
    cost: FloatArray
    energy: FloatArray
    height_se: FloatArray
    power: int

    @classmethod
    def blank(cls, n_events: int, *, power: int) -> Shapes:
        """Return shapes of which nothing is known."""
        nothing = np.full(n_events, np.nan)
        arrays = {one.name: nothing.copy() for one in fields(cls) if one.name not in ("covariance", "power")}
        return cls(**arrays, covariance=np.full((n_events, 2, 2), np.nan), power=power)

    def __len__(self) -> int:
        return len(self.onset_s)

    @property
    def peak_s(self) -> FloatArray:
        """Times of the maxima, counted as onsets are."""
        return self.onset_s + time_to_peak(self.tau_rise_s, self.tau_decay_s, power=self.power)

    @property
    def usable(self) -> BoolArray:
        """Whether a fit found an upward deflection with time constants that a MEPP can have."""
        shortest, longest = _TAU_DECAY_LIMITS_S
        decays = (self.tau_decay_s > 1.01 * shortest) & (self.tau_decay_s < 0.99 * longest)
        return np.asarray((self.amplitude > 0.0) & decays & (self.tau_rise_s < 0.99 * _TAU_RISE_LIMITS_S[1]))

    def select(self, rows: IntArray | BoolArray | slice) -> Shapes:
        """Return some of the shapes."""
        return replace(
            self, **{one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "power"}
        )

    def put(self, rows: IntArray | BoolArray, others: Shapes) -> None:
        """Replace some of the shapes in place."""
        for one in fields(self):
            if one.name != "power":
                getattr(self, one.name)[rows] = getattr(others, one.name)

    def curves(self, time_s: FloatArray) -> FloatArray:
        """Return the deflections at times of shape (n_times,) or (n_events, n_times), without level."""
        since_s = time_s - self.onset_s[:, None]
        taus = self.tau_rise_s[:, None], self.tau_decay_s[:, None]
        return np.asarray(self.amplitude[:, None] * unit_curve(since_s, *taus, power=self.power))


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known of time constants before a fit: means and SDs of their logarithms (rise, decay)."""

    log_mean: tuple[float, float]
    log_sd: tuple[float, float]


def fit_shapes(
    windows: ManyWindows,
    weights: NoiseWeights,
    *,
    start: Shapes,
    prior: Prior | None = None,
    height_se: bool = False,
    among: BoolArray | None = None,
) -> Shapes:
    """Fit a shape and a level to each window by generalized least squares.

    Parameters
    ----------
    windows : ManyWindows
    weights : NoiseWeights
    start : Shapes
        First guesses; amplitude and level are not used.
    prior : Prior, optional
        Pulls the time constants of an event toward it, as far as noise leaves them open.
    height_se : bool, default False
        Work out the standard errors of the heights as well, which takes as long as two iterations.
    among : ndarray of bool, shape (n_events,), optional
        Fit these alone; the others stay as they start.

    Returns
    -------
    Shapes
        ``usable`` is False where the samples hold no such deflection, or show too little of it to tell how
        large it is. The covariance is that without prior.

    Notes
    -----
    Levenberg-Marquardt on the onset and the logarithms of the time constants; amplitude and level follow
    linearly from them and are projected out of the derivatives [1]_. All events advance together, each with
    a damping of its own.

    References
    ----------
    .. [1] Kaufman, L. (1975). A variable projection method for solving separable nonlinear least squares
       problems. BIT 15, 49-57. https://doi.org/10.1007/BF01932995
    """
    fitted = start.select(np.arange(len(start)))
    for rows in _batches(windows, np.arange(len(start)) if among is None else np.flatnonzero(among)):
        problem = _Problem(windows.select(rows), weights, start.power, prior)
        fitted.put(rows, problem.solve(start.select(rows), height_se=height_se))
    return fitted


def _batches(windows: ManyWindows, wanted: IntArray) -> Iterator[IntArray]:
    """Yield those of the rows that end with about the same bin, sorted by the bin that they begin with."""
    by_end = wanted[np.argsort(windows.last[wanted], kind="stable")]
    for begin in range(0, len(by_end), _BATCH):
        rows = np.sort(by_end[begin : begin + _BATCH])
        yield rows[np.argsort(windows.first[rows], kind="stable")]


@dataclass(frozen=True, eq=False)
class _State:
    """Curves at one set of parameters: linear coefficients, normal equations, cost; a row for each event."""

    linear: FloatArray
    hessian: FloatArray
    gradient: FloatArray
    fisher: FloatArray
    chi_square: FloatArray
    cost: FloatArray

    def select(self, rows: IntArray | BoolArray) -> _State:
        return _State(*(getattr(self, one.name)[rows] for one in fields(self)))

    def put(self, rows: IntArray, others: _State) -> None:
        for one in fields(self):
            getattr(self, one.name)[rows] = getattr(others, one.name)


class _Problem:
    """Windows that are fitted at the same time, sorted by the bin that they begin with."""

    def __init__(self, windows: Windows, weights: NoiseWeights, power: int, prior: Prior | None) -> None:
        self._power = power
        # Values near 0 keep their precision: the resting potential is far from it.
        self._shift = windows.values[:, -1]
        self._windows = WhitenedWindows(
            windows.values - self._shift[:, None], first=windows.first, last=windows.last, weights=weights
        )
        self._time_s = weights.bins.center_s[self._windows.bins]
        self._level_weight = windows.level_sd**-2.0
        self._level = np.where(np.isfinite(windows.level), windows.level - self._shift, 0.0)
        mean, sd = ((0.0, 0.0), (np.inf, np.inf)) if prior is None else (prior.log_mean, prior.log_sd)
        self._center = np.array([0.0, *mean])
        self._weight = np.array([0.0, *np.power(sd, -2.0)])
        self._largest = windows.largest
        self._end_s = weights.bins.center_s[windows.last - 1]
        earliest_s = weights.bins.center_s[windows.first]
        limits = [(0.0, _LATEST_ONSET_S), np.log(_TAU_RISE_LIMITS_S), np.log(_TAU_DECAY_LIMITS_S)]
        lower, self._upper = np.array(limits).T
        self._lower = np.tile(lower, (len(earliest_s), 1))
        self._lower[:, 0] = earliest_s

    def solve(self, start: Shapes, *, height_se: bool) -> Shapes:
        guesses = np.stack([start.onset_s, np.log(start.tau_rise_s), np.log(start.tau_decay_s)], axis=1)
        at = np.clip(guesses, self._lower, self._upper)
        active = np.arange(len(at))
        state = self._state(at, active)
        damping = np.full(len(at), 1e-2)
        for _ in range(_MAX_ITERATIONS):
            now = state.select(active)
            moved = np.clip(at[active] + self._step(now, damping[active]), self._lower[active], self._upper)
            trial = self._state(moved, active)
            gain = now.cost - trial.cost
            better = gain > 0.0
            settled = better & (gain <= _TOLERANCE[0] + _TOLERANCE[1] * now.cost)
            at[active[better]] = moved[better]
            state.put(active[better], trial.select(better))
            damping[active] = np.where(better, np.maximum(damping[active] / 5, 1e-7), damping[active] * 8)
            active = active[~settled & (damping[active] < _MAX_DAMPING)]
            if not len(active):
                break
        errors = self._height_se(at, state) if height_se else np.full(len(at), np.nan)
        return self._shapes(at, state, errors)

    @staticmethod
    def _step(state: _State, damping: FloatArray) -> FloatArray:
        diagonal = np.einsum("nii->ni", state.hessian)
        tiny = 1e-12 * diagonal.sum(axis=1, keepdims=True) + np.finfo(np.float64).tiny
        damped = state.hessian + damping[:, None, None] * np.eye(3) * (diagonal + tiny)[:, None, :]
        return np.clip(solve(damped, state.gradient), -_MAX_STEP, _MAX_STEP)

    def _derivatives(self, at: FloatArray) -> FloatArray:
        """Return the unscaled curves and their derivatives, shape (n_events, 4, n_bins)."""
        onset_s, rise_s, decay_s = at[:, :1], np.exp(at[:, 1:2]), np.exp(at[:, 2:3])
        since = np.maximum(self._time_s - onset_s, 0.0)
        remaining, decay = np.exp(-since / rise_s), np.exp(-since / decay_s)
        risen = 1.0 - remaining
        # As products: a third power takes six times as long.
        before = risen ** (self._power - 1) * decay
        climb = self._power * before * remaining / rise_s
        curves = np.empty((len(at), 4, len(self._time_s)))
        curves[:, 0] = before * risen
        curves[:, 1] = np.where(since > 0.0, curves[:, 0] / decay_s - climb, 0.0)
        curves[:, 2] = -since * climb
        curves[:, 3] = since * curves[:, 0] / decay_s
        return curves

    def _state(self, at: FloatArray, rows: IntArray) -> _State:
        weight = self._level_weight[rows]
        white = self._windows.whitened(self._derivatives(at), rows)
        sums = LinearSums(self._windows, rows, white)
        normal, target = sums.normal, sums.target
        normal[:, 1, 1] += weight
        target[:, 1] += weight * self._level[rows]
        linear = solve_two(normal, target)
        # A deflection that points downward is no event; the scale 0 keeps the fit from following it.
        down = ~(linear[:, 0] > 0.0)
        linear[down, 0] = 0.0
        linear[down, 1] = (target / np.maximum(np.einsum("nii->ni", normal), 1e-300))[down, 1]
        fisher = np.empty((len(at), 5, 5))
        fisher[:, :3, :3], cross, downhill, chi_square = sums.of_slopes(linear)
        fisher[:, :3, 3:], fisher[:, 3:, :3], fisher[:, 3:, 3:] = cross, cross.transpose(0, 2, 1), normal
        explained = np.stack([solve_two(normal, cross[:, k]) for k in range(3)], axis=1) @ cross.transpose(
            0, 2, 1
        )
        hessian = fisher[:, :3, :3] - explained + np.diag(self._weight)
        beside = self._weight * (self._center - at)
        level_misfit = weight * (linear[:, 1] - self._level[rows]) ** 2
        cost = chi_square + level_misfit + np.sum(beside * (self._center - at), axis=1)
        return _State(linear, hessian, downhill + beside, fisher, chi_square, cost)

    def _shapes(self, at: FloatArray, state: _State, height_se: FloatArray) -> Shapes:
        rise_s, decay_s = np.exp(at[:, 1]), np.exp(at[:, 2])
        peak_s = time_to_peak(rise_s, decay_s, power=self._power)
        remaining, decay = np.exp(-peak_s / rise_s), np.exp(-peak_s / decay_s)
        height = (1.0 - remaining) ** self._power * decay
        shown = self._is_shown(at, peak_s, amplitude=state.linear[:, 0] * height)
        scale = np.where(shown, state.linear[:, 0], 0.0)
        # The amplitude is the scale times the height of the unscaled curve, which the time constants change.
        change = np.tile(np.eye(5), (len(at), 1, 1))
        climb = self._power * (1.0 - remaining) ** (self._power - 1) * remaining * decay
        change[:, 3, 1] = -scale * climb * peak_s / rise_s
        change[:, 3, 2] = scale * height * peak_s / decay_s
        change[:, 3, 3] = height
        covariance = change @ inverse(state.fisher) @ change.transpose(0, 2, 1)
        return Shapes(
            onset_s=at[:, 0],
            tau_rise_s=rise_s,
            tau_decay_s=decay_s,
            amplitude=scale * height,
            level=np.where(shown, state.linear[:, 1] + self._shift, np.nan),
            covariance=covariance[:, 1:3, 1:3],
            chi_square=state.chi_square,
            cost=state.cost,
            energy=scale**2 * state.fisher[:, 3, 3],
            height_se=height_se,
            power=self._power,
        )

    def _is_shown(self, at: FloatArray, peak_s: FloatArray, *, amplitude: FloatArray) -> BoolArray:
        """Return whether the samples show curves: enough of the rise, and nothing that they cannot hold."""
        rise_s, decay_s = np.exp(at[:, 1]), np.exp(at[:, 2])
        shown_s = np.clip(self._end_s - at[:, 0], 0.0, peak_s)
        share = unit_curve(shown_s, rise_s, decay_s, power=self._power)
        return np.asarray((share >= _LEAST_SHOWN) & (share * amplitude <= self._largest))

    def _height_se(self, at: FloatArray, state: _State) -> FloatArray:
        """Return the standard error of the mean around the peak less the level fitted to the same noise.

        NaN where a window has too few bins for what is fitted: nothing is known of its level then.
        """
        windows, rows, scale = self._windows, np.arange(len(at)), state.linear[:, :1, None]
        white = windows.whitened(self._derivatives(at), rows)
        slopes = np.concatenate([scale * white[:, 1:], white[:, :1], windows.ones[:, None]], axis=1)
        shared = windows.with_mean(slopes, rows)
        known = inverse(state.fisher)
        covariance = np.einsum("nk,nk->n", known[:, 4], shared)
        variance = windows.variance_of_mean - 2.0 * covariance + known[:, 4, 4]
        is_known = (variance > 0.0) & (known[:, 4, 4] < NOTHING_KNOWN)
        return np.sqrt(np.where(is_known, variance, np.nan))
