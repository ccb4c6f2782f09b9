"""The binary format of Open Ephys: one recording for each experiment, gaps, times."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from builders.lab_files import samples, write_open_ephys_binary
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording


def test_a_session_is_opened_by_its_folder_or_any_file_in_it(tmp_path: Path) -> None:
    session = write_open_ephys_binary(tmp_path / "mouse1")
    stream = session / "experiment1" / "recording1"
    inside = [stream / "structure.oebin", stream / "continuous" / "Rig-100.0" / "continuous.dat"]
    assert find_recordings([tmp_path]) == [session]
    assert find_recordings([session, *inside]) == [session]
    for path in (session, *inside):
        recording = read_recording(path)
        assert (recording.source.name, recording.channels) == ("mouse1", ("CH1", "CH2"))
    raw = samples(1, 600).reshape(-1, 2)
    np.testing.assert_allclose(recording.traces[1].values(), raw[:, 1] * 0.195e-6, rtol=1e-6)
    assert recording.traces[0].start_s == 0.0
    assert recording.session_start == datetime(2022, 7, 25, 15, 31)


def test_two_sessions_side_by_side_are_two_recordings(tmp_path: Path) -> None:
    both = [write_open_ephys_binary(tmp_path / name) for name in ("mouse1", "mouse2")]
    assert find_recordings([tmp_path]) == both
    with pytest.raises(ReadError, match="is a folder of several recordings: mouse1, mouse2; pass one"):
        read_recording(tmp_path)
    with pytest.raises(ReadError, match="expected one experiment of one session, found mouse1, mouse2"):
        read_recording(tmp_path, options=ReadOptions(reader="openephysbinary"))


def test_experiments_are_recordings_and_recordings_their_sweeps(tmp_path: Path) -> None:
    session = write_open_ephys_binary(
        tmp_path / "mouse1", experiments=(1, 2), numbers=[range(5000, 5300), range(9000, 9300)]
    )
    both = [session / "experiment1", session / "experiment2"]
    assert find_recordings([tmp_path]) == both
    assert find_recordings([session / "experiment2" / "recording1" / "structure.oebin"]) == both[1:]
    second = read_recording(both[1])
    assert [trace.start_s for trace in second.sweeps("CH1")] == [0.0, 4.0]
    assert second.session_start == datetime(2022, 7, 25, 15, 32)
    np.testing.assert_array_equal(second.traces[0].raw(), samples(2, 600).reshape(-1, 2)[:, 0])
    with pytest.raises(ReadError, match="found experiment1, experiment2"):
        read_recording(session, options=ReadOptions(reader="openephysbinary"))


def test_a_gap_between_samples_parts_two_sweeps(tmp_path: Path) -> None:
    numbers = [*range(5000, 5100), *range(5600, 5800)]
    recording = read_recording(write_open_ephys_binary(tmp_path / "mouse1", numbers=[numbers]))
    spans = [(trace.start_s, trace.n_samples) for trace in recording.sweeps("CH2")]
    assert spans == [(0.0, 100), (pytest.approx(0.6), 200)]
    np.testing.assert_array_equal(recording.sweeps("CH2")[1].raw(), samples(1, 600).reshape(-1, 2)[100:, 1])
    assert any("1 gap (the longest lasts 0.5 s)" in note for note in recording.notes)


def test_the_software_time_is_preferred(tmp_path: Path) -> None:
    session = write_open_ephys_binary(tmp_path / "mouse1")
    (session / "experiment1" / "recording1" / "sync_messages.txt").write_text(
        "Software Time (milliseconds since midnight Jan 1st 1970 UTC): 1700000000500\n"
    )
    assert read_recording(session).session_start == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)


def test_real_sessions_side_by_side_are_two_recordings(shared_data: Path) -> None:
    folder = shared_data / "corpus" / "openephysbinary"
    first, second = find_recordings([folder])
    assert [first.name, second.name] == ["neural_and_non_neural_data_mixed", "v0.4.4.1_with_spikes"]
    recording = read_recording(first)
    raw = np.fromfile(next(first.rglob("continuous.dat")), dtype="<i2").reshape(-1, 6)
    for channel, trace in enumerate(recording.traces):
        np.testing.assert_array_equal(trace.raw(), raw[:, channel])
    assert recording.session_start == datetime(2022, 7, 25, 15, 30)
    assert len(read_recording(second).channels) == 32
