"""SpikeGLX: one recording for each run, digital lines, times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from builders.lab_files import samples, write_spikeglx
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import find_recordings, read_recording


def test_a_run_is_recognized_and_opened_by_its_folder_or_any_of_its_files(tmp_path: Path) -> None:
    folder = write_spikeglx(tmp_path / "a_g0", "a_g0_t0.nidq")
    assert find_recordings([tmp_path]) == [folder]
    for path in (folder, folder / "a_g0_t0.nidq.meta", folder / "a_g0_t0.nidq.bin"):
        recording = read_recording(path)
        assert (recording.source.name, recording.channels) == ("a_g0", ("XA0", "XA1"))
    raw = samples(0, 50_000).reshape(-1, 2)
    np.testing.assert_array_equal(recording.traces[1].raw(), raw[:, 1])
    np.testing.assert_allclose(recording.traces[1].values(), raw[:, 1] * 5 / 32768, rtol=1e-12)


def test_times_count_from_the_first_sample_at_the_time_of_creation(tmp_path: Path) -> None:
    recording = read_recording(write_spikeglx(tmp_path / "a_g0", "a_g0_t0.nidq", first_sample=50_000))
    assert recording.session_start == datetime(2024, 4, 11, 14, 40, 32)
    assert recording.traces[0].start_s == 0.0
    line = next(one for one in recording.ancillary.events if one.name == "XD0")
    # On from sample 100 to 200 at 25 kHz.
    assert sorted(line.times_s) == pytest.approx([100 / 25_000, 200 / 25_000])
    assert "Left out: the words of digital lines 'XD0'." in recording.notes


def test_two_runs_in_a_folder_are_two_recordings(tmp_path: Path) -> None:
    folder = write_spikeglx(tmp_path / "day", "a_g0_t0.nidq", "b_g0_t0.nidq", "b_g0_t1.nidq")
    first, second = (folder / name for name in ("a_g0_t0.nidq.meta", "b_g0_t0.nidq.meta"))
    assert find_recordings([tmp_path]) == [first, second]
    assert find_recordings(sorted(folder.iterdir())) == [first, second]
    assert len(read_recording(first).sweeps("XA0")) == 1
    assert len(read_recording(folder / "b_g0_t1.nidq.bin").sweeps("XA0")) == 2
    np.testing.assert_array_equal(
        read_recording(second).traces[0].raw(), samples(1, 50_000).reshape(-1, 2)[:, 0]
    )
    with pytest.raises(ReadError, match=r"a folder of several recordings: a_g0_t0\.nidq\.meta, b_g0_t0"):
        read_recording(folder)


def test_gates_are_recordings_and_triggers_their_sweeps(tmp_path: Path) -> None:
    for gate in (0, 1):
        write_spikeglx(tmp_path / f"a_g{gate}", f"a_g{gate}_t0.nidq", f"a_g{gate}_t1.nidq")
    assert find_recordings([tmp_path]) == [tmp_path / "a_g0", tmp_path / "a_g1"]
    recording = read_recording(tmp_path / "a_g1")
    assert [trace.start_s for trace in recording.sweeps("XA0")] == [0.0, 4.0]
    assert "Left out: the digital lines of all sweeps but the first." in recording.notes


def test_a_probe_in_a_folder_of_its_own_belongs_to_the_run(tmp_path: Path) -> None:
    folder = write_spikeglx(tmp_path / "a_g0", "a_g0_t0.nidq")
    write_spikeglx(folder / "a_g0_imec0", "a_g0_t0.imec0.ap")
    assert find_recordings([tmp_path]) == [folder]
    recording = read_recording(folder / "a_g0_imec0" / "a_g0_t0.imec0.ap.bin")
    assert recording.source.name == "a_g0"
    assert set(recording.channels) == {"XA0", "XA1", "AP0", "AP1"}
    assert recording.sweeps("AP0")[0].conversion == pytest.approx(0.5 / 512 / 500)


def test_sweeps_of_streams_with_different_rates_keep_their_times(tmp_path: Path) -> None:
    folder = write_spikeglx(tmp_path / "a_g0", "a_g0_t0.nidq", "a_g0_t1.nidq")
    write_spikeglx(folder / "a_g0_imec0", "a_g0_t0.imec0.ap", "a_g0_t1.imec0.ap", first_sample=12_000)
    recording = read_recording(folder)
    assert recording.sweep_times_stated
    # 30,000 and 130,000 at 25 kHz; 12,000 and 112,000 at 10 kHz.
    assert [trace.start_s for trace in recording.sweeps("XA0")] == pytest.approx([0.0, 4.0])
    assert [trace.start_s for trace in recording.sweeps("AP0")] == pytest.approx([0.0, 10.0])


def test_a_run_of_digital_lines_only_is_refused(shared_data: Path) -> None:
    folder = shared_data / "corpus" / "spikeglx" / "DigitalChannelTest_g0"
    with pytest.raises(ReadError, match="expected analog channels, found only digital lines"):
        read_recording(folder)


def test_real_runs_side_by_side_are_two_recordings(shared_data: Path) -> None:
    folder = shared_data / "corpus" / "spikeglx"
    assert [path.name for path in find_recordings([folder])] == [
        "DigitalChannelTest_g0",
        "TEST_20210920_0_g0",
    ]
    recording = read_recording(folder / "TEST_20210920_0_g0")
    assert len(recording.channels) == 384
    assert recording.session_start == datetime(2021, 9, 20, 14, 13, 34)
    raw = np.fromfile(next((folder / "TEST_20210920_0_g0").glob("*.bin")), dtype="<i2").reshape(-1, 385)
    np.testing.assert_array_equal(recording.sweeps("AP100")[0].raw(), raw[:, 100])
