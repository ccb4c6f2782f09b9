"""Neuralynx: sessions in one folder, gaps, start; AlphaOmega and Blackrock: which files belong together."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import neo
import numpy as np
import pytest

from builders.lab_files import NEURALYNX_RATE_HZ, samples, write_neuralynx
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording
from nwb_mepp.readers.multi_file import primary_path


def test_a_gap_parts_two_sweeps(tmp_path: Path) -> None:
    folder = write_neuralynx(tmp_path / "day1", n_records=4)
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        for record in (2, 3):
            at = 16_384 + 1044 * record
            time_us = int.from_bytes(content[at : at + 8], "little") + 700_000
            content[at : at + 8] = time_us.to_bytes(8, "little")
        file.write_bytes(content)
    recording = read_recording(folder)
    first, second = recording.sweeps("CSC2")
    np.testing.assert_array_equal(second.raw(), samples(1, 4 * 512)[1024:])
    assert (first.n_samples, second.start_s) == (1024, pytest.approx(1024 / NEURALYNX_RATE_HZ + 0.7))
    assert any("gaps of more than a sample" in note for note in recording.notes)


def test_the_start_is_that_of_the_header(tmp_path: Path) -> None:
    folder = write_neuralynx(tmp_path / "day1")
    assert read_recording(folder).session_start == datetime(2026, 1, 15, 10, 0)


def test_sessions_in_one_folder_are_recordings_of_their_own(tmp_path: Path) -> None:
    folder = write_neuralynx(tmp_path / "day1", channels=("CSC1", "CSC2"))
    again = write_neuralynx(tmp_path / "again", channels=("CSC2", "CSC1"), n_records=3)
    for file in again.iterdir():
        file.rename(folder / f"{file.stem}_0001.ncs")
    again.rmdir()
    both = [folder / "CSC1.ncs", folder / "CSC1_0001.ncs"]
    assert find_recordings([tmp_path]) == both
    assert primary_path(folder / "CSC2_0001.ncs") == both[1]
    first, second = (read_recording(path).sweeps("CSC1")[0].raw() for path in both)
    np.testing.assert_array_equal(first, samples(0, 4 * 512))
    np.testing.assert_array_equal(second, samples(1, 3 * 512))
    with pytest.raises(ReadError, match=r"a folder of several recordings: CSC1\.ncs, CSC1_0001\.ncs; pass"):
        read_recording(folder)
    with pytest.raises(ReadError, match="expected the files of one session, found those of 2"):
        read_recording(folder, options=ReadOptions(reader="neuralynx"))


def test_a_real_file_with_a_gap_has_two_sweeps(shared_data: Path) -> None:
    folder = shared_data / "corpus" / "neuralynx" / "BML_unfilledsplit" / "original_data"
    recording = read_recording(folder)
    (channel,) = recording.channels
    # Two records of 512 and 308 samples, and one of 512 that begins 6132625241 - 1837623129 us later.
    spans = [(trace.start_s, trace.n_samples) for trace in recording.sweeps(channel)]
    assert spans == [(0.0, 820), (pytest.approx(4295.002112), 512)]
    assert recording.session_start == datetime(2006, 10, 20, 17, 35, 12)
    text = np.loadtxt(next((folder.parent / "plain_data").iterdir()), dtype=str, max_rows=1)
    assert text is not None


@pytest.mark.parametrize("part", ["", "i211119-0002.lsx", "mapfile0054.mpx"])
def test_alphaomega_takes_its_folder(part: str, shared_data: Path) -> None:
    folder = shared_data / "corpus" / "alphaomega" / "mpx_map_version4"
    recording = read_recording(folder / part)
    assert recording.source.name == folder.name
    assert (len(recording.channels), len(recording.traces)) == (23, 69)
    reader = neo.io.AlphaOmegaIO(str(folder))
    for sweep, trace in enumerate(recording.sweeps("AI 003")):
        of_neo = reader.get_analogsignal_chunk(0, sweep, stream_index=1, channel_ids=["11002"])
        np.testing.assert_array_equal(trace.raw(), of_neo[:, 0])
    assert recording.session_start == datetime(2021, 11, 19, 15, 23, 15)
    assert find_recordings([folder.parent]) == [folder]


def test_files_of_blackrock_with_one_name_are_one_recording(tmp_path: Path) -> None:
    for suffix in (".ns2", ".ns5"):
        (tmp_path / f"run{suffix}").write_bytes(b"NEURALSG" + bytes(300))
    (tmp_path / "run.nev").write_bytes(b"NEURALEV" + bytes(300))
    assert find_recordings([tmp_path]) == [tmp_path / "run.ns2"]
    for part in ("run.nev", "run.ns5", "run"):
        assert primary_path(tmp_path / part) == tmp_path / "run.ns2"
    shutil.copyfile(tmp_path / "run.ns5", tmp_path / "other.ns5")
    assert primary_path(tmp_path / "other.ns5") == tmp_path / "other.ns5"
