"""Axon files: exact numbers, times, damaged files."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import neo
import numpy as np
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
    with pytest.raises(ReadError, match=r"the reader 'axon' cannot read it; .* Neo reports: .*Mode 75"):
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
