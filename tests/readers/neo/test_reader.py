"""Every available format file, compared with what Neo itself returns."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.readers.neo import reader


@dataclass(frozen=True)
class Case:
    path: str
    neo_class: str
    n_channels: int
    n_sweeps: int
    options: dict[str, Any] = field(default_factory=dict)
    neo_arguments: dict[str, Any] = field(default_factory=dict)


RAW_BINARY = {
    "reader": "rawbinarysignal",
    "dtype": "int16",
    "n_channels": 2,
    "sampling_rate_hz": 10_000.0,
    "unit": {"": "mV"},
}
CASES = [
    Case("recordings/171116sh_0020.abf", "AxonIO", 1, 7),
    Case("recordings/17o05026_vc_stim.abf", "AxonIO", 1, 8),
    Case("recordings/winchester/GroupA.abf", "AxonIO", 1, 1),
    Case("recordings/winchester/Train1/Simulation.abf", "AxonIO", 1, 1),
    Case("recordings/winchester/Train2/Simulation.abf", "AxonIO", 1, 1),
    Case("recordings/winchester/Train3/Simulation.abf", "AxonIO", 1, 1),
    Case("recordings/winchester/Train4/Simulation.abf", "AxonIO", 1, 1),
    Case("formats/File_axon_3.abf", "AxonIO", 2, 5),
    Case("formats/File_axon_5.abf", "AxonIO", 1, 9),
    Case("formats/File_axon_7.abf", "AxonIO", 1, 12),
    Case("formats/File_WinEDR_1.EDR", "WinEdrIO", 1, 1),
    Case("formats/File_winwcp_1.wcp", "WinWcpIO", 2, 16),
    Case("formats/File_spike2_1.smr", "Spike2IO", 1, 1),
    Case("formats/File_micromed_1.TRC", "MicromedIO", 64, 1),
    Case("formats/File_neuroexplorer_1.nex", "NeuroExplorerIO", 2, 1),
    Case("formats/testNeoElanIO.eeg", "ElanIO", 2, 1),
    Case("formats/File_brainvision_binary_multiplexed_3.vhdr", "BrainVisionIO", 62, 1),
    Case(
        "formats/File_RAW_1_10kHz_2channels.raw",
        "RawBinarySignalIO",
        2,
        1,
        options=RAW_BINARY,
        neo_arguments={"dtype": "int16", "nb_channel": 2, "sampling_rate": 10_000.0},
    ),
]
SI_SCALE = {"pA": 1e-12, "mV": 1e-3, "uV": 1e-6, "V": 1.0, "u": 1e-6, "dimensionless": 1e-3}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_raw_numbers_and_values_equal_those_of_neo(case: Case, shared_data: Path) -> None:
    path = shared_data / case.path
    recording = read_recording(path, options=ReadOptions(**case.options))
    reader = getattr(neo.io, case.neo_class)(str(path), **case.neo_arguments)
    assert len(recording.channels) == case.n_channels
    assert {len(recording.sweeps(channel)) for channel in recording.channels} == {case.n_sweeps}
    assert reader.segment_count(0) == case.n_sweeps
    positions = [
        (stream, channel)
        for stream in range(reader.signal_streams_count())
        for channel in range(reader.signal_channels_count(stream))
    ]
    # The unit as Neo parses it in its high-level interface.
    segment = reader.read_segment(lazy=True, signal_group_mode="split-all")
    units = [str(signal.units.dimensionality.string) for signal in segment.analogsignals]
    for sweep in range(case.n_sweeps):
        for name, unit, (stream, channel) in zip(recording.channels, units, positions, strict=True):
            trace = recording.sweeps(name)[sweep]
            raw = reader.get_analogsignal_chunk(0, sweep, stream_index=stream, channel_indexes=[channel])
            values = reader.rescale_signal_raw_to_float(
                raw, dtype="float64", stream_index=stream, channel_indexes=[channel]
            )
            assert trace.raw().dtype == raw.dtype.newbyteorder("=")
            np.testing.assert_array_equal(trace.raw(), raw[:, 0])
            scale = SI_SCALE[unit]
            np.testing.assert_allclose(trace.values(), values[:, 0] * scale, rtol=1e-12, atol=1e-18)
            assert trace.sampling_rate_hz == reader.get_signal_sampling_rate(stream)
            assert trace.unit == ("A" if scale == 1e-12 else "V")
            if recording.sweep_times_stated:
                assert trace.start_s == reader.get_signal_t_start(0, sweep, stream)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_a_slice_equals_the_same_slice_of_all_samples(case: Case, shared_data: Path) -> None:
    recording = read_recording(shared_data / case.path, options=ReadOptions(**case.options))
    trace = recording.traces[-1]
    n = trace.n_samples
    whole = trace.raw()
    for start, stop in ((0, 0), (0, 1), (n // 3, n // 3 + 7), (n - 1, n), (n, n)):
        np.testing.assert_array_equal(trace.raw(start, stop), whole[start:stop])


@pytest.mark.parametrize("name", ["B95_Ch0_IDRest_107.ibw", "B95_Ch0_IDRest_107.pxp"])
def test_a_format_without_raw_numbers_keeps_the_numbers_of_neo(name: str, shared_data: Path) -> None:
    path = shared_data / "formats" / name
    recording = read_recording(path)
    (trace,) = recording.traces
    segment = neo.io.IgorIO(str(path)).read_block().segments[0]
    signal = next(s for s in segment.analogsignals if s.name == "AA_IDRest_Ch0_107")
    assert trace.channel == "AA_IDRest_Ch0_107"
    assert trace.raw().dtype == np.float32
    np.testing.assert_array_equal(trace.raw(), signal.magnitude[:, 0])
    assert (trace.unit, trace.conversion, trace.offset) == ("A", 1e-12, 0.0)
    assert trace.sampling_rate_hz == pytest.approx(4000.0, rel=1e-12)


def test_waves_of_an_igor_experiment_without_a_unit_are_left_out_with_a_note(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "B95_Ch0_IDRest_107.pxp")
    assert len(recording.notes) == 1
    assert "because they have no unit: 'value', 'W_coef'" in recording.notes[0]


def test_a_wave_without_a_unit_is_kept_when_the_user_states_one(shared_data: Path) -> None:
    options = ReadOptions(unit={"test": "mV"})
    recording = read_recording(shared_data / "formats" / "B95_Ch0_IDRest_107.pxp", options=options)
    assert "test" in recording.channels


def test_brainvision_channels_without_a_unit_are_microvolts_as_the_format_defines(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "File_brainvision_binary_multiplexed_3.vhdr")
    assert recording.traces[0].unit == "V"
    assert recording.traces[0].conversion == pytest.approx(0.0010778742e-6, rel=1e-12)


def test_side_files_of_a_format_are_part_of_its_checksum(shared_data: Path, tmp_path: Path) -> None:
    for path in (shared_data / "formats").glob("testNeoElanIO*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = read_recording(tmp_path / "testNeoElanIO.eeg").source.sha256
    marks = tmp_path / "testNeoElanIO.eeg.pos"
    marks.write_text(marks.read_text() + marks.read_text().splitlines()[-1] + "\n")
    assert read_recording(tmp_path / "testNeoElanIO.eeg").source.sha256 != before


def test_annotations_that_identify_a_person_are_left_out(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "File_micromed_1.TRC")
    assert recording.annotations == {"header_version": "4", "channels, ground": "G2"}
    assert any("they identify a person: firstname, surname" in note for note in recording.notes)


def test_each_omission_is_noted_once(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "File_spike2_1.smr")
    assert recording.notes == ("Left out: the waveforms of the spikes.",)


def test_sweeps_that_neo_starts_at_zero_are_placed_end_to_end(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "File_winwcp_1.wcp")
    duration_s = 49_920 / 16652.78965696858
    assert not recording.sweep_times_stated
    for channel in ("Im", "Vm"):
        starts = [trace.start_s for trace in recording.sweeps(channel)]
        np.testing.assert_allclose(starts, np.arange(16) * duration_s, rtol=1e-12)


def test_a_truncated_file_of_another_format_is_refused(shared_data: Path, tmp_path: Path) -> None:
    for name in ("File_WinEDR_1.EDR", "File_winwcp_1.wcp", "File_spike2_1.smr"):
        content = (shared_data / "formats" / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * 0.7)])
        with pytest.raises(ReadError, match="truncated"):
            read_recording(tmp_path / name)


def test_only_what_is_read_of_hdf5_is_bounded_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded: list[Path] = []
    monkeypatch.setattr(reader, "bounded_memory", lambda path: bounded.append(path) or nullcontext())
    hdf5, header = tmp_path / "a.nix", tmp_path / "a.vhdr"
    hdf5.write_bytes(b"\x89HDF\r\n\x1a\n")
    header.write_text("The samples are in another file, which may be large.", encoding="ascii")
    for path in (hdf5, header, tmp_path):
        with reader._bounded(path):
            pass
    assert bounded == [hdf5]
