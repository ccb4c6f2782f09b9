"""An NWB file opened for a person who reviews it: samples, tables, and what was decided before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike

import h5py

from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import LeftOut, SummaryRow
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.event_tables import EventTable
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.invalid_times import read_excluded, read_found
from nwb_mepp.nwb.mepp_rows import read_curation, read_mepps, said_of
from nwb_mepp.nwb.names import TABLE_PREFIX, table_name
from nwb_mepp.nwb.reader import SeriesTrace, electrical_traces, recording_in, series_stems
from nwb_mepp.nwb.reader import traces_by_object as by_object
from nwb_mepp.nwb.results import rows_of_tables
from nwb_mepp.nwb.stored_file import StoredFile

__all__ = ["ReviewFile", "open_for_review"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewFile:
    """What a review reads of a file; the samples can be read while it is open.

    Attributes
    ----------
    recording : Recording
        Without checksum: reading a file of a day for it would take longer than anything else.
    rows : mapping of str to SummaryRow
        Of the summary, by the name of the table that each belongs to.
    excluded : list of (start_s, stop_s)
        What a person left out in review.
    """

    handle: h5py.File
    file: NwbContents
    traces: tuple[SeriesTrace, ...]
    recording: Recording
    rows: Mapping[str, SummaryRow]
    excluded: list[tuple[float, float]]
    _known: dict[str, list[EventTable]] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables of MEPPs that are there, those of the summary first."""
        names = [name for name in self.file.intervals or () if name.startswith(TABLE_PREFIX)]
        return tuple(dict.fromkeys([*(name for name in self.rows if name in names), *sorted(names)]))

    def found_on(self, channel: str) -> tuple[LeftOut, ...]:
        """Return what a detector's run found to be of no use on a channel."""
        return read_found(self.file, channel)

    def curated_name(self, detector: str, channel: str) -> str:
        """Return the name of the table of a person on a channel; ``detector`` as in the summary."""
        return table_name(detector, channel, stems=series_stems(self.traces), curated=True)

    def events(self, name: str) -> list[EventTable]:
        """Return the rows of a table, channel by channel.

        Raises
        ------
        ReadError
            If it is no table of MEPPs.
        """
        if name not in self._known:
            if isinstance(self.file, StoredFile):
                self._known[name] = read_contents(self.handle, lambda file: self._read(file, name))
            else:
                self._known[name] = self._read(self.file, name)
        return self._known[name]

    def _read(self, file: NwbContents, name: str) -> list[EventTable]:
        table, row = (file.intervals or {})[name], self.rows.get(name)
        with said_of(self.handle.filename):
            found = read_mepps(table, traces=by_object(self.traces), channel=row.channel if row else None)
        return [
            EventTable(
                name=name,
                detector=row.detector if row else "",
                mepps=one.mepps,
                series=one.series,
                curation=read_curation(table, one.rows),
            )
            for one in found
        ]

    def identity(self, channel: str) -> str:
        """Return what tells the series of a channel from others, however often the file is rewritten."""
        return " ".join(one.series.object_id for one in self.traces if one.trace.channel == channel)


@contextmanager
def open_for_review(path: str | PathLike[str]) -> Iterator[ReviewFile]:
    """Open a file for the length of a ``with`` block.

    Raises
    ------
    ReadError
        If it cannot be read, or holds no series in volts or amperes.
    """

    def use(file: NwbContents) -> ReviewFile:
        traces, _ = electrical_traces(file)
        return ReviewFile(
            handle=handle,
            file=file,
            traces=tuple(traces),
            recording=recording_in(file, name=str(path)),
            rows=rows_of_tables(file, traces, path=path),
            excluded=read_excluded(file),
        )

    with open_hdf5(path) as handle:
        yield read_contents(handle, use)
