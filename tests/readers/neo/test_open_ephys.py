"""The older format of Open Ephys: gaps, times, folders within."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import neo
import numpy as np
import pytest

from builders.lab_files import samples, write_open_ephys
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.open_ephys import created

RATE_HZ = 10_000


def test_a_gap_parts_two_sweeps(tmp_path: Path) -> None:
    # Three records, a gap of half a second, two records.
    times = [5000, 6024, 7048, 13_072, 14_096]
    recording = read_recording(write_open_ephys(tmp_path / "day1", times=[times]))
    first, second = recording.sweeps("CH1")
    np.testing.assert_array_equal(first.raw(), samples(0, 5 * 1024)[: 3 * 1024])
    np.testing.assert_array_equal(second.raw(), samples(0, 5 * 1024)[3 * 1024 :])
    np.testing.assert_array_equal(second.raw(1000, 1030), samples(0, 5 * 1024)[4072:4102])
    assert (first.start_s, second.start_s) == (0.0, pytest.approx(0.8072))
    assert recording.notes == (
        "The recording has 1 gap (the longest lasts 0.5 s), at which it was split: it has 2 sweeps.",
    )


def test_a_recording_without_gaps_equals_that_of_neo(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "day1", times=[[0, 1024, 2048]])
    signal = neo.io.OpenEphysIO(str(folder)).read_segment().analogsignals[0]
    recording = read_recording(folder)
    for channel, trace in enumerate(recording.traces):
        np.testing.assert_allclose(trace.values() * 1e6, signal.magnitude[:, channel], rtol=1e-6)
    assert recording.notes == ()


def test_recordings_whose_clock_begins_anew_are_placed_at_their_creation(tmp_path: Path) -> None:
    folder = write_open_ephys(
        tmp_path / "day1",
        times=[[500, 1524], [200, 1224]],
        created=["5-Oct-2018 143727", "5-Oct-2018 143740"],
    )
    recording = read_recording(folder)
    assert [trace.start_s for trace in recording.sweeps("CH1")] == [0.0, 13.0]
    assert recording.session_start == datetime(2018, 10, 5, 14, 37, 27)
    assert recording.sweep_times_stated
    assert any("times at which their files were created" in note for note in recording.notes)


def test_recordings_on_one_clock_keep_it(tmp_path: Path) -> None:
    folder = write_open_ephys(
        tmp_path / "day1",
        times=[[500, 1524], [60_500, 61_524]],
        created=["5-Oct-2018 143727", "5-Oct-2018 143733"],
    )
    assert [trace.start_s for trace in read_recording(folder).sweeps("CH1")] == [0.0, 6.0]


def test_recordings_without_usable_times_are_placed_end_to_end(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "day1", times=[[0, 1024], [0, 1024]], created=["?", "?"])
    recording = read_recording(folder)
    assert [trace.start_s for trace in recording.sweeps("CH1")] == [0.0, 0.2048]
    assert (recording.session_start, recording.sweep_times_stated) == (None, False)


def test_files_of_a_folder_within_are_not_merged(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "day1", times=[[0, 1024]])
    write_open_ephys(folder / "day2", times=[[0, 1024]])
    with pytest.raises(
        ReadError, match=r"day1: expected the \.continuous files of one recording, .* in day2"
    ):
        read_recording(folder)


def test_a_record_that_is_not_full_is_refused(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "day1", times=[[0, 1024]])
    file = folder / "100_CH1.continuous"
    content = bytearray(file.read_bytes())
    content[1024 + 8 : 1024 + 10] = (77).to_bytes(2, "little")
    file.write_bytes(content)
    with pytest.raises(ReadError, match="expected records of 1024 samples in channel 'CH1'"):
        read_recording(folder)


@pytest.mark.parametrize("text", ["", "5-Oct-2018", "41-Oct-2018 143727", "5-Okt-2018 143727"])
def test_what_is_no_time_gives_none(text: str) -> None:
    assert created(text) is None


def test_a_real_recording_with_gaps_has_no_filling(shared_data: Path) -> None:
    (folder,) = (shared_data / "corpus" / "openephys").iterdir()
    recording = read_recording(folder)
    # Times 49184 + 115 records, 259840 + 128 records, and 74 records of a second start 13 s later; 40 kHz.
    spans = [(trace.start_s, trace.n_samples) for trace in recording.sweeps("CH0")]
    assert spans == [(0.0, 115 * 1024), ((259_840 - 49_184) / 40_000, 128 * 1024), (13.0, 74 * 1024)]
    reader = neo.io.OpenEphysIO(str(folder))
    of_neo = reader.get_analogsignal_chunk(0, 0, stream_index=0)[:, 0]
    np.testing.assert_array_equal(recording.traces[0].raw(), of_neo[: 115 * 1024])
    assert all((trace.raw() == 0).mean() < 0.01 for trace in recording.traces)
