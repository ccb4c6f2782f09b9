"""Turning the contents of a file, and what the user states about it, into a recording in SI units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.core.recording import FloatArray, Recording, SourceFile, Trace
from nwb_mepp.core.safe_text import storable
from nwb_mepp.core.units import UNIT_EXAMPLES, Unit, parse_unit
from nwb_mepp.readers.ancillary import interpret_ancillary
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.plausibility import check_rates, check_scales, check_traces
from nwb_mepp.readers.sweeps import SweepPlacement, place_sweeps

__all__ = ["interpret", "resolve_units"]

_Value = TypeVar("_Value")


def interpret(contents: FileContents, path: Path, *, reader: str, options: ReadOptions) -> Recording:
    """Turn the contents of a file into a recording.

    Parameters
    ----------
    contents : FileContents
    path : Path
        The file or folder that was read.
    reader : str
        Registered name of the reader.
    options : ReadOptions

    Returns
    -------
    Recording

    Raises
    ------
    ReadError
        If the contents are implausible, or neither the file nor the user states a unit or sampling rate.
    UsageError
        If an option names a channel that does not exist, or contradicts the file.
    """
    check_traces(contents.traces, name=path.name, reader=reader)
    units = resolve_units(contents, name=path.name, options=options)
    _check_gains(units, name=path.name, options=options)
    kept, notes = _without_empty(contents.traces)
    kept = _at_rate(kept, options.sampling_rate_hz)
    check_rates(kept, name=path.name)
    check_scales(kept, name=path.name)
    placement = _place(kept, interval_s=options.sweep_interval_s, nominal_s=contents.nominal_sweep_interval_s)
    shifts = dict(zip(_sweeps_of(kept), placement.shifts_s, strict=True))
    order = {channel: number for number, channel in enumerate(contents.channels)}
    traces = sorted(
        (
            _interpret_trace(
                trace,
                unit=_unit_of(trace, units, options),
                gain=_stated_for(trace.channel, options.gain) or 1.0,
                shift_s=shifts[trace.sweep],
            )
            for trace in kept
        ),
        key=lambda trace: (order[trace.channel], trace.sweep),
    )
    ancillary, left_out = interpret_ancillary(contents.ancillary, shifts_s=shifts, options=options)
    return Recording(
        traces=tuple(traces),
        source=SourceFile(
            name=storable(path.name),
            sha256=sha256_of(contents.files),
            reader=reader,
            reader_version=contents.reader_version,
            settings=options.described(),
        ),
        session_start=contents.session_start,
        sweep_times_stated=placement.stated,
        annotations=contents.annotations,
        labels=_labels_in_seconds(contents, traces),
        ancillary=ancillary,
        command_steps=tuple(sorted({stretch for one in ancillary.commands for stretch in one.stretches_s()})),
        notes=(*contents.notes, *notes, *left_out, *([placement.note] if placement.note else [])),
    )


def resolve_units(contents: FileContents, *, name: str, options: ReadOptions) -> dict[str, Unit]:
    """Return the unit of every channel: the one that the user gives, or else the one in the file.

    Parameters
    ----------
    contents : FileContents
    name : str
        Name of the file, for error messages.
    options : ReadOptions

    Raises
    ------
    UsageError
        If ``options.unit`` or ``options.gain`` names a channel that does not exist.
    ReadError
        If neither the file nor the user states a known unit for a channel.
    """
    channels = contents.channels
    known = dict.fromkeys([*channels, *(one.name for one in contents.ancillary.irregular)])
    for option, stated_for in (("unit", options.unit), ("gain", options.gain)):
        for channel in stated_for:
            if channel and channel not in known:
                raise UsageError(
                    f"`{option}`: {name} has no channel {channel!r}; its channels are "
                    f"{', '.join(map(repr, known))}."
                )
    # A file can state another unit for a later sweep, but not another kind of unit.
    stated = {
        (trace.channel, _stated_for(trace.channel, options.unit) or trace.unit_label): None
        for trace in contents.traces
    }
    units = {key: parse_unit(key[1]) for key in stated}
    missing = [key for key, unit in units.items() if unit is None]
    if missing:
        listed = ", ".join(f"{channel!r} (unit {label!r})" for channel, label in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ReadError(
            f"{name}: expected a unit such as {UNIT_EXAMPLES} for every channel, found no known unit for "
            f"{listed}{more}; pass `unit='UNIT'`, or `unit={{'CHANNEL': 'UNIT'}}` for one channel."
        )
    first: dict[str, Unit] = {}
    for (channel, label), unit in units.items():
        if unit is not None and first.setdefault(channel, unit).name != unit.name:
            raise ReadError(
                f"{name}: expected one kind of unit in all sweeps of channel {channel!r}, found "
                f"{first[channel].name} and {label!r}; state the right one with "
                f"`unit={{{channel!r}: 'UNIT'}}`."
            )
    return first


def _unit_of(trace: RawTrace, units: Mapping[str, Unit], options: ReadOptions) -> Unit:
    """Return the unit of one sweep, which may be another one of the same kind as that of the channel."""
    if _stated_for(trace.channel, options.unit):
        return units[trace.channel]
    return parse_unit(trace.unit_label) or units[trace.channel]


def _at_rate(traces: list[RawTrace], stated_hz: float | None) -> list[RawTrace]:
    """Return traces at the rate that the user states, unless their reader has already heeded it."""
    if stated_hz is None or any(trace.sampling_rate_hz == stated_hz for trace in traces):
        return traces
    return [replace(trace, sampling_rate_hz=stated_hz) for trace in traces]


def _check_gains(units: Mapping[str, Unit], *, name: str, options: ReadOptions) -> None:
    """Refuse one gain for voltages and currents: an amplifier has one for each."""
    affected = {channel: unit for channel, unit in units.items() if channel not in options.gain}
    if "" not in options.gain or len({unit.name for unit in affected.values()}) < 2:
        return
    gain = options.gain[""]
    listed = ", ".join(f"{channel!r} in {unit.name}" for channel, unit in list(affected.items())[:5])
    raise UsageError(
        f"`gain`: expected a gain for channels of one kind, found {gain:g} for channels of {name} that "
        f"differ ({listed}); say which it is for with `gain={{{next(iter(affected))!r}: {gain:g}}}`."
    )


def _stated_for(channel: str, values: Mapping[str, _Value]) -> _Value | None:
    return values.get(channel, values.get(""))


def _without_empty(traces: Sequence[RawTrace]) -> tuple[list[RawTrace], list[str]]:
    kept = [trace for trace in traces if len(trace.source)]
    empty = [f"{trace.channel!r} in sweep {trace.sweep}" for trace in traces if not len(trace.source)]
    if not empty:
        return kept, []
    more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
    return kept, [f"Left out because they have no samples: {', '.join(empty[:5])}{more}."]


def _sweeps_of(traces: Sequence[RawTrace]) -> list[int]:
    return sorted({trace.sweep for trace in traces})


def _place(
    traces: Sequence[RawTrace], *, interval_s: float | None, nominal_s: float | None
) -> SweepPlacement:
    """Place entire sweeps, so that the channels of a sweep keep their relative timing."""
    spans = []
    for sweep in _sweeps_of(traces):
        members = [trace for trace in traces if trace.sweep == sweep]
        spans.append(
            {t.channel: (t.start_s, len(t.source), t.sampling_rate_hz) for t in members if t.sampling_rate_hz}
        )
    return place_sweeps(spans, interval_s=interval_s, nominal_s=nominal_s)


def _interpret_trace(trace: RawTrace, *, unit: Unit, gain: float, shift_s: float) -> Trace:
    return Trace(
        channel=trace.channel,
        sweep=trace.sweep,
        source=trace.source,
        unit=unit.name,
        conversion=trace.gain * unit.scale / gain,
        # Adding 0.0 turns the -0.0 in some headers into 0.0.
        offset=trace.offset * unit.scale / gain + 0.0,
        sampling_rate_hz=float(trace.sampling_rate_hz or 0.0),
        start_s=trace.start_s + shift_s,
    )


def _labels_in_seconds(contents: FileContents, traces: Sequence[Trace]) -> dict[tuple[str, int], FloatArray]:
    by_key = {(trace.channel, trace.sweep): trace for trace in traces}
    return {
        key: by_key[key].start_s + marks / by_key[key].sampling_rate_hz
        for key, marks in contents.labels.items()
        if key in by_key
    }
