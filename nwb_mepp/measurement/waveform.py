"""The shape of a MEPP, ``(1 - exp(-t / tau_rise))**power * exp(-t / tau_decay)``, and its widths.

With ``power`` 1 it is the difference of two exponentials that synaptic potentials and currents are usually
described with, which rises at once; with 2 or 3 the rise begins gradually, as that of most recordings does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["POWERS", "level_times", "log_slopes", "time_to_peak", "unit_curve", "widths"]

FloatArray = npt.NDArray[np.float64]

#: From a sudden rise to a gradual one.
POWERS = (1, 2, 3)

_STEP = 1e-3  # of the logarithm of a time constant, for numerical derivatives


def unit_curve(
    since_s: npt.ArrayLike, tau_rise_s: npt.ArrayLike, tau_decay_s: npt.ArrayLike, *, power: int
) -> FloatArray:
    """Return shapes of amplitude 1.

    Parameters
    ----------
    since_s : array_like, seconds
        Time since the onset; the shape is 0 before it.
    tau_rise_s, tau_decay_s : array_like, seconds
        Broadcast against ``since_s``.
    power : int

    Returns
    -------
    ndarray

    Examples
    --------
    Equal time constants: the peak comes after ln 2 of them.

    >>> unit_curve([-1.0, 0.0, np.log(2.0)], 1.0, 1.0, power=1).tolist()
    [0.0, 0.0, 1.0]
    """
    peak_s = time_to_peak(tau_rise_s, tau_decay_s, power=power)
    height = _unscaled(peak_s, tau_rise_s, tau_decay_s, power)
    return np.asarray(_unscaled(np.maximum(since_s, 0.0), tau_rise_s, tau_decay_s, power) / height)


def time_to_peak(tau_rise_s: npt.ArrayLike, tau_decay_s: npt.ArrayLike, *, power: int) -> FloatArray:
    """Return the time from onset to peak, in seconds; arguments as for :func:`unit_curve`."""
    rise, decay = np.asarray(tau_rise_s), np.asarray(tau_decay_s)
    return np.asarray(rise * np.log1p(power * decay / rise))


def level_times(
    tau_rise_s: FloatArray, tau_decay_s: FloatArray, *, level: float, falling: bool, power: int = 1
) -> FloatArray:
    """Return when shapes cross a fraction of their amplitude, counted from the onset.

    Parameters
    ----------
    tau_rise_s, tau_decay_s : ndarray, shape (n_events,), seconds
    level : float
        Fraction of the amplitude, between 0 and 1.
    falling : bool
        The crossing after the peak instead of the one before it.
    power : int, default 1

    Returns
    -------
    ndarray, shape (n_events,), seconds

    Examples
    --------
    With a rise much faster than the decay, half of the peak is reached after ln 2 decay constants.

    >>> half_s = level_times(np.array([1e-9]), np.array([2e-3]), level=0.5, falling=True)
    >>> round(1e3 * float(half_s[0]), 3)
    1.386
    """
    peak_s = time_to_peak(tau_rise_s, tau_decay_s, power=power)
    target = level * _unscaled(peak_s, tau_rise_s, tau_decay_s, power)
    # Within 40 decay constants after the peak, any level of interest is passed.
    low, high = (peak_s, peak_s + 40.0 * tau_decay_s) if falling else (np.zeros_like(peak_s), peak_s)
    for _ in range(50):
        middle = 0.5 * (low + high)
        move_low = (_unscaled(middle, tau_rise_s, tau_decay_s, power) < target) != falling
        low, high = np.where(move_low, middle, low), np.where(move_low, high, middle)
    return np.asarray(0.5 * (low + high))


def widths(tau_rise_s: FloatArray, tau_decay_s: FloatArray, *, power: int) -> tuple[FloatArray, FloatArray]:
    """Return the rise from 10 % to 90 % and the width at half of the amplitude, in seconds.

    Parameters
    ----------
    tau_rise_s, tau_decay_s : ndarray, shape (n_events,), seconds
    power : int

    Returns
    -------
    rise_s, half_width_s : ndarray, shape (n_events,)
    """
    taus = tau_rise_s, tau_decay_s
    tenth_s, half_s, nine_tenths_s = (
        level_times(*taus, level=level, falling=False, power=power) for level in (0.1, 0.5, 0.9)
    )
    return nine_tenths_s - tenth_s, level_times(*taus, level=0.5, falling=True, power=power) - half_s


def log_slopes(
    tau_rise_s: FloatArray, tau_decay_s: FloatArray, *, power: int
) -> tuple[FloatArray, FloatArray]:
    """Return by what fraction rise and half-width grow with the logarithm of either time constant.

    Parameters
    ----------
    tau_rise_s, tau_decay_s : ndarray, shape (n_events,), seconds
    power : int

    Returns
    -------
    of_rise, of_half_width : ndarray, shape (n_events, 2)
        Derivatives of their logarithms by that of the rise constant and that of the decay constant. For each
        event they add up to 1, as a shape stretched in time has all of its widths stretched.
    """
    slower = widths(tau_rise_s * np.exp(_STEP), tau_decay_s, power=power)
    faster = widths(tau_rise_s * np.exp(-_STEP), tau_decay_s, power=power)
    by_rise = [np.log(more / less) / (2.0 * _STEP) for more, less in zip(slower, faster, strict=True)]
    of_rise, of_half_width = (np.stack([slope, 1.0 - slope], axis=-1) for slope in by_rise)
    return of_rise, of_half_width


def _unscaled(
    since_s: npt.ArrayLike, tau_rise_s: npt.ArrayLike, tau_decay_s: npt.ArrayLike, power: int
) -> FloatArray:
    since, rise, decay = np.asarray(since_s), np.asarray(tau_rise_s), np.asarray(tau_decay_s)
    risen = -np.expm1(-since / rise)
    # As products: a third power takes six times as long.
    return np.asarray(risen ** (power - 1) * risen * np.exp(-since / decay))
