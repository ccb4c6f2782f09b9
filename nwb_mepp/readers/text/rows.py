"""Parsing the numbers of a text file: fast, exact, and with line numbers in error messages."""

from __future__ import annotations

import codecs
import csv
import io
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.text.layout import SEPARATOR_NAMES, TextLayout, cells_of, without_comment
from nwb_mepp.readers.text.numerals import clock_seconds, decimal_mark, is_date, is_missing, number_in
from nwb_mepp.readers.text.plain_decimals import plain_numbers

__all__ = ["NumberTable", "read_tables"]

FloatArray = npt.NDArray[np.float64]

# Lines are parsed a megabyte at a time, which is large enough for speed and small enough for any computer;
# plain numbers so many bytes at a time that what is worked out of them stays in the cache of the processor.
_CHUNK_CHARACTERS = 1 << 20
_PIECE_BYTES = 1 << 17
# In these, a byte below 128 is the ASCII character, wherever it stands.
_ASCII_BASED = frozenset({"cp1251", "cp1252", "utf-8", "utf-8-sig"})
_LIKE_A_NUMBER = re.compile(r"[-+.,\d]+")
_SHOWN_CHARACTERS = 60
_KEY = re.compile(r"[^\W\d]\w*=")
# With any of these, lines have to be looked at one by one.
_NEEDS_LOOK = ("=", "#", "\n\n")


@dataclass(frozen=True, kw_only=True)
class NumberTable:
    """One block of numbers and its header.

    Attributes
    ----------
    header : tuple of str
        Lines above it; for a later block, those that begin it.
    columns : tuple of ndarray of float64, each of shape (n_rows,)
        NaN where a cell says that there is no number.
    empty : ndarray of bool, shape (n_rows, n_columns), optional
        Which cells hold nothing at all; None if there are none.
    comments : tuple of (int, str)
        Comments among the numbers, each with its row; for a comment on a separate line, the next row.
    clocks : frozenset of int
        Columns with times of the clock, as seconds.
    """

    header: tuple[str, ...]
    columns: tuple[FloatArray, ...]
    empty: npt.NDArray[np.bool_] | None
    comments: tuple[tuple[int, str], ...]
    clocks: frozenset[int] = frozenset()
    _runs: tuple[tuple[int, int], ...]

    def line_of(self, row: int) -> int:
        """Return the line number of a row in the file, from 1.

        Parameters
        ----------
        row : int
            From 0.
        """
        first_row, line = self._runs[bisect_right(self._runs, (row, 1 << 62)) - 1]
        return line + row - first_row


def read_tables(path: Path, layout: TextLayout) -> list[NumberTable]:
    """Return all blocks of numbers of a text file.

    LabChart repeats its header (lines ``Key=``) at the start of every block of a recording, other programs
    the line of titles; each block is a separate table with as many columns as its first line.

    Parameters
    ----------
    path : Path
    layout : TextLayout

    Raises
    ------
    ReadError
        If a line does not have as many numbers as the first one of its block; the message gives its line
        number.
    """
    assembler = _Assembler(path, layout, n_columns=layout.n_columns, mark=layout.mark)
    assembler.dates = frozenset(filter(layout.are_dates, range(layout.n_columns)))
    if _is_plain(path, layout):
        _add_pieces(assembler, path, layout)
    else:
        _add_lines(assembler, path, layout)
    return assembler.finish()


def _is_plain(path: Path, layout: TextLayout) -> bool:
    """Return whether most lines may hold nothing but numbers and can be told from others by their bytes."""
    with path.open("rb") as stream:
        if layout.encoding not in _ASCII_BASED or b"\n" not in stream.read(_PIECE_BYTES):
            return False
    # A title that reads like a number begins a block, not a row.
    title = layout.titles[0] if layout.titles else ""
    return layout.text_column is None and layout.separator != " " and not _LIKE_A_NUMBER.fullmatch(title)


def _add_lines(assembler: _Assembler, path: Path, layout: TextLayout) -> None:
    with path.open(encoding=layout.encoding, errors="replace") as stream:
        first_line = 1
        while lines := stream.readlines(_CHUNK_CHARACTERS):
            assembler.add(lines, first_line=first_line)
            first_line += len(lines)


