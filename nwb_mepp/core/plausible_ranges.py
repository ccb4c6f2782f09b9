"""What a file may state of a recording; numbers beyond it come from a damaged or misread file.

The ranges are far wider than what any amplifier, converter or probe gives, so that nothing real is refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "LONGEST_S",
    "RATES_HZ",
    "RATES_TEXT",
    "is_plausible_duration",
    "is_plausible_rate",
    "is_plausible_scale",
    "is_plausible_start",
    "is_plausible_value",
]

# From one temperature every 100 s to the fastest digitizers.
RATES_HZ = (0.01, 100e6)
RATES_TEXT = "from 0.01 Hz to 100 MHz"
_YEAR_S = 365.25 * 86_400
# Telemetry runs for months.
LONGEST_S = 10 * _YEAR_S
# Some programs count from an epoch, such as 1970, 1904 or 1601, instead of from the session start.
_FARTHEST_START_S = 1_000 * _YEAR_S
# Per stored step, in the unit of the channel: a picoampere, stated in amperes, in 32 bits has 5e-22.
_SCALES = (1e-24, 1e12)
_LARGEST_OFFSET = 1e15
# Also of counts of 32 bits that are called volts.
_LARGEST_VALUE = 1e12


def is_plausible_rate(rate_hz: float) -> bool:
    """Return whether a channel can have been sampled at a rate.

    Examples
    --------
    >>> is_plausible_rate(1e4), is_plausible_rate(1.7e38), is_plausible_rate(float("nan"))
    (True, False, False)
    """
    lowest, highest = RATES_HZ
    return lowest <= rate_hz <= highest


def is_plausible_duration(duration_s: float) -> bool:
    """Return whether a sweep can have lasted so long.

    Examples
    --------
    >>> is_plausible_duration(86_400.0), is_plausible_duration(1.8e42)
    (True, False)
    """
    return 0.0 <= duration_s <= LONGEST_S


def is_plausible_start(start_s: float) -> bool:
    """Return whether a sweep can have started at a time that is relative to the session start or an epoch.

    Examples
    --------
    >>> is_plausible_start(-0.5), is_plausible_start(1.7e9), is_plausible_start(1e30)
    (True, True, False)
    """
    return abs(start_s) <= _FARTHEST_START_S


def is_plausible_scale(factor: float, offset: float) -> bool:
    """Return whether ``stored * factor + offset`` can be values in the unit of a channel.

    Examples
    --------
    >>> is_plausible_scale(-1e-6 / 3, 0.07), is_plausible_scale(0.0, 0.0), is_plausible_scale(1.0, 1e30)
    (True, False, False)
    """
    smallest, largest = _SCALES
    return smallest <= abs(factor) <= largest and abs(offset) <= _LARGEST_OFFSET


def is_plausible_value(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which samples can be values in the unit of a channel.

    Parameters
    ----------
    values : ndarray of float, shape (n_samples,)

    Examples
    --------
    >>> is_plausible_value(np.array([-0.07, np.nan, -np.inf, 2e90])).tolist()
    [True, False, False, False]
    """
    return np.abs(values) <= _LARGEST_VALUE
