"""Commands and digital outputs of Axon files: the values are those that pyABF 2.3.8 gives."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.command import Command
from nwb_mepp.readers import ReadOptions, read_recording

_PROTOCOL, _DAC, _EPOCH, _EPOCH_PER_DAC, _USER_LIST = (
    76,
    108,
    124,
    156,
    172,
)  # entries of the table of sections of ABF 2


def commands(path: Path) -> dict[tuple[str, int], Command]:
    return {(one.name, one.sweep): one for one in read_recording(path).ancillary.commands}


def changes(command: Command) -> list[tuple[int, float]]:
    values = command.read(0, command.n_samples)
    return [(int(at), float(values[at])) for at in np.flatnonzero(np.diff(values)) + 1]


def changed(source: Path, path: Path, *fields: tuple[int, str, float]) -> Path:
    """Copy a file with other values at some places."""
    content = bytearray(source.read_bytes())
    for at, layout, value in fields:
        struct.pack_into(layout, content, at, value)
    path.write_bytes(content)
    return path


def section_at(path: Path, section: int) -> int:
    (block,) = struct.unpack_from("<I", path.read_bytes(), section)
    return int(block) * 512


def test_steps_that_grow_from_sweep_to_sweep(shared_data: Path) -> None:
    found = commands(shared_data / "formats" / "File_axon_5.abf")
    assert set(found) == {("Cmd 0", sweep) for sweep in range(9)}
    for sweep, level_pa in ((0, -100.0), (1, -50.0), (8, 300.0)):
        one = found["Cmd 0", sweep]
        assert changes(one) == [(4312, level_pa), (14312, 0.0)]
        assert (one.unit, one.conversion, one.sampling_rate_hz, one.n_samples) == ("A", 1e-12, 20_000, 20_000)
    assert [(one.name, one.start, one.stop, one.level) for one in found["Cmd 0", 1].epochs] == [
        ("A", 312, 4312, 0.0),
        ("B", 4312, 14312, -50.0),
        ("C", 14312, 18312, 0.0),
    ]
    # Output 0 to 3 are stated for epoch A, but the protocol has digital outputs disabled.
    assert read_recording(shared_data / "formats" / "File_axon_5.abf").ancillary.epochs == ()


def test_a_digital_output_and_a_step_at_the_times_of_their_sweeps(shared_data: Path) -> None:
    path = shared_data / "recordings" / "17o05026_vc_stim.abf"
    recording = read_recording(path)
    one = commands(path)["Cmd 0", 7]
    assert changes(one) == [(3125, -60.0), (7125, -50.0)]
    assert one.read(0, 1).tolist() == [-50.0]
    assert [epoch.outputs for epoch in one.epochs] == ["00000000", "00000000", "00001000"]
    assert {pulse.name for pulse in recording.ancillary.epochs} == {"digital_output_4"}
    starts_s = [trace.start_s + 23125 / 20_000 for trace in recording.traces]
    assert np.concatenate([pulse.start_s for pulse in recording.ancillary.epochs]) == pytest.approx(starts_s)
    assert all(pulse.duration_s == pytest.approx(20 / 20_000) for pulse in recording.ancillary.epochs)
    assert recording.command_steps[1] == pytest.approx((10 + 3125 / 20_000, 10 + 7125 / 20_000))


def test_an_output_that_only_held_a_level(shared_data: Path) -> None:
    found = commands(shared_data / "formats" / "File_axon_7.abf")
    assert found["Cmd 0", 11].read(0, 1615).tolist() == [-80.0] * 1615
    assert {name for name, _ in found} == {"Cmd 0", "Cmd 1"}  # the other six hold 0


def test_version_1(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "formats" / "File_axon_3.abf"
    found = commands(source)
    assert set(found) == {("Iimp RK01G", sweep) for sweep in range(5)}
    one = found["Iimp RK01G", 4]
    assert [(e.name, e.start, e.stop) for e in one.epochs] == [
        ("B", 322, 347),
        ("C", 347, 357),
        ("D", 357, 382),
    ]
    assert (one.unit, one.conversion, changes(one)) == ("A", 1e-9, [])
    # pyABF does not read digital outputs of version 1: nDigitalValue has 8 (output 3) for the epochs B and D.
    pulses = read_recording(source).ancillary.epochs[0]
    assert pulses.name == "digital_output_3"
    assert pulses.start_s == pytest.approx([322 / 20_000, 357 / 20_000])
    # The level of C in the first sweep, what is added in each, and the holding level of DAC 0.
    levels = ((2348 + 8, "<f", 0.5), (2428 + 8, "<f", 0.25), (1394, "<f", 0.125))
    stepped = commands(changed(source, tmp_path / "a.abf", *levels))["Iimp RK01G", 2]
    assert changes(stepped) == [(322, 0.0), (347, 1.0), (357, 0.0), (382, 0.125)]


def test_a_level_that_stays_between_sweeps(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "recordings" / "171116sh_0020.abf"
    dac = section_at(source, _DAC)
    kept = commands(changed(source, tmp_path / "a.abf", (dac + 44, "<h", 1)))
    assert changes(kept["Cmd 0", 0]) == [(3125, -60.0)]
    assert (kept["Cmd 0", 1].before, kept["Cmd 0", 1].after) == (-60.0, -60.0)


def test_a_digital_output_with_a_train_has_its_pulses(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "recordings" / "17o05026_vc_stim.abf"
    epoch = section_at(source, _EPOCH) + 2 * 32  # the third one, of 20 samples
    train = section_at(source, _EPOCH_PER_DAC) + 2 * 48
    fields = (
        (epoch + 2, "<h", 0),
        (epoch + 4, "<h", 16),
        (train + 22, "<i", 8),  # period and width of the pulses
        (train + 26, "<i", 3),
    )
    recording = read_recording(changed(source, tmp_path / "a.abf", *fields))
    pulses = recording.ancillary.epochs[1]
    assert pulses.name == "digital_output_4"
    assert (pulses.start_s - 10) * 20_000 == pytest.approx([23125, 23133])
    assert pulses.duration_s * 20_000 == pytest.approx([3, 3])
    assert recording.ancillary.commands[0].epochs[2].outputs == "0000*000"


def test_an_output_that_is_on_between_sweeps_is_no_pulse(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "recordings" / "17o05026_vc_stim.abf"
    held = section_at(source, _PROTOCOL) + 144
    assert read_recording(changed(source, tmp_path / "a.abf", (held, "<h", 16))).ancillary.epochs == ()


def test_what_the_header_does_not_state_is_left_out_with_a_note(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "recordings" / "17o05026_vc_stim.abf"
    size = source.stat().st_size
    listed = tmp_path / "list.abf"
    listed.write_bytes(
        source.read_bytes() + b"\0" * (-size % 512) + struct.pack("<hh", 0, 1).ljust(512, b"\0")
    )
    changed(
        listed,
        listed,
        (_USER_LIST, "<I", -(-size // 512)),
        (_USER_LIST + 4, "<I", 64),
        (_USER_LIST + 8, "<q", 1),
    )
    alternating = changed(
        source, tmp_path / "alternating.abf", (section_at(source, _PROTOCOL) + 182, "<h", 1)
    )
    from_file = changed(source, tmp_path / "file.abf", (section_at(source, _DAC) + 42, "<h", 2))
    for path, reason in (
        (listed, "a user list changes parameters of its protocol from sweep to sweep"),
        (alternating, "its protocol alternates outputs from sweep to sweep"),
        (from_file, "came from a file"),
    ):
        recording = read_recording(path)
        assert any(reason in note for note in recording.notes), path
        assert (recording.ancillary.commands, recording.command_steps) == ((), ())


def test_commands_follow_sweeps_that_are_placed_anew(shared_data: Path) -> None:
    path = shared_data / "formats" / "File_axon_7.abf"
    recording = read_recording(path, options=ReadOptions(sweep_interval_s=10.0))
    first = [one for one in recording.ancillary.commands if one.name == "Cmd 0"]
    assert [one.start_s for one in first] == [trace.start_s for trace in recording.traces]


def test_a_stated_sampling_rate_leaves_out_what_the_clock_of_the_file_timed(shared_data: Path) -> None:
    path = shared_data / "recordings" / "171116sh_0020.abf"
    recording = read_recording(path, options=ReadOptions(sampling_rate_hz=10_000.0))
    assert (recording.ancillary.commands, recording.command_steps) == ((), ())
    assert any("commands (Cmd 0)" in note for note in recording.notes)
