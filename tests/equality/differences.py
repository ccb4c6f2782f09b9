"""Compare what two versions wrote: tables cell by cell as text, NWB files bit for bit."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.equality.declared import (
    ADDED_TO_TEXT,
    GONE,
    NAMES,
    SETTING_VALUES,
    SETTINGS,
    VALUES,
    reason_to_ignore,
)

__all__ = [
    "Table",
    "Tally",
    "Token",
    "compare_bytes",
    "compare_tables",
    "new_name",
    "read_csv",
    "read_json",
    "same_settings",
]

# Text of a missing number: an empty cell in CSV, null in JSON.
MISSING = frozenset({"", "null"})

Expected = Callable[[str, "Table"], "Sequence[str] | None"]


@dataclass
class Tally:
    """What was compared, and every difference in words.

    Attributes
    ----------
    tables, rows, cells, samples : int
    differences : list of str
    declared : Counter of str
        Declarations that were needed, with how often.
    """

    tables: int = 0
    rows: int = 0
    cells: int = 0
    samples: int = 0
    differences: list[str] = field(default_factory=list)
    declared: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what another tally holds."""
        self.tables += other.tables
        self.rows += other.rows
        self.cells += other.cells
        self.samples += other.samples
        self.differences += other.differences
        self.declared += other.declared


@dataclass(frozen=True)
class Table:
    """Cells as text, below their headings.

    Attributes
    ----------
    columns : list of str
    rows : list of list of str
    missing : str
        How a missing number is written.
    decimal : str
        Decimal mark.
    cell : type
        Of a cell that is a number.
    """

    columns: list[str]
    rows: list[list[str]]
    missing: str = ""
    decimal: str = "."
    cell: type[str] = str

    def column(self, name: str) -> list[str]:
        """Return the cells below a heading."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def read_csv(path: Path) -> Table:
    """Read a table with commas, or with semicolons and decimal commas."""
    with path.open(encoding="utf-8", newline="") as stream:
        with_semicolons = ";" in stream.readline()
        stream.seek(0)
        lines = list(csv.reader(stream, delimiter=";" if with_semicolons else ","))
    if not lines:
        return Table([], [])
    return Table(lines[0], lines[1:], decimal="," if with_semicolons else ".")


class Token(str):
    """A number, null or truth of JSON as it stands in the file; a string of the same letters is no token."""

    __slots__ = ()


def read_json(path: Path) -> Table:
    """Read a list of objects of the same keys; numbers keep their text."""
    objects = json.loads(path.read_text(encoding="utf-8"), parse_float=Token, parse_int=Token)
    columns = list(objects[0]) if objects else []
    if any(list(one) != columns for one in objects):
        raise ValueError(f"{path}: expected objects that all have the keys {columns}.")
    rows = [[_cell(value) for value in one.values()] for one in objects]
    return Table(columns, rows, missing="null", cell=Token)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else Token(json.dumps(value))


def new_name(name: str, there: Sequence[str] | set[str], tally: Tally) -> str:
    """Return what a name of the version before is called in the version after."""
    renamed = NAMES.get(name)
    if renamed is None or renamed not in there:
        return name
    tally.declared[f"name {name} -> {renamed}"] += 1
    return renamed


def compare_tables(before: Table, after: Table, *, where: str, added: Expected | None = None) -> Tally:
    """Compare two tables, cell by cell as text.

    Parameters
    ----------
    before, after : Table
    where : str
        Begins each difference.
    added : callable, optional
        Returns what a column that is declared as added has to hold, given its name and the table before; None
        if the table has no such column.
    """
    tally = Tally(tables=1, rows=len(before.rows))
    if len(before.rows) != len(after.rows):
        tally.differences.append(f"{where}: {len(before.rows)} rows before, {len(after.rows)} after")
        return tally
    if any(len(row) != len(table.columns) for table in (before, after) for row in table.rows):
        tally.differences.append(f"{where}: a row has another number of cells than the header")
        return tally
    shared: list[str] = []
    for column in before.columns:
        renamed = new_name(column, after.columns, tally)
        if renamed in after.columns:
            shared.append(renamed)
            _compare_cells(before.column(column), after.column(renamed), f"{where}, {column}", column, tally)
        elif column in GONE and set(before.column(column)) <= MISSING:
            tally.declared[f"gone {column}"] += 1
        else:
            tally.differences.append(f"{where}: column {column} is missing after")
    for column in after.columns:
        if column not in shared:
            _check_added(column, before, after, where, added, tally)
    if [column for column in after.columns if column in shared] != shared:
        tally.differences.append(f"{where}: order of columns {shared} before, {after.columns} after")
    return tally


def _check_added(
    column: str, before: Table, after: Table, where: str, added: Expected | None, tally: Tally
) -> None:
    expected = added(column, before) if added and column in ADDED_TO_TEXT else None
    if expected is None:
        tally.differences.append(f"{where}: column {column} is only there after, and not declared")
        return
    tally.declared[f"added to text {column}"] += 1
    _compare_cells(list(expected), after.column(column), f"{where}, {column}", column, tally)


def _compare_cells(before: list[str], after: list[str], where: str, column: str, tally: Tally) -> None:
    reason = reason_to_ignore(column)
    if reason:
        tally.declared[f"ignored {column}: {reason}"] += 1
        return
    tally.cells += len(before)
    if before == after and [*map(type, before)] == [*map(type, after)]:
        return
    values = VALUES.get(column, {})
    same = same_settings if column == "settings" else str.__eq__
    unequal = []
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        if type(old) is type(new) and (old == new or same(old, new)):
            continue
        if old in values and values[old] == new:
            tally.declared[f"value of {column}: {old} -> {new}"] += 1
        else:
            unequal.append(row)
    if unequal:
        first = unequal[0]
        tally.differences.append(
            f"{where}: {len(unequal)} of {len(before)} cells, first in row {first}: "
            f"{before[first]!r} before, {after[first]!r} after"
        )


def same_settings(before: str, after: str) -> bool:
    """Say whether texts 'name=value; name=value' hold the same, declared names aside.

    Examples
    --------
    >>> same_settings("gain=10; unit=V", "unit=V; gain=10")
    True
    """
    old, new = (sorted(one.partition("=")[::2] for one in text.split("; ")) for text in (before, after))
    renamed = [(SETTINGS.get(name, name), SETTING_VALUES.get((name, value), value)) for name, value in old]
    return new in (old, sorted(renamed))


def compare_bytes(before: Path, after: Path, *, where: str) -> Tally:
    """Compare two files as a whole."""
    same = before.read_bytes() == after.read_bytes()
    return Tally(differences=[] if same else [f"{where}: the bytes differ"])
