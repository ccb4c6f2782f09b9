"""Writing tables of MEPPs to NWB files, as ``TimeIntervals``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hdmf.common import DynamicTable, VectorData, VectorIndex
from pynwb.epoch import TimeIntervals

from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import AverageWaveform, ChannelResult, Curation
from nwb_mepp.core.schema import CurationColumns, LinkedSamples
from nwb_mepp.nwb.mepp_rows import WAVEFORM_WORDS
from nwb_mepp.nwb.names import CURATED_TABLE, TRUTH_TABLE
from nwb_mepp.nwb.row_references import RowReferences, reference_columns
from nwb_mepp.nwb.series import SeriesOrPath

__all__ = ["hand_table", "mepp_table", "truth_table", "waveform_table"]

# NWB stores the first sample of a reference as int32.
MAX_INDEX = np.iinfo(np.int32).max


def mepp_table(
    result: ChannelResult, *, name: str, series: SeriesOrPath, references: RowReferences | None = None
) -> TimeIntervals:
    """Return the table of the MEPPs of one detector on one channel, or what a person made of it.

    Parameters
    ----------
    result : ChannelResult
        At least one MEPP, sorted by onset.
    name : str
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.
    references : RowReferences, optional
        Takes the references to the samples, which are to be written later.

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
        return _table(
            result.mepps,
            name=name,
            description=description,
            series=series,
            further=further,
            references=references,
        )
    description = (
        f"MEPPs found by detector {result.detector} (version {result.summary.detector_version}) "
        f"on channel {result.mepps.channel}; {rows}"
    )
    return _table(result.mepps, name=name, description=description, series=series, references=references)


def truth_table(
    mepps: Mepps, *, series: SeriesOrPath, references: RowReferences | None = None
) -> TimeIntervals:
    """Return the table of the MEPPs that were added to a simulated channel.

    Parameters
    ----------
    mepps : Mepps
        At least one MEPP, sorted by onset.
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.
    references : RowReferences, optional
        As for :func:`mepp_table`.

    Raises
    ------
    OutputError, ValueError
        As that function.
    """
    description = (
        f"Ground truth of a simulation: the MEPPs that were added to channel {mepps.channel}; one row each, "
        "sorted by onset. Times are exact; NaN is what the simulation does not state."
    )
    return _table(mepps, name=TRUTH_TABLE, description=description, series=series, references=references)


def hand_table(
    mepps: Mepps, *, series: SeriesOrPath, references: RowReferences | None = None
) -> TimeIntervals:
    """Return the table of MEPPs that a person marked with another program.

    Parameters
    ----------
    mepps : Mepps
        At least one MEPP, sorted by onset.
    series : mapping of (channel, sweep) to TimeSeries
        Or to its path, if it is a link to another file.
    references : RowReferences, optional
        As for :func:`mepp_table`.

    Raises
    ------
    OutputError, ValueError
        As that function.
    """
    description = (
        f"MEPPs that a person marked on channel {mepps.channel} with another program; one row each, sorted "
        "by onset. What the marks do not state was measured on the samples where possible; else it is NaN."
    )
    values = {CurationColumns.source: "hand", CurationColumns.status: "accepted"}
    further = _curated({column: [value] * len(mepps) for column, value in values.items()})
    return _table(
        mepps,
        name=CURATED_TABLE,
        description=description,
        series=series,
        further=further,
        references=references,
    )


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


def _table(
    mepps: Mepps,
    *,
    name: str,
    description: str,
    series: SeriesOrPath,
    references: RowReferences | None,
    further: Sequence[VectorData] = (),
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
        *_samples(mepps, name=name, series=series, references=references),
        *(_stored(column, mepps) for column in Mepps.measures()),
        *further,
    ]
    return TimeIntervals(
        name=name,
        description=description,
        columns=columns,
        colnames=[column.name for column in columns if not isinstance(column, VectorIndex)],
    )


def _samples(
    mepps: Mepps, *, name: str, series: SeriesOrPath, references: RowReferences | None
) -> list[VectorData]:
    """Return the columns that say which samples of which series each MEPP is."""
    first, count = mepps.start_index, mepps.stop_index - mepps.start_index
    sweeps, number = np.unique(mepps.sweep, return_inverse=True)
    there = [series[mepps.channel, sweep] for sweep in sweeps.tolist()]
    paths = [one for one in there if isinstance(one, str)]
    if len(paths) == len(there):
        data = ([paths[i] for i in number.tolist()], first, count)
        return [
            VectorData(name=column.name, description=column.description, data=values)
            for column, values in zip(LinkedSamples.columns(), data, strict=True)
        ]
    if references is None:
        return reference_columns([there[i] for i in number.tolist()], first.tolist(), count.tolist())
    return references.take(name, there, first=first, count=count, number=number)


def _stored(column: Column[Any], mepps: Mepps) -> VectorData:
    values = getattr(mepps, column.attribute)
    if column.dtype == "text":
        # A few words again and again: one object for each.
        words, number = np.unique(values, return_inverse=True)
        values = words.astype(object)[number].tolist()
    return VectorData(name=column.name, description=column.describe(mepps.unit), data=values)
