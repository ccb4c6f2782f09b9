"""Converting tables of MEPPs between plain core tables and types of the extension ``ndx-mepp``.

Both hold the same columns in the same datasets and differ only in their types. So a table is converted by
changing a few attributes and a link to its detector; no number is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import h5py
from pynwb import NWBHDF5IO, NWBFile

from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.core.schema import DETECTOR_COLUMNS, DETECTOR_OPTIONAL, EventColumns, SummaryColumns
from nwb_mepp.nwb.extension_package import require_extension
from nwb_mepp.nwb.names import TABLE_PREFIX
from nwb_mepp.nwb.results import read_rows
from nwb_mepp.nwb.summary_table import CHANNEL_UNIT, ICEPHYS, SUMMARY_PATH, SUMMARY_TABLE, icephys_module

__all__ = ["Retyped", "add_types", "detector_path", "forget_types", "is_typed", "remove_types"]

EXTENSION = "ndx-mepp"
SCHEMA_PATH = f"specifications/{EXTENSION}"
DETECTOR_PREFIX = "mepp_detector_"
DETECTOR_NAMES = tuple(column.name for column in DETECTOR_COLUMNS)
# The core type that each type of the extension extends.
PLAIN_NAMES = {
    "MEPPTable": ("TimeIntervals", "core"),
    "MEPPSummary": ("DynamicTable", "hdmf-common"),
    "MEPPQuantity": ("VectorData", "hdmf-common"),
}
_UNIT = re.compile(r" Unit: (.+)\.$")


@dataclass(frozen=True)
class Retyped:
    """Which tables of a file were converted.

    Attributes
    ----------
    tables : tuple of str
        Names of the tables that were converted, including the summary.
    notes : tuple of str
        A sentence for each table that stays plain because it does not fit the extension.
    """

    tables: tuple[str, ...]
    notes: tuple[str, ...] = ()


def detector_path(table: str) -> str:
    """Return the path of the detector that found the MEPPs of a table.

    Examples
    --------
    >>> detector_path("mepps_miniunet_Vm")
    'processing/icephys/mepp_detector_miniunet_Vm'
    """
    return f"processing/{ICEPHYS}/{DETECTOR_PREFIX}{table.removeprefix(TABLE_PREFIX)}"


def is_typed(item: h5py.HLObject | None) -> bool:
    """Return whether an object of a file has a type of the extension."""
    return item is not None and item.attrs.get("namespace") == EXTENSION


def forget_types(handle: h5py.File) -> None:
    """Remove the specification of the extension from a file that uses none of its types.

    Once the extension is imported, pynwb adds it to every file that it writes.
    """
    if SCHEMA_PATH in handle:
        del handle[SCHEMA_PATH]


def add_types(path: Path, *, tables: Collection[str] | None = None) -> Retyped:
    """Convert plain tables of MEPPs and the summary to types of the extension, in place: pass a copy.

    Parameters
    ----------
    path : Path
    tables : collection of str, optional
        Names of tables of detectors. Those that exist are converted, and a detector is added for each, even
        if it found nothing. By default all tables of MEPPs, including those of people.

    Returns
    -------
    Retyped

    Raises
    ------
    ReadError
        If tables, summary and series do not match.
    MissingDependencyError
        If the package of the extension is not installed.
    """
    require_extension()
    rows = read_rows(path)
    changed, notes = [], []
    with h5py.File(path, "r+") as handle:
        intervals = handle.get("intervals", {})
        for name in sorted(intervals if tables is None else set(intervals) & set(tables)):
            if not name.startswith(TABLE_PREFIX) or is_typed(intervals[name]):
                continue
            problem = _problem(intervals[name])
            if problem:
                notes.append(f"Table {name!r} stays plain: {problem}.")
            else:
                _call_typed(intervals[name], "MEPPTable", _table_units(intervals[name]))
                changed.append(name)
        if SUMMARY_PATH in handle and not is_typed(handle[SUMMARY_PATH]):
            changed.append(SUMMARY_TABLE)
            _call_typed(handle[SUMMARY_PATH], "MEPPSummary", _summary_units(handle[SUMMARY_PATH]))
        _add_detectors(handle, {name: row for name, row in rows.items() if tables is None or name in tables})
    return Retyped(tuple(changed), tuple(notes))


def _problem(table: h5py.Group) -> str | None:
    """Return why a table cannot be a ``MEPPTable``, or None."""
    if table.attrs.get("neurodata_type") != "TimeIntervals":
        return f"it is a {table.attrs.get('neurodata_type')}, not a plain TimeIntervals"
    for measure in EventColumns.measures():
        column = table.get(measure.name)
        if column is None and measure.optional:
            continue
        if column is None:
            return f"it has no column {measure.name!r}"
        dtype = "text" if h5py.check_string_dtype(column.dtype) else str(column.dtype)
        if dtype != measure.dtype:
            return f"its column {measure.name!r} holds {dtype}, not {measure.dtype}"
        units = dict.fromkeys(measure.unit_in(unit) for unit in "VA")
        if _stated_unit(column) not in units:
            if not measure.unit:
                return f"the description of its column {measure.name!r}, which has no unit, states one"
            wanted = " or ".join(f"'Unit: {unit}.'" for unit in units)
            return f"the description of its column {measure.name!r} does not end in {wanted}"
    return None


def _stated_unit(column: h5py.Dataset) -> str:
    """Return the unit at the end of the description of a column; empty if there is none."""
    found = _UNIT.search(str(column.attrs.get("description", "")))
    return found[1] if found else ""


def _table_units(table: h5py.Group) -> dict[str, str]:
    measures = (one.name for one in EventColumns.measures() if one.unit and one.name in table)
    return {name: _stated_unit(table[name]) for name in measures}


def _summary_units(table: h5py.Group) -> dict[str, str]:
    columns = (one for one in SummaryColumns.columns() if one.unit and one.name in table)
    return {column.name: column.unit_in(CHANNEL_UNIT) for column in columns}


def _call_typed(table: h5py.Group, type_name: str, units: Mapping[str, str]) -> None:
    table.attrs.update({"neurodata_type": type_name, "namespace": EXTENSION})
    for name, unit in units.items():
        table[name].attrs.update({"neurodata_type": "MEPPQuantity", "namespace": EXTENSION, "unit": unit})


def _add_detectors(handle: h5py.File, rows: Mapping[str, SummaryRow]) -> None:
    """Add the detectors, linked from their tables, and the specification of the extension.

    pynwb writes both to a file in memory, from which they are copied: writing to this file with pynwb would
    change more, such as the version of the NWB schema.
    """
    with _written_in_memory(rows) as scratch:
        for name in rows:
            place = detector_path(name)
            if place not in handle:
                scratch.copy(place, handle.require_group(f"processing/{ICEPHYS}"))
            elif not is_typed(handle[place]):
                raise OutputError(
                    f"expected nothing but a MEPPDetector at /{place}, found an object of another program; "
                    "rename it."
                )
            table = handle.get(f"intervals/{name}")
            if is_typed(table) and "detector" not in table:
                table["detector"] = h5py.SoftLink(f"/{place}")
        if "specifications" not in handle:  # then that of the core is missing too
            scratch.copy("specifications", handle)
            handle.attrs[".specloc"] = handle["specifications"].ref
            return
        known = handle.require_group(SCHEMA_PATH)
        for version in set(scratch[SCHEMA_PATH]) - set(known):
            scratch.copy(f"{SCHEMA_PATH}/{version}", known)


@contextmanager
def _written_in_memory(rows: Mapping[str, SummaryRow]) -> Iterator[h5py.File]:
    from ndx_mepp import MEPPDetector  # registers the types with pynwb; plain files do not need them

    file = NWBFile(
        session_description="None.",
        identifier="none",
        session_start_time=datetime(2000, 1, 1, tzinfo=UTC),
    )
    module = icephys_module(file)
    for table, row in rows.items():
        stated = {name: getattr(row, name) for name in DETECTOR_NAMES}
        # Optional texts are omitted if they are empty.
        stated |= {name: stated[name] or None for name in DETECTOR_OPTIONAL}
        module.add(MEPPDetector(name=detector_path(table).rpartition("/")[2], **stated))
    with h5py.File("in memory", "w", driver="core", backing_store=False) as scratch:
        NWBHDF5IO(file=scratch, mode="w").write(file)
        yield scratch


def remove_types(path: Path) -> Retyped:
    """Convert everything of a type of the extension to plain tables, in place: pass a copy.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Retyped

    Raises
    ------
    ReadError
        If tables, summary and series do not match.
    OutputError
        If a detector has no matching row in the summary, so that its description would be lost.
    """
    repeated = {_statement(getattr(row, name) for name in DETECTOR_NAMES) for row in read_rows(path).values()}
    changed = []
    with h5py.File(path, "r+") as handle:
        for item in _typed_items(handle):
            kind = item.attrs["neurodata_type"]
            if kind == "MEPPDetector":
                _refuse_loss(item, repeated)
                del handle[item.name]
                continue
            if kind == "MEPPQuantity":
                _call_unit_in_words(item)
            else:
                changed.append(item.name.rpartition("/")[2])
            if kind == "MEPPTable" and item.get("detector", getlink=True) is not None:
                del item["detector"]
            plain, namespace = PLAIN_NAMES[kind]
            item.attrs.update({"neurodata_type": plain, "namespace": namespace})
        forget_types(handle)
    return Retyped(tuple(changed))


def _typed_items(handle: h5py.File) -> list[h5py.HLObject]:
    found = []
    handle.visititems(lambda _, item: found.append(item) if is_typed(item) else None)
    return found


def _call_unit_in_words(column: h5py.Dataset) -> None:
    """Move the unit of a column from its attribute to its description."""
    unit = str(column.attrs["unit"])
    if _stated_unit(column) != unit:
        column.attrs["description"] = f"{column.attrs['description']} Unit: {unit}."
    del column.attrs["unit"]


def _statement(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(float(value)) if isinstance(value, float) else str(value) for value in values)


def _refuse_loss(detector: h5py.Group, repeated: set[tuple[str, ...]]) -> None:
    stated = _statement(detector.attrs.get(name, "") for name in DETECTOR_NAMES)
    if stated not in repeated:
        raise OutputError(
            f"no row of {SUMMARY_PATH} says the same as {detector.name}, which would be lost without the "
            "extension; nothing was changed."
        )
