"""Reading tables of MEPPs of NWB files, whatever read the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import AverageWaveform, Curation, counts_as_event
from nwb_mepp.core.schema import SAMPLES, CurationColumns, LinkedSamples
from nwb_mepp.nwb.file_interface import Table

__all__ = ["WAVEFORM_WORDS", "RowsOfChannel", "read_curation", "read_mepps", "read_waveform", "said_of"]

# The description of an averaged waveform, before the number of MEPPs.
WAVEFORM_WORDS = (
    "Average of isolated MEPPs, aligned where each passes half of its amplitude; number of MEPPs: "
)


def read_waveform(table: Table) -> AverageWaveform:
    """Return the averaged waveform that a table holds."""
    return AverageWaveform(
        time_s=np.asarray(table["time"][:]),
        values=np.asarray(table["mean"][:]),
        n_mepps=int(table.description.removeprefix(WAVEFORM_WORDS).rstrip(".")),
    )


class RowsOfChannel(NamedTuple):
    """The rows of a table that lie on one channel.

    Attributes
    ----------
    mepps : Mepps
    series : tuple of str
        Name of the series that each lies in.
    rows : ndarray of int64, shape (n_mepps,)
        Their numbers in the table.
    """

    mepps: Mepps
    series: tuple[str, ...]
    rows: npt.NDArray[np.int64]


def read_curation(table: Table, rows: npt.NDArray[np.int64]) -> Curation | None:
    """Return what a person decided about some rows of a table; None if it is not a person's.

    Parameters
    ----------
    table : Table
    rows : ndarray of int64, shape (n_rows,)
    """
    if CurationColumns.status.name not in table.colnames:
        return None
    texts = {
        column.attribute: np.array([str(one) for one in table[column.name][:]], dtype=np.str_)[rows]
        for column in Curation.columns()
        if column.name in table.colnames
    }
    return Curation(len(rows), **texts)


def read_mepps(
    table: Table,
    *,
    traces: Mapping[str, Sequence[Trace]],
    channel: str | None = None,
    accepted_only: bool = False,
) -> list[RowsOfChannel]:
    """Return the MEPPs of a table, channel by channel.

    A column that the table lacks is filled as absent: the table may be older than the column, or written by
    another program.

    Parameters
    ----------
    table : Table
    traces : mapping of str to sequence of Trace
        The traces in every series that MEPPs may lie in, one for each column, by its object identifier and
        by its path.
    channel : str, optional
        The channel that is meant if a series has several columns.
    accepted_only : bool, default False
        Omit the rows whose ``status`` is ``rejected`` or ``unreviewed``.

    Raises
    ------
    ReadError
        If a row refers to no series of the recording, or to a series of several columns without ``channel``.
    """
    references = _references(table)
    kept = _accepted(table) if accepted_only else np.arange(len(table))
    rows = [_row(references[number], int(number), table.name, traces, channel) for number in kept]
    columns = {
        column.name: np.asarray(table[column.name][:])[kept]
        for column in (Mepps.start_s, Mepps.stop_s, *Mepps.measures())
        if column.name in table.colnames
    }
    channels = dict.fromkeys(trace.channel for _, trace in rows)
    return [_channel(name, rows, columns, kept) for name in channels]


@contextmanager
def said_of(file: str) -> Iterator[None]:
    """Say within a ``with`` block of which file something is wrong with a table."""
    try:
        yield
    except ReadError as error:
        raise ReadError(f"{file}: {error}") from error


class _Reference(NamedTuple):
    """Samples of a series, which is known by its object identifier or by its path."""

    first: int
    n_samples: int
    key: str
    name: str


def _references(table: Table) -> list[list[_Reference]]:
    """Return the samples that each row of a table refers to."""
    if SAMPLES.name in table.colnames:
        return [
            [
                _Reference(one.idx_start, one.count, one.timeseries.object_id, one.timeseries.name)
                # A column without an index holds one reference a row.
                for one in ([row] if hasattr(row, "timeseries") else row)
            ]
            for row in table[SAMPLES.name][:]
        ]
    names = [column.name for column in LinkedSamples.columns()]
    if not set(names) <= set(table.colnames):
        raise ReadError(
            f"expected table {table.name!r} to refer to the samples of its rows, found no column "
            f"{SAMPLES.name!r}; name a table of MEPPs with `table`."
        )
    return [
        [_Reference(int(first), int(n_samples), str(path), str(path).rpartition("/")[2])]
        for path, first, n_samples in zip(*(table[name][:] for name in names), strict=True)
    ]


def _accepted(table: Table) -> npt.NDArray[np.int64]:
    """Return the numbers of the rows that count; all of them if nobody decided on the table."""
    if CurationColumns.status.name not in table.colnames:
        return np.arange(len(table))
    return np.flatnonzero(counts_as_event([str(one) for one in table[CurationColumns.status.name][:]]))


def _row(
    references: Sequence[_Reference],
    number: int,
    table: str,
    traces: Mapping[str, Sequence[Trace]],
    channel: str | None,
) -> tuple[_Reference, Trace]:
    """Return the samples that one row refers to, and their trace."""
    candidates: Sequence[Trace] = ()
    if len(references) == 1:
        candidates = traces.get(references[0].key, ())
        if len(candidates) > 1:
            candidates = [trace for trace in candidates if trace.channel == channel]
    if len(candidates) != 1:
        gone = "a series that is no longer in the file"
        found = ", ".join(reference.name or gone for reference in references) or "nothing"
        raise ReadError(
            f"expected row {number} of table {table!r} to refer to one channel in volts or amperes of "
            f"/acquisition, found {found}; this table cannot be read as MEPPs: remove it, or detect again."
        )
    return references[0], candidates[0]


def _channel(
    channel: str,
    rows: Sequence[tuple[_Reference, Trace]],
    columns: Mapping[str, npt.NDArray[np.generic]],
    numbers: npt.NDArray[np.int64],
) -> RowsOfChannel:
    """Return the rows that lie on one channel."""
    chosen = [number for number, (_, trace) in enumerate(rows) if trace.channel == channel]
    references, traces = zip(*(rows[number] for number in chosen), strict=True)

    def values(column: Column[Any]) -> npt.NDArray[Any]:
        if column.name not in columns:
            return column.blank(len(chosen))
        return _as_defined(column, columns[column.name][chosen])

    start = np.array([reference.first for reference in references], dtype=np.int64)
    # The sample of the peak is not stored, but its time lies on the sampling grid.
    from_start_s = values(Mepps.peak_s) - np.array([trace.start_s for trace in traces])
    peak = np.round(from_start_s * np.array([trace.sampling_rate_hz for trace in traces]))
    mepps = Mepps(
        channel=channel,
        unit=traces[0].unit,
        sweep=np.array([trace.sweep for trace in traces], dtype=np.int64),
        start_index=start,
        stop_index=start + np.array([reference.n_samples for reference in references], dtype=np.int64),
        peak_index=np.where(np.isnan(peak), start, peak).astype(np.int64),
        start_s=values(Mepps.start_s),
        stop_s=values(Mepps.stop_s),
        **{column.attribute: values(column) for column in Mepps.measures()},
    )
    return RowsOfChannel(mepps, tuple(reference.name for reference in references), numbers[chosen])


def _as_defined(column: Column[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return stored values with the type of their column; other programs may use another one."""
    if column.dtype == "text":
        return np.array([str(value) for value in values], dtype=np.str_)
    if column.dtype == "bool":
        return np.nan_to_num(values.astype(np.float64)) > 0
    return values.astype(column.dtype)
