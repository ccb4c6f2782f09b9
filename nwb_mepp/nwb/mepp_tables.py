"""Tables of MEPPs in NWB files: writing and reading ``TimeIntervals``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from hdmf.common import DynamicTable, VectorData, VectorIndex
from pynwb import TimeSeries
from pynwb.base import TimeSeriesReference, TimeSeriesReferenceVectorData
from pynwb.epoch import TimeIntervals

from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import AverageWaveform, ChannelResult, Curation, counts_as_event
from nwb_mepp.core.schema import SAMPLES, CurationColumns, LinkedSamples
from nwb_mepp.nwb.names import CURATED_TABLE, TRUTH_TABLE
from nwb_mepp.nwb.series import SeriesOrPath

__all__ = [
    "RowsOfChannel",
    "hand_table",
    "mepp_table",
    "read_curation",
    "read_mepps",
    "read_waveform",
    "truth_table",
    "waveform_table",
]

# The description of an averaged waveform, before the number of MEPPs.
WAVEFORM_WORDS = (
    "Average of isolated MEPPs, aligned where each passes half of its amplitude; number of MEPPs: "
)
# NWB stores the first sample of a reference as int32.
MAX_INDEX = np.iinfo(np.int32).max


def mepp_table(result: ChannelResult, *, name: str, series: SeriesOrPath) -> TimeIntervals:
    """Return the table of the MEPPs of one detector on one channel, or what a person made of it.

    Parameters
    ----------
    result : ChannelResult
        At least one MEPP, sorted by onset.
    name : str
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.

    Raises
    ------
    OutputError
        If a MEPP lies beyond the sample numbers that NWB can hold (2**31).
    ValueError
        If the MEPPs are not sorted.
    """
    rows = "one row each, pooled over sweeps, sorted by onset."
    if result.curation is not None:
        description = f"MEPPs on channel {result.mepps.channel} that a person reviewed; {rows}"
        further = _curated({one: getattr(result.curation, one.attribute) for one in Curation.columns()})
        return _table(result.mepps, name=name, description=description, series=series, further=further)
    description = (
        f"MEPPs found by detector {result.detector} (version {result.summary.detector_version}) "
        f"on channel {result.mepps.channel}; {rows}"
    )
    return _table(result.mepps, name=name, description=description, series=series)


def truth_table(mepps: Mepps, *, series: SeriesOrPath) -> TimeIntervals:
    """Return the table of the MEPPs that were added to a simulated channel.

    Parameters
    ----------
    mepps : Mepps
        At least one MEPP, sorted by onset.
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.

    Raises
    ------
    OutputError, ValueError
        As :func:`mepp_table`.
    """
    description = (
        f"Ground truth of a simulation: the MEPPs that were added to channel {mepps.channel}; one row each, "
        "sorted by onset. Times are exact; NaN is what the simulation does not state."
    )
    return _table(mepps, name=TRUTH_TABLE, description=description, series=series)


def hand_table(mepps: Mepps, *, series: SeriesOrPath) -> TimeIntervals:
    """Return the table of MEPPs that a person marked with another program.

    Parameters
    ----------
    mepps : Mepps
        At least one MEPP, sorted by onset.
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.

    Raises
    ------
    OutputError, ValueError
        As :func:`mepp_table`.
    """
    description = (
        f"MEPPs that a person marked on channel {mepps.channel} with another program; one row each, sorted "
        "by onset. What the marks do not state was measured on the samples where possible; else it is NaN."
    )
    values = {CurationColumns.source: "hand", CurationColumns.status: "accepted"}
    further = _curated({column: [value] * len(mepps) for column, value in values.items()})
    return _table(mepps, name=CURATED_TABLE, description=description, series=series, further=further)


def _curated(values: Mapping[Column[Any], Sequence[str]]) -> list[VectorData]:
    return [
        VectorData(name=column.name, description=column.description, data=[str(one) for one in texts])
        for column, texts in values.items()
    ]


def waveform_table(waveform: AverageWaveform, *, name: str, unit: str) -> DynamicTable:
    """Return the table of an averaged waveform, a row for each sample.

    Parameters
    ----------
    waveform : AverageWaveform
    name : str
    unit : str
        Of the trace.
    """
    columns = [
        VectorData(
            name="time",
            description="Time from where each MEPP passes half of its amplitude. Unit: s.",
            data=waveform.time_s,
        ),
        VectorData(
            name="mean", description=f"Mean, baseline subtracted, signed. Unit: {unit}.", data=waveform.values
        ),
    ]
    return DynamicTable(
        name=name,
        description=f"{WAVEFORM_WORDS}{waveform.n_mepps}.",
        columns=columns,
        colnames=[column.name for column in columns],
    )


def read_waveform(table: DynamicTable) -> AverageWaveform:
    """Return the averaged waveform that a table holds."""
    return AverageWaveform(
        time_s=np.asarray(table["time"][:]),
        values=np.asarray(table["mean"][:]),
        n_mepps=int(table.description.removeprefix(WAVEFORM_WORDS).rstrip(".")),
    )


def _table(
    mepps: Mepps, *, name: str, description: str, series: SeriesOrPath, further: Sequence[VectorData] = ()
) -> TimeIntervals:
    """Return MEPPs as a table, built column by column.

    Adding rows would lose the types of the columns, and ``add_interval`` computes the references to the
    samples from the times, by truncation.
    """
    if np.any(np.diff(mepps.start_s) < 0):
        raise ValueError("expected MEPPs sorted by onset.")
    if mepps.stop_index.max() > MAX_INDEX:
        raise OutputError(
            f"expected MEPPs before sample {MAX_INDEX}, the last that NWB can refer to, found one at "
            f"{mepps.stop_index.max()}; split the recording."
        )
    columns = [
        *(_stored(column, mepps) for column in (Mepps.start_s, Mepps.stop_s)),
        *_samples(mepps, [series[mepps.channel, int(sweep)] for sweep in mepps.sweep]),
        *(_stored(column, mepps) for column in Mepps.measures()),
        *further,
    ]
    return TimeIntervals(
        name=name,
        description=description,
        columns=columns,
        colnames=[column.name for column in columns if not isinstance(column, VectorIndex)],
    )


def _samples(mepps: Mepps, series: Sequence[TimeSeries | str]) -> list[VectorData]:
    """Return the columns that say which samples of which series each MEPP is."""
    n_samples = mepps.stop_index - mepps.start_index
    paths = [one for one in series if isinstance(one, str)]
    if len(paths) == len(series):
        return [
            VectorData(name=column.name, description=column.description, data=data)
            for column, data in zip(
                LinkedSamples.columns(), (paths, mepps.start_index, n_samples), strict=True
            )
        ]
    references = TimeSeriesReferenceVectorData(
        name=SAMPLES.name,
        description=SAMPLES.description,
        data=[
            TimeSeriesReference(int(start), int(count), one)
            for start, count, one in zip(mepps.start_index, n_samples, series, strict=True)
        ],
    )
    ends = np.arange(1, len(mepps) + 1, dtype=np.uint32)
    return [references, VectorIndex(name=f"{SAMPLES.name}_index", data=ends, target=references)]


def _stored(column: Column[Any], mepps: Mepps) -> VectorData:
    values = getattr(mepps, column.attribute)
    return VectorData(
        name=column.name,
        description=column.describe(mepps.unit),
        data=values.tolist() if column.dtype == "text" else values,
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


def read_curation(table: TimeIntervals, rows: npt.NDArray[np.int64]) -> Curation | None:
    """Return what a person decided about some rows of a table; None if it is not a person's.

    Parameters
    ----------
    table : TimeIntervals
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
    table: TimeIntervals,
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
    table : TimeIntervals
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


class _Reference(NamedTuple):
    """Samples of a series, which is known by its object identifier or by its path."""

    first: int
    n_samples: int
    key: str
    name: str


def _references(table: TimeIntervals) -> list[list[_Reference]]:
    """Return the samples that each row of a table refers to."""
    if SAMPLES.name in table.colnames:
        return [
            [
                _Reference(one.idx_start, one.count, one.timeseries.object_id, one.timeseries.name)
                for one in row
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


def _accepted(table: TimeIntervals) -> npt.NDArray[np.int64]:
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
        found = ", ".join(reference.name for reference in references) or "nothing"
        raise ReadError(
            f"expected row {number} of table {table!r} to refer to one channel in volts or amperes of "
            f"/acquisition, found {found}; this table cannot be read as MEPPs."
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
