"""detect on many NWB files, and run on an NWB file."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.file import Subject
from pynwb.icephys import CurrentClampSeries

from builders.command_line import STATED, Call, Called, answer
from builders.known_mepps import mepp_trace
from builders.nwb_files import changed, objects
from builders.reviews import reviewed_file
from builders.traces import RATE_HZ
from nwb_mepp.nwb import interval_tables, read_results

ONE = ("--detector", "matched_filter")
THRESHOLD = ("--detector", "threshold")


@pytest.fixture
def folder(annotated: Path, tmp_path: Path) -> Path:
    """A folder with two NWB files."""
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        shutil.copy(annotated, tmp_path / "in" / name / "x.nwb")
    return tmp_path / "in"


def write_foreign(path: Path) -> None:
    """Write what another program recorded."""
    file = NWBFile("a cell", "id", datetime(2026, 1, 15, tzinfo=UTC))
    samples = TimeSeries(name="Vm", data=mepp_trace(), unit="volts", rate=RATE_HZ)
    file.add_acquisition(samples)
    with NWBHDF5IO(path, "w") as io:
        io.write(file)


def write_sweeps(path: Path, *, n_sweeps: int, seed: int) -> None:
    """Write what MIES records: a series a sweep, and who and what was recorded."""
    file = NWBFile("a cell", "id", datetime(2026, 1, 15, tzinfo=UTC), experimenter=["Last, First"])
    file.subject = Subject(subject_id="m1", species="Mus musculus", sex="F", age="P30D")
    amplifier = file.create_device(name="amplifier")
    electrode = file.create_icephys_electrode(
        name="electrode", description="Sharp.", device=amplifier, cell_id="c"
    )
    for sweep in range(n_sweeps):
        values = mepp_trace(duration_s=1.0, onsets_s=(0.2 + 0.05 * sweep, 0.7), seed=seed + sweep)
        file.add_acquisition(
            CurrentClampSeries(
                name=f"data_{sweep:05d}_AD0",
                data=values.astype(np.float32),
                unit="volts",
                rate=RATE_HZ,
                starting_time=2.0 * sweep,
                electrode=electrode,
                sweep_number=np.uint32(sweep),
            )
        )
    with NWBHDF5IO(path, "w") as io:
        io.write(file)


def detectors(path: Path) -> list[str]:
    return [result.detector for result in read_results(path)]


def test_a_folder_is_detected_in_place(call: Call, folder: Path) -> None:
    called = call("detect", folder, *THRESHOLD, "--jobs", "2")
    assert called.code == 0, called.err
    assert "2 done." in called.err
    for name in ("a", "b"):
        assert "threshold" in detectors(folder / name / "x.nwb")


def test_files_with_a_series_a_sweep_get_one_table_each_and_stay_otherwise(
    call: Call, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [folder / f"cell {number}.nwb" for number in range(2)]
    for number, path in enumerate(paths):
        write_sweeps(path, n_sweeps=6, seed=10 * number)
    before = {path: objects(path) for path in paths}
    called = call("detect", folder, *ONE)
    assert called.code == 0, called.err
    assert "2 done." in called.err
    for path in paths:
        (result,) = read_results(path)
        assert (result.mepps.channel, set(result.mepps.sweep)) == ("electrode", set(range(6)))
        assert result.summary.n_mepps == pytest.approx(12, abs=1)
        left = {name.split("/")[0] for name in changed(before[path], objects(path))}
        assert left <= {"", "intervals", "processing"}
        validated = call("validate", path)
        assert validated.code == 0, validated.out


def test_patterns_go_to_a_folder_and_a_bad_file_stops_no_other(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    (folder / "a" / "bad.nwb").write_bytes(b"no HDF5")
    before = (folder / "a" / "x.nwb").read_bytes()
    out = tmp_path / "out"
    called = call("detect", folder / "*" / "*.nwb", *THRESHOLD, "-o", out)
    assert called.code == 1
    assert "2 done, 1 failed." in called.err
    assert "expected an NWB file (HDF5)" in " ".join(called.err.split())
    assert (folder / "a" / "x.nwb").read_bytes() == before
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.nwb")) == ["a/x.nwb", "b/x.nwb"]
    again = call("detect", folder / "*" / "x.nwb", *THRESHOLD, "-o", out)
    assert (again.code, again.err.count("(kept, from the same input and settings)")) == (0, 2)
    other = call("detect", folder / "*" / "x.nwb", *ONE, "-o", out)
    assert other.code == 1
    assert "is there already; give --overwrite" in " ".join(other.err.split())


def test_two_files_for_one_output_are_refused(call: Call, folder: Path, tmp_path: Path) -> None:
    paths = (folder / "a" / "x.nwb", folder / "b" / "x.nwb")
    called = call("detect", *paths, *THRESHOLD, "-o", tmp_path / "out")
    assert called.code == 2
    assert "would both be written to" in called.err


def test_run_on_an_nwb_file_annotates_a_copy(call: Call, folder: Path, tmp_path: Path) -> None:
    source, out = folder / "a" / "x.nwb", tmp_path / "out"
    before = source.read_bytes()
    called = call("run", source, "-o", out, *THRESHOLD, "--timezone", "UTC")
    assert called.code == 0, called.err
    assert "An NWB file keeps what it says of its session; --timezone is for lab files" in called.err
    assert "plain series were written" not in called.err
    assert source.read_bytes() == before
    assert "threshold" in detectors(out / "x.nwb")
    names = {"x.nwb", "x.png", "mepps.csv", "summary.csv"}
    assert names <= {path.name for path in out.iterdir()}
    again = call("run", source, "-o", out, *THRESHOLD, "--timezone", "UTC")
    assert (again.code, "(kept" in again.err) == (0, True)


def test_run_on_a_folder_takes_the_nwb_files_of_others_but_not_our_outputs(
    call: Call, lab_file: Path, annotated: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "lab", tmp_path / "out"
    (folder / "old" / ".hidden").mkdir(parents=True)
    shutil.copy(lab_file, folder / "a.txt")
    shutil.copy(annotated, folder / "old" / "ours.nwb")
    write_foreign(folder / "old" / "theirs.nwb")
    shutil.copy(folder / "old" / "theirs.nwb", folder / "old" / ".hidden" / "x.nwb")
    (folder / "bad.nwb").write_bytes((folder / "old" / "theirs.nwb").read_bytes()[:3000])
    called = call("run", folder, "-o", out, *STATED, "--no-picture")
    assert called.code == 1
    assert "2 done, 1 failed" in called.err
    assert "bad.nwb" in called.err.partition("1 of 3 files failed")[2]
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.nwb")) == [
        "a.txt.nwb",
        "old/theirs.nwb",
    ]
    assert detectors(out / "old" / "theirs.nwb") == ["matched_filter"]
    alone = call("run", folder / "old", "-o", tmp_path / "two", *ONE, "--no-picture")
    assert (alone.code, len(list((tmp_path / "two").glob("*.nwb")))) == (0, 1)


def test_a_picture_of_the_user_is_found_before_an_annotated_copy_is_written(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.png").write_bytes(b"mine")
    called = call("run", folder / "a" / "x.nwb", "-o", out, *THRESHOLD)
    assert called.code == 1
    assert "x.png to be free or written by nwb-mepp, found another file" in " ".join(called.err.split())
    assert [path.name for path in out.iterdir()] == ["x.png"]
    assert (out / "x.png").read_bytes() == b"mine"


@pytest.mark.parametrize("command", ["events", "summary"])
def test_tables_are_the_same_with_several_processes(call: Call, folder: Path, command: str) -> None:
    (folder / "a" / "bad.nwb").write_bytes(b"no HDF5")
    alone = call(command, folder, "--format", "csv")
    together = call(command, folder, "--format", "csv", "--jobs", "2")
    assert (alone.code, together.code) == (1, 1)
    assert together.out == alone.out
    assert together.err == alone.err
    assert len(alone.out.splitlines()) > 2


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    return reviewed_file(tmp_path / "reviewed.nwb")


def test_at_a_terminal_it_asks_before_it_detects_where_a_person_decided(
    reviewed: Path, annotated: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = answer(monkeypatch, "run", False)
    other = Path(shutil.copyfile(annotated, reviewed.with_name("other.nwb")))
    before = reviewed.read_bytes()
    called = call("detect", reviewed, other, "--detector", "threshold")
    assert called.code == 0, called.err
    (question,) = questions
    assert question.startswith(f"Decisions of a review stand in 1 of 2 files ({reviewed}). They stay, and")
    assert reviewed.read_bytes() == before
    assert "mepps_threshold" in interval_tables(other)


def test_a_reviewed_file_that_is_declined_stays_and_is_no_error(
    reviewed: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "run", False)
    before = reviewed.read_bytes()
    assert call("detect", reviewed, "--detector", "threshold") == Called(0, "", "")
    assert reviewed.read_bytes() == before


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_who_agrees_or_says_so_before_gets_new_tables_and_keeps_the_decisions(
    words: tuple[str, ...], reviewed: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = answer(monkeypatch, "run", True)
    called = call("detect", reviewed, "--detector", "threshold", "--channel", "Vm", *words)
    assert called.code == 0, called.err
    assert len(questions) == (0 if words else 1)
    assert {"mepps_threshold_Vm", "mepps_curated_Vm"} <= set(interval_tables(reviewed))
