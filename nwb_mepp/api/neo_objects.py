"""Between Neo's objects, which carry units, and the package's own, which are plain SI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import neo
import numpy as np
import numpy.typing as npt
import quantities as pq

from nwb_mepp.api.ancillary_objects import add_ancillary
from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import ArraySource, Recording, SourceFile, Trace
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.core.segments import Segment
from nwb_mepp.nwb import EventTable
from nwb_mepp.workflows import DetectionSettings, cut_channel

__all__ = [
    "ELECTRICAL",
    "add_mepps",
    "block_of",
    "column_of",
    "electrical_unit",
    "epoch_of",
    "mepps_of",
    "recording_of",
    "stretch_of",
]

ELECTRICAL = {"V": pq.V, "A": pq.A}
_LABEL = "mepp"


def _seconds(time: Any) -> float:
    return float(time.rescale(pq.s).magnitude) if isinstance(time, pq.Quantity) else float(time)


def electrical_unit(quantity: pq.Quantity) -> str | None:
    """Return "V" or "A" for a voltage or a current, None for anything else."""
    dimensionality = quantity.dimensionality.simplified
    for name, unit in ELECTRICAL.items():
        if dimensionality == unit.dimensionality.simplified:
            return name
    return None


def column_of(signal: neo.AnalogSignal, channel: str | int | None) -> int:
    """Return which column of a signal is meant.

    Raises
    ------
    UsageError
        If it is no signal, or the channel is none of it or has to be named.
    """
    if not isinstance(signal, neo.AnalogSignal):
        where = {neo.Block: "block.segments[0].analogsignals[0]", neo.Segment: "segment.analogsignals[0]"}
        advice = where.get(type(signal), "neo.AnalogSignal(samples, units='mV', sampling_rate=10 * pq.kHz)")
        raise UsageError(
            f"`signal`: expected a neo.AnalogSignal, found {type(signal).__name__}; pass one, such as "
            f"{advice}."
        )
    names = _channel_names(signal)
    if channel is None:
        if len(names) != 1:
            raise UsageError(
                f"the signal has {len(names)} channels ({', '.join(names)}); pass `channel={names[0]!r}` (or "
                "another) to choose one."
            )
        return 0
    if isinstance(channel, str) and names.count(channel) == 1:
        return names.index(channel)
    if isinstance(channel, int) and 0 <= channel < len(names):
        return channel
    raise UsageError(
        f"`channel`: expected one of {', '.join(map(repr, names))} or its number from 0, found {channel!r}."
    )


def _channel_names(signal: neo.AnalogSignal) -> list[str]:
    n_channels = signal.shape[1]
    names = signal.array_annotations.get("channel_names")
    if names is not None:
        return [str(name) for name in names]
    if n_channels == 1:
        return [str(signal.name or "signal")]
    return [f"{signal.name or 'signal'} {number}" for number in range(n_channels)]


def recording_of(signal: neo.AnalogSignal, *, column: int) -> Recording:
    """Return one channel of a signal in SI units; the only place where a signal loses its unit."""
    unit = electrical_unit(signal.units)
    if unit is None:
        raise UsageError(
            f"expected a signal in volts or amperes, found {signal.units.dimensionality.string}; state its "
            "unit, for example neo.AnalogSignal(..., units='mV')."
        )
    trace = Trace(
        channel=_channel_names(signal)[column],
        sweep=0,
        source=ArraySource(signal.magnitude[:, column]),
        unit=unit,
        conversion=float(signal.units.rescale(ELECTRICAL[unit]).magnitude),
        offset=0.0,
        sampling_rate_hz=float(signal.sampling_rate.rescale(pq.Hz).magnitude),
        start_s=_seconds(signal.t_start),
    )
    name = str(signal.name or "the signal")
    source = SourceFile(name=name, sha256="", reader="neo", reader_version=neo.__version__)
    return Recording(traces=(trace,), source=source)


def block_of(recording: Recording) -> neo.Block:
    """Return a recording as Neo objects, wholly in memory."""
    block = neo.Block(name=recording.source.name, file_origin=recording.source.name)
    block.rec_datetime = recording.session_start
    block.annotate(**{**recording.annotations, "notes": list(recording.notes)})
    for sweep in sorted({one.sweep for one in (*recording.traces, *recording.ancillary)}):
        segment = neo.Segment(name=f"sweep {sweep}", index=sweep)
        for trace in recording.traces:
            if trace.sweep == sweep:
                segment.analogsignals.append(_signal(trace))
                marks = recording.labels.get((trace.channel, sweep))
                if marks is not None:
                    segment.epochs.append(_marks(marks, trace.channel))
        add_ancillary(segment, recording.ancillary, sweep=sweep)
        block.segments.append(segment)
    block.check_relationships()
    return block


def _signal(trace: Trace) -> neo.AnalogSignal:
    return neo.AnalogSignal(
        trace.values()[:, np.newaxis],
        units=ELECTRICAL.get(trace.unit) or pq.Quantity(1.0, trace.unit or "dimensionless"),
        sampling_rate=trace.sampling_rate_hz * pq.Hz,
        t_start=trace.start_s * pq.s,
        name=trace.channel,
        array_annotations={"channel_names": np.array([trace.channel])},
    )


def _marks(marks: npt.NDArray[np.float64], channel: str) -> neo.Epoch:
    return neo.Epoch(
        times=marks[:, 0] * pq.s,
        durations=(marks[:, 1] - marks[:, 0]) * pq.s,
        labels=np.full(len(marks), "mark"),
        name=f"hand marks on {channel}",
    )


def _quantity_of(column: Column[Any], channel_unit: str) -> pq.Quantity | None:
    """Return the unit of a column, None for a plain number."""
    if not column.unit:
        return None
    return pq.Quantity(1.0, column.unit_in(channel_unit).replace(" ", "*"))


def epoch_of(result: ChannelResult, recording: Recording, *, settings: DetectionSettings) -> neo.Epoch:
    """Return what was found as a Neo epoch that also says how, and what was analyzed."""
    mepps = result.mepps
    segments = cut_channel(recording, mepps.channel, settings=settings, left_out=result.left_out)
    return _epoch(
        mepps,
        sampling_rate_hz=segments[0].sampling_rate_hz,
        analyzed=[[segment.trace.sweep, *_limits_s(segment)] for segment in segments],
        **result.summary.as_dict(),
    )


def _epoch(mepps: Mepps, **annotations: object) -> neo.Epoch:
    measures: dict[str, Any] = {}
    for column in (Mepps.sweep, *Mepps.measures()):
        values, unit = getattr(mepps, column.attribute), _quantity_of(column, mepps.unit)
        measures[column.name] = values if unit is None else values * unit
    return neo.Epoch(
        times=mepps.start_s * pq.s,
        durations=(mepps.stop_s - mepps.start_s) * pq.s,
        labels=np.full(len(mepps), _LABEL),
        name=f"MEPPs on {mepps.channel}",
        array_annotations=measures,
        **annotations,
    )


def add_mepps(block: neo.Block, tables: Iterable[EventTable]) -> None:
    """Add the MEPPs of the tables of a file to the segments of its sweeps, an epoch for each table.

    Parameters
    ----------
    block : neo.Block
        With a segment for each sweep; it is changed.
    tables : iterable of EventTable
    """
    for table in tables:
        for segment in block.segments:
            mepps = table.mepps.select(table.mepps.sweep == segment.index)
            if len(mepps):
                named = {"table": table.name, "detector": table.detector, "channel": mepps.channel}
                segment.epochs.append(_epoch(mepps, amplitude_unit=mepps.unit, **named))
    block.check_relationships()


def _limits_s(segment: Segment) -> tuple[float, float]:
    start_s, rate_hz = segment.trace.start_s, segment.sampling_rate_hz
    return start_s + segment.start / rate_hz, start_s + segment.stop / rate_hz


def mepps_of(epoch: neo.Epoch, *, rate_hz: float, origin_s: float) -> Mepps:
    """Return the rows of an epoch as a table, sorted; sample numbers count from ``origin_s``."""
    unit = epoch.annotations["amplitude_unit"]
    start_s = epoch.times.rescale(pq.s).magnitude
    stop_s = start_s + epoch.durations.rescale(pq.s).magnitude
    measures = {}
    for column in Mepps.measures():
        if column.optional and column.name not in epoch.array_annotations:
            continue
        values, quantity = epoch.array_annotations[column.name], _quantity_of(column, unit)
        measures[column.attribute] = values if quantity is None else values.rescale(quantity).magnitude

    def index(times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        return np.rint((times_s - origin_s) * rate_hz).astype(np.int64)

    table = Mepps(
        channel=epoch.annotations["channel"],
        unit=unit,
        sweep=epoch.array_annotations["sweep"],
        start_s=start_s,
        stop_s=stop_s,
        start_index=index(start_s),
        stop_index=index(stop_s),
        peak_index=index(measures["peak_s"]),
        **measures,
    )
    return table.select(np.argsort(start_s, kind="stable"))


def stretch_of(sweep: int, start_s: float, stop_s: float, *, rate_hz: float, origin_s: float) -> Segment:
    """Return a stretch that was analyzed, for its time alone; it has no samples."""
    trace = Trace(
        channel="",
        sweep=int(sweep),
        source=ArraySource(np.empty(0)),
        unit="V",
        conversion=1.0,
        offset=0.0,
        sampling_rate_hz=rate_hz,
        start_s=origin_s,
    )
    start, stop = (round((time_s - origin_s) * rate_hz) for time_s in (start_s, stop_s))
    return Segment(trace=trace, start=start, stop=stop)
