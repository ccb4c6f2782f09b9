"""Commands as stimulus series, and the epochs of the protocol as a table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, TimeSeries
from pynwb.icephys import CurrentClampStimulusSeries, VoltageClampStimulusSeries

from builders.traces import int16_trace, recording_of
from nwb_mepp.core.ancillary import AncillaryData
from nwb_mepp.core.command import Command, CommandEpoch
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import is_failure, open_nwb, validate_nwb, write_nwb
from nwb_mepp.nwb.metadata import Metadata

RATE_HZ, N_SAMPLES = 1_000.0, 20_000


def command(*, sweep: int = 0, name: str = "Cmd/0", unit: str = "V", level: float = -80.0) -> Command:
    step = CommandEpoch(name="A", kind="step", start=5_000, stop=6_000, level=level, outputs="00001000")
    fixed = {
        "conversion": 1e-3,
        "sampling_rate_hz": RATE_HZ,
        "start_s": 20.0 * sweep,
        "n_samples": N_SAMPLES,
    }
    return Command(
        name=name, sweep=sweep, unit=unit, epochs=(step,), holding=-70.0, before=-70.0, after=-70.0, **fixed
    )


def recorded(*commands: Command, unit: str = "A", channels: tuple[str, ...] = ("Im",)) -> Recording:
    sweeps = sorted({one.sweep for one in commands})
    traces = [
        int16_trace(
            channel, sweep=sweep, unit=unit, n_samples=N_SAMPLES, rate_hz=RATE_HZ, start_s=20.0 * sweep
        )
        for channel in channels
        for sweep in sweeps
    ]
    return recording_of(*traces, ancillary=AncillaryData(commands=commands))


def test_a_command_is_a_series_a_sweep_and_its_epochs_are_a_table(
    folder: Path, session_start: datetime
) -> None:
    path = folder / "a.nwb"
    recording = recorded(command(), command(sweep=1, level=-90.0), command(name="Hold", level=-70.0))
    write_nwb(recording, path, session_start=session_start)
    assert not any(one.location == "/protocol_epochs" for one in validate_nwb(path))
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert set(file.stimulus) == {"Cmd_0_sweep_000", "Cmd_0_sweep_001", "Hold"}
        one = file.stimulus["Cmd_0_sweep_001"]
        assert (type(one), one.unit, one.rate, one.starting_time) == (TimeSeries, "volts", RATE_HZ, 20.0)
        values = one.data[:] * one.conversion
        assert values[[0, 4_999, 5_000, 5_999, 6_000]] == pytest.approx([-0.07, -0.07, -0.09, -0.09, -0.07])
        table = file.intervals["protocol_epochs"].to_dataframe()
    assert list(table["command"]) == ["Cmd/0", "Hold", "Cmd/0"]
    last = table.iloc[2]
    assert (last.start_time, last.stop_time) == (25.0, 26.0)
    assert (last.level, last.holding_level) == pytest.approx((-0.09, -0.07))
    assert (last.epoch, last.type, last.unit, last.digital_outputs) == ("A", "step", "V", "00001000")


def test_a_reader_of_the_file_knows_the_steps_and_not_the_commands_as_channels(
    folder: Path, session_start: datetime
) -> None:
    recording = recorded(command(), command(sweep=1, level=-90.0), command(name="Hold", level=-70.0))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with open_nwb(folder / "a.nwb") as found:
        assert found.command_steps == ((5.0, 6.0), (25.0, 26.0))
        assert (found.channels, found.notes, found.stimuli_s) == (("Im",), (), ())


def test_a_command_costs_far_less_than_the_samples(folder: Path, session_start: datetime) -> None:
    write_nwb(recorded(command()), folder / "a.nwb", session_start=session_start)
    with h5py.File(folder / "a.nwb") as file:
        samples = file["acquisition/Im/data"].id.get_storage_size()
        stored = file["stimulus/presentation/Cmd_0/data"].id.get_storage_size()
    assert stored < samples / 100


@pytest.mark.parametrize(
    ("clamp", "unit", "commanded", "kind"),
    [
        ("voltage", "A", "V", VoltageClampStimulusSeries),
        ("current", "V", "A", CurrentClampStimulusSeries),
        ("current", "V", "V", TimeSeries),
        ("izero", "V", "A", TimeSeries),
    ],
)
def test_a_clamp_mode_concerns_the_commands_in_its_unit(
    clamp: str,
    unit: str,
    commanded: str,
    kind: type,
    full_metadata: Metadata,
    folder: Path,
    session_start: datetime,
) -> None:
    recording = recorded(command(unit=commanded), command(unit=commanded, sweep=1), unit=unit)
    write_nwb(recording, folder / "a.nwb", session_start=session_start, metadata=full_metadata, clamp=clamp)
    assert not any(is_failure(one) for one in validate_nwb(folder / "a.nwb"))
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        file = io.read()
        one = file.stimulus["Cmd_0_sweep_001"]
        assert type(one) is kind
        stimuli = file.intracellular_recordings.category_tables["stimuli"]["stimulus"]
        named = [row.timeseries is not None and row.timeseries.name for row in stimuli[:]]
        assert named == (["Cmd_0_sweep_000", "Cmd_0_sweep_001"] if kind is not TimeSeries else [False] * 2)
        if kind is not TimeSeries:
            assert one.electrode.name == "electrode"


def test_two_commands_of_a_sweep_are_not_told_apart(
    full_metadata: Metadata, folder: Path, session_start: datetime
) -> None:
    pairs = [command(sweep=sweep, name=name) for name in ("Cmd 0", "Cmd 1") for sweep in (0, 1)]
    write_nwb(
        recorded(*pairs),
        folder / "a.nwb",
        session_start=session_start,
        metadata=full_metadata,
        clamp="voltage",
    )
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        stimuli = io.read().intracellular_recordings.category_tables["stimuli"]["stimulus"]
        assert all(np.ma.is_masked(row) or row.timeseries is None for row in stimuli[:])
