"""Events, epochs, spikes and irregular signals, as Neo gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import Ancillary, Epochs, IrregularTrace, PointEvents, SpikeTimes
from nwb_mepp.core.units import unit_label_of
from nwb_mepp.readers.annotations import Annotations, plain
from nwb_mepp.readers.channel_names import unique_names

__all__ = ["ancillary_of_objects", "ancillary_of_reader"]

FloatArray = npt.NDArray[np.float64]


def ancillary_of_reader(reader: Any, segments: Sequence[tuple[int, int]]) -> tuple[Ancillary, list[str]]:
    """Return what a reader with Neo's raw interface holds besides signals.

    Parameters
    ----------
    reader : neo.rawio.baserawio.BaseRawIO
        Its header is parsed.
    segments : sequence of (block, segment)
        One for each sweep, in order.

    Returns
    -------
    ancillary : Ancillary
    notes : list of str
        One sentence for each thing that was left out.
    """
    events: list[PointEvents] = []
    epochs: list[Epochs] = []
    channels = reader.header["event_channels"]
    names = _names(channels, lambda channel: channel["type"] == b"epoch")
    for sweep, (block, segment) in enumerate(segments):
        for index, (channel, name) in enumerate(zip(channels, names, strict=True)):
            if not reader.event_count(block, segment, index):
                continue
            times, durations, labels = reader.get_event_timestamps(block, segment, index)
            start_s = _seconds(reader.rescale_event_timestamp(times, "float64", index))
            stated = _stated_of(reader, (block, segment), "events", index)
            common: dict[str, Any] = {
                "name": name,
                "sweep": sweep,
                "labels": _texts(labels, len(start_s)),
                "annotations": _scalars(stated),
                "columns": _columns(stated.get("__array_annotations__", {}), len(start_s)),
            }
            if channel["type"] == b"epoch":
                lasting_s = _seconds(reader.rescale_epoch_duration(durations, "float64", index))
                epochs.append(Epochs(start_s=start_s, duration_s=lasting_s, **common))
            else:
                events.append(PointEvents(times_s=start_s, **common))
    spikes, notes = _spikes_of_reader(reader, segments)
    return Ancillary(events=tuple(events), epochs=tuple(epochs), spikes=tuple(spikes)), notes


def _names(channels: Any, is_other_kind: Any) -> list[str]:
    """Return unique names, where two kinds that are kept apart may share one."""
    kinds = [bool(is_other_kind(channel)) for channel in channels]
    stated = [str(channel["name"]) for channel in channels]
    named = {
        kind: iter(unique_names([name for name, one in zip(stated, kinds, strict=True) if one is kind]))
        for kind in (False, True)
    }
    return [next(named[kind]) for kind in kinds]


def _spikes_of_reader(reader: Any, segments: Sequence[tuple[int, int]]) -> tuple[list[SpikeTimes], list[str]]:
    channels = reader.header["spike_channels"]
    names = unique_names([str(channel["name"]) for channel in channels])
    spikes = []
    with_waveforms = False
    for sweep, (block, segment) in enumerate(segments):
        for index, (channel, name) in enumerate(zip(channels, names, strict=True)):
            n_spikes = reader.spike_count(block, segment, index)
            ticks = reader.get_spike_timestamps(block, segment, index) if n_spikes else np.empty(0)
            times_s = _seconds(reader.rescale_spike_timestamp(ticks, "float64"))
            with_waveforms |= bool(n_spikes and channel["wf_sampling_rate"] > 0)
            spikes.append(
                SpikeTimes(
                    name=name,
                    sweep=sweep,
                    times_s=times_s,
                    start_s=float(reader.segment_t_start(block, segment)),
                    stop_s=float(reader.segment_t_stop(block, segment)),
                    resolution_s=_tick_s(reader, ticks) or _spacing(times_s),
                    annotations=_scalars(_stated_of(reader, (block, segment), "spikes", index)),
                )
            )
    return spikes, _waveform_note(with_waveforms)


def _tick_s(reader: Any, ticks: Any) -> float | None:
    """Return how long a tick of the clock behind the spikes is, None if times are no whole ticks."""
    if len(ticks) == 0 or np.asarray(ticks).dtype.kind not in "iu":
        return None
    before, after = reader.rescale_spike_timestamp(np.array([0, 1], dtype=np.int64), "float64")
    return float(after - before)


def _sampling_interval_s(train: Any) -> float | None:
    """Return the sampling interval behind a spike train; 1 Hz is what Neo says where nobody said anything."""
    rate_hz = None if train.sampling_rate is None else float(train.sampling_rate.rescale("Hz").magnitude)
    return None if rate_hz in (None, 1.0) else 1.0 / rate_hz


def _spacing(times_s: FloatArray) -> float:
    """Return the distance of neighboring floating-point numbers, where a source states nothing better."""
    return float(np.spacing(np.abs(times_s).max(initial=1.0)))


def _stated_of(reader: Any, place: tuple[int, int], kind: str, index: int) -> Mapping[str, Any]:
    block, segment = place
    stated: Sequence[Mapping[str, Any]] = reader.raw_annotations["blocks"][block]["segments"][segment][kind]
    return stated[index] if index < len(stated) else {}


def ancillary_of_objects(segments: Iterable[Any]) -> tuple[Ancillary, list[str]]:
    """Return what Neo's segments hold besides regularly sampled signals.

    Parameters
    ----------
    segments : iterable of neo.core.Segment
        One for each sweep, in order.

    Returns
    -------
    ancillary : Ancillary
    notes : list of str
        One sentence for each thing that was left out.
    """
    events: list[PointEvents] = []
    epochs: list[Epochs] = []
    spikes: list[SpikeTimes] = []
    irregular: list[IrregularTrace] = []
    with_waveforms = False
    for sweep, segment in enumerate(segments):
        events += [
            PointEvents(times_s=_in_s(one.times), **_common(one, name, sweep))
            for one, name in _named(segment.events)
        ]
        epochs += [
            Epochs(start_s=_in_s(one.times), duration_s=_in_s(one.durations), **_common(one, name, sweep))
            for one, name in _named(segment.epochs)
        ]
        for one, name in _named(segment.spiketrains):
            with_waveforms |= one.waveforms is not None and one.waveforms.size > 0
            spikes.append(
                SpikeTimes(
                    name=name,
                    sweep=sweep,
                    times_s=_in_s(one.times),
                    start_s=float(_in_s(one.t_start)),
                    stop_s=float(_in_s(one.t_stop)),
                    resolution_s=_sampling_interval_s(one) or _spacing(_in_s(one.times)),
                    annotations=_scalars(one.annotations),
                )
            )
        irregular += _irregular(segment, sweep)
    ancillary = Ancillary(
        events=tuple(one for one in events if len(one.times_s)),
        epochs=tuple(one for one in epochs if len(one.start_s)),
        spikes=tuple(spikes),
        irregular=tuple(irregular),
    )
    return ancillary, _waveform_note(with_waveforms)


def _named(ones: Iterable[Any]) -> list[tuple[Any, str]]:
    found = list(ones)
    return list(zip(found, unique_names([str(one.name or "") for one in found]), strict=True))


def _irregular(segment: Any, sweep: int) -> list[IrregularTrace]:
    """Return a trace for each column; their names shall differ from those of the regular channels too."""
    columns = [
        (signal, column, name if signal.shape[1] == 1 else f"{name} {column}")
        for signal, name in _named(segment.irregularlysampledsignals)
        for column in range(signal.shape[1])
        if signal.dtype.kind in "iuf" and len(signal)
    ]
    return [
        IrregularTrace(
            name=name,
            sweep=sweep,
            times_s=_in_s(signal.times),
            samples=np.array(signal.magnitude[:, column]),
            unit=unit_label_of(signal),
        )
        for signal, column, name in columns
    ]


def _common(one: Any, name: str, sweep: int) -> dict[str, Any]:
    return {
        "name": name,
        "sweep": sweep,
        "labels": _texts(one.labels, len(one)),
        "annotations": _scalars(one.annotations),
        "columns": _columns(one.array_annotations, len(one)),
    }


def _scalars(stated: Mapping[str, Any]) -> Mapping[str, str]:
    found = Annotations()
    found.add(stated)
    return found.stated


def _columns(stated: Mapping[str, Any], n_rows: int) -> Mapping[str, tuple[str, ...]]:
    """Return the annotations that hold a value for each row."""
    return {
        str(key): tuple(plain(value) or "" for value in values)
        for key, values in stated.items()
        if np.ndim(values) == 1 and len(values) == n_rows
    }


def _waveform_note(with_waveforms: bool) -> list[str]:
    return ["Left out: the waveforms of the spikes."] if with_waveforms else []


def _in_s(quantity: Any) -> FloatArray:
    return _seconds(quantity.rescale("s").magnitude)


def _seconds(times: Any) -> FloatArray:
    return np.array(times, dtype=np.float64)


def _texts(labels: Any, n_labels: int) -> tuple[str, ...]:
    """Return one text for each event; Neo gives none at all where a format has no labels."""
    if labels is None or len(labels) == 0:
        return ("",) * n_labels
    return tuple(
        one.decode("utf-8", errors="replace") if isinstance(one, bytes) else str(one) for one in labels
    )
