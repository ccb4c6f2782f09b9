"""Files that take too long, disks that are full, streams that are closed: a sentence each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.command_line import STATED, Call
from builders.known_mepps import mepp_trace, write_text

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs a shell and limits of POSIX")


def shell(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in which ``"$0"`` is Python and ``"$@"`` are the arguments."""
    return subprocess.run(
        ["bash", "-c", command, sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_batch_names_the_files_that_take_too_long(call: Call, lab_file: Path, tmp_path: Path) -> None:
    other = write_text(tmp_path / "other.txt", mepp_trace())
    called = call(
        "run", lab_file, other, "-o", tmp_path / "out", "--time-limit", "0.001", *STATED, "--override"
    )
    assert called.code == 1
    assert "2 of 2 files failed" in called.err
    assert f"{other}: expected to be done with the file within 0.001 s" in called.err
    assert "allow more with --time-limit." in called.err


def test_detection_that_takes_too_long_leaves_the_file_as_it_was(
    call: Call, annotated: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.nwb"
    shutil.copy(annotated, path)
    before = path.read_bytes()
    called = call("detect", path, "--detector", "matched_filter", "--time-limit", "0.001")
    assert called.code == 1
    assert called.err.startswith(f"nwb-mepp: {path}: expected to be done with the file within 0.001 s")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


HANGING = """
import ctypes, sys
import nwb_mepp.workflows.annotation as annotation
from nwb_mepp.cli import main

library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
def hang(*_, **__):
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
annotation.open_nwb = hang
sys.exit(main(["detect", sys.argv[1], "--time-limit", "1"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is one of Linux")
def test_detection_that_hangs_in_native_code_ends_with_a_sentence(annotated: Path, tmp_path: Path) -> None:
    # A copy, because the lock of a killed process stays until the next writing.
    path = Path(shutil.copy(annotated, tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", HANGING, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -9
    assert ended.stderr == (
        f"nwb-mepp: {path}: expected to be done with the file within 1 s, and it was given up; it may "
        "be damaged. If it is sound, allow more with --time-limit.\n"
    )


# A limit of file sizes lets every write fail as a full disk does, after so many kilobytes.
WITH_LITTLE_ROOM = """
import resource, sys
from nwb_mepp.cli import main
for kilobytes in (1, 8, 64):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes, resource.RLIM_INFINITY))
    code = main(sys.argv[1:])
    print("ended with", code, file=sys.stderr)
"""


@posix_only
def test_a_write_that_fails_for_want_of_room_leaves_nothing(lab_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_ROOM, "run", str(lab_file), "-o", str(out), *STATED],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    *said, rest = ended.stderr.split("ended with 1\n")
    assert (len(said), rest) == (3, ""), ended.stderr
    for one in said:
        assert "bug" not in one
        assert "Traceback" not in one
        assert "nwb-mepp: " in one
    assert not [path for path in out.rglob("*") if path.is_file()]


@posix_only
def test_data_without_standard_output_are_refused(annotated: Path) -> None:
    ended = shell('"$0" -m nwb_mepp "$@" >&-', "info", annotated)
    assert ended.returncode == 1
    assert (
        ended.stderr == "nwb-mepp: expected standard output for the data, found it closed; leave it open.\n"
    )


@posix_only
def test_a_run_without_standard_error_does_its_work(call: Call, lab_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = shell('"$0" -m nwb_mepp "$@" 2>&- <&-', "run", lab_file, "-o", out, *STATED)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert {"mepps.csv", "summary.csv"} <= {path.name for path in out.iterdir()}
    assert "matched_filter" in call("summary", out).out
