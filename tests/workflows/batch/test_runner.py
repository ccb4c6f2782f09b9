"""A batch: what can be done is done, the rest is named; tables of all of it."""

from __future__ import annotations

import csv
import re
import signal
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from nwb_mepp._utils.atomic_files import hold
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, FileOutcome, WriteOptions
from nwb_mepp.workflows.batch import Failure, Plan, convert_batch, explain, plan_batch, run_batch
from nwb_mepp.workflows.limits import BatchLimits, LimitOptions

SETTINGS = DetectionSettings(detectors=("matched_filter",))
VOLTS = ReadOptions(unit={"": "V"})
KNOWN = WriteOptions(session_start="2026-01-15T10:00:00Z", override=True)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_text(tmp_path / "rec" / "run1.txt", mepp_trace())
    write_text(tmp_path / "rec" / "run2.txt", mepp_trace(onsets_s=ONSETS_S[:3], seed=3))
    return tmp_path


def run(plan: Plan, **changes: Any) -> Any:
    return run_batch(plan, settings=SETTINGS, read_options=VOLTS, picture=False, **changes)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_bad_file_is_named_and_the_others_are_done(work: Path) -> None:
    (work / "rec" / "run0.txt").write_text("Dear diary,\ntoday the fiber died.\n")
    told: list[FileOutcome | Failure] = []
    plan = plan_batch(["rec/run0.txt", "rec/run1.txt", "rec/run2.txt"], folder="out", write_options=KNOWN)
    outcome = run(plan, on_done=told.append)
    assert [one.path.name for one in outcome.done] == ["run1.txt", "run2.txt"]
    assert [one.path.name for one in outcome.failures] == ["run0.txt"]
    assert len(told) == 3
    assert outcome.tables == (Path("out/mepps.csv"), Path("out/summary.csv"), Path("out/failures.csv"))

    events = table(work / "out" / "mepps.csv")
    assert [row["file"] for row in events] == ["rec/run1.txt.nwb"] * len(ONSETS_S) + ["rec/run2.txt.nwb"] * 3
    assert [float(row["start_time"]) for row in events] == pytest.approx(
        [*ONSETS_S, *ONSETS_S[:3]], abs=0.3e-3
    )
    assert [row["n_mepps"] for row in table(work / "out" / "summary.csv")] == [str(len(ONSETS_S)), "3"]
    (failure,) = table(work / "out" / "failures.csv")
    assert failure == {"file": "rec/run0.txt", "reason": outcome.failures[0].reason}

    # The next batch keeps what is there, lists it again, and has no failures to list.
    again = run(plan_batch(["rec/run1.txt", "rec/run2.txt"], folder="out", write_options=KNOWN))
    assert [one.status for one in again.done] == ["kept", "kept"]
    assert table(work / "out" / "mepps.csv") == events
    assert not (work / "out" / "failures.csv").exists()


def test_two_processes_do_the_same_work_in_the_same_order(work: Path) -> None:
    outcome = run(plan_batch(["rec"], folder="out", write_options=KNOWN), n_processes=2)
    assert [(one.path.name, one.status) for one in outcome.done] == [
        ("run1.txt", "written"),
        ("run2.txt", "written"),
    ]
    events = table(work / "out" / "mepps.csv")
    assert [float(row["start_time"]) for row in events] == pytest.approx(
        [*ONSETS_S, *ONSETS_S[:3]], abs=0.3e-3
    )


def test_a_batch_of_which_nothing_is_done_writes_nothing(work: Path) -> None:
    outcome = run(plan_batch(["rec/run9.txt"], folder="out", write_options=KNOWN))
    assert outcome.done == ()
    assert len(outcome.failures) == 1
    assert not (work / "out").exists()


