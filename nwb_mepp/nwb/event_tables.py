"""The tables of events of a file, as they are read or known from writing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import ChannelResult, Curation, SummaryRow
from nwb_mepp.core.units import ELECTRICAL_UNITS
from nwb_mepp.nwb.names import channel_stems, series_name, table_name

__all__ = ["EventTable", "FileTables", "written_tables"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EventTable:
    """The MEPPs of one table on one channel.

    Attributes
    ----------
    name : str
        Name of the table in ``/intervals``.
    detector : str
        What found them; empty for a table without a row in the summary.
    mepps : Mepps
    series : tuple of str
        Name of the series that each MEPP lies in.
    curation : Curation or None
        What a person decided about each MEPP, if the table is a person's.
    """

    name: str
    detector: str
    mepps: Mepps
    series: tuple[str, ...]
    curation: Curation | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FileTables:
    """What all detectors found in a file.

    Attributes
    ----------
    events : tuple of EventTable
        One for each detector and channel with MEPPs.
    summaries : tuple of SummaryRow
        One for each detector and channel.
    """

    events: tuple[EventTable, ...]
    summaries: tuple[SummaryRow, ...]


def written_tables(traces: Iterable[Trace], results: Sequence[ChannelResult]) -> FileTables:
    """Return what a file holds that was written with nothing but some results, without reading it.

    It is what :func:`~nwb_mepp.nwb.results.read_tables` would return.

    Parameters
    ----------
    traces : iterable of Trace
        Of the recording that was written.
    results : sequence of ChannelResult
    """
    every = list(traces)
    stems, n_sweeps = channel_stems(every), Counter(trace.channel for trace in every)
    electrical = {one.channel: stems[one.channel] for one in every if one.unit in ELECTRICAL_UNITS}

    def table(result: ChannelResult) -> EventTable:
        mepps = result.mepps
        stem, number = stems[mepps.channel], n_sweeps[mepps.channel]
        return EventTable(
            name=table_name(result.detector, mepps.channel, stems=electrical),
            detector=result.detector,
            mepps=mepps,
            series=tuple(series_name(stem, sweep=sweep, n_sweeps=number) for sweep in mepps.sweep.tolist()),
        )

    return FileTables(
        events=tuple(table(one) for one in results if len(one.mepps)),
        summaries=tuple(one.summary for one in results),
    )
