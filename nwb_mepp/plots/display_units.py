"""Units and numbers as a physiologist reads them: millivolts and picoamperes instead of 1e-3 and 1e-12."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Scale", "choose_scale", "number"]

# Largest first; a unit is used from a tenth of it on.
_PREFIXES = {
    "V": ((1e3, "kV"), (1.0, "V"), (1e-3, "mV"), (1e-6, "µV"), (1e-9, "nV")),
    "A": ((1.0, "A"), (1e-3, "mA"), (1e-6, "µA"), (1e-9, "nA"), (1e-12, "pA"), (1e-15, "fA")),
}
# Millivolts and picoamperes are what is usual: they are kept up to here.
_USUAL = {"mV": 1e3, "pA": 2e3}


@dataclass(frozen=True)
class Scale:
    """A unit for the screen: numbers in SI are multiplied by ``factor``."""

    factor: float
    unit: str


def choose_scale(values: npt.ArrayLike, *, unit: str) -> Scale:
    """Choose the unit in which the largest of some values reads well.

    Parameters
    ----------
    values : array_like
        In SI units; NaN is left out.
    unit : str
        ``"V"`` or ``"A"``; any other is kept.

    Returns
    -------
    Scale

    Examples
    --------
    >>> choose_scale([0.4e-3, -0.6e-3], unit="V")
    Scale(factor=1000.0, unit='mV')
    >>> choose_scale([-19e-12], unit="A").unit
    'pA'
    """
    finite = np.abs(np.asarray(values, dtype=np.float64))
    finite = finite[np.isfinite(finite)]
    largest = float(finite.max()) if finite.size else 0.0
    if unit not in _PREFIXES:
        return Scale(1.0, unit)
    usual = "mV" if unit == "V" else "pA"
    for size, name in _PREFIXES[unit]:
        if name == usual and (largest == 0.0 or 0.1 <= largest / size < _USUAL[name]):
            return Scale(round(1.0 / size, 3), name)
    for size, name in _PREFIXES[unit]:
        if largest >= 0.1 * size:
            return Scale(round(1.0 / size, 3), name)
    return Scale(round(1.0 / _PREFIXES[unit][-1][0], 3), _PREFIXES[unit][-1][1])


def number(value: float, *, digits: int = 3) -> str:
    """Return a number with so many significant digits, never in powers of ten; "n/a" for NaN.

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
