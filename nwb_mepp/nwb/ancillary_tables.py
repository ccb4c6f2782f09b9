"""Events, epochs, spikes and irregularly sampled signals of the source as NWB objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from hdmf.common import VectorData
from pynwb import H5DataIO, NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals
from pynwb.event import EventsTable, TimestampVectorData
from pynwb.misc import Units

from nwb_mepp.core.ancillary import AncillaryData, Epochs, IrregularTrace, PointEvents, SpikeTimes
from nwb_mepp.core.provenance import describe_settings
from nwb_mepp.core.units import nwb_unit_name
from nwb_mepp.nwb.header import storable
from nwb_mepp.nwb.names import free_name, series_name
from nwb_mepp.nwb.sample_stream import GZIP_LEVEL
from nwb_mepp.nwb.stimuli import EPOCHS_PREFIX

__all__ = ["add_ancillary"]

_Kind = TypeVar("_Kind", PointEvents, Epochs, SpikeTimes, IrregularTrace)


def add_ancillary(file: NWBFile, ancillary: AncillaryData, *, source: str) -> None:
    """Add what the source holds besides regularly sampled signals.

    Parameters
    ----------
    file : NWBFile
        It already holds the series of the recording.
    ancillary : AncillaryData
    source : str
        A sentence about where they come from.
    """
    taken = set(file.events)
    for events in _by_name(ancillary.events):
        name = free_name(events[0].name, taken=taken)
        file.add_events_table(_events_table(events, name=name, source=source))
    taken = set(file.intervals or ())
    for epochs in _by_name(ancillary.epochs):
        name = free_name(EPOCHS_PREFIX + epochs[0].name, taken=taken)
        file.add_time_intervals(_epochs_table(epochs, name=name, source=source))
    _add_units(file, ancillary.spikes, source=source)
    for traces in _by_name(ancillary.irregular):
        stem = free_name(traces[0].name, taken=set(file.acquisition))
        for trace in traces:
            name = series_name(stem, sweep=trace.sweep, n_sweeps=len(traces))
            file.add_acquisition(_irregular_series(trace, name=name, source=source))


def _by_name(ones: Iterable[_Kind]) -> list[list[_Kind]]:
    """Group what belongs together: the same kind in all sweeps."""
    groups: dict[str, list[_Kind]] = {}
    for one in ones:
        groups.setdefault(one.name, []).append(one)
    return list(groups.values())


def _events_table(events: Sequence[PointEvents], *, name: str, source: str) -> EventsTable:
    times_s = np.concatenate([one.times_s for one in events])
    order = np.argsort(times_s, kind="stable")
    timestamp = TimestampVectorData(
        name="timestamp",
        description="The time that each event occurred, in seconds, from the session start time.",
        data=times_s[order],
    )
    columns = [timestamp, *_text_columns(events, order)]
    return EventsTable(
        name=name,
        description=_description(f"Events {events[0].name!r} of the source", events[0].annotations),
        source_description=source,
        columns=columns,
        colnames=[column.name for column in columns],
    )


def _epochs_table(epochs: Sequence[Epochs], *, name: str, source: str) -> TimeIntervals:
    start_s = np.concatenate([one.start_s for one in epochs])
    stop_s = start_s + np.concatenate([one.duration_s for one in epochs])
    order = np.argsort(start_s, kind="stable")
    columns = [
        VectorData(
            name="start_time", description="Start from the session start. Unit: s.", data=start_s[order]
        ),
        VectorData(name="stop_time", description="End from the session start. Unit: s.", data=stop_s[order]),
        *_text_columns(epochs, order),
    ]
    stated = _description(f"Epochs {epochs[0].name!r} of the source", epochs[0].annotations)
    return TimeIntervals(
        name=name,
        description=f"{stated} {source}",
        columns=columns,
        colnames=[column.name for column in columns],
    )


def _text_columns(
    ones: Sequence[PointEvents] | Sequence[Epochs], order: npt.NDArray[np.int64]
) -> list[VectorData]:
    """Return the labels, if there are any, and what else the source says about each row."""
    texts = {"annotation": [label for one in ones for label in one.labels]}
    descriptions = {"annotation": "Label that the source gives."}
    taken = {"annotation", "duration", "id", "start_time", "stop_time", "timestamp", "timeseries", "tags"}
    for key in dict.fromkeys(key for one in ones for key in one.columns):
        name = free_name(key, taken=taken)
        texts[name] = [text for one in ones for text in one.columns.get(key, ("",) * len(one.labels))]
        descriptions[name] = f"What the source calls {key!r}."
    return [
        VectorData(
            name=name,
            description=storable(descriptions[name]),
            data=[storable(column[index]) for index in order],
        )
        for name, column in texts.items()
        if any(column)
    ]


def _add_units(file: NWBFile, spikes: Sequence[SpikeTimes], *, source: str) -> None:
    """Add a unit for each spike train, pooled over sweeps, including units that never fired."""
    if not any(len(one.times_s) for one in spikes):
        return
    units = Units(
        name="units",
        description=f"Spike trains of the source. {source}",
        resolution=min(one.resolution_s for one in spikes),
    )
    units.add_column(name="unit_name", description="Name of the unit in the source.")
    stated = any(one.annotations for one in spikes)
    if stated:
        units.add_column(name="source_annotations", description="What else the source says about the unit.")
    for sweeps in _by_name(spikes):
        row = {"unit_name": storable(sweeps[0].name)}
        if stated:
            row["source_annotations"] = storable(describe_settings(sweeps[0].annotations))
        units.add_unit(
            spike_times=np.sort(np.concatenate([one.times_s for one in sweeps])),
            obs_intervals=[[one.start_s, one.stop_s] for one in sweeps],
            **row,
        )
    file.units = units


def _irregular_series(trace: IrregularTrace, *, name: str, source: str) -> TimeSeries:
    return TimeSeries(
        name=name,
        data=H5DataIO(trace.samples, compression="gzip", compression_opts=GZIP_LEVEL, shuffle=True),
        timestamps=H5DataIO(trace.times_s, compression="gzip", compression_opts=GZIP_LEVEL, shuffle=True),
        unit=nwb_unit_name(trace.unit),
        conversion=float(trace.conversion),
        description=f"Channel {storable(trace.name)}, sampled at irregular times. {source}",
    )


def _description(what: str, annotations: Mapping[str, str]) -> str:
    stated = f" ({describe_settings(annotations)})" if annotations else ""
    return storable(f"{what}{stated}.")
