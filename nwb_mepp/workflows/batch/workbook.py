"""The tables of an output folder as one workbook for a spreadsheet, a sheet each."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nwb_mepp._utils.ownership import owned_file
from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.core.safe_text import csv_cell, from_csv_cell, visible
from nwb_mepp.core.units import ELECTRICAL_UNITS, lab_unit
from nwb_mepp.workflows.batch.folder_tables import TABLES
from nwb_mepp.workflows.batch.tables import (
    Decimal,
    Units,
    column_name,
    event_columns,
    summary_columns,
    unit_of,
)

__all__ = ["WORKBOOK", "require_openpyxl", "write_workbook"]

WORKBOOK = "mepps.xlsx"
_MAX_ROWS = 1_048_576  # of a sheet, the heading included
_WIDTH = 14


def require_openpyxl() -> Any:
    """Return the library that writes workbooks.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingDependencyError(
            "expected the package openpyxl, which writes workbooks, found none; install it with pip install "
            "'nwb-mepp[xlsx]', or leave the tables as CSV."
        ) from error
    return openpyxl


def write_workbook(folder: Path, *, units: Units = "si", decimal: Decimal = "point") -> Path:
    """Write the CSV tables of a folder as a workbook, with the unit of each column in its heading.

    Cells are numbers (of 16 digits), truth values and text; text that a spreadsheet would take for a formula
    is marked as text. MEPPs beyond what a sheet holds go on in a further one.

    Parameters
    ----------
    folder : Path
        In which the CSV tables have just been written.
    units : {"si", "lab"}
    decimal : {"point", "comma"}
        How the CSV tables were written.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it cannot be written, or a file of someone else bears its name.
    MissingDependencyError
        If openpyxl is not installed.
    """
    openpyxl = require_openpyxl()
    found = _units_in(folder / TABLES[1], decimal=decimal)
    path = folder / WORKBOOK
    # openpyxl refuses a name without the suffix of a workbook, which a temporary one lacks.
    with owned_file(path) as temporary, temporary.open("wb") as stream:
        workbook = openpyxl.Workbook(write_only=True)
        for name, columns in zip(TABLES, (event_columns(), summary_columns()), strict=True):
            known = {column_name(column, units=units): column for column in columns}
            rows = _rows(folder / name, known, decimal=decimal)
            titles = [_title(text, known, units=units, found=found) for text in next(rows)]
            _add_sheets(workbook, Path(name).stem, titles, rows)
        workbook.save(stream)
    return path


def _rows(table: Path, known: dict[str, Column[Any]], *, decimal: Decimal) -> Iterator[list[Any]]:
    """Yield the headings of a CSV table, then the values of each row."""
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        lines = csv.reader(stream, delimiter=";" if decimal == "comma" else ",")
        headings = next(lines)
        yield headings
        columns = [known.get(heading) for heading in headings]
        for line in lines:
            yield [_value(cell, one, decimal=decimal) for cell, one in zip(line, columns, strict=True)]


def _value(cell: str, column: Column[Any] | None, *, decimal: Decimal) -> float | int | bool | str | None:
    if column is None or column.dtype == "text":
        return from_csv_cell(cell)
    if not cell:
        return None
    if column.dtype == "bool":
        return cell == "true"
    number = float(cell.replace(",", ".") if decimal == "comma" else cell)
    if not math.isfinite(number):
        return cell  # a workbook has no such number
    return int(number) if column.dtype == "int64" else number


def _units_in(summary: Path, *, decimal: Decimal) -> set[str]:
    with summary.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        rows = csv.DictReader(stream, delimiter=";" if decimal == "comma" else ",")
        return {row["amplitude_unit"] for row in rows}


def _title(heading: str, known: dict[str, Column[Any]], *, units: Units, found: set[str]) -> str:
    """Return a heading with the unit of the column: ``amplitude (mV)``."""
    column = known.get(heading)
    if column is None:
        return from_csv_cell(heading)
    shown = {one: lab_unit(one).name if units == "lab" else one for one in ELECTRICAL_UNITS}
    present = [one for one in ELECTRICAL_UNITS if shown[one] in found] or list(ELECTRICAL_UNITS)
    possible = dict.fromkeys(unit_of(column, amplitude_unit=one, units=units) for one in present)
    unit = " or ".join(possible)
    return f"{column.name} ({unit})" if unit else column.name


def _add_sheets(workbook: Any, name: str, titles: Sequence[str], rows: Iterator[list[Any]]) -> None:
    """Add a sheet, and further ones for what it cannot hold."""
    sheet = _new_sheet(workbook, name, titles)
    n_rows, n_sheets = 1, 1
    for row in rows:
        if n_rows == _MAX_ROWS:
            n_rows, n_sheets = 1, n_sheets + 1
            sheet = _new_sheet(workbook, f"{name} {n_sheets}", titles)
        sheet.append([_cell(sheet, value) for value in row])
        n_rows += 1


def _new_sheet(workbook: Any, name: str, titles: Sequence[str]) -> Any:
    from openpyxl.utils import get_column_letter

    sheet = workbook.create_sheet(name)
    sheet.freeze_panes = "B2"
    for number, title in enumerate(titles, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = max(_WIDTH, len(title) + 2)
    sheet.append([_cell(sheet, title) for title in titles])
    return sheet


def _cell(sheet: Any, value: float | int | bool | str | None) -> Any:
    """Return a value as openpyxl takes it: text is never a formula, not even if the cell is edited."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=None)
    cell.value = text = visible(value)
    cell.data_type = "s"
    cell.quotePrefix = csv_cell(text).startswith("'")
    return cell
