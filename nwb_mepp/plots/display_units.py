"""Units and numbers as a physiologist reads them: millivolts and picoamperes instead of 1e-3 and 1e-12."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.units import DISPLAY_UNITS, DisplayUnit, lab_unit

__all__ = ["choose_unit", "duration", "number"]

# Largest first; a unit is used for values from a tenth of it.
_UNITS = {
    "V": tuple(DISPLAY_UNITS[name] for name in ("kV", "V", "mV", "µV", "nV")),
    "A": tuple(DISPLAY_UNITS[name] for name in ("A", "mA", "µA", "nA", "pA", "fA")),
}
# The usual units, millivolts and picoamperes, are kept up to here.
_LARGEST_USUAL = {"V": 1e3, "A": 2e3}


def choose_unit(values: npt.ArrayLike, *, unit: str) -> DisplayUnit:
    """Choose the unit in which the largest of some values reads well.

    Parameters
    ----------
    values : array_like
        In SI units; NaN is left out.
    unit : str
        ``"V"`` or ``"A"``; any other is kept.

    Returns
    -------
    DisplayUnit

    Examples
    --------
    >>> choose_unit([0.4e-3, -0.6e-3], unit="V").name
    'mV'
    >>> choose_unit([-19e-12], unit="A").factor
    1000000000000.0
    """
    if unit not in _UNITS:
        return lab_unit(unit)
    finite = np.abs(np.asarray(values, dtype=np.float64))
    finite = finite[np.isfinite(finite)]
    largest = float(finite.max()) if finite.size else 0.0
    usual = lab_unit(unit)
    if largest == 0.0 or 0.1 <= largest / usual.scale < _LARGEST_USUAL[unit]:
        return usual
    return next((one for one in _UNITS[unit] if largest >= 0.1 * one.scale), _UNITS[unit][-1])


def duration(seconds: float) -> str:
    """Format a duration in seconds, of more than four digits in hours.

    Examples
    --------
    >>> duration(59.25), duration(86_400.0)
    ('59.25 s', '24 h')
    """
    return f"{seconds:.4g} s" if seconds < 9_999.5 else f"{seconds / 3600.0:.4g} h"


def number(value: float, *, digits: int = 3) -> str:
    """Format a number with so many significant digits, never in scientific notation; "n/a" for NaN.

    Examples
    --------
    >>> number(0.51234), number(71.23), number(1234.5), number(float("nan"))
    ('0.512', '71.2', '1230', 'n/a')
    """
    if not np.isfinite(value):
        return "n/a"
    if value == 0.0:
        return "0"
    exponent = int(np.floor(np.log10(abs(value))))
    rounded = round(value, digits - 1 - exponent)
    decimals = max(digits - 1 - int(np.floor(np.log10(abs(rounded)))), 0)
    return f"{rounded:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
