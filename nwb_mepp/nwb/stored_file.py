"""NWB files read with h5py alone, as far as they hold what is usual: pynwb takes a second to import.

What is read here is what pynwb gives, to the bit. Anything that pynwb might treat in its own way raises
:class:`~nwb_mepp.nwb.stored_objects.UnusualError`: then the file is read with pynwb.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nwb_mepp.core.schema import SAMPLES
from nwb_mepp.nwb.stored_objects import (
    StoredName,
    UnusualError,
    dataset_in,
    decoded,
    groups_in,
    hard,
    last_name,
    named,
    number_of,
    only,
    text_of,
    type_of,
)

__all__ = ["NEWEST_RELEASE", "OLDEST_RELEASE", "StoredFile"]

# The releases of the NWB schema in which the parts that are read here are stored alike.
OLDEST_RELEASE, NEWEST_RELEASE = (2, 2), (2, 11)

_ROOT = ("identifier", "session_description", "session_start_time", "timestamps_reference_time")
# The unit that the schema fixes for a type of series; pynwb states it whatever the file says.
_SERIES: Mapping[str, str | None] = {
    "TimeSeries": None,
    "PatchClampSeries": None,
    "CurrentClampSeries": "volts",
    "CurrentClampStimulusSeries": "amperes",
    "IZeroClampSeries": "volts",
    "VoltageClampSeries": "amperes",
    "VoltageClampStimulusSeries": "volts",
}
_INTERVALS = {("core", "TimeIntervals"), ("ndx-mepp", "MEPPTable")}
_EVENTS = {("core", "EventsTable")}
_TABLES = {*_INTERVALS, ("hdmf-common", "DynamicTable"), ("ndx-mepp", "MEPPSummary")}
_COLUMNS = {
    ("hdmf-common", "VectorData"),
    ("core", "TimestampVectorData"),
    ("ndx-mepp", "MEPPQuantity"),
}
_DETECTOR = ("ndx-mepp", "MEPPDetector")


@dataclass(frozen=True)
class StoredReference:
    """Samples of a series, as a table refers to them."""

    idx_start: int
    count: int
    timeseries: StoredName


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredSeries:
    """A series of samples, which stay in the file (:class:`~nwb_mepp.nwb.file_interface.Series`)."""

    name: str
    object_id: str
    stored_type: str
    data: h5py.Dataset
    unit: str
    conversion: float
    offset: float
    rate: float | None
    starting_time: float | None
    timestamps: h5py.Dataset | None
    comments: str
    sweep_number: int | None
    electrode: StoredName | None


class StoredTable:
    """A table whose columns are read when they are asked for (:class:`~nwb_mepp.nwb.file_interface.Table`).

    Parameters
    ----------
    group : h5py.Group

    Raises
    ------
    UnusualError
        If it has not the columns that it states, or anything else.
    """

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self.name = last_name(group)
        self.stored_type = type_of(group)[1]
        self.description = text_of(group, "description")
        names = group.attrs.get("colnames")
        if not isinstance(names, np.ndarray) or not all(isinstance(one, str) for one in names):
            raise UnusualError(f"the names of the columns of {group.name}")
        self.colnames: tuple[str, ...] = tuple(names)
        indexes = {f"{name}_index" for name in self.colnames} & set(group)
        expected = {"id", *self.colnames, *indexes}
        if self.stored_type == "MEPPTable":
            expected |= {"detector"} & set(group)
        if set(group) != expected or len(set(self.colnames)) != len(self.colnames):
            raise UnusualError(f"the columns of {group.name}")
        self._indexes = indexes
        self._read: dict[str, npt.NDArray[Any] | list[list[StoredReference]]] = {}
        identifiers = dataset_in(group, "id", dims=1)
        if type_of(identifiers) != ("hdmf-common", "ElementIdentifiers"):
            raise UnusualError(f"the type of {identifiers.name}")
        self._n_rows = len(identifiers)

    def __len__(self) -> int:
        return self._n_rows

    def __getitem__(self, name: str) -> npt.NDArray[Any] | list[list[StoredReference]]:
        """Return the values of a column; the references of each row for that of the samples."""
        if name not in self._read:
            self._read[name] = self._values(name)
        return self._read[name]

    def _values(self, name: str) -> npt.NDArray[Any] | list[list[StoredReference]]:
        column = dataset_in(self._group, name, dims=1)
        index = f"{name}_index"
        text_of(column, "description")
        if type_of(column) == ("core", "TimeSeriesReferenceVectorData") and index in self._indexes:
            return self._references(column, dataset_in(self._group, index, dims=1))
        if type_of(column) not in _COLUMNS or index in self._indexes or name == SAMPLES.name:
            raise UnusualError(f"the type of {column.name}")
        if len(column) != len(self):
            raise UnusualError(f"the length of {column.name}")
        if h5py.check_string_dtype(column.dtype) is not None:
            return np.asarray(decoded(column))
        if column.dtype.kind not in "biuf":
            raise UnusualError(f"the values of {column.name}")
        return np.asarray(column[:])

    def _references(self, column: h5py.Dataset, index: h5py.Dataset) -> list[list[StoredReference]]:
        if type_of(index) != ("hdmf-common", "VectorIndex"):
            raise UnusualError(f"the type of {index.name}")
        ends = index[:].astype(np.int64)
        steps = np.diff(ends, prepend=0)
        if len(ends) != len(self) or (steps < 0).any() or (len(ends) and ends[-1] != len(column)):
            raise UnusualError(f"the values of {index.name}")
        names: dict[int, StoredName] = {}
        found = [self._reference(row, names) for row in column[:]]
        return [found[end - step : end] for end, step in zip(ends.tolist(), steps.tolist(), strict=True)]

    def _reference(self, row: Any, names: dict[int, StoredName]) -> StoredReference:
        first, n_samples, reference = row
        if first < 0 or n_samples < 0 or not reference:
            raise UnusualError(f"a reference of {self._group.name} that leads nowhere")
        target = h5py.h5r.dereference(reference, self._group.id)
        address = h5py.h5o.get_info(target).addr
        if address not in names:
            names[address] = named(only(h5py.Group(target)))
        return StoredReference(int(first), int(n_samples), names[address])


@dataclass(frozen=True)
class _Detector:
    """A detector, which nothing is read of."""

    stored_type: str = "MEPPDetector"


@dataclass(frozen=True)
class _Module:
    data_interfaces: Mapping[str, Any] = field(default_factory=dict)


class StoredFile:
    """An open file as :class:`~nwb_mepp.nwb.file_interface.NwbContents`.

    Parameters
    ----------
    handle : h5py.File

    Raises
    ------
    UnusualError
        Here or from any attribute, if pynwb has to read the file.
    """

    def __init__(self, handle: h5py.File) -> None:
        self._handle = handle
        version = handle.attrs.get("nwb_version")
        numbers = re.match(r"(\d+)\.(\d+)\.\d+$", version) if isinstance(version, str) else None
        release = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
        if not OLDEST_RELEASE <= release <= NEWEST_RELEASE:
            raise UnusualError(f"the version {version}")
        if type_of(handle) != ("core", "NWBFile"):
            raise UnusualError("the type of the file")
        for name in _ROOT:
            dataset_in(handle, name, dims=0)

    @cached_property
    def acquisition(self) -> Mapping[str, Any]:
        """Series and tables of ``/acquisition``."""
        found = _contents(self._group("acquisition"))
        if len({isinstance(one, StoredSeries) for one in found.values()}) > 1:
            raise UnusualError("series and tables, which pynwb reads kind by kind, in /acquisition")
        return found

    @cached_property
    def stimulus(self) -> Mapping[str, Any]:
        """Series of ``/stimulus/presentation``."""
        return _contents(self._group("stimulus/presentation"))

    @cached_property
    def processing(self) -> Mapping[str, _Module]:
        """Modules with what they hold."""
        found = {}
        for name, group in groups_in(self._group("processing")):
            if type_of(group) != ("core", "ProcessingModule"):
                raise UnusualError(f"the type of {group.name}")
            text_of(group, "description")
            found[name] = _Module(_contents(group))
        return found

    @cached_property
    def intervals(self) -> Mapping[str, StoredTable] | None:
        """Tables of ``/intervals``."""
        return {name: _table(one, _INTERVALS) for name, one in groups_in(self._group("intervals"))}

    @cached_property
    def events(self) -> Mapping[str, StoredTable]:
        """Tables of ``/events``."""
        return {name: _table(one, _EVENTS) for name, one in groups_in(self._group("events"))}

    @property
    def trials(self) -> StoredTable | None:
        """The table of trials."""
        return (self.intervals or {}).get("trials")

    @property
    def epochs(self) -> StoredTable | None:
        """The table of epochs."""
        return (self.intervals or {}).get("epochs")

    @property
    def invalid_times(self) -> StoredTable | None:
        """The table of time that does not count."""
        return (self.intervals or {}).get("invalid_times")

    @property
    def intracellular_recordings(self) -> Any:
        """None; only pynwb reads this table, which no series needs that this package wrote."""
        if "intracellular_recordings" in self._group("general/intracellular_ephys"):
            raise UnusualError("sweeps of another program")
        return None

    @property
    def icephys_simultaneous_recordings(self) -> Any:
        """None; see :attr:`intracellular_recordings`."""
        return self.intracellular_recordings

    @cached_property
    def session_start_time(self) -> datetime:
        """When the session began."""
        text = self._stated("session_start_time")
        if text is None or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?[+-]\d\d:\d\d", text):
            raise UnusualError("the session start")
        return datetime.fromisoformat(text)

    @property
    def session_description(self) -> str | None:
        """What the session is."""
        return self._stated("session_description")

    @property
    def session_id(self) -> str | None:
        """The lab's name of the session."""
        return self._stated("general/session_id")

    @property
    def experiment_description(self) -> str | None:
        """What the experiment is."""
        return self._stated("general/experiment_description")

    @property
    def protocol(self) -> str | None:
        """The protocol of the experiment."""
        return self._stated("general/protocol")

    @property
    def notes(self) -> str | None:
        """Notes on the experiment."""
        return self._stated("general/notes")

    def _group(self, path: str) -> h5py.Group | Mapping[str, Any]:
        """Return a group, or nothing in place of one that is not there."""
        found: h5py.Group | Mapping[str, Any] = self._handle
        for name in path.split("/"):
            if not isinstance(found, h5py.Group) or name not in found:
                return MappingProxyType({})
            found = hard(found, name)
        if not isinstance(found, h5py.Group):
            raise UnusualError(f"a dataset at {path}")
        return found

    def _stated(self, path: str) -> str | None:
        folder, _, name = path.rpartition("/")
        group = self._group(folder) if folder else self._handle
        return str(decoded(dataset_in(group, name, dims=0))) if name in group else None


