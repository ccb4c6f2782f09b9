"""What `make faults` found, and what belongs to it: each once by itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from builders.command_line import STATED, Call
from builders.known_mepps import mepp_trace, write_text
from builders.neo_objects import full_block, write_nix
from nwb_mepp._utils.atomic_files import complete_or_absent, refuse_unwritten
from nwb_mepp.core.errors import OutputError

POSIX = pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX's here")
START = STATED[2:4]


def test_reading_a_nix_file_does_not_change_it(call: Call, tmp_path: Path) -> None:
    path = write_nix(tmp_path / "run.nix", full_block())
    with h5py.File(path, "r+") as file:
        del file["metadata/neo"]  # Neo writes it anew where it is missing, if it may
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert call("info", path).code == 0
    call("convert", path, "-o", tmp_path / "out", *START)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def fail_in_destructor(message: str) -> None:
    class Failing:
        def __del__(self) -> None:
            raise RuntimeError(message)

    Failing()


HDF5_SAYS = (
    "Can't decrement id ref count (file write failed: filename = 'x', errno = 28, error message = 'full')"
)


def write_and_fail(path: Path, *, then: Callable[[], object]) -> None:
    with complete_or_absent(path) as temporary:
        temporary.write_bytes(b"new")
        fail_in_destructor(HDF5_SAYS)
        then()


def fail_again() -> None:
    raise RuntimeError("Can't decrement id ref count (unsupported storage layout)")


def test_what_hdf5_could_not_write_in_a_destructor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    path.write_bytes(b"old")
    sentence = r"expected to write .*a\.nwb, found: No space left on device; check"
    with pytest.raises(OutputError, match=sentence):
        write_and_fail(path, then=lambda: None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_refused_before_the_file_is_opened_again(tmp_path: Path) -> None:
    path, reached = tmp_path / "a.nwb", []

    def check_and_go_on() -> None:
        refuse_unwritten(path)
        reached.append(True)

    with pytest.raises(OutputError, match="No space left on device"):
        write_and_fail(path, then=check_and_go_on)
    assert not reached


def test_an_error_that_follows_from_it_is_explained_by_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left on device"):
        write_and_fail(tmp_path / "a.nwb", then=fail_again)


def test_destructors_of_others_do_no_harm(tmp_path: Path) -> None:
    with complete_or_absent(tmp_path / "a.txt") as temporary:
        temporary.write_bytes(b"new")
        fail_in_destructor("something else")
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize(
    "command",
    [
        ("info",),
        ("events",),
        ("summary",),
        ("validate",),
        ("extension", "remove"),
        ("evaluate", "--truth", "mepps_truth"),
    ],
)
def test_every_command_that_reads_has_a_limit_of_time(
    call: Call, annotated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    file = Path(shutil.copyfile(annotated, tmp_path / "a.nwb"))
    before = file.read_bytes()
    with monkeypatch.context() as patched:
        # As if HDF5 never came to an end.
        patched.setattr(h5py, "File", lambda *_, **__: time.sleep(60))
        called = call(*command, file, "--time-limit", "0.0001")
    assert called.code == 1
    assert called.err.startswith(f"nwb-mepp: {file}: expected to be done with the file within 0.0001 s")
    assert file.read_bytes() == before


@POSIX
@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--metadata",
            "expected a metadata file, found a named pipe at {}; save what it gives to a file first.",
        ),
        (
            "--sessions",
            "--sessions: expected a table, found a named pipe at {}; save what it gives to a file",
        ),
        (
            "--events",
            "expected a file of marks, found a named pipe at {}; save what it gives to a file first.",
        ),
    ],
)
def test_a_pipe_beside_the_recording_is_refused_and_never_waited_for(
    call: Call, lab_file: Path, tmp_path: Path, option: str, sentence: str
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    stated = STATED[:4] if option != "--sessions" else STATED[:2]
    called = call("convert", lab_file, "-o", tmp_path / "out", *stated, option, pipe)
    assert called.code in {1, 2}
    assert sentence.format(pipe) in called.err


@POSIX
def test_a_pipe_as_truth_is_refused(call: Call, annotated: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "truth.csv")
    called = call("evaluate", annotated, "--truth", tmp_path / "truth.csv")
    assert called.code == 1
    assert "expected a file of marks, found a named pipe" in called.err


@POSIX
def test_a_pipe_instead_of_weights_is_refused(call: Call, lab_file: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    options = (*STATED[:4], "--detector", "miniunet", "--weights", tmp_path)
    called = call("run", lab_file, "-o", tmp_path / "out", *options)
    assert called.code != 0
    assert (
        "expected the file config.json, found a named pipe; export the weights anew."
        in called.err.replace("again", "anew")
    )


def test_a_picture_that_cannot_be_drawn_is_named_and_the_rest_is_written(
    call: Call, lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nwb_mepp.workflows.pictures.draw_picture", full)
    called = call("run", lab_file, "-o", tmp_path, *STATED)
    assert called.code == 1
    assert "the NWB file is written, but its picture is missing: the operating system reports:" in called.err
    assert (tmp_path / "run07.txt.nwb").is_file()
    assert (tmp_path / "mepps.csv").is_file()


def test_two_runs_at_once_into_one_folder_list_both(tmp_path: Path) -> None:
    files = [write_text(tmp_path / f"{name}.txt", mepp_trace(seed=seed)) for seed, name in enumerate("ab")]
    out = tmp_path / "out"
    command = [sys.executable, "-m", "nwb_mepp", "run"]
    options = ["-o", str(out), *STATED, "--no-picture"]
    runs = [
        subprocess.Popen([*command, str(file), *options], stderr=subprocess.PIPE, text=True) for file in files
    ]
    said = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    rows = (out / "summary.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["a.txt.nwb", "b.txt.nwb"]
    assert sorted(path.name for path in out.glob(".*")) == [".nwb-mepp.json"]
