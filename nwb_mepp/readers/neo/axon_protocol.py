"""What the protocol in the header of an Axon file commanded: waveforms of the clamp, and digital outputs."""

from __future__ import annotations

import string
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nwb_mepp.core.ancillary import Epochs
from nwb_mepp.core.command import Command, CommandEpoch
from nwb_mepp.readers.contents import RawTrace

__all__ = ["Protocol", "read_protocol"]

_BLOCK_BYTES = 512
_WAVEFORM_MODES = (4, 5)  # nOperationMode: oscilloscope and episodic
_FROM_EPOCHS, _FROM_FILE = 1, 2  # nWaveformSource
_OFF = 0  # nEpochType
_KINDS = {
    1: "step",
    2: "ramp",
    3: "pulse train",
    4: "triangle train",
    5: "cosine train",
    7: "biphasic train",
}
# Clampex holds for 1/64 of a sweep before the first epoch.
_FIRST_HOLDING = 64
_N_OUTPUTS, _N_EPOCHS_ABF1 = 8, 10
_SMALLEST_LEVEL, _LARGEST_LEVEL = 1e-6, 1e6  # in the units of commands, mV or pA; pyABF has the same
# Fields of ABF 1 that Neo does not read, or not where they are.
_NAMES_AT, _UNITS_AT, _HOLDING_AT, _DIGITAL_VALUES_AT, _N_DACS_ABF1 = 1306, 1346, 1394, 1588, 2


class Protocol(NamedTuple):
    """What was commanded; times are those of the file.

    Attributes
    ----------
    commands : tuple of Command
        One for each output of the amplifier and sweep.
    pulses : tuple of Epochs
        One kind for each digital output that was switched on, ``digital_output_4``.
    notes : tuple of str
    """

    commands: tuple[Command, ...] = ()
    pulses: tuple[Epochs, ...] = ()
    notes: tuple[str, ...] = ()


class _Dac(NamedTuple):
    name: str
    unit: str
    holding: float
    enabled: bool
    source: int
    keeps_last_level: bool
    epochs: Sequence[Mapping[str, Any]]


class _Outputs(NamedTuple):
    """How digital outputs were used, and by which DAC's epochs; values by number of the epoch."""

    enabled: bool
    dac: int
    held: int
    values: Mapping[int, tuple[int, int]]

    def pattern(self, epoch: int) -> str:
        on, train = self.values.get(epoch, (0, 0))
        return "".join("*" if train >> bit & 1 else str(on >> bit & 1) for bit in range(_N_OUTPUTS))


def read_protocol(path: Path, info: Mapping[str, Any], traces: Sequence[RawTrace]) -> Protocol:
    """Return what the protocol of an Axon file commanded.

    Parameters
    ----------
    path : Path
    info : mapping
        Header of the file, as Neo parses it.
    traces : sequence of RawTrace
        Of the recording, one for each channel and sweep.

    Returns
    -------
    Protocol
        Empty if no waveform was generated: in gap-free and event-driven recordings.
    """
    is_abf2 = info["fFileVersionNumber"] >= 2
    protocol = info["protocol"] if is_abf2 else info
    if protocol["nOperationMode"] not in _WAVEFORM_MODES or not traces:
        return Protocol()
    reason = _not_as_stated(path, info, protocol) if is_abf2 else None
    if reason is not None:
        return Protocol(notes=(f"The command is not carried over: {reason}.",))
    dacs = _dacs_abf2(info) if is_abf2 else _dacs_abf1(path, info)
    outputs = _outputs_abf2(info) if is_abf2 else _outputs_abf1(path, info)
    sweeps = list({trace.sweep: trace for trace in traces}.values())
    from_file = {number: dac for number, dac in dacs.items() if dac.enabled and dac.source == _FROM_FILE}
    digital = dacs.get(outputs.dac) if outputs.enabled else None
    return Protocol(
        commands=tuple(
            one
            for number, dac in dacs.items()
            if number not in from_file
            for one in _commands(dac, sweeps, outputs, number=number)
        ),
        pulses=() if digital is None else tuple(_pulses(digital, sweeps, outputs)),
        notes=tuple(
            f"The command {dac.name!r} came from a file, which is not carried over."
            for dac in from_file.values()
        ),
    )


