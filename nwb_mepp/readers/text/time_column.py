"""Inferring the sampling rate from a printed column of times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

__all__ = [
    "IrregularTimesError",
    "rises_evenly",
    "samples_per_time_unit",
    "simplest_rate_between",
    "stretches",
    "usual_step",
]

FloatArray = npt.NDArray[np.float64]

# A step that deviates by less than this fraction is jitter of the printed digits, not a gap.
_JITTER = 0.1
_MAX_DECIMALS = 12
# Gaps are rare: more large steps than this are jitter, among which a gap is so many times larger.
_MAX_GAPS = 0.01
_OUTLIER = 3.0
_MIN_JITTER = 10
_MAX_SPLITS = 1000


class IrregularTimesError(ValueError):
    """Times are not evenly spaced.

    Parameters
    ----------
    row : int
        The first row with an unexpected time.
    message : str
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def samples_per_time_unit(times: FloatArray) -> float:
    """Return the number of samples per unit of the printed times.

    A printed time is exact to within half a unit of its last decimal. The mean step is therefore known to
    within a few such units divided by the number of steps. Of the rates (and the intervals) in that range,
    the one with the fewest digits is returned: 10000 if the quotient is 10000.00017, and 0.00003 s if it is
    0.0000300004 s.

    Parameters
    ----------
    times : ndarray, shape (n,)
        As printed, n at least 2.

    Raises
    ------
    IrregularTimesError
        If the times are not evenly spaced within the precision of the printed decimals.

    Examples
    --------
    >>> samples_per_time_unit(np.array([0.0, 0.0001, 0.0002, 0.0003]))
    10000.0
    """
    if len(times) < 2:
        raise IrregularTimesError(0, "there is only one, which gives no sampling rate")
    steps = np.diff(times)
    span = float(times[-1] - times[0])
    if span <= 0 or (steps < 0).any():
        row = int(np.argmin(steps)) + 1
        raise IrregularTimesError(row, "the time does not increase")
    resolution = _printed_resolution(times)
    mean_step = span / len(steps)
    if not (np.abs(steps - mean_step) <= _JITTER * mean_step).all():
        _check_coarse(steps, mean_step=usual_step(times), resolution=resolution)
    # Times that were rounded before printing (to float32) deviate by more than their last decimal.
    residual = times - times[0] - np.arange(len(times)) * mean_step
    slack = resolution + 2 * float(np.abs(residual).max())
    lowest, highest = len(steps) / (span + slack), len(steps) / max(span - slack, 0.5 * span)
    if np.abs(residual).max() > resolution + 0.5 * mean_step:
        row = int(np.argmax(np.abs(residual) > resolution + 0.5 * mean_step))
        raise IrregularTimesError(row, "the time steps change in the course of the file")
    return simplest_rate_between(lowest, highest, near=len(steps) / span)


def usual_step(times: FloatArray) -> float:
    """Return the mean step of times apart from gaps and steps back; 0 if there is none.

    Parameters
    ----------
    times : ndarray, shape (n,)
    """
    steps = np.diff(times)
    steps = steps[steps >= 0]
    if not len(steps):
        return 0.0
    median = float(np.median(steps))
    like_median = steps[np.abs(steps - median) <= _JITTER * median]
    if median > 0 and len(like_median) > 0.9 * len(steps):
        return float(like_median.mean())
    # Where times are printed more coarsely than sampled, most steps are 0 and the others one decimal.
    usual = steps[steps <= 10 * (median + _printed_resolution(times))]
    return float(usual.mean()) if len(usual) else 0.0


def stretches(times: FloatArray) -> list[tuple[int, int]]:
    """Split times where a step is larger than rounding explains, or goes back.

    Parameters
    ----------
    times : ndarray, shape (n,)
        As printed, n at least 1.

    Returns
    -------
    list of (start, stop)
        Rows of each stretch; one that is left by splitting may still have uneven times.

    Examples
    --------
    >>> stretches(np.array([0.0, 0.1, 0.2, 0.9, 1.0, 1.1, 0.0, 0.1]))
    [(0, 3), (3, 6), (6, 8)]
    """
    steps = np.diff(times)
    usual, resolution = usual_step(times), _printed_resolution(times)
    largest = usual + (0.5 * usual if resolution <= _JITTER * usual else max(1.01 * resolution, 0.5 * usual))
    # Times that a computer's clock gave vary from sample to sample; a gap stands out among them.
    n_larger = int((steps > largest).sum())
    if n_larger > max(_MAX_GAPS * len(steps), _MIN_JITTER):
        largest = max(largest, _OUTLIER * float(np.quantile(steps, 1 - _MAX_GAPS)))
    borders = np.flatnonzero((steps > largest) | (steps < -0.5 * resolution)) + 1
    found = []
    for start, stop in zip([0, *borders.tolist()], [*borders.tolist(), len(times)], strict=True):
        found += [(start + first, start + last) for first, last in _at_missing_rows(times[start:stop])]
    return found


