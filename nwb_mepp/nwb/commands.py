"""What the protocol of a recording commanded, as stimulus series and as a table of its epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from hdmf.common import VectorData
from pynwb import NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals
from pynwb.icephys import CurrentClampStimulusSeries, PatchClampSeries, VoltageClampStimulusSeries

from nwb_mepp.core.command import Command, CommandEpoch
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.units import nwb_unit_name
from nwb_mepp.nwb.header import storable
from nwb_mepp.nwb.names import channel_stems, series_name
from nwb_mepp.nwb.sample_stream import compressed_samples
from nwb_mepp.nwb.series_copies import Copies
from nwb_mepp.nwb.stimuli import COMMAND_COLUMNS, COMMAND_MARK, COMMAND_TABLE

__all__ = ["add_commands"]

_STIMULI: Mapping[str, tuple[type[PatchClampSeries], str]] = {
    "current": (CurrentClampStimulusSeries, "A"),
    "voltage": (VoltageClampStimulusSeries, "V"),
}
_PLACE = "/stimulus/presentation"


def add_commands(
    file: NWBFile,
    commands: Sequence[Command],
    *,
    clamp: str | None,
    electrode: str | None,
    source: str,
    copies: Copies | None = None,
) -> dict[int, PatchClampSeries]:
    """Add a series for each command and sweep to ``/stimulus/presentation``, and a table of the epochs.

    Parameters
    ----------
    file : NWBFile
    commands : sequence of Command
    clamp : {"current", "voltage", "izero"} or None
        Commands in the unit of the mode become series of its type, if the electrode is known.
    electrode : str or None
        Name of the electrode; None if there are several, as no source states which command is whose.
    source : str
        A sentence about where they come from.
    copies : Copies, optional
        What it takes is not added.

    Returns
    -------
    dict of int to PatchClampSeries
        By sweep: the series of the clamp's type, where there is one.
    """
    traces = [_trace(one) for one in commands]
    stems = channel_stems(traces)
    n_sweeps = {name: len({one.sweep for one in commands if one.name == name}) for name in stems}
    clamped: dict[int, list[PatchClampSeries]] = {}
    for trace in traces:
        n = n_sweeps[trace.channel]
        name = series_name(stems[trace.channel], sweep=trace.sweep, n_sweeps=n)
        texts = _texts(trace, source=source, n_sweeps=n)
        kind, unit = _STIMULI.get(clamp or "", (None, None))
        is_plain = kind is None or trace.unit != unit or electrode is None
        if copies is not None and is_plain and copies.take(_PLACE, name, trace, **texts):
            continue
        fields = {"name": name, **_fields(trace), **texts}
        if kind is None or is_plain:
            file.add_stimulus(TimeSeries(**fields))
            continue
        one = kind(
            **fields,
            electrode=file.icephys_electrodes[electrode],
            sweep_number=np.uint32(trace.sweep),
            stimulus_description="not stated",
        )
        file.add_stimulus(one)
        clamped.setdefault(trace.sweep, []).append(one)
    if any(True for one in commands for _ in _shown(one)):
        file.add_time_intervals(_table(commands, source=source))
    return {sweep: ones[0] for sweep, ones in clamped.items() if len(ones) == 1}


def _trace(command: Command) -> Trace:
    return Trace(
        channel=command.name,
        sweep=command.sweep,
        source=command,
        unit=command.unit,
        conversion=command.conversion,
        offset=0.0,
        sampling_rate_hz=command.sampling_rate_hz,
        start_s=command.start_s,
    )


def _texts(trace: Trace, *, source: str, n_sweeps: int) -> dict[str, str]:
    of_sweep = f", sweep {trace.sweep}" if n_sweeps > 1 else ""
    return {
        "comments": f"{COMMAND_MARK}{trace.channel}; sweep={trace.sweep}",
        "description": storable(
            f"Command {trace.channel}{of_sweep}: as the protocol states it, not measured. {source}"
        ),
    }


def _fields(trace: Trace) -> dict[str, Any]:
    return {
        "data": compressed_samples(trace),
        "unit": nwb_unit_name(trace.unit),
        "conversion": float(trace.conversion),
        "starting_time": float(trace.start_s),
        "rate": float(trace.sampling_rate_hz),
    }


def _table(commands: Sequence[Command], *, source: str) -> TimeIntervals:
    rows = sorted((_row(one, epoch) for one in commands for epoch in _shown(one)), key=lambda row: row[0])
    columns = [
        VectorData(name=column.name, description=column.describe("V or A"), data=list(values))
        for column, values in zip(COMMAND_COLUMNS, zip(*rows, strict=True), strict=True)
    ]
    return TimeIntervals(
        name=COMMAND_TABLE,
        description=f"Epochs of the protocol of the source. {source}",
        columns=columns,
        colnames=[column.name for column in columns],
    )


def _shown(command: Command) -> Iterator[CommandEpoch]:
    """Yield the epochs that begin within the sweep and last."""
    yield from (one for one in command.epochs if one.start < min(one.stop, command.n_samples))


def _row(command: Command, epoch: CommandEpoch) -> tuple[Any, ...]:
    return (
        command.time_s(epoch.start),
        command.time_s(epoch.stop),
        storable(command.name),
        epoch.name,
        epoch.kind,
        epoch.level * command.conversion,
        command.holding * command.conversion,
        command.unit,
        epoch.outputs,
    )
