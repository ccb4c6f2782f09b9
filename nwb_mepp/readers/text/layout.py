"""The layout of a table of numbers in a text file: separator, decimal mark, header, columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.text.encodings import read_head
from nwb_mepp.readers.text.numerals import clock_seconds, decimal_mark, is_date, is_value, number_in

__all__ = [
    "SEPARATOR_NAMES",
    "TextLayout",
    "cells_of",
    "sniff_layout",
    "split_title",
    "titles_in",
    "without_comment",
]

_MAX_HEADER_LINES = 200
_N_FIRST_ROWS = 50
_MAX_CELL_CHARACTERS = 1 << 16
SEPARATOR_NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces", "": "line breaks"}
# A comment runs from "#" to the end of the line; values of Excel and C++ hold that sign too.
_COMMENT = re.compile(r"#(?!N/?A\b|NUM!|VALUE!|DIV/0!|QNA[NB]|IND|INF)", re.IGNORECASE)
_TEXT_TITLES = frozenset(
    {"annotation", "annotations", "comment", "comments", "kommentar", "note", "notes", "remark", "remarks"}
)
_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """The layout of a text file, as inferred from its beginning.

    Attributes
    ----------
    encoding : str
    separator : str
        What separates the cells: a tab, a semicolon, a comma or a space, which stands for any number of
        them; empty if there is one number a line.
    mark : {"", ".", ","}
        The decimal mark, empty as long as there is none.
    header : tuple of str
        The lines before the first one of numbers.
    titles : tuple of str
        Titles of the columns in the last header lines; empty if there are none.
    n_columns : int
        Number of cells in the first lines of numbers.
    first_rows : tuple of tuple of str
        The cells of the first lines of numbers.
    text_column : int, optional
        A last column for comments by its title; it does not count among the others.
    """

    encoding: str
    separator: str
    mark: str
    header: tuple[str, ...]
    titles: tuple[str, ...]
    n_columns: int
    first_rows: tuple[tuple[str, ...], ...]
    text_column: int | None = None

    def numbers(self, column: int) -> list[float]:
        """Return the numbers and times of the clock in the first lines of a column, without other cells."""
        cells = (row[column] for row in self.first_rows if column < len(row))
        found = (_number_or_clock(cell, self.mark) for cell in cells)
        return [number for number in found if number is not None]

    def are_dates(self, column: int) -> bool:
        """Return whether the first lines have dates in a column."""
        return all(column < len(row) and is_date(row[column]) for row in self.first_rows)


def _number_or_clock(cell: str, mark: str) -> float | None:
    number = number_in(cell, mark=mark)
    return clock_seconds(cell) if number is None else number


def sniff_layout(path: Path) -> TextLayout | None:
    """Infer the layout of a table of numbers; None if the file does not look like one.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If the file is not text, or a comma could be a decimal mark as well as a separator.
    """
    encoding, head = read_head(path)
    # Not splitlines(), which also splits at characters that do not end a line of a file (form feed, U+2028).
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = _first_row(lines)
    if found is None:
        return None
    first, separator = found
    below = [line for line in lines[first : first + _N_FIRST_ROWS] if line.strip()]
    header = tuple(lines[:first])
    separator = _checked_separator(separator, header, below, path)
    text_column = _text_column(_last_cells(header, separator))
    rows = tuple(tuple(cells_of(line, separator)[:text_column]) for line in below)
    rows = tuple(row for row in rows if row and all(cell == "" or is_value(cell) for cell in row))
    n_columns = len(rows[0])
    titles = titles_in(header, separator, n_columns if text_column is None else text_column + 1)
    if len(titles[:text_column]) == max(map(len, rows)):
        n_columns = len(titles[:text_column])  # the last cells of the first line may be empty
    return TextLayout(
        encoding=encoding,
        separator=separator,
        mark=_mark(lines[first:-1] or lines[first:], separator, path, first_line=first + 1),
        header=header,
        titles=titles[:text_column],
        n_columns=n_columns,
        first_rows=rows,
        text_column=text_column,
    )


def without_comment(line: str) -> tuple[str, str]:
    """Split a line at the first ``#`` into what it holds and a comment.

    Parameters
    ----------
    line : str
    """
    found = _COMMENT.search(line)
    return (line, "") if found is None else (line[: found.start()], line[found.end() :])


def cells_of(line: str, separator: str, *, has_comments: bool = True) -> list[str]:
    """Split a line into cells, without a comment (after #) and empty cells at the end.

    Parameters
    ----------
    line : str
    separator : str
        As in :class:`TextLayout`.
    has_comments : bool, default True
        Whether ``#`` begins a comment; in titles it often stands for "number".

    Examples
    --------
    >>> cells_of('"0,5"  "-70,2" # test', " "), cells_of("1;2;;", ";")
    (['0,5', '-70,2'], ['1', '2'])
    """
    text = without_comment(line)[0].rstrip() if has_comments else line.rstrip()
    if '"' in text and separator and len(text) < _MAX_CELL_CHARACTERS:
        cells = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
        if separator == " ":
            cells = [cell for cell in cells if cell]
    else:
        cells = text.split() if separator == " " else text.split(separator) if separator else [text]
    cells = [cell.strip().strip('"').strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _first_row(lines: Sequence[str]) -> tuple[int, str] | None:
    """Return the number of the first line of numbers, and what separates them."""
    for place, line in enumerate(lines[:_MAX_HEADER_LINES]):
        above = lines[place - 1] if place else ""
        number, separator = place, _separator(line, above=above)
        if separator is None:
            continue
        # What is above it and begins with a number was meant as a line of numbers, too: reading it shows
        # what is wrong.
        n_cells = len(cells_of(line, separator))
        while number and _is_spoiled_row(cells_of(lines[number - 1], separator), n_cells):
            number -= 1
        return number, separator
    return None


def _is_spoiled_row(cells: Sequence[str], n_cells: int) -> bool:
    n_values = sum(map(is_value, cells))
    return len(cells) == n_cells > 1 and is_value(cells[0]) and 2 * n_values >= n_cells


def _separator(line: str, *, above: str) -> str | None:
    """Return what separates the numbers of a line, None if it has something else."""
    text = without_comment(line)[0].strip()
    for separator in ("\t", ";", ",", " "):
        cells = cells_of(line, separator) if separator in text else []
        cells = cells[: _text_column(cells_of(above, separator))]
        if len(cells) > 1 and all(cell == "" or is_value(cell) for cell in cells) and any(cells):
            return separator
    return "" if is_value(text.strip('"').rstrip(";,\t")) else None


def _checked_separator(separator: str, header: Sequence[str], below: Sequence[str], path: Path) -> str:
    """Tell commas between numbers from decimal commas, by the titles.

    Raises
    ------
    ReadError
        If nothing tells them apart.
    """
    rows = [cells_of(line, ",") for line in below] if separator == "," else []
    could_be_decimals = any(
        all(re.fullmatch(r"[+-]?\d+", cell) for cell in row) and len(row) % 2 == 0 and len(row) > 0
        for row in rows
    ) and all(
        cell.isdecimal() and (first.lstrip("+-").isdecimal())
        for row in rows
        for first, cell in zip(row[::2], row[1::2], strict=False)
    )
    if not could_be_decimals or any('"' in line for line in below):
        return separator
    n_titles = len(_last_cells(header, ","))
    n_cells = max(map(len, rows))
    if n_titles == n_cells:
        return separator
    if n_titles == 1 and n_cells == 2:
        return ""
    raise ReadError(
        f"{path.name}: expected numbers that can be told from each other, found commas that could separate "
        f"numbers as well as decimals, {below[0].strip()[:60]!r}; separate the numbers by tabs or "
        "semicolons, or write decimal points."
    )


def _last_cells(header: Sequence[str], separator: str) -> list[str]:
    return next((cells for line in reversed(header) if (cells := cells_of(line, separator))), [])


def _text_column(titles: Sequence[str]) -> int | None:
    """Return the number of the last column if its title says that it holds comments."""
    return len(titles) - 1 if len(titles) > 1 and titles[-1].lower() in _TEXT_TITLES else None


def _mark(lines: Sequence[str], separator: str, path: Path, *, first_line: int) -> str:
    """Return the decimal mark of the first lines."""
    if separator == "," and not any('"' in line for line in lines):
        return "."
    try:
        return decimal_mark(cell for line in lines for cell in cells_of(line, separator))
    except ValueError as error:
        cell = error.args[0]
        number, line = next(item for item in enumerate(lines, first_line) if cell in item[1])
        raise ReadError(
            f"{path.name}, line {number}: expected numbers that can mean one thing, found {cell!r} in "
            f"{line.strip()[:60]!r}, whose comma may separate decimals or thousands, and nothing in the file "
            "that says which; write decimal points."
        ) from error


def titles_in(header: Sequence[str], separator: str, n_columns: int) -> tuple[str, ...]:
    """Return the titles of the columns in the lines above the numbers, empty if there are none.

    Parameters
    ----------
    header : sequence of str
    separator : str
    n_columns : int

    Examples
    --------
    >>> titles_in(["Time,Vm", "s,mV"], ",", 2)
    ('Time (s)', 'Vm (mV)')
    """
    rows = [cells for line in header if (cells := _title_cells(line, separator, n_columns))]
    if not rows:
        # Programs for numbers write the titles as a comment.
        bare = (line.strip().lstrip("#%").strip() for line in header if line.strip()[:1] in ("#", "%"))
        rows = [cells for line in bare if len(cells := _title_cells(line, separator, n_columns)) == n_columns]
    if not rows or "=" in rows[-1][0]:
        return ()
    last = [cell.strip("()[] ") for cell in rows[-1]]
    if len(rows) > 1 and len(rows[-2]) == len(last) > 0 and all(map(_is_unit, last)):
        return tuple(f"{name} ({unit})" for name, unit in zip(rows[-2], last, strict=True))
    return tuple(rows[-1])


def _title_cells(line: str, separator: str, n_columns: int) -> list[str]:
    cells = cells_of(line, separator, has_comments=line.lstrip().startswith("#"))
    if separator == " " and len(cells) != n_columns:
        # A title of several words: two spaces or tabs set it apart, or a unit in brackets ends it.
        for pattern in (r"\s{2,}|\t", r"(?<=[)\]])\s+"):
            wider = [cell for cell in re.split(pattern, line.strip()) if cell]
            if len(wider) == n_columns:
                return wider
    return cells


def _is_unit(cell: str) -> bool:
    return parse_time_unit(cell) is not None or parse_unit(cell) is not None


def split_title(title: str, parse: Callable[[str], _Parsed | None], *, shortest: int = 2) -> tuple[str, str]:
    """Split the title of a column into name and unit.

    Parameters
    ----------
    title : str
        ``Vm (mV)``, ``Vm [mV]``, ``Vm, mV``, ``Vm / mV``, ``Vm_mV`` or ``Vm mV``.
    parse : callable
        Returns None for a string that is not a unit; then the whole title is the name.
    shortest : int, default 2
        Minimum length of a unit that follows just a space or underscore, where a single letter usually
        enumerates the channels (A, B, ...).

    Returns
    -------
    name, unit : str
        The unit is empty if the title has none.

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


# Each with a flag for whether only a space or underscore separates name and unit.
_TITLE_PATTERNS = (
    (r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]", False),
    (r"(.*)[,/]\s*([^,/]+)", False),
    (r"(.*\S)[_\s]+([^_\s]+)", True),
)
