"""Which files a batch works on, and where the output of each belongs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from builders.known_mepps import mepp_trace, write_text
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.workflows import WriteOptions
from nwb_mepp.workflows.batch import Failure, find_nwb_files, plan_batch

TRACE = mepp_trace(duration_s=0.01, onsets_s=())


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with recordings in and beside it."""
    folder = tmp_path / "work"
    for name in ("work/day1/run1.txt", "work/day1/run2.txt", "work/day2/run1.txt", "beside/run9.txt"):
        write_text(tmp_path / name, TRACE)
    monkeypatch.chdir(folder)
    return folder


def outputs(*paths: str | Path, folder: str = "out") -> list[str]:
    plan = plan_batch(paths, folder=folder)
    assert plan.failures == ()
    return [job.output.as_posix() for job in plan.jobs]


@pytest.mark.usefixtures("work")
def test_an_output_lies_under_the_folder_at_the_path_as_typed() -> None:
    assert outputs("day1/run1.txt", "day2/run1.txt") == ["out/day1/run1.txt.nwb", "out/day2/run1.txt.nwb"]
    assert outputs("./day1/../day2/run1.txt") == ["out/day2/run1.txt.nwb"]
    assert outputs(".") == [
        "out/day1/run1.txt.nwb",
        "out/day1/run2.txt.nwb",
        "out/day2/run1.txt.nwb",
    ]
    assert outputs("day1/*.txt") == ["out/day1/run1.txt.nwb", "out/day1/run2.txt.nwb"]


def test_a_path_that_leads_out_counts_from_the_argument(work: Path) -> None:
    assert outputs("../beside/run9.txt") == ["out/run9.txt.nwb"]
    assert outputs("../beside") == ["out/run9.txt.nwb"]
    assert outputs(work / "day1" / "run2.txt") == ["out/run2.txt.nwb"]
    assert outputs(work) == ["out/day1/run1.txt.nwb", "out/day1/run2.txt.nwb", "out/day2/run1.txt.nwb"]
    assert outputs(work / "day*" / "run2.txt") == ["out/day1/run2.txt.nwb"]


def test_no_output_ever_lies_outside_its_folder(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    for argument in (".", "..", "../beside/run9.txt", str(work), "day1/../../beside/run9.txt"):
        for job in plan_batch([argument], folder=folder).jobs:
            assert job.output.resolve().is_relative_to(folder)


def test_two_recordings_with_one_output_are_refused_by_name(work: Path) -> None:
    with pytest.raises(UsageError, match=r"day1.run1\.txt and .*day2.run1\.txt would both be written to"):
        plan_batch([work / "day1" / "run1.txt", work / "day2" / "run1.txt"], folder="out")


def test_a_recording_named_twice_is_done_once(work: Path) -> None:
    assert outputs("day1/run1.txt", work / "day1" / "run1.txt", "day1") == [
        "out/day1/run1.txt.nwb",
        "out/day1/run2.txt.nwb",
    ]


def test_what_is_missing_is_listed_and_the_rest_is_planned(work: Path) -> None:
    (work / "notes").mkdir()
    plan = plan_batch(["day1/run1.txt", "day3/run1.txt", "notes", "day9/*.abf"], folder="out")
    assert [job.path.as_posix() for job in plan.jobs] == ["day1/run1.txt"]
    assert [failure.path.as_posix() for failure in plan.failures] == ["day3/run1.txt", "notes", "day9/*.abf"]
    assert "expected a recording, found no such file or folder" in plan.failures[0].reason
    assert "expected recordings in the folder, found none" in plan.failures[1].reason


def test_outputs_of_an_earlier_run_are_not_recordings(work: Path) -> None:
    write_text(work / "out" / "mepps.csv", TRACE)
    assert all("mepps" not in output for output in outputs("."))
    assert outputs("out/mepps.csv") == ["out/out/mepps.csv.nwb"]  # named as a file, it is meant
    (failure,) = plan_batch(["out"], folder="out").failures
    assert "found only outputs in out" in failure.reason


@pytest.mark.usefixtures("work")
def test_one_session_start_for_several_files_is_refused_without_override() -> None:
    known = WriteOptions(session_start="2026-01-15T10:00:00Z")
    with pytest.raises(
        UsageError, match=r"`session_start`: expected one file, found 2, .* `sessions` .* `override=True`"
    ):
        plan_batch(["day1"], folder="out", write_options=known)
    forced = WriteOptions(session_start="2026-01-15T10:00:00Z", override=True)
    assert [job.write_options for job in plan_batch(["day1"], folder="out", write_options=forced).jobs] == [
        forced
    ] * 2


@pytest.mark.usefixtures("work")
def test_an_unknown_reader_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="`reader`: expected one of"):
        plan_batch(["day1"], folder="out", reader="crystal-ball")


def test_nwb_files_are_found_in_folders_and_patterns_each_once(tmp_path: Path) -> None:
    names = ["a/x.nwb", "a/b/y.nwb", "a/.x.nwb.0123.nwb", "a/notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_nwb_files([tmp_path / "a", tmp_path / "a" / "x.nwb", tmp_path / "a" / "*.nwb"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/b/y.nwb", "a/x.nwb"]


def test_an_argument_without_nwb_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected an NWB file in this folder, found none"):
        find_nwb_files([tmp_path])
    with pytest.raises(ReadError, match=r"expected an NWB file, found none: .*x\.nwb; check the path"):
        find_nwb_files([tmp_path / "x.nwb"])


def test_a_failure_names_its_file_once() -> None:
    path = Path("day1", "run1.abf")
    for sentence in ("run1.abf: expected this.", f"{path}: expected this.", "expected this."):
        assert Failure.because(path, sentence) == Failure(path=path, reason="expected this.")


def test_a_folder_that_cannot_be_searched_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "rec" / "a.txt", mepp_trace(duration_s=1.0, onsets_s=()))
    closed = tmp_path / "rec" / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    plan = plan_batch([tmp_path / "rec"], folder=tmp_path / "out")
    assert [job.path.name for job in plan.jobs] == ["a.txt"]
    (failure,) = plan.failures
    assert failure.path == closed
    assert failure.reason == (
        "expected to search this folder for recordings, found: permission denied; check its permissions."
    )


@pytest.mark.parametrize("name", ["CON.txt", "nul.txt", "Com1.txt", "aux"])
def test_an_output_is_no_device_of_windows(name: str, work: Path) -> None:
    (work / name).with_suffix(".txt").write_bytes((work / "day1" / "run1.txt").read_bytes())
    (output,) = outputs(Path(name).with_suffix(".txt"))
    assert output == f"out/_{Path(name).with_suffix('.txt')}.nwb"


def test_a_name_that_only_begins_like_a_device_is_kept(work: Path) -> None:
    (work / "console.txt").write_bytes((work / "day1" / "run1.txt").read_bytes())
    assert outputs("console.txt") == ["out/console.txt.nwb"]
