"""What is read of an NWB file, by pynwb or with h5py alone (:mod:`nwb_mepp.nwb.stored_file`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

__all__ = ["NwbContents", "Series", "Table", "type_name"]


@runtime_checkable
class Series(Protocol):
    """A series of samples: a ``TimeSeries`` of pynwb or of a type derived from it, or a stored one."""

    @property
    def name(self) -> str:
        """Name of the series."""

    @property
    def object_id(self) -> str:
        """Identifier of the series in its file."""

    @property
    def data(self) -> Any:
        """Stored numbers."""

    @property
    def unit(self) -> Any:
        """Unit of the numbers after conversion, as the file says it."""

    @property
    def conversion(self) -> float:
        """By what the numbers are multiplied."""

    @property
    def offset(self) -> float:
        """What is added after that."""

    @property
    def rate(self) -> float | None:
        """Sampling rate (Hz); None if there are timestamps."""

    @property
    def starting_time(self) -> float | None:
        """Time of the first sample (s); None if there are timestamps."""

    @property
    def timestamps(self) -> Any:
        """Time of each sample (s); None if there is a rate."""


@runtime_checkable
class Table(Protocol):
    """A table by columns: a ``DynamicTable`` of pynwb or of a type derived from it, or a stored one."""

    @property
    def name(self) -> str:
        """Name of the table."""

    @property
    def description(self) -> str:
        """What the table holds."""

    @property
    def colnames(self) -> Sequence[str]:
        """Names of the columns, in order."""

    def __getitem__(self, name: str) -> Any: ...

    def __len__(self) -> int: ...


class NwbContents(Protocol):
    """The parts of a file that hold series and tables, and when its session began."""

    @property
    def acquisition(self) -> Mapping[str, Any]:
        """What was recorded, by name."""

    @property
    def stimulus(self) -> Mapping[str, Any]:
        """What was presented, by name."""

    @property
    def processing(self) -> Mapping[str, Any]:
        """Modules of results, by name."""

    @property
    def intervals(self) -> Mapping[str, Any] | None:
        """Tables of intervals, by name, the following three among them."""

    @property
    def trials(self) -> Any:
        """Table of trials, or None."""

    @property
    def epochs(self) -> Any:
        """Table of epochs, or None."""

    @property
    def invalid_times(self) -> Any:
        """Table of time that does not count, or None."""

    @property
    def events(self) -> Mapping[str, Any]:
        """Tables of events, by name."""

    @property
    def intracellular_recordings(self) -> Any:
        """Table of intracellular recordings, or None."""

    @property
    def icephys_simultaneous_recordings(self) -> Any:
        """Table of what was recorded at the same time, or None."""

    @property
    def session_start_time(self) -> datetime:
        """When the session began."""


def type_name(content: object) -> str:
    """Return the NWB type of an object of a file."""
    return str(getattr(content, "stored_type", type(content).__name__))
