"""Reading the MEPPs and the summary of an annotated file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult, Curation, SummaryRow
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.event_tables import EventTable, FileTables
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.invalid_times import read_found
from nwb_mepp.nwb.mepp_rows import read_curation, read_mepps, read_waveform, said_of
from nwb_mepp.nwb.names import TABLE_PREFIX, is_curated, table_name, waveform_name
from nwb_mepp.nwb.reader import (
    SeriesTrace,
    electrical_traces,
    recording_of_file,
    series_stems,
    traces_by_object,
)
from nwb_mepp.nwb.statements import Statements
from nwb_mepp.nwb.summary_table import ICEPHYS, read_summary

__all__ = [
    "name_of_row",
    "open_with_results",
    "read_events",
    "read_results",
    "read_rows",
    "read_tables",
    "reviewers_of",
    "rows_of_tables",
]


@dataclass(frozen=True)
class _Annotated:
    """An open file with its traces and the rows of its summary."""

    file: NwbContents
    traces: list[SeriesTrace]
    rows: dict[str, SummaryRow]
    path: str

    def events(self, name: str, *, accepted_only: bool = False) -> list[EventTable]:
        row = self.rows.get(name)
        table = (self.file.intervals or {})[name]
        with said_of(self.path):
            parts = read_mepps(
                table,
                traces=traces_by_object(self.traces),
                channel=row.channel if row else None,
                accepted_only=accepted_only,
            )
        detector = row.detector if row else ""
        return [
            EventTable(
                name=name,
                detector=detector,
                mepps=one.mepps,
                series=one.series,
                curation=read_curation(table, one.rows),
            )
            for one in parts
        ]


def _annotated(file: NwbContents, path: str | PathLike[str]) -> _Annotated:
    traces, _ = electrical_traces(file)
    return _Annotated(file, traces, rows_of_tables(file, traces, path=path), str(path))


def read_rows(path: str | PathLike[str]) -> dict[str, SummaryRow]:
    """Return the rows of the summary of a file as :func:`rows_of_tables` does.

    Raises
    ------
    ReadError
        If the file cannot be read; or as that function.
    """
    with open_hdf5(path) as handle:
        return read_contents(handle, lambda file: _annotated(file, path).rows)


def rows_of_tables(
    file: NwbContents, traces: Sequence[SeriesTrace], *, path: str | PathLike[str]
) -> dict[str, SummaryRow]:
    """Return the rows of the summary by the name of the table that each belongs to, even if it is missing.

    Raises
    ------
    ReadError
        If another program wrote the summary, or the channel of a row is not in the file.
    """
    stems, channels = series_stems(traces), list(dict.fromkeys(one.trace.channel for one in traces))
    rows = {}
    for row in read_summary(file):
        if row.channel not in channels:
            raise ReadError(
                f"expected channel {row.channel!r} of the summary in {path}, found "
                f"{channels or 'no channel'}; the series was renamed or removed."
            )
        rows[name_of_row(row, stems=stems)] = row
    return rows


def name_of_row(row: SummaryRow, *, stems: Mapping[str, str]) -> str:
    """Return the name of the table that a row of the summary belongs to (:func:`table_name`)."""
    return table_name(row.detector, row.channel, stems=stems, curated=is_curated(row.detector))


def read_results(path: str | PathLike[str], *, table: str | None = None) -> list[ChannelResult]:
    """Return what detectors and people found in a file, in the order of its summary.

    Parameters
    ----------
    path : path-like
    table : str, optional
        Only what belongs to this table, named as for :func:`read_events`.

    Returns
    -------
    list of ChannelResult
        Empty if no detector was run on the file.

    Raises
    ------
    ReadError
        If the file cannot be read, or its tables, summary and series do not match; or if the summary has no
        row of such a table.
    """
    with open_hdf5(path) as handle:
        return read_contents(handle, lambda file: _results(_annotated(file, path), table, path=path))


def _named(rows: Mapping[str, SummaryRow], table: str) -> list[str]:
    """Return the tables of the summary that a name means: one, or those of a detector on all channels."""
    for name in (table, f"{TABLE_PREFIX}{table}"):
        if name in rows:
            return [name]
    return [name for name, row in rows.items() if row.detector == table.removeprefix(TABLE_PREFIX)]


@contextmanager
def open_with_results(
    path: str | PathLike[str], *, statements: Statements | None = None
) -> Iterator[tuple[Recording, list[ChannelResult]]]:
    """Open an NWB file as a recording, with everything that detectors found in it.

    Parameters
    ----------
    path : path-like
    statements : Statements, optional
        As for :func:`~nwb_mepp.nwb.open_nwb`.

    Yields
    ------
    recording : Recording
        As :func:`~nwb_mepp.nwb.open_nwb` gives it.
    results : list of ChannelResult
        As :func:`read_results` gives them.

    Raises
    ------
    ReadError, UsageError
        As these do.
    """

    def use(file: NwbContents) -> tuple[Recording, list[ChannelResult]]:
        recording = recording_of_file(file, handle, path, statements=statements)
        return recording, _results(_annotated(file, path), path=path)

    with open_hdf5(path) as handle:
        yield read_contents(handle, use)


def read_tables(path: str | PathLike[str]) -> FileTables:
    """Return the MEPPs and the summary of a file, which is opened once.

    Raises
    ------
    ReadError
        If the file cannot be read, or its tables, summary and series do not match.
    """

    def use(file: NwbContents) -> FileTables:
        annotated = _annotated(file, path)
        tables = [_table(annotated, name, row) for name, row in annotated.rows.items()]
        return FileTables(
            events=tuple(one for one in tables if one is not None and not is_curated(one.detector)),
            summaries=tuple(annotated.rows.values()),
        )

    with open_hdf5(path) as handle:
        return read_contents(handle, use)


def _table(annotated: _Annotated, name: str, row: SummaryRow) -> EventTable | None:
    """Return the table that belongs to a row of the summary; None if it is not there or nothing counts."""
    table, tables, is_there = None, [], name in (annotated.file.intervals or {})
    if is_there:
        tables = annotated.events(name, accepted_only=True)
    # Of a person's table maybe nothing counts.
    if tables or (is_there and not is_curated(row.detector)):
        if [one.mepps.channel for one in tables] != [row.channel]:
            raise ReadError(
                f"{annotated.path}: expected table {name!r} to lie on channel {row.channel!r}, found "
                f"{[one.mepps.channel for one in tables]}; the file was changed by another program."
            )
        table = tables[0]
    n_mepps = 0 if table is None else len(table.mepps.of_kind("mepp"))
    if n_mepps != row.n_mepps:
        raise ReadError(
            f"{annotated.path}: expected {row.n_mepps} MEPPs in table {name!r} as the summary says, found "
            f"{n_mepps}; the file was changed by another program: detect again."
        )
    return table


def _results(
    annotated: _Annotated, table: str | None = None, *, path: str | PathLike[str]
) -> list[ChannelResult]:
    rows = annotated.rows
    chosen = rows if table is None else _named(rows, table)
    if table is not None and not chosen:
        raise ReadError(
            f"expected a row of table {table!r} in the summary of {path}, found "
            f"{', '.join(rows) or 'no summary'}; name one that is there with `table`."
        )
    return [_result(annotated, name, rows[name]) for name in chosen]


def _result(annotated: _Annotated, name: str, row: SummaryRow) -> ChannelResult:
    table = _table(annotated, name, row)
    module = annotated.file.processing.get(ICEPHYS)
    waveform = module.data_interfaces.get(waveform_name(name)) if module is not None else None
    return ChannelResult(
        detector=row.detector,
        mepps=Mepps.empty(row.channel, row.amplitude_unit) if table is None else table.mepps,
        summary=row,
        left_out=read_found(annotated.file, row.channel),
        waveform=None if waveform is None else read_waveform(waveform),
        curation=table.curation if table is not None else Curation(0) if is_curated(row.detector) else None,
    )


def reviewers_of(path: str | PathLike[str], *, channel: str) -> dict[str, str]:
    """Return who reviewed a channel: the names of their tables by what stands for them in the summary.

    Parameters
    ----------
    path : path-like
    channel : str

    Returns
    -------
    dict of str to str
        ``{"curated": "mepps_curated"}``, say; the table is not there if the person found no event at all.

    Raises
    ------
    ReadError
        If the file cannot be read.
    """

    def use(file: NwbContents) -> dict[str, str]:
        rows = _annotated(file, path).rows.items()
        return {
            row.detector: name for name, row in rows if is_curated(row.detector) and row.channel == channel
        }

    with open_hdf5(path) as handle:
        return read_contents(handle, use)


def read_events(
    path: str | PathLike[str], *, table: str | None = None, accepted_only: bool = False
) -> list[EventTable]:
    """Return the MEPPs of a file, table by table.

    Parameters
    ----------
    path : path-like
    table : str, optional
        Name of one table in ``/intervals``, of a detector or of a person, with or without ``mepps_``; where
        MEPPs were found on several channels, ``miniunet`` or ``curated`` means the tables of all. By default
        the tables of all detectors, in the order of the summary.
    accepted_only : bool, default False
        Omit what does not count: rows of a curated table with the status ``rejected`` or ``unreviewed``.

    Returns
    -------
    list of EventTable
        One for each table and channel; none for a detector that found nothing.

    Raises
    ------
    ReadError
        If the file cannot be read or has no such table.
    """

    def use(file: NwbContents) -> list[EventTable]:
        annotated = _annotated(file, path)
        return [
            events
            for name in _names_of_tables(annotated, table, path=path)
            for events in annotated.events(name, accepted_only=accepted_only)
        ]

    with open_hdf5(path) as handle:
        return read_contents(handle, use)


def _names_of_tables(annotated: _Annotated, table: str | None, *, path: str | PathLike[str]) -> list[str]:
    """Return the names of the tables to be read that are there: those asked for, or of all detectors."""
    intervals, rows = annotated.file.intervals or {}, annotated.rows
    if table is None:
        named = [name for name, row in rows.items() if not is_curated(row.detector)]
    else:
        # Of a table without a row in the summary, too, such as marks that were imported.
        alone = [one for one in (table, f"{TABLE_PREFIX}{table}") if one in intervals]
        named = alone[:1] or _named(rows, table)
    if table is not None and not named:
        known = [name for name in intervals if name.startswith(TABLE_PREFIX)]
        raise ReadError(
            f"expected table {table!r} in {path}, found {', '.join(known) or 'no table of MEPPs'}; name "
            "one that is there with `table`."
        )
    return [name for name in named if name in intervals]
