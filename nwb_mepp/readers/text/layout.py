"""How a table of numbers in a text file is laid out: separator, heading, columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nwb_mepp.readers.text.encodings import read_head

__all__ = ["TextLayout", "cells_of", "is_number", "sniff_layout", "split_title"]

_MAX_HEADER_LINES = 200
_N_FIRST_ROWS = 50
_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """What the beginning of a text file tells.

    Attributes
    ----------
    encoding : str
    separator : str
        Between cells: a tab or a comma.
    header : tuple of str
        The lines before the first that begins with a number.
    titles : tuple of str
        Cells of the last header line, if it is one of titles; else empty.
    n_columns : int
        Of the first line of numbers.
    first_rows : tuple of tuple of float
        The numbers of the first lines, as far as they are numbers.
    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    titles: tuple[str, ...]
    n_columns: int
    first_rows: tuple[tuple[float, ...], ...]


def sniff_layout(path: Path) -> TextLayout | None:
    """Return the layout of a table of numbers, None if the file does not begin like one.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If the file is no text.
    """
    encoding, head = read_head(path)
    # Not splitlines(), which also parts lines where a file object does not (form feeds, U+2028).
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines[:_MAX_HEADER_LINES]) if _begins_with_number(line)), None)
    if first is None:
        return None
    separator = _separator(lines[first])
    header = tuple(lines[:first])
    rows = [cells_of(line, separator) for line in lines[first : first + _N_FIRST_ROWS]]
    return TextLayout(
        encoding=encoding,
        separator=separator,
        header=header,
        titles=_titles(header, separator),
        n_columns=len(rows[0]),
        first_rows=tuple(tuple(map(_number, row)) for row in rows if all(map(is_number, row))),
    )


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without a comment (after #) and without tabs at its end.

    Parameters
    ----------
    line : str
    separator : str
    """
    text = line.split("#", 1)[0].rstrip()
    return [cell.strip().strip('"') for cell in text.split(separator)]


def is_number(cell: str) -> bool:
    """Return whether a cell is a finite number, with a decimal point or comma.

    Parameters
    ----------
    cell : str
    """
    try:
        return math.isfinite(_number(cell))
    except ValueError:
        return False


def split_title(title: str, parse: Callable[[str], _Parsed | None], *, shortest: int = 2) -> tuple[str, str]:
    """Part the title of a column into name and unit.

    Parameters
    ----------
    title : str
        ``Vm (mV)``, ``Vm [mV]``, ``Vm, mV``, ``Vm / mV``, ``Vm_mV`` or ``Vm mV``.
    parse : callable
        Returns None for what is no unit; then the whole title is the name.
    shortest : int, default 2
        Letters that a unit must have after a mere space or underscore, where a single one rather numbers
        the channels (A, B, ...).

    Returns
    -------
    name, unit : str
        The unit is empty if the title holds none.

    Examples
    --------
    >>> from nwb_mepp.core.units import parse_unit
    >>> split_title("Канал 1, V", parse_unit), split_title("Im_pA", parse_unit)
    (('Канал 1', 'V'), ('Im', 'pA'))
    >>> split_title("Channel A", parse_unit)  # a letter, not amperes
    ('Channel A', '')
    """
    for pattern, is_loose in _TITLE_PATTERNS:
        match = re.fullmatch(pattern, title.strip())
        if match and len(match[2]) >= (shortest if is_loose else 1) and parse(match[2]) is not None:
            return match[1].strip(), match[2].strip()
    return title.strip(), ""


# Each with whether it is loose: a mere space or underscore parts name and unit.
_TITLE_PATTERNS = (
    (r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]", False),
    (r"(.*)[,/]\s*([^,/]+)", False),
    (r"(.*\S)[_\s]+([^_\s]+)", True),
)


def _separator(line: str) -> str:
    return "\t" if "\t" in line else ","


def _begins_with_number(line: str) -> bool:
    """Return whether a line is one of numbers; whether it is a good one is found when it is read."""
    cells = cells_of(line, _separator(line))
    return len(cells) > 1 and is_number(cells[0])


def _number(cell: str) -> float:
    return float(cell.replace(",", "."))


def _titles(header: tuple[str, ...], separator: str) -> tuple[str, ...]:
    """Return the cells of the last line that is neither blank, a comment nor an entry ``Key=``."""
    for line in reversed(header):
        cells = cells_of(line, separator)
        if any(cells):
            return () if "=" in cells[0] else tuple(cells)
    return ()