def _not_as_stated(path: Path, info: Mapping[str, Any], protocol: Mapping[str, Any]) -> str | None:
    """Return why the epochs in the header are not what was commanded, or None."""
    if protocol["nAlternateDACOutputState"] or protocol["nAlternateDigitalOutputState"]:
        return "its protocol alternates outputs from sweep to sweep"
    section = info["sections"].get("UserListSection", {"llNumEntries": 0})
    with path.open("rb") as stream:
        for number in range(section["llNumEntries"]):
            stream.seek(section["uBlockIndex"] * _BLOCK_BYTES + number * section["uBytes"])
            entry = stream.read(4)
            if len(entry) == 4 and struct.unpack("<hh", entry)[1]:  # nULEnable
                return "a user list changes parameters of its protocol from sweep to sweep"
    return None


def _dacs_abf2(info: Mapping[str, Any]) -> dict[int, _Dac]:
    epochs_of = info.get("dictEpochInfoPerDAC") or {}
    return {
        dac["nDACNum"]: _Dac(
            name=_text(dac["DACChNames"]) or f"DAC {dac['nDACNum']}",
            unit=_text(dac["DACChUnits"]),
            holding=_level(dac["fDACHoldingLevel"]),
            enabled=bool(dac["nWaveformEnable"]),
            source=int(dac["nWaveformSource"]),
            keeps_last_level=bool(dac["nInterEpisodeLevel"]),
            epochs=[epoch for _, epoch in sorted(epochs_of.get(dac["nDACNum"], {}).items())],
        )
        for dac in info["listDACInfo"]
    }


def _dacs_abf1(path: Path, info: Mapping[str, Any]) -> dict[int, _Dac]:
    header = _first_blocks(path)
    fields = ("nEpochType", "fEpochInitLevel", "fEpochLevelInc", "lEpochInitDuration", "lEpochDurationInc")
    dacs = {}
    for number in range(_N_DACS_ABF1):
        epochs = [
            {"nEpochNum": at, **{field: info[field][number * _N_EPOCHS_ABF1 + at] for field in fields}}
            for at in range(_N_EPOCHS_ABF1)
        ]
        dacs[number] = _Dac(
            name=_text(header[_NAMES_AT + 10 * number :][:10]) or f"DAC {number}",
            unit=_text(header[_UNITS_AT + 8 * number :][:8]),
            holding=_level(struct.unpack_from("<f", header, _HOLDING_AT + 4 * number)[0]),
            enabled=bool(info["nWaveformEnable"][number]),
            source=int(info["nWaveformSource"][number]),
            keeps_last_level=bool(info["nInterEpisodeLevel"][number]),
            epochs=epochs,
        )
    return dacs


def _first_blocks(path: Path) -> bytes:
    """Return the part of the header that every file of version 1 has."""
    with path.open("rb") as stream:
        return stream.read(4 * _BLOCK_BYTES).ljust(4 * _BLOCK_BYTES, b"\0")


def _level(number: float) -> float:
    """Return a holding level; a header that was never filled in has numbers next to 0."""
    return 0.0 if abs(number) < _SMALLEST_LEVEL else float(number)


def _text(field: bytes) -> str:
    return field.decode("cp1252", errors="replace").strip("\0 ")


def _outputs_abf2(info: Mapping[str, Any]) -> _Outputs:
    protocol = info["protocol"]
    return _Outputs(
        enabled=bool(protocol["nDigitalEnable"]),
        dac=int(protocol["nActiveDACChannel"]),
        held=int(protocol["nDigitalHolding"]),
        values={
            one["nEpochNum"]: (int(one["nDigitalValue"]), int(one["nDigitalTrainValue"]))
            for one in info.get("EpochInfo") or ()
        },
    )


def _outputs_abf1(path: Path, info: Mapping[str, Any]) -> _Outputs:
    values = struct.unpack_from(f"<{_N_EPOCHS_ABF1}h", _first_blocks(path), _DIGITAL_VALUES_AT)
    return _Outputs(
        enabled=bool(info["nDigitalEnable"]),
        dac=int(info["nActiveDACChannel"]),
        held=int(info["nDigitalHolding"]),
        values={number: (value, 0) for number, value in enumerate(values)},
    )