def _add_pieces(assembler: _Assembler, path: Path, layout: TextLayout) -> None:
    """Add complete lines piece by piece: as plain numbers, or as lines if they hold anything else."""
    decoder = codecs.getincrementaldecoder(layout.encoding)(errors="replace")
    first_line, begun = 1, b""
    with path.open("rb") as stream:
        while block := stream.read(_PIECE_BYTES):
            end = block.rfind(b"\n") + 1
            if not end:
                begun += block
                continue
            piece, begun = begun + block[:end], block[end:]
            n_lines = assembler.add_plain(piece, first_line=first_line)
            if n_lines is None:
                lines = _lines(decoder.decode(piece))
                assembler.add(lines, first_line=first_line)
                n_lines = len(lines)
            first_line += n_lines
    assembler.add(_lines(decoder.decode(begun, final=True)), first_line=first_line)


def _lines(text: str) -> list[str]:
    """Split a text into lines as a file opened for reading does."""
    return io.StringIO(text, newline=None).readlines()


@dataclass
class _Assembler:
    """Assembles tables from successive chunks of lines."""

    path: Path
    layout: TextLayout
    n_columns: int
    mark: str
    tables: list[NumberTable] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    chunks: list[FloatArray] = field(default_factory=list)
    empties: list[tuple[int, npt.NDArray[np.bool_]]] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)
    n_rows: int = 0
    comments: list[tuple[int, str]] = field(default_factory=list)
    clocks: set[int] = field(default_factory=set)
    dates: frozenset[int] = frozenset()

    def add_plain(self, piece: bytes, *, first_line: int) -> int | None:
        """Add the next lines of the file if they are nothing but plain numbers; return how many these are."""
        if first_line <= len(self.layout.header) or (self.tables and not self.chunks):
            return None
        parsed = plain_numbers(
            piece, separator=self.layout.separator, mark=self.mark, n_columns=self.n_columns
        )
        if parsed is None:
            return None
        self.runs.append((self.n_rows, first_line))
        self.chunks.append(parsed)
        self.n_rows += len(parsed)
        return len(parsed)

    def add(self, lines: list[str], *, first_line: int) -> None:
        """Add the next lines of the file."""
        n_header = len(self.layout.header)
        if first_line <= n_header:
            skipped = min(n_header - first_line + 1, len(lines))
            self.header.extend(lines[:skipped])
            lines, first_line = lines[skipped:], first_line + skipped
        text = "".join(lines)
        signs = (*_NEEDS_LOOK, *filter(None, self.layout.titles[:1]))
        has_others = text.startswith("\n") or any(sign in text for sign in signs)
        if self.layout.text_column is None and not has_others:
            self._add_numbers(lines, text, first_line=first_line)
            return
        self._add_mixed(lines, first_line=first_line)

    def _add_mixed(self, lines: list[str], *, first_line: int) -> None:
        """Add lines that may include comments, blank lines or a new header."""
        run: list[str] = []
        run_start = first_line
        for number, line in enumerate(lines, start=first_line):
            stripped, comment = without_comment(line)
            is_heading = _KEY.match(stripped.lstrip(' "')) is not None or self._repeats_titles(stripped)
            if self.layout.text_column is not None and not is_heading:
                stripped, comment = self._without_text(stripped, comment)
            if text := comment.strip().removeprefix("*").strip():  # LabChart's "#*": on all channels
                self.comments.append((self.n_rows + len(run), text))
            if stripped.strip(' \t\r\n";') and not is_heading:
                run_start = run_start if run else number
                run.append(stripped.rstrip() + "\n")
                continue
            self._add_numbers(run, "".join(run), first_line=run_start)
            run = []
            if is_heading:
                self._close()
                self.header.append(line)
        self._add_numbers(run, "".join(run), first_line=run_start)

    def _repeats_titles(self, line: str) -> bool:
        """Return whether a line has the titles of the first block again, perhaps with other units."""
        first = self.layout.titles[:1]
        if not first or not first[0] or first[0] not in line:
            return False
        return cells_of(line, self.layout.separator)[:1] == list(first)

    def _without_text(self, line: str, comment: str) -> tuple[str, str]:
        """Split the last column off, whose cells are text."""
        separator, at = self.layout.separator, self.layout.text_column
        cells = cells_of(line, separator)
        quoted = (f'"{cell}"' if separator in cell else cell for cell in cells[:at])
        return separator.join(quoted), " ".join([*cells[at:], comment])

    def _add_numbers(self, lines: list[str], text: str, *, first_line: int) -> None:
        if not lines:
            return
        if not self.chunks and self.tables:
            self.n_columns = len(cells_of(lines[0], self.layout.separator))
        parsed = self._parsed(lines, text, first_line=first_line)
        self.runs.append((self.n_rows, first_line))
        self.chunks.append(parsed)
        self.n_rows += len(parsed)

    def _parsed(self, lines: list[str], text: str, *, first_line: int) -> FloatArray:
        """Return the numbers of lines: at once if all cells are plain numbers, else cell by cell."""
        separator = self.layout.separator
        if separator != "," or '"' in text:
            self._find_mark(lines, first_line=first_line)
            if '"' in text or {",": ".", ".": ",", "": "."}[self.mark] in text:
                return self._by_cells(lines, first_line=first_line)
        ready = [line.rstrip(f"{separator} \r\n") for line in lines] if f"{separator}\n" in text else lines
        if self.mark == ",":
            ready = [line.replace(",", ".") for line in ready]
        delimiter = separator if separator.strip(" ") else None
        try:
            numbers = np.loadtxt(ready, delimiter=delimiter, comments=None, ndmin=2, dtype=np.float64)
        except ValueError:
            return self._by_cells(lines, first_line=first_line)
        if numbers.shape != (len(lines), self.n_columns) or np.isinf(numbers).any():
            return self._by_cells(lines, first_line=first_line)
        return numbers

    def _find_mark(self, lines: list[str], *, first_line: int) -> None:
        """Take the decimal mark of these lines if there was none before."""
        if self.mark:
            return
        marked = [line for line in lines if "," in line or "." in line][:1000]
        try:
            self.mark = decimal_mark(
                cell for line in marked for cell in cells_of(line, self.layout.separator)
            )
        except ValueError as error:
            number, line = next(item for item in enumerate(lines, first_line) if error.args[0] in item[1])
            self._refuse(number, line, "decimal points, as its commas may separate decimals or thousands,")

    def _by_cells(self, lines: list[str], *, first_line: int) -> FloatArray:
        """Return the numbers of lines with cells that are not plain numbers."""
        numbers = np.full((len(lines), self.n_columns), np.nan)
        empty = np.zeros(numbers.shape, dtype=np.bool_)
        for row, line in enumerate(lines):
            try:
                cells = cells_of(line, self.layout.separator)
            except csv.Error:
                cells = []
            if not 0 < len(cells) <= self.n_columns:
                self._refuse_cells(first_line + row, line)
            empty[row, len(cells) :] = True
            for column, cell in enumerate(cells):
                number = number_in(cell, mark=self.mark)
                if number is not None:
                    numbers[row, column] = number
                elif not cell:
                    empty[row, column] = True
                elif not is_missing(cell) and not (column in self.dates and is_date(cell)):
                    numbers[row, column] = self._clock(cell, column, first_line + row, line)
        if empty.any():
            self.empties.append((self.n_rows, empty))
        return numbers

    def _clock(self, cell: str, column: int, number: int, line: str) -> float:
        seconds = clock_seconds(cell)
        if seconds is None:
            if self.mark and {",": ".", ".": ","}[self.mark] in cell:
                self._refuse(number, line, f"the decimal mark {self.mark!r} throughout")
            self._refuse_cells(number, line)
        self.clocks.add(column)
        return seconds

    def _refuse_cells(self, number: int, line: str) -> NoReturn:
        between = SEPARATOR_NAMES[self.layout.separator]
        self._refuse(number, line, f"{self.n_columns} finite numbers separated by {between}")

    def _refuse(self, number: int, line: str, expected: str) -> NoReturn:
        found = line.strip("\r\n")
        shown = found if len(found) <= _SHOWN_CHARACTERS else found[:_SHOWN_CHARACTERS] + "..."
        raise ReadError(
            f"{self.path.name}, line {number}: expected {expected}, found {shown!r}; correct the line."
        )

    def _close(self) -> None:
        """Finish the current table, if it has any rows."""
        if not self.chunks:
            return
        empty = None
        if self.empties:
            empty = np.zeros((self.n_rows, self.n_columns), dtype=np.bool_)
            for first_row, cells in self.empties:
                empty[first_row : first_row + len(cells)] = cells
        columns = tuple(
            np.concatenate([chunk[:, column] for chunk in self.chunks]) for column in range(self.n_columns)
        )
        self.tables.append(
            NumberTable(
                header=tuple(line.rstrip("\r\n") for line in self.header),
                columns=columns,
                empty=empty,
                comments=tuple((min(row, self.n_rows - 1), text) for row, text in self.comments),
                clocks=frozenset(self.clocks),
                _runs=tuple(self.runs),
            )
        )
        self.header, self.chunks, self.runs, self.n_rows, self.comments = [], [], [], 0, []
        self.empties, self.clocks = [], set()

    def finish(self) -> list[NumberTable]:
        """Finish the last table and return all of them."""
        self._close()
        return self.tables
