"""The events of a channel, fitted together: each to the trace without the tails of earlier ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.fit_windows import windows_of
from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.pairs import Pairs, find_pairs
from nwb_mepp.measurement.population import describe_population
from nwb_mepp.measurement.shape_fit import Prior, Shapes, fit_shapes
from nwb_mepp.measurement.starting_points import USUAL, first_shapes, patched
from nwb_mepp.measurement.train import FittedEvents, Train, isolated_events, plausible
from nwb_mepp.measurement.waveform import POWERS

__all__ = ["OPEN_LOG_SE", "find_pairs_of", "fit_freely", "fit_likely", "fit_roughly", "fit_train"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: A time constant whose logarithm has a larger standard error is open within a factor of five.
OPEN_LOG_SE = 0.8
# What stands for the population of a recording is not narrower or wider than populations are.
_LOG_SD_LIMITS = (0.1, 0.7)
_MIN_CLEAR = 5
_MAX_JUDGING_POWER = 200


def fit_roughly(train: Train, weights: NoiseWeights) -> FittedEvents:
    """Fit all events once, held by what is usual: a search over a grid gives starting points."""
    likely = first_shapes(train, weights)
    likely = fit_shapes(windows_of(train, weights, likely), weights, start=likely, prior=USUAL)
    return _fitted(likely, weights, population=USUAL)


def fit_train(train: Train, weights: NoiseWeights, *, start: FittedEvents | None = None) -> FittedEvents:
    """Fit all events of a train, held by what is typical of them.

    Parameters
    ----------
    train : Train
    weights : NoiseWeights
    start : FittedEvents, optional
        What was fitted before, in noise that was less well known: takes the place of the first two steps.

    Notes
    -----
    1. :func:`fit_roughly` gives starting points.
    2. The clear events decide with which ``power`` the rise of this recording begins.
    3. Fits that nothing holds give the population of time constants of the recording.
    4. Fits held by this population give the likely shapes (:func:`fit_likely`).
    """
    if start is None:
        likely = _with_best_power(train, weights, fit_roughly(train, weights).likely)
    else:
        likely = start.likely
    free = _free_shapes(train, weights, likely)
    population = _population(train, free, rate_hz=weights.bins.rate_hz)
    return fit_likely(train, weights, start=likely, population=population)


def fit_likely(
    train: Train, weights: NoiseWeights, *, start: Shapes, population: Prior, among: BoolArray | None = None
) -> FittedEvents:
    """Fit shapes held by a population, of all events or ``among`` some, but not of those that are held."""
    likely, wanted = start, ~train.held if among is None else among & ~train.held
    for last in (False, True):
        guess, windows = likely.select(np.arange(len(likely))), windows_of(train, weights, likely)
        guess.put(wanted, patched(likely).select(wanted))
        likely = fit_shapes(windows, weights, start=guess, prior=population, height_se=last, among=wanted)
    return _fitted(likely, weights, population=population)


def _fitted(likely: Shapes, weights: NoiseWeights, *, population: Prior) -> FittedEvents:
    nothing = np.zeros(len(likely), dtype=bool)
    return FittedEvents(likely, likely, plausible(likely), weights.bins.rate_hz, population, nothing)


def fit_freely(train: Train, weights: NoiseWeights, fitted: FittedEvents) -> FittedEvents:
    """Fit shapes that nothing holds, from the likely ones."""
    return replace(fitted, free=_free_shapes(train, weights, fitted.likely))


def _free_shapes(train: Train, weights: NoiseWeights, likely: Shapes) -> Shapes:
    """Return shapes that nothing holds; none of events that are held."""
    windows = windows_of(train, weights, likely)
    free = fit_shapes(windows, weights, start=patched(likely), prior=None, among=~train.held)
    free.put(train.held, Shapes.blank(int(train.held.sum()), power=free.power))
    return free


def find_pairs_of(
    train: Train,
    weights: NoiseWeights,
    fitted: FittedEvents,
    *,
    rate_hz: float,
    known: Pairs | None = None,
    among: BoolArray | None = None,
) -> Pairs:
    """Look for two events in each deflection (:mod:`nwb_mepp.measurement.pairs`).

    Parameters
    ----------
    train : Train
    weights : NoiseWeights
    fitted : FittedEvents
    rate_hz : float
        How frequent MEPPs are.
    known : Pairs, optional
        What was found before; looked for anew only ``among`` some events.
    among : ndarray of bool, shape (n_events,), optional
    """
    searched = fitted.fits & ~train.held
    if known is not None and among is not None:
        searched &= among
        known = replace(known, gain=np.where(among, -np.inf, known.gain))
    return find_pairs(
        windows_of(train, weights, fitted.likely),
        weights,
        shapes=fitted.likely,
        fits=searched,
        typical=fitted.population,
        rate_hz=rate_hz,
        known=known,
    )


def _with_best_power(train: Train, weights: NoiseWeights, shapes: Shapes) -> Shapes:
    """Return the shapes fitted with the power that explains the clear events of the recording best."""
    isolated = isolated_events(train, shapes, rate_hz=weights.bins.rate_hz)
    rows = np.flatnonzero(isolated & plausible(shapes))
    if not len(rows):
        return _refitted(train, weights, shapes, power=1)
    rows = rows[np.argsort(-shapes.amplitude[rows], kind="stable")[:_MAX_JUDGING_POWER]]
    windows, start = windows_of(train, weights, shapes).select(rows), shapes.select(rows)
    misfit = [
        float(fit_shapes(windows, weights, start=replace(start, power=power), prior=USUAL).chi_square.sum())
        for power in POWERS
    ]
    return _refitted(train, weights, shapes, power=POWERS[int(np.argmin(misfit))])


def _refitted(train: Train, weights: NoiseWeights, shapes: Shapes, *, power: int) -> Shapes:
    if power == shapes.power:
        return shapes
    windows = windows_of(train, weights, shapes)
    return fit_shapes(windows, weights, start=replace(patched(shapes), power=power), prior=USUAL)


def _population(train: Train, free: Shapes, *, rate_hz: float) -> Prior:
    """Return what isolated events say of the time constants of a recording; what is usual if they are few."""
    rows = isolated_events(train, free, rate_hz=rate_hz) & plausible(free)
    means, sds = [], []
    for number, taus in enumerate((free.tau_rise_s, free.tau_decay_s)):
        error = np.sqrt(free.covariance[:, number, number])
        clear = rows & (error < OPEN_LOG_SE)
        if clear.sum() < _MIN_CLEAR:
            return USUAL
        described = describe_population(np.log(taus[clear]), error[clear])
        means.append(described.mean)
        sds.append(float(np.clip(described.sd, *_LOG_SD_LIMITS)))
    return Prior(log_mean=(means[0], means[1]), log_sd=(sds[0], sds[1]))