def _commands(dac: _Dac, sweeps: Sequence[RawTrace], outputs: _Outputs, *, number: int) -> Iterator[Command]:
    runs = dac.enabled and dac.source == _FROM_EPOCHS
    if not runs and dac.holding == 0.0:
        return  # an output that nobody used
    levels = [
        dac.holding,
        *(epoch["fEpochInitLevel"] for epoch in dac.epochs if epoch["nEpochType"] and runs),
    ]
    if not all(abs(level) <= _LARGEST_LEVEL for level in levels):
        return  # a damaged header
    before = dac.holding
    for trace in sweeps:
        epochs = tuple(_epochs(dac, trace, outputs, number=number)) if runs else ()
        after = epochs[-1].level if dac.keeps_last_level and epochs else dac.holding
        yield Command(
            name=dac.name,
            sweep=trace.sweep,
            unit=dac.unit,
            sampling_rate_hz=float(trace.sampling_rate_hz or 0.0),
            start_s=trace.start_s,
            n_samples=len(trace.source),
            epochs=epochs,
            holding=dac.holding,
            before=before,
            after=after,
        )
        before = after


def _epochs(dac: _Dac, trace: RawTrace, outputs: _Outputs, *, number: int) -> Iterator[CommandEpoch]:
    """Yield the epochs of a sweep; those that are off take no time."""
    start = len(trace.source) // _FIRST_HOLDING
    for epoch in dac.epochs:
        if epoch["nEpochType"] == _OFF:
            continue
        duration = int(epoch["lEpochInitDuration"]) + trace.sweep * int(epoch["lEpochDurationInc"])
        stop = start + max(duration, 0)
        is_digital = outputs.enabled and number == outputs.dac
        yield CommandEpoch(
            name=string.ascii_uppercase[epoch["nEpochNum"] % 26],
            kind=_KINDS.get(epoch["nEpochType"], f"type {epoch['nEpochType']}"),
            start=start,
            stop=stop,
            level=float(epoch["fEpochInitLevel"]) + trace.sweep * float(epoch["fEpochLevelInc"]),
            period=int(epoch.get("lEpochPulsePeriod", 0)),
            width=int(epoch.get("lEpochPulseWidth", 0)),
            outputs=outputs.pattern(epoch["nEpochNum"]) if is_digital else "0" * _N_OUTPUTS,
        )
        start = stop


def _pulses(dac: _Dac, sweeps: Sequence[RawTrace], outputs: _Outputs) -> Iterator[Epochs]:
    """Yield when each digital output was on and is not when nothing happens."""
    for bit in range(_N_OUTPUTS):
        if outputs.held >> bit & 1:
            continue
        for trace in sweeps:
            rate_hz, length = float(trace.sampling_rate_hz or 0.0), len(trace.source)
            epochs = _epochs(dac, trace, outputs, number=outputs.dac)
            stretches = [(start, min(stop, length)) for start, stop in _joined(_on(epochs, bit, length))]
            if stretches:
                starts, stops = np.array(stretches, dtype=np.float64).T
                yield Epochs(
                    name=f"digital_output_{bit}",
                    sweep=trace.sweep,
                    start_s=trace.start_s + starts / rate_hz,
                    duration_s=(stops - starts) / rate_hz,
                    labels=("",) * len(stretches),
                )


def _on(epochs: Iterator[CommandEpoch], bit: int, length: int) -> Iterator[tuple[int, int]]:
    for epoch in epochs:
        if epoch.start >= length:
            return
        if epoch.outputs[bit] == "1":
            yield epoch.start, epoch.stop
        elif epoch.outputs[bit] == "*" and epoch.period > 0:
            n_pulses = (min(epoch.stop, length) - epoch.start) // epoch.period
            starts = (epoch.start + number * epoch.period for number in range(n_pulses))
            yield from ((start, start + epoch.width) for start in starts)


def _joined(stretches: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    open_: tuple[int, int] | None = None
    for start, stop in stretches:
        if stop <= start:
            continue
        if open_ is not None and open_[1] == start:
            open_ = (open_[0], stop)
            continue
        if open_ is not None:
            yield open_
        open_ = (start, stop)
    if open_ is not None:
        yield open_
