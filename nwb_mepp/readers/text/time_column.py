"""The sampling rate behind a printed column of times."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

__all__ = ["IrregularTimesError", "samples_per_time_unit", "simplest_rate_between"]

FloatArray = npt.NDArray[np.float64]

# A step that is off by less than this part of itself is jitter of the printed digits, not a gap.
_JITTER = 0.1
_MAX_DECIMALS = 12


class IrregularTimesError(ValueError):
    """Times are not evenly spaced.

    Parameters
    ----------
    row : int
        The first that is not where it should be.
    message : str
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def samples_per_time_unit(times: FloatArray) -> float:
    """Return how many samples there are per unit of printed times.

    A time printed with four decimals stands for anything within half of its last decimal. So the mean
    step is known to within a few last decimals over the whole span, and of the rates (and of the
    intervals) in that range the one with the fewest digits is taken: 10000 where the quotient is
    10000.00017, 0.00003 s where it is 0.0000300004.

    Parameters
    ----------
    times : ndarray, shape (n,)
        As printed, n at least 2.

    Raises
    ------
    IrregularTimesError
        If the times are not even within what the printed decimals allow.

    Examples
    --------
    >>> samples_per_time_unit(np.array([0.0, 0.0001, 0.0002, 0.0003]))
    10000.0
    """
    if len(times) < 2:
        raise IrregularTimesError(0, "there is but one, which tells no sampling rate")
    steps = np.diff(times)
    span = float(times[-1] - times[0])
    if span <= 0 or (steps < 0).any():
        row = int(np.argmin(steps)) + 1
        raise IrregularTimesError(row, "the time does not go on")
    resolution = _printed_resolution(times)
    mean_step = span / len(steps)
    if not (np.abs(steps - mean_step) <= _JITTER * mean_step).all():
        _check_coarse(steps, mean_step=mean_step, resolution=resolution)
    # Times that were rounded before they were printed (to float32) are off by more than their decimals.
    residual = times - times[0] - np.arange(len(times)) * mean_step
    slack = resolution + 2 * float(np.abs(residual).max())
    lowest, highest = len(steps) / (span + slack), len(steps) / max(span - slack, 0.5 * span)
    if np.abs(residual).max() > resolution + 0.5 * mean_step:
        row = int(np.argmax(np.abs(residual) > resolution + 0.5 * mean_step))
        raise IrregularTimesError(row, "the steps of time change in the course of the file")
    return simplest_rate_between(lowest, highest, near=len(steps) / span)


def simplest_rate_between(lowest: float, highest: float, *, near: float) -> float:
    """Return the number between two others that takes the fewest digits, itself or its inverse.

    Parameters
    ----------
    lowest, highest : float
        Above 0.
    near : float
        Between them; what is rounded.

    Examples
    --------
    >>> simplest_rate_between(9999.8, 10000.1, near=9999.95)
    10000.0
    >>> round(1 / simplest_rate_between(33333.2, 33333.4, near=33333.3), 12)
    3e-05
    """
    for digits in range(1, 17):
        rate, interval = (Fraction(f"{value:.{digits - 1}e}") for value in (near, 1.0 / near))
        # As fractions, because 1 / 8e-5 is 12499.999999999998 in floating-point numbers.
        for candidate in (float(rate), float(1 / interval)):
            if lowest <= candidate <= highest:
                return candidate
    return near


def _printed_resolution(times: FloatArray) -> float:
    """Return one unit of the last decimal that any of the times has."""
    largest = float(np.abs(times[[0, -1]]).max())
    for decimals in range(_MAX_DECIMALS + 1):
        scaled = times * 10.0**decimals
        noise = 4 * np.finfo(np.float64).eps * max(largest * 10.0**decimals, 1.0)
        if noise > _JITTER or (np.abs(scaled - np.rint(scaled)) <= noise).all():
            return float(10.0**-decimals)
    return float(10.0**-_MAX_DECIMALS)


def _check_coarse(steps: FloatArray, *, mean_step: float, resolution: float) -> None:
    """Accept unequal steps only where rounding to the printed decimals makes them so.

    An even series rounded to a grid has steps of two neighboring sizes, and the rarer of them comes at
    even distances, give or take one (two where times lie half-way between two decimals and are rounded
    either way). A gap, or a line that is there twice, comes anywhere.
    """
    in_resolution = steps / resolution
    smaller = math.floor(mean_step / resolution + 1e-9)
    off = (np.rint(in_resolution) < smaller) | (np.rint(in_resolution) > smaller + 1)
    if resolution <= _JITTER * mean_step:
        off = np.abs(steps - np.median(steps)) > _JITTER * mean_step
    if off.any():
        raise _gap(int(np.argmax(off)), steps)
    is_larger = np.rint(in_resolution) > smaller
    rarer = np.flatnonzero(is_larger if is_larger.mean() < 0.5 else ~is_larger)
    distances = np.diff(rarer)
    # Fewer than three are a gap or two rather than a rate that is off by one sample in the whole recording.
    if len(rarer) < 3 or np.ptp(distances) > 2:
        raise _gap(int(rarer[0]), steps)


def _gap(step: int, steps: FloatArray) -> IrregularTimesError:
    usual = float(np.median(steps))
    return IrregularTimesError(step + 1, f"the time goes on by {steps[step]:.6g} where {usual:.6g} is usual")
