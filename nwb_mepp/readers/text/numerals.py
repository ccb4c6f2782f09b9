"""What a cell of a text file says: a number as people of any country write it, a clock time, a date."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

__all__ = ["clock_seconds", "decimal_mark", "is_date", "is_missing", "is_value", "number_in"]

_PLAIN = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
# Groups of three digits. Besides points and commas, thousands are set apart by an apostrophe or a space.
_GROUPED = re.compile(
    r"[+-]?[1-9]\d{0,2}(?P<group>[.,'\u2019 \u00a0\u2009\u202f])\d{3}(?:(?P=group)\d{3})*"
    r"(?:(?P<mark>[.,])\d+)?"
)
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d(?:[.,]\d+)?)")
_SHORT_CLOCK = re.compile(r"(\d+):([0-5]?\d[.,]\d+)")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")
_BLANKS = " \t\r\n\u00a0\u2009\u202f"
# How programs write a sample that does not exist.
_MISSING = frozenset(
    {"nan", "+nan", "-nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#qnan", "1.#qnb", "1.#ind", "-1.#ind"}
    | {"na", "n/a", "#na", "#n/a", "#num!", "#value!", "#div/0!"}
)


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no number.

    Examples
    --------
    >>> is_missing("NaN"), is_missing("-1.#IND"), is_missing("")
    (True, True, False)
    """
    return cell.strip(_BLANKS).lower() in _MISSING


def number_in(cell: str, *, mark: str = "", lone_groups: bool = False) -> float | None:
    """Return the number that a cell as a whole is, or None if it is none or could be two.

    Parameters
    ----------
    cell : str
    mark : {"", ".", ","}
        Decimal mark of the file, as far as it is known.
    lone_groups : bool, default False
        Take ``12,345`` for twelve thousand where the decimal mark is a point, and ``12.345`` where it is a
        comma. Without it, a cell is refused in which only one comma or point says so.

    Examples
    --------
    >>> number_in("-70,5"), number_in("1.234,5"), number_in("1,234,567"), number_in("12abc")
    (-70.5, 1234.5, 1234567.0, None)
    >>> number_in("12,345", mark="."), number_in("12,345", mark=".", lone_groups=True)
    (None, 12345.0)
    """
    text = cell.strip(_BLANKS).replace("\u2212", "-")
    if _PLAIN.fullmatch(text):
        if not mark or {",": ".", ".": ","}[mark] not in text:
            return _finite(text.replace(",", "."))
        if not lone_groups:
            return None
    grouped = _GROUPED.fullmatch(text)
    if grouped is None or grouped["group"] in (mark or "none", grouped["mark"]):
        return None
    if mark and grouped["mark"] not in (None, mark):
        return None
    return _finite(text.replace(grouped["group"], "").replace(",", "."))


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def clock_seconds(cell: str) -> float | None:
    """Return the seconds that ``h:mm:ss`` or ``mm:ss.fff`` stands for; None for anything else.

    Two numbers without a fraction, ``10:30``, could be hours and minutes as well.

    Examples
    --------
    >>> clock_seconds("0:00:12.346"), clock_seconds("1:30,5"), clock_seconds("10:30")
    (12.346, 90.5, None)
    """
    text = cell.strip(_BLANKS)
    if found := _CLOCK.fullmatch(text):
        return 3600.0 * int(found[1]) + 60.0 * int(found[2]) + float(found[3].replace(",", "."))
    if found := _SHORT_CLOCK.fullmatch(text):
        return 60.0 * int(found[1]) + float(found[2].replace(",", "."))
    return None


def is_date(cell: str) -> bool:
    """Return whether a cell is a date in digits, ``25.02.2010`` or ``2010-02-25``."""
    return _DATE.fullmatch(cell.strip(_BLANKS)) is not None


def is_value(cell: str) -> bool:
    """Return whether a cell stands for a sample or its time: a number, NaN, a clock time, a date."""
    return number_in(cell) is not None or is_missing(cell) or clock_seconds(cell) is not None or is_date(cell)


def decimal_mark(cells: Iterable[str]) -> str:
    """Return the decimal mark of the first cell that tells it; an empty text if there is none.

    Parameters
    ----------
    cells : iterable of str

    Raises
    ------
    ValueError
        If all marks are commas that could separate decimals as well as thousands. Its argument is such a
        cell.

    Examples
    --------
    >>> decimal_mark(["0,5", "1.234,5"]), decimal_mark(["12,345", "0.5"]), decimal_mark(["7"])
    (',', '.', '')
    """
    unsure, is_pointed = "", False
    for cell in cells:
        text = cell.strip(_BLANKS)
        mark = _mark_of(text)
        if mark:
            return mark
        if mark is None:
            unsure = unsure or (text if "," in text else "")
            is_pointed = is_pointed or "." in text
    if unsure:
        raise ValueError(unsure)
    return "." if is_pointed else ""


def _mark_of(text: str) -> str | None:
    """Return the decimal mark of a number: empty if it has none, None if that is not certain."""
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and grouped["group"] in ".,":
        if grouped["mark"]:
            return str(grouped["mark"])
        if text.count(grouped["group"]) == 1:
            return None
        return {",": ".", ".": ","}[grouped["group"]]
    if grouped is not None:
        return grouped["mark"] or ""
    if _PLAIN.fullmatch(text):
        return "," if "," in text else "." if "." in text else ""
    return ""
