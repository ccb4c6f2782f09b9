"""Expanding the paths that a user types to recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyabf.abfWriter import writeABF1

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers import find_recordings

RECORDING = "Time (s)\tVm (mV)\n" + "".join(f"{k / 1000:.3f}\t{k}\n" for k in range(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A typical lab folder: recordings, tables, notes, results, unrelated files."""
    (tmp_path / "day2").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "b.txt").write_text(RECORDING)
    (tmp_path / "day2" / "a.abf").write_bytes(b"ABF2 truncated")
    (tmp_path / "day2" / "labeled.csv").write_text("Time_ms,Voltage,labels\n0.0,1,0\n0.1,2,0\n0.2,3,1\n")
    for name, content in {
        "notes.txt": "fiber 1 was good\n",
        "events.csv": "user,classification,time_s\nA1,manual,0.05595\n",
        "consensus.csv": "time_s,votes_of_5\n0.056,2\n0.18732,2\n0.3,1\n0.301,1\n",
        "EventTimes.txt": "1.971500000e-01\n7.402500000e-01\n",
        "mini.txt": "2\tTime (ms)\tAmplitude\n1\t122,1\t0,5\n2\t195,5\t0,6\n3\t200,5\t0,6\n",
        "counted.csv": "index,x,y\n0,1,2\n1,2,3\n2,3,4\n",
        "result.abf.nwb": "x",
        "data.dat": "x",
        "store.pkl": "x",
        ".hidden.txt": RECORDING,
        "picture.png": "x",
        "empty.txt": "",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    (tmp_path / ".hidden" / "c.txt").write_text(RECORDING)
    return tmp_path


def test_a_folder_gives_its_recordings_sorted_and_nothing_else(folder: Path) -> None:
    found = find_recordings([folder])
    assert [path.relative_to(folder).as_posix() for path in found] == [
        "b.txt",
        "day2/a.abf",
        "day2/labeled.csv",
    ]


def test_an_empty_or_damaged_axon_file_is_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "empty.abf").touch()
    (tmp_path / "damaged.abf").write_bytes(b"\0\0\0\0\0")
    assert [path.name for path in find_recordings([tmp_path])] == ["damaged.abf", "empty.abf"]


def test_a_file_given_explicitly_is_always_included(folder: Path) -> None:
    assert find_recordings([folder / "notes.txt", folder / "store.pkl"]) == [
        folder / "notes.txt",
        folder / "store.pkl",
    ]


def test_arguments_keep_their_order_and_each_file_is_listed_once(folder: Path) -> None:
    found = find_recordings([folder / "day2" / "labeled.csv", folder, str(folder / "b.txt")])
    assert [path.name for path in found] == ["labeled.csv", "b.txt", "a.abf"]


def test_patterns_are_expanded(folder: Path) -> None:
    assert [path.name for path in find_recordings([folder / "*" / "*.abf"])] == ["a.abf"]
    assert [path.name for path in find_recordings([f"{folder}/**/l*.csv"])] == ["labeled.csv"]


def test_an_existing_file_with_brackets_is_not_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "run[1].txt"
    path.write_text(RECORDING)
    assert find_recordings([path]) == [path]


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"nothing\.abf: expected a recording, found no such file or folder"):
        find_recordings([tmp_path / "nothing.abf"])
    with pytest.raises(ReadError, match="expected files that match the pattern, found none"):
        find_recordings([tmp_path / "*.abf"])


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ReadError, match="expected recordings in the folder, found none"):
        find_recordings([tmp_path])


def test_a_named_reader_takes_the_files_with_its_suffixes(folder: Path) -> None:
    assert [path.name for path in find_recordings([folder], reader="rawbinarysignal")] == ["data.dat"]


def test_a_folder_is_the_recording_of_a_reader_of_folders(folder: Path) -> None:
    assert find_recordings([folder], reader="neuralynx") == [folder]
    with pytest.raises(UsageError, match="`reader`: expected one of"):
        find_recordings([folder], reader="nonesuch")


def test_side_files_of_real_formats_are_not_listed(shared_data: Path) -> None:
    names = {path.name for path in find_recordings([shared_data / "formats"])}
    assert {"testNeoElanIO.eeg", "File_brainvision_binary_multiplexed_3.vhdr", "File_axon_7.abf"} <= names
    assert not [name for name in names if Path(name).suffix in (".ent", ".pos", ".vmrk", ".dat", ".raw")]


def test_tables_beside_real_recordings_are_not_listed(shared_data: Path) -> None:
    found = find_recordings([shared_data / "recordings"])
    assert {path.suffix for path in found} == {".abf"}
    assert len(found) == 7


def test_a_real_axon_file_is_found_by_its_content(tmp_path: Path) -> None:
    writeABF1(np.ones((1, 100)), str(tmp_path / "run.ABF"), 10_000, units="mV")
    assert [path.name for path in find_recordings([tmp_path])] == ["run.ABF"]


@pytest.mark.parametrize("name", ["run.abf", "run.smr", "run.TRC", "run.nex", "run.vhdr"])
def test_a_damaged_recording_is_not_dropped_from_a_batch(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\0" * 100)
    (tmp_path / "analysis.mat").write_bytes(b"\0" * 100)
    assert [path.name for path in find_recordings([tmp_path])] == [name]


def test_a_backup_is_only_taken_if_given_explicitly(tmp_path: Path) -> None:
    path = tmp_path / "run.abf.bak"
    path.write_bytes(b"ABF2")
    with pytest.raises(ReadError, match="expected recordings in the folder, found none"):
        find_recordings([tmp_path])
    assert find_recordings([path]) == [path]
