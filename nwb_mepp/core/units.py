"""Units: what a label means, and how a unit is named in NWB, in the laboratory and on the screen.

Inside the package everything electrical is in volts or amperes, called ``"V"`` and ``"A"``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

__all__ = [
    "DISPLAY_UNITS",
    "ELECTRICAL_UNITS",
    "MILLISECONDS",
    "QUANTITY_NAMES",
    "UNIT_EXAMPLES",
    "DisplayUnit",
    "Unit",
    "lab_unit",
    "nwb_unit_name",
    "parse_electrical_unit",
    "parse_time_unit",
    "parse_unit",
    "unit_label_of",
]

ELECTRICAL_UNITS = ("V", "A")
QUANTITY_NAMES = {"V": "Voltage", "A": "Current"}
UNIT_EXAMPLES = "V, mV, uV, A, nA, pA"


@dataclass(frozen=True)
class Unit:
    """What one unit of a stored number is worth.

    Attributes
    ----------
    name : str
        ``"V"``, ``"A"``, or for anything else the unit as it was written.
    scale : float
        Value in ``name`` = number x ``scale``.
    """

    name: str
    scale: float


@dataclass(frozen=True)
class DisplayUnit:
    """A unit for people.

    Attributes
    ----------
    name : str
    scale : float
        One of it in SI units.
    factor : float
        How many of it are one of the SI unit: a number in SI units x ``factor`` is in it.
    """

    name: str
    scale: float
    factor: float


@dataclass(frozen=True)
class _Prefix:
    """Spellings of a decimal prefix, and its powers of ten: ``scale`` to SI and ``factor`` from it."""

    symbols: tuple[str, ...]
    word: str
    cyrillic: str | None
    scale: float
    factor: float


# The unit registry of quantities serves for none of this: it knows no nV and no fA, makes
# 1.0000000000000002e-12 A of a pA, and reads neither the signs for micro nor Cyrillic.
_PREFIXES = (
    _Prefix(("",), "", "", 1.0, 1.0),
    _Prefix(("k",), "kilo", None, 1e3, 1e-3),
    _Prefix(("m",), "milli", "м", 1e-3, 1e3),
    # Both signs for micro (U+00B5 and U+03BC) are in use, and the plain "u".
    _Prefix(("u", "µ", "\u03bc"), "micro", "мк", 1e-6, 1e6),
    _Prefix(("n",), "nano", "н", 1e-9, 1e9),
    _Prefix(("p",), "pico", "п", 1e-12, 1e12),
    _Prefix(("f",), "femto", None, 1e-15, 1e15),
)
_WORDS = {"volt": "V", "volts": "V", "ampere": "A", "amperes": "A", "amp": "A", "amps": "A"}
_CYRILLIC = {"В": "V", "А": "A"}  # noqa: RUF001 - Cyrillic is meant


def _spellings() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for prefix, base in product(_PREFIXES, ELECTRICAL_UNITS):
        for symbol in prefix.symbols:
            units[symbol + base] = Unit(base, prefix.scale)
        if prefix.word:
            units[prefix.word + base] = units[prefix.word + base.lower()] = Unit(base, prefix.scale)
    for prefix, (word, base) in product(_PREFIXES, _WORDS.items()):
        units[prefix.word + word] = Unit(base, prefix.scale)
    for prefix, (letter, base) in product(_PREFIXES, _CYRILLIC.items()):
        if prefix.cyrillic is not None:
            units[prefix.cyrillic + letter] = Unit(base, prefix.scale)
    # A small v is a volt in careless labels and nothing else. A small a is left out: "pa" and "ma" are too
    # near to pascal and to year to be taken for amperes without asking.
    units |= {f"{symbol}v": units[f"{symbol}V"] for symbol in ("", "m", "u", "µ", "\u03bc", "n")}
    return units


_ELECTRICAL = _spellings()

# Labels that name no unit, although quantities would take some of them for one: "u" is what Neo leaves of a
# missing BrainVision unit (not an atomic mass), "au" stands for arbitrary units (not astronomical).
_NO_UNIT = frozenset(
    {"", "-", "?", "1", "a.u.", "adc", "arb", "au", "count", "counts", "dimensionless", "n/a", "na", "none"}
    | {"sans", "u", "unit", "units", "unknown"}
)

# What may be handed to the parser of quantities, which evaluates it: names and powers of one digit. A label
# out of a damaged or malicious file must not be able to compute 9**9**9**9.
_QUANTITY_NAME = re.compile(
    r"[A-Za-z%]{1,12}(?:(?:\*\*|\^)[0-9])?(?:[*/][A-Za-z]{1,12}(?:(?:\*\*|\^)[0-9])?){0,2}"
)

_UNITS_PER_SECOND = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "с", "сек"), 1.0),  # noqa: RUF001
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds", "мс", "мсек"), 1e3),
    **dict.fromkeys(("us", "µs", "\u03bcs", "usec", "microsecond", "microseconds", "мкс"), 1e6),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "мин"), 1.0 / 60.0),
}

# NWB spells base units out.
_NWB_NAMES = {"V": "volts", "A": "amperes", "": "unknown"}

DISPLAY_UNITS = {
    symbol + base: DisplayUnit(symbol + base, prefix.scale, prefix.factor)
    for prefix, base in product(_PREFIXES, ELECTRICAL_UNITS)
    for symbol in prefix.symbols
}
MILLISECONDS = DisplayUnit("ms", 1e-3, 1e3)
# What amplifiers for such signals give.
_LAB_UNITS = {"V": DISPLAY_UNITS["mV"], "A": DISPLAY_UNITS["pA"]}


def parse_electrical_unit(label: str) -> Unit | None:
    """Return the unit of voltage or current that a label means, None if it means none.

    Parameters
    ----------
    label : str
        As a file or a user writes it: ``mV``, ``millivolts``, ``Volts``, ``µA``, ``microV``, ``пА``. The case
        of words does not matter; that of symbols does, as it tells milli from mega.

    Examples
    --------
    >>> parse_electrical_unit("mV")
    Unit(name='V', scale=0.001)
    >>> parse_electrical_unit("Picoamperes")
    Unit(name='A', scale=1e-12)
    >>> parse_electrical_unit("MV") is None  # megavolts, or millivolts in capitals
    True
    """
    label = "".join(label.split())  # also removes no-break spaces and spaces inside ("micro V")
    return _ELECTRICAL.get(label) or _ELECTRICAL.get(label.lower() if len(label) > 2 else label)


def parse_unit(label: str) -> Unit | None:
    """Return the unit that a label means, None if it is empty or means nothing known.

    Parameters
    ----------
    label : str
        As for :func:`parse_electrical_unit`, or any other unit: ``degC``, ``mmHg``.

    Returns
    -------
    Unit or None
        In ``"V"`` or ``"A"`` for anything electrical; another unit that ``quantities`` knows is kept as it
        is, with scale 1.

    Examples
    --------
    >>> parse_unit("mV")
    Unit(name='V', scale=0.001)
    >>> parse_unit("degC")
    Unit(name='degC', scale=1.0)
    >>> parse_unit("foo") is None
    True
    """
    found = parse_electrical_unit(label)
    if found is not None:
        return found
    label = "".join(label.split())
    if label.lower() in _NO_UNIT:
        return None
    label = label.replace("°C", "degC")
    return Unit(label, 1.0) if _is_quantity(label) else None


def _is_quantity(label: str) -> bool:
    if not _QUANTITY_NAME.fullmatch(label):
        return False
    import quantities

    try:
        return bool(quantities.Quantity(1.0, label).dimensionality)
    except Exception:  # quantities raises LookupError, SyntaxError, TypeError, ... for what it cannot parse
        return False


def parse_time_unit(label: str) -> float | None:
    """Return how many of a unit of time make one second, None if the label names no such unit.

    Examples
    --------
    >>> parse_time_unit("ms")
    1000.0
    """
    return _UNITS_PER_SECOND.get("".join(label.split()).lower().rstrip("."))


def unit_label_of(signal: Any) -> str:
    """Return the unit of one of Neo's signals as a label, empty if it has none.

    Parameters
    ----------
    signal : quantities.Quantity
    """
    label = str(signal.units.dimensionality.string)
    return "" if label == "dimensionless" else label


def nwb_unit_name(unit: str) -> str:
    """Return a unit as NWB writes it: volts and amperes spelled out, anything else kept, "unknown" for none.

    Examples
    --------
    >>> nwb_unit_name("V"), nwb_unit_name("degC")
    ('volts', 'degC')
    """
    return _NWB_NAMES.get(unit, unit)


def lab_unit(unit: str) -> DisplayUnit:
    """Return the unit that laboratories use for volts or amperes; any other unit is kept.

    Examples
    --------
    >>> lab_unit("A")
    DisplayUnit(name='pA', scale=1e-12, factor=1000000000000.0)
    """
    return _LAB_UNITS.get(unit) or DisplayUnit(unit, 1.0, 1.0)
