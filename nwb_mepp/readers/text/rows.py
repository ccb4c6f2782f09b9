"""Parsing the numbers of a text file: fast, exact, and with line numbers in error messages."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.text.layout import TextLayout, is_number

__all__ = ["NumberTable", "read_tables"]

FloatArray = npt.NDArray[np.float64]

# Lines are parsed a megabyte at a time, which is large enough for speed and small enough for any computer.
_CHUNK_CHARACTERS = 1 << 20
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True)
class NumberTable:
    """One block of numbers and its header.

    Attributes
    ----------
    header : tuple of str
    columns : tuple of ndarray of float64, each of shape (n_rows,)
    comments : tuple of (int, str)
        Comments among the numbers, each with its row; for a comment on a separate line, the next row.
    """

    header: tuple[str, ...]
    columns: tuple[FloatArray, ...]
    comments: tuple[tuple[int, str], ...]
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

    LabChart repeats its header (lines ``Key=``) at the start of every block of a recording; each block is a
    separate table.

    Parameters
    ----------
    path : Path
    layout : TextLayout

    Raises
    ------
    ReadError
        If a line does not have as many numbers as the first one; the message gives its line number.
    """
    assembler = _Assembler(path, layout)
    with path.open(encoding=layout.encoding, errors="replace") as stream:
        first_line = 1
        while lines := stream.readlines(_CHUNK_CHARACTERS):
            assembler.add(lines, first_line=first_line)
            first_line += len(lines)
    return assembler.finish()


@dataclass
class _Assembler:
    """Assembles tables from successive chunks of lines."""

    path: Path
    layout: TextLayout
    tables: list[NumberTable] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    chunks: list[FloatArray] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)
    n_rows: int = 0
    comments: list[tuple[int, str]] = field(default_factory=list)
    decimal: str = ""

    def add(self, lines: list[str], *, first_line: int) -> None:
        """Add the next lines of the file."""
        n_header = len(self.layout.header)
        if first_line <= n_header:
            skipped = min(n_header - first_line + 1, len(lines))
            self.header.extend(lines[:skipped])
            lines, first_line = lines[skipped:], first_line + skipped
        text = "".join(lines)
        if "=" not in text and "#" not in text and "\n\n" not in text and not text.startswith("\n"):
            self._add_numbers(lines, text, first_line=first_line)
            return
        self._add_mixed(lines, first_line=first_line)

    def _add_mixed(self, lines: list[str], *, first_line: int) -> None:
        """Add lines that may include comments, blank lines or a new header."""
        run: list[str] = []
        run_start = first_line
        for number, line in enumerate(lines, start=first_line):
            stripped, _, comment = line.partition("#")
            is_key = self.layout.separator == "\t" and "=" in stripped.split("\t", 1)[0]
            if text := comment.strip().removeprefix("*").strip():  # LabChart's "#*": on all channels
                self.comments.append((self.n_rows + len(run), text))
            if stripped.strip() and not is_key:
                run_start = run_start if run else number
                run.append(stripped.rstrip() + "\n")
                continue
            self._add_numbers(run, "".join(run), first_line=run_start)
            run = []
            if is_key:
                self._close()
                self.header.append(line)
        self._add_numbers(run, "".join(run), first_line=run_start)

    def _add_numbers(self, lines: list[str], text: str, *, first_line: int) -> None:
        if not lines:
            return
        if self.layout.separator == "\t":
            self._check_decimal(lines, text, first_line=first_line)
        parsed = self._parsed(lines, first_line=first_line)
        self.runs.append((self.n_rows, first_line))
        self.chunks.append(parsed)
        self.n_rows += len(parsed)

    def _check_decimal(self, lines: list[str], text: str, *, first_line: int) -> None:
        """Take the decimal mark that occurs first, and refuse lines with the other one."""
        if not self.decimal:
            marked = next((line for line in lines if "," in line or "." in line), "")
            self.decimal = "," if "," in marked else "." if "." in marked else ""
        other = {",": ".", ".": ",", "": "."}[self.decimal]
        if self.decimal and other in text:
            number, line = next(item for item in enumerate(lines, start=first_line) if other in item[1])
            self._refuse(number, line, f"the decimal mark {self.decimal!r} throughout")

    def _parsed(self, lines: list[str], *, first_line: int) -> FloatArray:
        separator, n_columns = self.layout.separator, self.layout.n_columns
        ready = [line.rstrip() for line in lines] if separator == "\t" else lines
        if self.decimal == ",":
            ready = [line.replace(",", ".") for line in ready]
        try:
            numbers = np.loadtxt(ready, delimiter=separator, comments=None, ndmin=2, dtype=np.float64)
        except ValueError:
            self._refuse_first_bad(lines, first_line=first_line)
        if numbers.shape != (len(lines), n_columns) or not np.isfinite(numbers).all():
            self._refuse_first_bad(lines, first_line=first_line)
        return numbers

    def _refuse_first_bad(self, lines: list[str], *, first_line: int) -> NoReturn:
        separator, n_columns = self.layout.separator, self.layout.n_columns
        between = {"\t": "tabs", ",": "commas"}[separator]
        for number, line in enumerate(lines, start=first_line):
            cells = [cell.strip() for cell in line.rstrip().split(separator)]
            if len(cells) != n_columns or not all(map(is_number, cells)):
                self._refuse(number, line, f"{n_columns} finite numbers separated by {between}")
        self._refuse(first_line, lines[0], "lines of numbers")

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
        columns = tuple(
            np.concatenate([chunk[:, column] for chunk in self.chunks])
            for column in range(self.layout.n_columns)
        )
        self.tables.append(
            NumberTable(
                header=tuple(line.rstrip("\r\n") for line in self.header),
                columns=columns,
                comments=tuple((min(row, self.n_rows - 1), text) for row, text in self.comments),
                _runs=tuple(self.runs),
            )
        )
        self.header, self.chunks, self.runs, self.n_rows, self.comments = [], [], [], 0, []

    def finish(self) -> list[NumberTable]:
        """Finish the last table and return all of them."""
        self._close()
        return self.tables
