"""Axon files: exact numbers, times, damaged files."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import neo
import numpy as np
import pyabf
import pytest
from pyabf.abfWriter import writeABF1

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.readers.neo.axon import round_to_milliseconds

RATE_HZ = 10_000


def write_abf(path: Path, *, n_sweeps: int = 1, n_samples: int = 2000, units: str = "mV") -> np.ndarray:
    """Write sweeps that all differ; returns them, shape (n_sweeps, n_samples), in ``units``."""
    sweeps = -70 + np.random.default_rng(1).normal(0, 1, (n_sweeps, n_samples))
    writeABF1(sweeps, str(path), RATE_HZ, units=units)
    return sweeps


def patched(path: Path, offset: int, layout: str, value: float) -> Path:
    """Overwrite one field of a header."""
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, offset, value)
    path.write_bytes(content)
    return path


def test_a_written_abf_reads_back_to_within_one_step(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    sweeps = write_abf(path)
    (trace,) = read_recording(path).traces
    assert trace.unit == "V"
    assert trace.sampling_rate_hz == pytest.approx(RATE_HZ, rel=1e-6)
    assert trace.raw().dtype == np.int16
    np.testing.assert_allclose(trace.values(), sweeps[0] * 1e-3, atol=trace.conversion)


def test_real_sweeps_start_at_the_times_in_the_file(shared_data: Path) -> None:
    recording = read_recording(shared_data / "recordings" / "171116sh_0020.abf")
    assert [trace.start_s for trace in recording.traces] == [0, 10, 20, 30, 40, 50, 60]
    assert [trace.n_samples for trace in recording.traces] == [200_000] * 7
    assert recording.sweep_times_stated
    # The header counts 51144032 ms from midnight.
    assert recording.session_start == datetime(2017, 11, 16, 14, 12, 24, 32_000)


def test_sweeps_cut_out_of_a_longer_file_keep_their_times(shared_data: Path) -> None:
    recording = read_recording(shared_data / "formats" / "File_axon_7.abf")
    # Start numbers of the synchronization array (16940681, 17084682, ...) in steps of 62 us.
    assert recording.traces[0].start_s == pytest.approx(16940681 * 62e-6, abs=1e-9)
    assert recording.traces[1].start_s == pytest.approx(17084682 * 62e-6, abs=1e-9)
    assert recording.sweep_times_stated


def test_a_protocol_with_another_interval_than_the_recorded_times_is_noted(shared_data: Path) -> None:
    path = shared_data / "formats" / "File_axon_7.abf"
    # 144001 steps of 62 us are 8.928 s; the header also says fEpisodeStartToStart = 10 s, which pyABF takes.
    assert pyabf.ABF(str(path), loadData=False).sweepIntervalSec == 10.0
    noted = [note for note in read_recording(path).notes if "protocol" in note]
    assert noted == [
        "The file records that its sweeps began 8.92806 s apart, but its protocol asks for 10 s; the "
        "recorded times are kept. Pass `sweep_interval_s=10` if the protocol is right."
    ]
    recording = read_recording(path, options=ReadOptions(sweep_interval_s=10.0))
    assert np.diff([trace.start_s for trace in recording.traces]) == pytest.approx([10.0] * 11)
    with pytest.raises(UsageError, match="contradicts the file"):
        read_recording(path, options=ReadOptions(sweep_interval_s=9.0))


def test_a_protocol_that_agrees_with_the_recorded_times_is_not_noted(shared_data: Path) -> None:
    path = shared_data / "formats" / "File_axon_5.abf"
    starts = [trace.start_s for trace in read_recording(path).traces]
    np.testing.assert_allclose(starts, pyabf.ABF(str(path), loadData=False).sweepTimesSec)
    assert read_recording(path).notes == ()


def test_a_header_without_a_date_gives_no_session_start(shared_data: Path) -> None:
    assert read_recording(shared_data / "recordings" / "winchester" / "GroupA.abf").session_start is None


def test_a_unit_given_by_the_user_replaces_the_label_and_keeps_the_numbers(shared_data: Path) -> None:
    path = shared_data / "recordings" / "winchester" / "GroupA.abf"
    labeled = read_recording(path)
    corrected = read_recording(path, options=ReadOptions(unit={"": "mA"}))
    assert (labeled.traces[0].unit, corrected.traces[0].unit) == ("V", "A")
    np.testing.assert_array_equal(labeled.traces[0].raw(), corrected.traces[0].raw())
    assert np.median(corrected.traces[0].values()) == pytest.approx(-61e-12, abs=0.5e-12)
    assert corrected.source.settings == {"unit": "mA"}


def test_sweeps_of_a_file_without_synchronization_array_are_split(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    sweeps = write_abf(path, n_sweeps=3, n_samples=1000)
    assert len(neo.io.AxonIO(str(path)).read_block().segments) == 1  # the reason for splitting them
    recording = read_recording(path)
    assert [trace.sweep for trace in recording.traces] == [0, 1, 2]
    for trace, sweep in zip(recording.traces, sweeps, strict=True):
        np.testing.assert_allclose(trace.values(), sweep * 1e-3, atol=trace.conversion)
    assert [trace.start_s for trace in recording.traces] == pytest.approx([0, 0.1, 0.2], rel=1e-6)
    assert not recording.sweep_times_stated
    assert any("3 sweeps of 1000 samples" in note for note in recording.notes)


def test_sweeps_without_times_are_spaced_by_the_interval_given(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    write_abf(path, n_sweeps=3, n_samples=1000)
    recording = read_recording(path, options=ReadOptions(sweep_interval_s=5.0))
    assert [trace.start_s for trace in recording.traces] == [0, 5, 10]
    assert recording.sweep_times_stated


def test_an_interval_that_contradicts_the_file_is_refused(shared_data: Path) -> None:
    path = shared_data / "recordings" / "171116sh_0020.abf"
    with pytest.raises(UsageError, match=r"`sweep_interval_s=12` contradicts the file"):
        read_recording(path, options=ReadOptions(sweep_interval_s=12.0))


@pytest.mark.parametrize("part", [0.001, 0.01, 0.3, 0.9])
def test_a_truncated_file_is_refused(part: float, tmp_path: Path, shared_data: Path) -> None:
    for name in ("171116sh_0020.abf", "winchester/GroupA.abf"):
        content = (shared_data / "recordings" / name).read_bytes()
        path = tmp_path / "cut.abf"
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(ReadError, match=r"cut\.abf is truncated or damaged: .* copy the file again"):
            read_recording(path)


def test_a_file_cut_within_its_magic_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.abf"
    path.write_bytes(b"AB")
    with pytest.raises(ReadError, match=r"suffix of a file for the reader axon, but not the content"):
        read_recording(path)


def test_a_damaged_number_of_tags_does_not_exhaust_the_memory(tmp_path: Path, shared_data: Path) -> None:
    path = tmp_path / "tags.abf"
    path.write_bytes((shared_data / "recordings" / "171116sh_0020.abf").read_bytes())
    tag_section = 76 + 16 * 11 + 8
    with pytest.raises(ReadError, match="truncated or damaged"):
        read_recording(patched(path, tag_section, "<q", 2_000_000_000))


@pytest.mark.parametrize(("offset", "layout"), [(122, "<f"), (120, "<h")])
def test_a_zero_interval_or_channel_count_is_refused(offset: int, layout: str, tmp_path: Path) -> None:
    path = tmp_path / "zero.abf"
    write_abf(path)
    with pytest.raises(ReadError, match=r"expected a sampling interval, scale factors .* above 0, found a 0"):
        read_recording(patched(path, offset, layout, 0))


def test_a_scale_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "zero.abf"
    write_abf(path)
    with pytest.raises(ReadError, match=r"expected a scale factor from 1e-24 to 1e12 .* found inf and 0"):
        read_recording(patched(path, 922, "<f", 0))


def test_an_error_in_neo_becomes_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mode.abf"
    write_abf(path)
    with pytest.raises(ReadError, match=r"the reader 'axon' cannot read it, .* Neo reports: .*Mode 75"):
        read_recording(patched(path, 8, "<h", 75))


def test_text_with_the_suffix_of_an_axon_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.abf"
    path.write_text("not a recording")
    with pytest.raises(ReadError, match=r"has the suffix of a file for the reader axon, but not the content"):
        read_recording(path)


def test_a_file_without_a_unit_asks_for_one(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    write_abf(path, units="")
    with pytest.raises(ReadError, match=r"expected a unit such as V, mV, .*; pass `unit='UNIT'`"):
        read_recording(path)
    assert read_recording(path, options=ReadOptions(unit={"": "mV"})).traces[0].unit == "V"


def test_reading_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.abf"
    write_abf(path)  # makes Neo log "nADCSamplingSeq has non-unique channel ids"
    recording = read_recording(path)
    assert capfd.readouterr() == ("", "")
    assert any(note.startswith("Neo: nADCSamplingSeq") for note in recording.notes)


def test_the_start_is_rounded_to_the_milliseconds_of_the_header() -> None:
    assert round_to_milliseconds(datetime(2017, 11, 16, 14, 12, 24, 31_999)) == datetime(
        2017, 11, 16, 14, 12, 24, 32_000
    )
    assert round_to_milliseconds(datetime(2017, 12, 31, 23, 59, 59, 999_999)) == datetime(2018, 1, 1)


class TestShortHeaders:
    """ABF 1 with a header of 2048 bytes, in which there are no fields of a telegraph."""

    @pytest.mark.parametrize("gain", [(0, 0), (1, 0), (8, 0), (0, 16256), (-1, -1)])
    def test_samples_are_not_taken_for_the_gain_of_a_telegraph(
        self, gain: tuple[int, int], tmp_path: Path
    ) -> None:
        path = tmp_path / "run.abf"
        sweeps = write_abf(path)
        enable_at, gain_at = 4512, 4576  # where a longer header has the fields
        patched(path, enable_at, "<h", 1)
        content = bytearray(path.read_bytes())
        struct.pack_into("<hh", content, gain_at, *gain)
        path.write_bytes(content)
        (trace,) = read_recording(path).traces
        untouched = np.r_[0:1232, 1233:1264, 1266:2000]  # all but those at 4512 and 4576
        np.testing.assert_allclose(
            trace.values()[untouched], sweeps[0][untouched] * 1e-3, atol=trace.conversion
        )

    def test_a_recording_shorter_than_the_long_header_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "run.abf"
        sweeps = write_abf(path, n_samples=200)
        (trace,) = read_recording(path).traces
        np.testing.assert_allclose(trace.values(), sweeps[0] * 1e-3, atol=trace.conversion)

    @pytest.mark.parametrize("name", ["tele_gain/tele_9.abf", "tele_gain_nan/tele_107.abf"])
    def test_the_reported_files_have_the_noise_that_was_written(self, name: str, shared_cases: Path) -> None:
        (trace,) = read_recording(shared_cases / name).traces
        values = trace.values()
        assert trace.unit == "A"
        # Noise of 3 pA with a few samples that are large.
        assert 1.4826 * np.median(np.abs(values - np.median(values))) == pytest.approx(3e-12, rel=0.05)
        assert np.abs(values).max() < 10e-9

    def test_a_telegraph_in_a_long_header_counts(self, tmp_path: Path) -> None:
        path = with_long_header(tmp_path / "run.abf")
        before = read_recording(path).traces[0]
        patched(path, 4512, "<h", 1)
        after = read_recording(patched(path, 4576, "<f", 2.0)).traces[0]
        assert after.conversion == before.conversion / 2


def with_long_header(path: Path) -> Path:
    """Write a file whose header has 6144 bytes, as pCLAMP 9 writes it."""
    write_abf(path)
    content = path.read_bytes()
    path.write_bytes(content[:2048].ljust(6144, b"\0") + content[2048:])
    return patched(path, 40, "<i", 12)


class TestInterruptedRecordings:
    """A header that counts no samples, as it was to be completed at the end."""

    def test_samples_that_follow_are_offered_and_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "crashed.abf"
        sweeps = write_abf(path)
        patched(path, 10, "<i", 0)
        patched(path, 16, "<i", 0)
        patched(path, 8, "<h", 3)  # gap-free
        with pytest.raises(
            ReadError, match=r"header that counts none although 2048 follow it; .* `salvage=True`"
        ):
            read_recording(path)
        recording = read_recording(path, options=ReadOptions(salvage=True))
        # The program that wrote it fills the last block of 512 bytes.
        np.testing.assert_allclose(
            recording.traces[0].values(0, 2000), sweeps[0] * 1e-3, atol=recording.traces[0].conversion
        )
        assert any("the 2048 that follow it were taken" in note for note in recording.notes)
        assert recording.source.settings == {"salvage": "True"}

    def test_sweeps_of_a_fixed_length_are_parted(self, tmp_path: Path) -> None:
        path = tmp_path / "crashed.abf"
        sweeps = write_abf(path, n_sweeps=3, n_samples=1000)
        patched(path, 10, "<i", 0)
        patched(path, 16, "<i", 0)
        patched(path, 138, "<i", 1000)
        path.write_bytes(path.read_bytes()[:-301])  # within the last sweep, in the middle of a sample
        recording = read_recording(path, options=ReadOptions(salvage=True))
        assert [trace.n_samples for trace in recording.traces] == [1000, 1000, 921]
        np.testing.assert_allclose(
            recording.traces[1].values(), sweeps[1] * 1e-3, atol=recording.traces[1].conversion
        )

    def test_sweeps_of_variable_length_cannot_be_parted(self, tmp_path: Path) -> None:
        path = tmp_path / "crashed.abf"
        write_abf(path)
        patched(path, 10, "<i", 0)
        patched(path, 8, "<h", 1)
        with pytest.raises(ReadError, match=r"sweeps of variable length .* it cannot be salvaged"):
            read_recording(path, options=ReadOptions(salvage=True))

    def test_a_sound_file_is_read_as_ever(self, shared_data: Path) -> None:
        path = shared_data / "recordings" / "171116sh_0020.abf"
        salvaged, ordinary = (read_recording(path, options=ReadOptions(salvage=one)) for one in (True, False))
        assert [trace.n_samples for trace in salvaged.traces] == [
            trace.n_samples for trace in ordinary.traces
        ]
        assert salvaged.notes == ordinary.notes

    def test_a_file_of_version_2_without_a_count_is_salvaged(self, tmp_path: Path, shared_data: Path) -> None:
        path = tmp_path / "crashed.abf"
        path.write_bytes((shared_data / "recordings" / "171116sh_0020.abf").read_bytes())
        sections = 76
        data, synch = sections + 16 * 10, sections + 16 * 15
        (first,) = struct.unpack_from("<I", path.read_bytes(), data)
        path.write_bytes(path.read_bytes()[: first * 512 + 2 * 1_400_000])
        for at in range(sections, sections + 16 * 18, 16):  # what comes behind the samples was not written
            (block,) = struct.unpack_from("<I", path.read_bytes(), at)
            if block > first:
                patched(path, at + 8, "<q", 0)
        patched(path, data + 8, "<q", 0)
        patched(path, synch + 8, "<q", 0)
        recording = read_recording(path, options=ReadOptions(salvage=True))
        assert [trace.n_samples for trace in recording.traces] == [200_000] * 7