def test_converting_a_batch_writes_no_tables_but_that_of_failures(work: Path) -> None:
    (work / "rec" / "run3.txt").write_text("")
    plan = plan_batch(["rec/run1.txt", "rec/run3.txt"], folder="out", write_options=KNOWN)
    outcome = convert_batch(plan, read_options=VOLTS, worded=str.upper)
    (failure,) = table(work / "out" / "failures.csv")
    assert failure["reason"] == outcome.failures[0].reason.upper()
    assert [one.output for one in outcome.done] == [Path("out/rec/run1.txt.nwb")]
    assert sorted(path.name for path in (work / "out").rglob("*") if path.is_file()) == [
        ".nwb-mepp.json",
        "failures.csv",
        "run1.txt.nwb",
    ]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ReadError("run07.abf: expected\n this."), "run07.abf: expected this."),
        (OutputError("expected to write."), "expected to write."),
        (OSError(5, "Input/output error"), "the operating system reports: [Errno 5] Input/output error."),
        (MemoryError(), "there is not enough free memory"),
        (KeyError("x"), "this is a bug in nwb-mepp (KeyError: 'x'); please report it"),
    ],
)
def test_every_error_becomes_a_sentence(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NWB_MEPP_DEBUG", raising=False)
    assert explain(error).startswith(sentence)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("NWB_MEPP_DEBUG", "1")
    assert explain(error).startswith(sentence)
    assert type(error).__name__ in capsys.readouterr().err


def test_what_hdf5_cannot_read_or_write_is_no_bug(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["group/values"] = np.arange(10)
    content = bytearray(path.read_bytes())
    content[content.index(b"SNOD") : content.index(b"SNOD") + 4] = b"xxxx"  # a node of the table of names
    path.write_bytes(content)
    with h5py.File(path, "r") as file, pytest.raises(RuntimeError) as raised:
        "group" in file  # noqa: B015
    assert explain(raised.value) == (
        "HDF5 reports: Unable to synchronously check link existence (bad symbol table node signature); the "
        "file is probably damaged: copy or export it anew."
    )
    with h5py.File(tmp_path / "b.h5", "w") as file:
        with pytest.raises(RuntimeError) as wrapped:
            _put(file, "\udcb6")
        assert explain(wrapped.value).startswith("HDF5 reports: 'utf-8' codec can't encode character")
        with pytest.raises(KeyError) as missing:
            file["none"]
    assert explain(missing.value).startswith("this is a bug in nwb-mepp (KeyError")


def _put(file: h5py.File, text: str) -> None:
    try:
        file.attrs["name"] = text
    except UnicodeEncodeError as error:
        raise RuntimeError("unable to write attribute") from error


def test_a_defect_is_named_with_its_file(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(*_: Any, **__: Any) -> FileOutcome:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("nwb_mepp.workflows.batch.runner.run_file", fragile)
    outcome = run(plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN))
    assert [one.path.name for one in outcome.failures] == ["run1.txt"]
    assert "this is a bug in nwb-mepp (ZeroDivisionError" in outcome.failures[0].reason
    assert not (work / "out").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("(errno = 28, x)")])
def test_a_full_disk_is_called_that(error: Exception) -> None:
    assert explain(error).startswith("expected room for the output, found the disk full")
    outer = ValueError("closing failed")
    outer.__cause__ = error
    assert explain(outer) == explain(error)


@pytest.mark.parametrize("argument", ["rec", "rec/run1.txt"])
def test_a_file_that_exceeds_its_limit_is_named_and_the_others_are_done(work: Path, argument: str) -> None:
    limits = LimitOptions(time_limit_s=1e-3)
    outcome = run(plan_batch([argument], folder="out", write_options=KNOWN), limits=limits)
    assert outcome.done == ()
    assert {one.reason for one in outcome.failures} == {
        "expected to be done with the file within 0.001 s, and it was given up; it may be damaged. If it is "
        "sound, allow more with `time_limit_s`."
    }
    assert len(outcome.failures) == (2 if argument == "rec" else 1)
    assert not list(work.rglob("*.nwb"))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is watched by /proc")
@pytest.mark.usefixtures("work")
def test_a_file_that_takes_too_much_memory_is_named() -> None:
    limits = LimitOptions(memory_limit_gb=0.01)
    outcome = run(plan_batch(["rec"], folder="out", write_options=KNOWN), limits=limits)
    assert [one.path.name for one in outcome.failures] == ["run1.txt", "run2.txt"]
    assert outcome.failures[0].reason.startswith("expected to need at most 0.01 GB of memory, and the file")


@pytest.mark.parametrize("argument", ["rec", "rec/run2.txt"])
def test_a_file_that_may_take_more_than_the_budget_is_named_and_the_others_are_done(
    work: Path, argument: str
) -> None:
    # What a file may take grows with its size, and run2 is padded here.
    with (work / "rec" / "run2.txt").open("a") as stream:
        stream.write("#" + "-" * 10_000_000 + "\n")
    limits = BatchLimits(memory_budget_gb=4.1)
    outcome = run(plan_batch([argument], folder="out", write_options=KNOWN), limits=limits)
    assert [one.path.name for one in outcome.done] == (["run1.txt"] if argument == "rec" else [])
    (failure,) = outcome.failures
    assert failure.path.name == "run2.txt"
    assert re.fullmatch(
        r"expected a memory budget of 4\.\d+ GB or more, which the file may take, found 4\.1 GB; allow more "
        r"with `memory_budget_gb`, or less for a file with `memory_limit_gb`\.",
        failure.reason,
    )