def _at_missing_rows(times: FloatArray) -> list[tuple[int, int]]:
    """Split times at steps that only the evenness of the others tells from rounding."""
    done: list[tuple[int, int]] = []
    start = 0
    while len(times) - start > 2 and len(done) < _MAX_SPLITS:
        try:
            samples_per_time_unit(times[start:])
        except IrregularTimesError as error:
            step = float(times[start + error.row] - times[start + error.row - 1])
            if not 0 < error.row < len(times) - start or step <= 1.5 * usual_step(times[start:]):
                break
            done.append((start, start + error.row))
            start += error.row
        else:
            break
    return [*done, (start, len(times))]


def rises_evenly(numbers: Sequence[float]) -> bool:
    """Return whether numbers rise like the times of a recording, gaps apart.

    Parameters
    ----------
    numbers : sequence of float

    Examples
    --------
    >>> rises_evenly([0.0, 0.1, 0.2, 0.3]), rises_evenly([0.1, 0.25, 0.3, 0.7])
    (True, False)
    """
    times = np.array(numbers, dtype=np.float64)
    if len(times) < 3 or times[-1] <= times[0]:
        return False
    longest = max(stretches(times), key=lambda one: one[1] - one[0])
    if longest[1] - longest[0] < max(3, 0.5 * len(times)):
        return False
    try:
        samples_per_time_unit(times[slice(*longest)])
    except IrregularTimesError:
        return False
    return True


def simplest_rate_between(lowest: float, highest: float, *, near: float) -> float:
    """Return the rate between two limits which, itself or as an interval, has the fewest digits.

    Parameters
    ----------
    lowest, highest : float
        Above 0.
    near : float
        The estimate between the limits that is rounded.

    Examples
    --------
    >>> simplest_rate_between(9999.8, 10000.1, near=9999.95)
    10000.0
    >>> round(1 / simplest_rate_between(33333.2, 33333.4, near=33333.3), 12)
    3e-05
    """
    for digits in range(1, 17):
        rate, interval = (Fraction(f"{value:.{digits - 1}e}") for value in (near, 1.0 / near))
        # Fractions, because 1 / 8e-5 is 12499.999999999998 in floating-point arithmetic.
        for candidate in (float(rate), float(1 / interval)):
            if lowest <= candidate <= highest:
                return candidate
    return near


def _printed_resolution(times: FloatArray) -> float:
    """Return one unit of the last printed decimal, given by the time with the most decimals."""
    largest = float(np.abs(times[[0, -1]]).max())
    for decimals in range(_MAX_DECIMALS + 1):
        noise = 4 * np.finfo(np.float64).eps * max(largest * 10.0**decimals, 1.0)
        # Most often the first times show that there are more decimals.
        parts = (times[:1000], times[1000:])
        if noise > _JITTER or all(_are_whole(part * 10.0**decimals, noise) for part in parts):
            return float(10.0**-decimals)
    return float(10.0**-_MAX_DECIMALS)


def _are_whole(numbers: FloatArray, noise: float) -> bool:
    return bool((np.abs(numbers - np.rint(numbers)) <= noise).all())


def _check_coarse(steps: FloatArray, *, mean_step: float, resolution: float) -> None:
    """Accept unequal steps only if they result from rounding to the printed decimals.

    An evenly spaced series rounded to a grid has steps of two adjacent sizes, and the rarer one recurs at
    even intervals, give or take one step (two if times lie half-way between two decimals and are rounded
    either way). A gap or a duplicated line can occur anywhere.
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
    # Fewer than three indicate gaps rather than a rate that differs by one sample in the whole recording.
    if len(rarer) < 3 or np.ptp(distances) > 2:
        raise _gap(int(rarer[0]), steps)


def _gap(step: int, steps: FloatArray) -> IrregularTimesError:
    usual = float(np.median(steps))
    return IrregularTimesError(
        step + 1, f"the time step is {steps[step]:.6g} instead of the usual {usual:.6g}"
    )
