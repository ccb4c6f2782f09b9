from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynwb import NWBFile, TimeSeries
from pynwb.icephys import CurrentClampSeries, IZeroClampSeries, VoltageClampSeries

from builders.traces import int16_trace, recording_of
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb.header import add_equipment, make_file
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.series import add_acquisition
from nwb_mepp.nwb.sweep_groups import parse_comment


@pytest.fixture
def acquired(full_metadata: Metadata, session_start: datetime) -> Callable[..., NWBFile]:
    def acquire(recording: Recording, clamp: str | None = None) -> NWBFile:
        file = make_file(recording, session_start=session_start, metadata=full_metadata, fingerprint="")
        add_equipment(file, metadata=full_metadata)
        add_acquisition(file, recording, clamp=clamp, metadata=full_metadata)
        return file

    return acquire


def test_without_a_clamp_mode_none_is_stated(acquired: Callable[..., NWBFile]) -> None:
    recording = recording_of(int16_trace(), int16_trace("Im", unit="A"), int16_trace("T", unit="degC"))
    series = acquired(recording).acquisition
    assert {name: (type(one), one.unit) for name, one in series.items()} == {
        "Vm": (TimeSeries, "volts"),
        "Im": (TimeSeries, "amperes"),
        "T": (TimeSeries, "degC"),
    }


@pytest.mark.parametrize(
    ("clamp", "unit", "kind"),
    [
        ("current", "V", CurrentClampSeries),
        ("voltage", "A", VoltageClampSeries),
        ("izero", "V", IZeroClampSeries),
    ],
)
def test_a_clamp_mode_concerns_the_channels_in_its_unit(
    clamp: str, unit: str, kind: type, acquired: Callable[..., NWBFile]
) -> None:
    other = {"V": "A", "A": "V"}[unit]
    file = acquired(recording_of(int16_trace("cell", unit=unit), int16_trace("monitor", unit=other)), clamp)
    cell, monitor = file.acquisition["cell"], file.acquisition["monitor"]
    assert (type(cell), type(monitor)) == (kind, TimeSeries)
    assert cell.electrode.name == "electrode"
    assert cell.stimulus_description == ("N/A" if clamp == "izero" else "not stated")
    assert cell.gain is None
    assert file.intracellular_recordings is None


def test_clamped_sweeps_become_rows_grouped_by_sweep(acquired: Callable[..., NWBFile]) -> None:
    traces = [int16_trace(channel, sweep=sweep) for channel in ("V1", "V2") for sweep in range(3)]
    file = acquired(recording_of(*traces), "current")
    responses = file.intracellular_recordings["responses"]["response"]
    assert [(one.timeseries.name, one.idx_start, one.count) for one in responses] == [
        (f"V{channel}_sweep_00{sweep}", 0, 2_000) for sweep in range(3) for channel in (1, 2)
    ]
    stimuli = file.intracellular_recordings["stimuli"]["stimulus"]
    # pynwb's mark for a stimulus that was not recorded.
    assert {(one.idx_start, one.count) for one in stimuli} == {(None, None)}
    together = file.icephys_simultaneous_recordings["recordings"]
    # An index holds where each row ends: two recordings, one of each channel, in each of three sweeps.
    assert list(together.data) == [2, 4, 6]
    assert list(together.target.data) == [0, 1, 2, 3, 4, 5]
    assert file.icephys_sequential_recordings is None


def test_the_description_says_what_the_source_did_not_state(acquired: Callable[..., NWBFile]) -> None:
    traces = [int16_trace(sweep=sweep) for sweep in range(2)]
    said = acquired(recording_of(*traces, sweep_times_stated=False)).acquisition["Vm_sweep_001"].description
    assert said.startswith(
        "Channel Vm, sweep 1. Sweep times not stated by the source: the sweeps are laid end to end."
    )
    assert said.endswith("Read from fiber.abf by reader axon (neo 0.14.6) with unit=mV.")
    stated = acquired(recording_of(*traces)).acquisition["Vm_sweep_001"].description
    assert "not stated" not in stated


def test_a_unit_that_is_not_known_is_called_so(acquired: Callable[..., NWBFile]) -> None:
    assert acquired(recording_of(int16_trace(unit=""))).acquisition["Vm"].unit == "unknown"


@settings(max_examples=50)
@given(st.text(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_our_comment_gives_back_any_channel(channel: str, number: int, sweep: int) -> None:
    comment = f"channel={channel}; channel_number={number}; sweep={sweep}"
    assert parse_comment(comment) == (channel, number, sweep)


@pytest.mark.parametrize(
    "comment", ["", "no comments", "channel=Vm", "channel=Vm; channel_number=0; sweep=x"]
)
def test_a_comment_of_another_program_is_not_taken_for_ours(comment: str) -> None:
    assert parse_comment(comment) is None