def test_tables_list_all_outputs_in_the_folder(work: Path) -> None:
    run(plan_batch(["rec/run2.txt"], folder="out", write_options=KNOWN))
    (work / "out" / "notes.nwb").write_text("not ours, and no NWB file")
    outcome = run(plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN))
    files = [row["file"] for row in table(work / "out" / "mepps.csv")]
    assert files == ["rec/run1.txt.nwb"] * len(ONSETS_S) + ["rec/run2.txt.nwb"] * 3
    assert [row["file"] for row in table(work / "out" / "summary.csv")] == [
        "rec/run1.txt.nwb",
        "rec/run2.txt.nwb",
    ]
    (failure,) = outcome.failures
    assert failure.path == Path("out/notes.nwb")
    assert failure.reason.startswith("its MEPPs are missing in the tables: expected an NWB file (HDF5)")
    # Both at once give the same.
    together = run(plan_batch(["rec"], folder="both", write_options=KNOWN))
    assert together.failures == ()
    for name in ("mepps.csv", "summary.csv"):
        assert (work / "both" / name).read_bytes() == (work / "out" / name).read_bytes()


@pytest.mark.parametrize("name", ["mepps.csv", "summary.csv", "failures.csv"])
def test_a_table_of_the_user_blocks_the_batch_before_any_work(work: Path, name: str) -> None:
    own = work / "out" / name
    own.parent.mkdir()
    own.write_text("mine\n")
    plan = plan_batch(["rec"], folder="out", write_options=KNOWN)
    with pytest.raises(
        OutputError, match=rf"{name} to be free or written by nwb-mepp, .*; move or rename it"
    ):
        run(plan)
    assert [path.name for path in own.parent.iterdir()] == [name]
    assert own.read_text() == "mine\n"
    if name == "failures.csv":
        with pytest.raises(OutputError, match=r"failures\.csv to be free"):
            convert_batch(plan, read_options=VOLTS)
        assert own.read_text() == "mine\n"


def test_a_picture_of_the_user_blocks_its_recording(work: Path) -> None:
    own = work / "out" / "rec" / "run1.txt.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    plan = plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN)
    outcome = run_batch(plan, settings=SETTINGS, read_options=VOLTS)
    assert "run1.txt.png to be free or written by nwb-mepp" in outcome.failures[0].reason
    assert [path.name for path in own.parent.iterdir()] == [own.name]
    assert own.read_bytes() == b"mine"


def test_a_picture_that_cannot_be_written_is_named_and_the_rest_is_there(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    plan = plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN)
    outcome = run_batch(plan, settings=SETTINGS, read_options=VOLTS)
    assert [one.status for one in outcome.done] == ["written"]
    (failure,) = outcome.failures
    assert failure.path == Path("rec/run1.txt")
    assert failure.reason.startswith("the NWB file is written, but its picture is missing: expected to write")
    assert "No space left on device" in failure.reason
    assert len(table(work / "out" / "mepps.csv")) == len(ONSETS_S)
    assert not list((work / "out").rglob("*.png"))


def test_a_second_batch_on_the_folder_is_refused_its_tables(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nwb_mepp._utils.file_lock.WAIT_S", 0.1)
    holding = threading.Event()
    done = threading.Event()

    def other_batch() -> None:
        with hold(work / "out" / "mepps.csv"):
            holding.set()
            done.wait(60)

    other = threading.Thread(target=other_batch)
    other.start()
    holding.wait(60)
    try:
        outcome = run(plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN))
    finally:
        done.set()
        other.join()
    assert [one.status for one in outcome.done] == ["written"]
    assert outcome.failures[0].path == Path("out")
    assert outcome.failures[0].reason.startswith(
        "the NWB files are there, but not the tables: expected to write"
    )
    assert "another nwb-mepp" in outcome.failures[0].reason
    again = run(plan_batch(["rec/run1.txt"], folder="out", write_options=KNOWN))
    assert again.failures == ()
    assert len(table(work / "out" / "mepps.csv")) == len(ONSETS_S)


def test_ctrl_c_ends_a_batch_after_the_file_in_progress(work: Path) -> None:
    said: list[str] = []

    def interrupt_once(_: str) -> None:
        if not said:
            said.append("interrupted")
            signal.raise_signal(signal.SIGINT)

    outcome = run(
        plan_batch(["rec"], folder="out", write_options=KNOWN),
        on_progress=interrupt_once,
        on_interrupt=lambda: said.append("ends"),
    )
    assert said == ["interrupted", "ends"]
    assert [one.path.name for one in outcome.done] == ["run1.txt"]
    assert (outcome.failures, outcome.n_left) == ((), 1)
    assert len(table(work / "out" / "mepps.csv")) == len(ONSETS_S)
