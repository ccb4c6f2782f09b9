"""Units as laboratories write them, turned into volts or amperes by an exact factor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

__all__ = ["UNIT_EXAMPLES", "Unit", "parse_time_unit", "parse_unit", "unit_label_of"]

UNIT_EXAMPLES = "V, mV, uV, A, nA, pA"


@dataclass(frozen=True)
class Unit:
    """What one stored unit is worth.

    Attributes
    ----------
    name : str
        ``"V"``, ``"A"``, or for anything else the unit as it was written.
    scale : float
        Value in ``name`` = number x ``scale``.
    """

    name: str
    scale: float


# Both signs for micro (U+00B5 and U+03BC) are in use, and the plain "u".
_SYMBOLS = {
    "": 1.0,
    "k": 1e3,
    "m": 1e-3,
    "u": 1e-6,
    "µ": 1e-6,
    "\u03bc": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
}
_WORDS = {"": 1.0, "kilo": 1e3, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "pico": 1e-12, "femto": 1e-15}
_BASE_WORDS = {"volt": "V", "volts": "V", "ampere": "A", "amperes": "A", "amp": "A", "amps": "A"}
_CYRILLIC = {"": 1.0, "м": 1e-3, "мк": 1e-6, "н": 1e-9, "п": 1e-12}
_CYRILLIC_BASES = {"В": "V", "А": "A"}  # noqa: RUF001 - Cyrillic is meant


def _electrical_units() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for (prefix, scale), base in product(_SYMBOLS.items(), "VA"):
        units[prefix + base] = Unit(base, scale)
    for prefix in ("", "m", "u", "µ", "\u03bc", "n"):
        # A small v is a volt in sloppy labels and nothing else. A small a is left out: "pa" and "ma" are
        # too near to pascal and to year to be taken for amperes without asking.
        units[prefix + "v"] = Unit("V", _SYMBOLS[prefix])
    for (prefix, scale), (word, base) in product(_WORDS.items(), _BASE_WORDS.items()):
        units[prefix + word] = Unit(base, scale)
    for (prefix, scale), base in product(list(_WORDS.items())[1:], "VA"):
        units[prefix + base] = units[prefix + base.lower()] = Unit(base, scale)
    for (prefix, scale), (letter, base) in product(_CYRILLIC.items(), _CYRILLIC_BASES.items()):
        units[prefix + letter] = Unit(base, scale)
    return units


_ELECTRICAL = _electrical_units()

# Labels that name no unit, although ``quantities`` would take some of them for one: "u" is what Neo leaves
# of a missing BrainVision unit (not an atomic mass), "au" stands for arbitrary units (not astronomical).
_NO_UNIT = frozenset(
    {"", "-", "?", "1", "a.u.", "adc", "arb", "au", "count", "counts", "dimensionless", "n/a", "na", "none"}
    | {"sans", "u", "unit", "units", "unknown"}
)

# What may be handed to the parser of ``quantities``, which evaluates it: names and powers of one digit. A
# label out of a damaged or malicious file must not be able to compute 9**9**9**9.
_QUANTITY_NAME = re.compile(
    r"[A-Za-z%]{1,12}(?:(?:\*\*|\^)[0-9])?(?:[*/][A-Za-z]{1,12}(?:(?:\*\*|\^)[0-9])?){0,2}"
)

_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "с", "сек"), 1.0),  # noqa: RUF001
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds", "мс", "мсек"), 1e3),
    **dict.fromkeys(("us", "µs", "\u03bcs", "usec", "microsecond", "microseconds", "мкс"), 1e6),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "мин"), 1.0 / 60.0),
}


def parse_unit(label: str) -> Unit | None:
    """Return what a unit label means, None if it is empty or means nothing known.

    Parameters
    ----------
    label : str
        As a file or a user writes it: ``mV``, ``millivolts``, ``µA``, ``microV``, ``пА``, ``degC``.

    Returns
    -------
    Unit or None
        In ``"V"`` or ``"A"`` for anything electrical; another unit that ``quantities`` knows is
        kept as it is, with scale 1.

    Examples
    --------
    >>> parse_unit("mV")
    Unit(name='V', scale=0.001)
    >>> parse_unit("picoamperes")
    Unit(name='A', scale=1e-12)
    >>> parse_unit("degC")
    Unit(name='degC', scale=1.0)
    >>> parse_unit("foo") is None
    True
    """
    label = "".join(label.split())  # also removes no-break spaces and spaces inside ("micro V")
    found = _ELECTRICAL.get(label) or _ELECTRICAL.get(label.lower() if len(label) > 2 else label)
    if found is not None:
        return found
    if label.lower() in _NO_UNIT:
        return None
    label = label.replace("°C", "degC")
    return Unit(label, 1.0) if _is_quantity(label) else None


def parse_time_unit(label: str) -> float | None:
    """Return how many of a unit of time make one second, None if the label names no such unit.

    Examples
    --------
    >>> parse_time_unit("ms")
    1000.0
    """
    return _TIME_UNITS.get("".join(label.split()).lower().rstrip("."))


def unit_label_of(signal: Any) -> str:
    """Return the unit of one of Neo's signals as a label, empty if it has none.

    Parameters
    ----------
    signal : quantities.Quantity
    """
    label = str(signal.units.dimensionality.string)
    return "" if label == "dimensionless" else label


def _is_quantity(label: str) -> bool:
    if not _QUANTITY_NAME.fullmatch(label):
        return False
    import quantities

    try:
        return bool(quantities.Quantity(1.0, label).dimensionality)
    except Exception:  # quantities raises LookupError, SyntaxError, TypeError, ... for what it cannot parse
        return False
