"""MEPPs and summaries of many files as tables: CSV and JSON, in SI or the units of the lab."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from nwb_mepp.core.columns import Column
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.safe_text import csv_cell, json_text
from nwb_mepp.core.schema import EventColumns, ListingColumns, SummaryColumns
from nwb_mepp.core.units import MILLISECONDS, lab_unit
from nwb_mepp.nwb import FileTables, read_events, read_results

__all__ = [
    "Decimal",
    "Row",
    "Rows",
    "Units",
    "column_name",
    "event_columns",
    "event_rows",
    "in_units",
    "read_event_rows",
    "read_summary_rows",
    "rows_of",
    "summary_columns",
    "unit_of",
    "write_csv",
    "write_json",
]

Row = Mapping[str, object]
Units = Literal["si", "lab"]
Decimal = Literal["point", "comma"]

_ROWS_AT_A_TIME = 4096


class Rows(NamedTuple):
    """What a file adds to both tables, in SI units; the MEPPs, of which there may be many, one by one."""

    events: Iterator[Row]
    summaries: list[Row]


def event_columns() -> tuple[Column[Any], ...]:
    """Return the columns of MEPPs in CSV and JSON, in order.

    Examples
    --------
    >>> [column.name for column in event_columns()][:4]
    ['file', 'channel', 'sweep', 'series']
    """
    listing = ListingColumns
    follows = {EventColumns.sweep: [listing.series], EventColumns.amplitude: [listing.amplitude_unit]}
    measured = [
        one
        for column in EventColumns.columns()
        if column.in_csv
        for one in (column, *follows.get(column, ()))
    ]
    return (listing.file, listing.channel, *measured, listing.detector)


def summary_columns() -> tuple[Column[Any], ...]:
    """Return the columns of summaries in CSV and JSON, in order."""
    return (ListingColumns.file, *(column for column in SummaryColumns.columns() if column.in_csv))


def event_rows(mepps: Mepps, *, file: str, series: Iterable[str], detector: str) -> Iterator[Row]:
    """Return the MEPPs of one table as rows of :func:`event_columns`, in SI units.

    Parameters
    ----------
    mepps : Mepps
    file : str
        How the file is named in the table.
    series : iterable of str, one for each MEPP
        Name of the series that it lies in.
    detector : str

    Yields
    ------
    mapping of str to object
    """
    columns = [column for column in mepps.columns() if column.in_csv]
    names = [column.name for column in columns]
    fixed = {
        "file": file,
        "channel": mepps.channel,
        "amplitude_unit": mepps.unit,
        "detector": detector,
    }
    places = iter(series)
    # Numbers of Python take four times the room of those in an array.
    for first in range(0, len(mepps), _ROWS_AT_A_TIME):
        rows = slice(first, min(first + _ROWS_AT_A_TIME, len(mepps)))
        arrays = [getattr(mepps, column.attribute)[rows].tolist() for column in columns]
        some = islice(places, rows.stop - rows.start)
        for where, *values in zip(some, *arrays, strict=True):
            yield {**fixed, "series": where, **dict(zip(names, values, strict=True))}


def rows_of(tables: FileTables, *, file: str) -> Rows:
    """Return the MEPPs and summaries of a file as rows, in SI units.

    Parameters
    ----------
    tables : FileTables
    file : str
        How the file is named in the rows.
    """
    events = (
        row
        for one in tables.events
        for row in event_rows(one.mepps, file=file, series=one.series, detector=one.detector)
    )
    return Rows(events, [{"file": file, **one.as_dict()} for one in tables.summaries])


def read_event_rows(path: Path, *, file: str, table: str | None = None) -> Iterator[Row]:
    """Return the MEPPs of an NWB file as rows of :func:`event_columns`, in SI units.

    Parameters
    ----------
    path : Path
    file : str
        How the file is named in the rows.
    table : str, optional
        Name of one table, of which only what a person counts; by default those of all detectors.

    Yields
    ------
    mapping of str to object
    """
    for one in read_events(path, table=table, accepted_only=True):
        yield from event_rows(one.mepps, file=file, series=one.series, detector=one.detector)


def read_summary_rows(path: Path, *, file: str, table: str | None = None) -> Iterator[Row]:
    """Return the summaries of an NWB file as rows of :func:`summary_columns`, in SI units.

    Parameters
    ----------
    path : Path
    file : str
        How the file is named in the rows.
    table : str, optional
        Name of one table; by default those of all detectors and people.

    Yields
    ------
    mapping of str to object
    """
    for result in read_results(path, table=table):
        yield {"file": file, **result.summary.as_dict()}


def column_name(column: Column[Any], *, units: Units) -> str:
    """Return the heading of a column: in the units of the lab, times are in ms and say so.

    Parameters
    ----------
    column : Column
    units : {"si", "lab"}

    Examples
    --------
    >>> column_name(Column("half_width", "s"), units="lab")
    'half_width_ms'
    """
    return f"{column.name}_ms" if units == "lab" and _becomes_ms(column) else column.name


def _becomes_ms(column: Column[Any]) -> bool:
    # A name that states its unit ("analyzed_s") keeps both.
    return column.unit == "s" and not column.name.endswith("_s")


def unit_of(column: Column[Any], *, amplitude_unit: str, units: Units) -> str:
    """Return the unit that the values of a column have.

    Parameters
    ----------
    column : Column
    amplitude_unit : str
        Of the row: V or A.
    units : {"si", "lab"}

    Examples
    --------
    >>> unit_of(Column("area", "{u} s"), amplitude_unit="V", units="lab")
    'mV ms'
    """
    if units == "si":
        return column.unit.replace("{u}", amplitude_unit)
    if _becomes_ms(column):
        return MILLISECONDS.name
    amplitude = lab_unit(amplitude_unit).name
    unit = column.unit.replace("{u}", amplitude)
    return f"{amplitude} {MILLISECONDS.name}" if column.unit == "{u} s" else unit


def in_units(row: Row, columns: Iterable[Column[Any]], *, units: Units) -> dict[str, object]:
    """Return a row by headings, its numbers in the units that are asked for.

    Parameters
    ----------
    row : mapping of str to object
        In SI units.
    columns : iterable of Column
    units : {"si", "lab"}

    Examples
    --------
    >>> row = {"amplitude": 0.5e-3, "amplitude_unit": "V", "half_width": 0.002}
    >>> columns = [Column("amplitude", "{u}"), Column("amplitude_unit"), Column("half_width", "s")]
    >>> in_units(row, columns, units="lab")
    {'amplitude': 0.5, 'amplitude_unit': 'mV', 'half_width_ms': 2.0}
    """
    if units == "si":
        return {column.name: row[column.name] for column in columns}
    unit = lab_unit(str(row["amplitude_unit"]))
    converted: dict[str, object] = {}
    for column in columns:
        value = row[column.name]
        if column.name == "amplitude_unit":
            value = unit.name
        elif isinstance(value, float):
            scale = unit.factor if column.unit.startswith("{u}") else 1.0
            if _becomes_ms(column) or column.unit == "{u} s":
                scale *= MILLISECONDS.factor
            # Twelve digits are far beyond what was measured; more would only show the factor's rounding.
            value = value if scale == 1.0 else float(f"{value * scale:.12g}")
        converted[column_name(column, units=units)] = value
    return converted


def write_csv(
    stream: IO[str],
    columns: Iterable[Column[Any]],
    rows: Iterable[Row],
    *,
    units: Units = "si",
    decimal: Decimal = "point",
) -> None:
    """Write rows as CSV with one header.

    Numbers are written with as many digits as it takes to read back the same number, NaN as an empty
    cell, truth as ``true`` and ``false``. Text that a spreadsheet would take for a formula and control
    characters are written so that they are harmless (:func:`nwb_mepp.core.safe_text.csv_cell`).

    Parameters
    ----------
    stream : text stream
    columns : iterable of Column
    rows : iterable of mapping
        In SI units.
    units : {"si", "lab"}
    decimal : {"point", "comma"}
        With a comma the cells are separated by semicolons, as spreadsheets in such countries expect.
    """
    chosen = tuple(columns)
    writer = csv.writer(stream, delimiter=";" if decimal == "comma" else ",", lineterminator="\n")
    writer.writerow([column_name(column, units=units) for column in chosen])
    for row in rows:
        values = in_units(row, chosen, units=units).values()
        writer.writerow([_cell(value, decimal=decimal) for value in values])


def _cell(value: object, *, decimal: Decimal) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = "" if math.isnan(value) else repr(value)
        return text.replace(".", ",") if decimal == "comma" else text
    return csv_cell(str(value))


def write_json(
    stream: IO[str], columns: Iterable[Column[Any]], rows: Iterable[Row], *, units: Units = "si"
) -> None:
    """Write rows as a JSON list of objects; what is not a finite number becomes null.

    Parameters
    ----------
    stream : text stream
    columns : iterable of Column
    rows : iterable of mapping
        In SI units.
    units : {"si", "lab"}
    """
    chosen = tuple(columns)
    stream.write("[")
    for number, row in enumerate(rows):
        stream.write(",\n " if number else "\n ")
        values = in_units(row, chosen, units=units)
        finite = {name: _finite(value) for name, value in values.items()}
        stream.write(json_text(finite))
    stream.write("\n]\n")


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