def _contents(group: h5py.Group | Mapping[str, Any]) -> dict[str, Any]:
    return {name: _content(one) for name, one in groups_in(group)}


def _content(group: h5py.Group) -> StoredSeries | StoredTable | _Detector:
    namespace, kind = type_of(group)
    if namespace == "core" and kind in _SERIES:
        return _series(group, kind)
    return _Detector() if (namespace, kind) == _DETECTOR else _table(group, _TABLES)


def _table(group: h5py.Group, types: Set[tuple[str, str]]) -> StoredTable:
    if type_of(group) not in types:
        raise UnusualError(f"the type of {group.name}")
    return StoredTable(group)


def _series(group: h5py.Group, kind: str) -> StoredSeries:
    data = dataset_in(group, "data")
    unit, fixed = text_of(data, "unit"), _SERIES[kind]
    if data.dtype.kind not in "iuf" or not data.shape or fixed not in (None, unit):
        raise UnusualError(f"the samples of {group.name}")
    timestamps = rate = start_s = None
    if "timestamps" in group:
        timestamps = dataset_in(group, "timestamps", dims=1)
    if "starting_time" in group:
        start = dataset_in(group, "starting_time", dims=0)
        rate, start_s = number_of(start, "rate"), float(start[()])
    if (timestamps is None) == (rate is None) or not (rate is None or 0 < rate < math.inf):
        raise UnusualError(f"the times of {group.name}")
    if timestamps is not None and (timestamps.dtype.kind != "f" or len(timestamps) != len(data)):
        raise UnusualError(f"the timestamps of {group.name}")
    sweep_number = group.attrs.get("sweep_number")
    return StoredSeries(
        name=last_name(group),
        object_id=text_of(group, "object_id"),
        stored_type=kind,
        data=data,
        unit=unit,
        conversion=number_of(data, "conversion", default=1.0),
        offset=number_of(data, "offset", default=0.0),
        rate=rate,
        starting_time=start_s,
        timestamps=timestamps,
        comments=text_of(group, "comments", default="no comments"),
        sweep_number=None if sweep_number is None else int(sweep_number),
        electrode=_electrode(group) if kind != "TimeSeries" else None,
    )


def _electrode(series: h5py.Group) -> StoredName:
    link = series.get("electrode", getlink=True)
    electrode = series.get("electrode")
    if not isinstance(link, h5py.SoftLink) or not isinstance(electrode, h5py.Group):
        raise UnusualError(f"the electrode of {series.name}")
    return StoredName(link.path.rpartition("/")[2], text_of(electrode, "object_id"))
