"""Files of others, links, several writers and killed ones, through the whole command line."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders.command_line import STATED, Call
from nwb_mepp.cli import main
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import read_results
from nwb_mepp.workflows.analysis import analyze

POSIX = pytest.mark.skipif(os.name != "posix", reason="links, permissions and pipes are POSIX's here")


@pytest.fixture(scope="module")
def converted(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An NWB file without MEPPs; not to be changed."""
    folder = tmp_path_factory.mktemp("converted")
    assert main(["convert", str(lab_file), "-o", str(folder), *STATED[:4]]) == 0
    return folder / "run07.txt.nwb"


@pytest.fixture
def bare(converted: Path, tmp_path: Path) -> Path:
    """An NWB file without MEPPs, alone in its folder."""
    (tmp_path / "in").mkdir()
    return Path(shutil.copy(converted, tmp_path / "in"))


def detectors_in(path: Path) -> list[str]:
    return sorted(result.detector for result in read_results(path))


@POSIX
def test_detect_through_a_link_changes_the_file_and_keeps_the_link(
    bare: Path, tmp_path: Path, call: Call
) -> None:
    link = tmp_path / "link.nwb"
    link.symlink_to(bare)
    bare.chmod(0o660)
    assert call("detect", link, "--detector", "matched_filter").code == 0
    assert link.readlink() == bare
    assert detectors_in(bare) == ["matched_filter"]
    assert stat.S_IMODE(bare.stat().st_mode) == 0o660


@POSIX
@pytest.mark.parametrize("command", [("detect", "--detector", "matched_filter"), ("extension", "add")])
def test_a_read_only_file_is_refused_and_stays(
    annotated: Path, tmp_path: Path, call: Call, command: tuple[str, ...]
) -> None:
    file = Path(shutil.copyfile(annotated, tmp_path / "a.nwb"))
    file.chmod(0o444)
    called = call(*command, file)
    assert called.code == 1
    assert f"expected to replace {file}, found that it is read-only; make it writable" in called.err
    assert file.read_bytes() == annotated.read_bytes()
    assert list(tmp_path.iterdir()) == [file]


@POSIX
def test_a_file_of_two_names_is_refused_and_stays(annotated: Path, tmp_path: Path, call: Call) -> None:
    file = Path(shutil.copyfile(annotated, tmp_path / "a.nwb"))
    os.link(file, tmp_path / "b.nwb")
    called = call("detect", file, "--detector", "matched_filter")
    assert called.code == 1
    assert "has 2 names (hard links)" in called.err
    assert file.read_bytes() == annotated.read_bytes()


def test_of_two_detections_at_once_both_results_are_there_or_one_is_refused(
    bare: Path, tmp_path: Path
) -> None:
    file = Path(shutil.copyfile(bare, tmp_path / "a.nwb"))
    detectors = ["matched_filter", "threshold"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "nwb_mepp", "detect", str(file), "--detector", detector],
            stderr=subprocess.PIPE,
            text=True,
        )
        for detector in detectors
    ]
    said = [writer.communicate()[1] for writer in writers]
    codes = [writer.returncode for writer in writers]
    assert detectors_in(file) == [
        detector for detector, code in zip(detectors, codes, strict=True) if code == 0
    ]
    assert 0 in codes
    assert all(
        code == 0 or "is writing it; wait until it has ended" in text
        for code, text in zip(codes, said, strict=True)
    ), said
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_file_that_another_program_changes_meanwhile_gives_no_copy_with_results(
    bare: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def analyze_and_change(*arguments: Any, **options: Any) -> list[ChannelResult]:
        results = analyze(*arguments, **options)
        bare.touch()
        return results

    monkeypatch.setattr("nwb_mepp.workflows.annotation.analyze", analyze_and_change)
    called = call("detect", bare, "-o", tmp_path / "copy.nwb", "--detector", "matched_filter")
    assert called.code == 1
    assert f"expected {bare} as it was at the beginning" in called.err
    assert not (tmp_path / "copy.nwb").exists()


@POSIX
def test_what_a_killed_detection_left_is_removed_by_the_next_and_said(bare: Path, call: Call) -> None:
    program = (
        "import os, sys; from nwb_mepp._utils import atomic_files; from nwb_mepp.cli import main\n"
        "atomic_files._flush = lambda *_: os.kill(os.getpid(), 9)\n"
        "main(sys.argv[1:])"
    )
    before = bare.read_bytes()
    arguments = ["detect", str(bare), "--detector", "matched_filter"]
    subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert len(list(bare.parent.iterdir())) == 3, "the file, a temporary file and a lock"
    assert bare.read_bytes() == before
    called = call(*arguments)
    assert called.code == 0
    assert called.err.startswith("nwb-mepp: note: removed 1 temporary file (")
    assert called.err.count("\n") == 2, called.err
    assert list(bare.parent.iterdir()) == [bare]


def test_a_picture_of_someone_else_is_named_and_nothing_is_written(
    lab_file: Path, tmp_path: Path, call: Call
) -> None:
    own = tmp_path / "run07.txt.png"
    own.write_bytes(b"of the user")
    called = call("run", lab_file, "-o", tmp_path, *STATED)
    assert called.code == 1
    assert f"expected {own} to be free or written by nwb-mepp" in called.err
    assert own.read_bytes() == b"of the user"
    assert list(tmp_path.iterdir()) == [own]


def test_its_own_picture_is_replaced(lab_file: Path, tmp_path: Path, call: Call) -> None:
    assert call("run", lab_file, "-o", tmp_path, *STATED).code == 0
    picture = tmp_path / "run07.txt.png"
    inode = picture.stat().st_ino
    again = call("run", lab_file, "-o", tmp_path, *STATED, "--min-amplitude-sd", "4", "--overwrite")
    assert again.code == 0, again.err
    assert picture.stat().st_ino != inode


@pytest.mark.parametrize("length", [242, 255])
def test_an_output_of_a_long_name_is_written(lab_file: Path, tmp_path: Path, call: Call, length: int) -> None:
    source = tmp_path / f"{'a' * (length - 8)}.txt"
    shutil.copyfile(lab_file, source)
    called = call("convert", source, "-o", tmp_path / "out", *STATED[:4])
    assert called.code == 0, called.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{source.name}.nwb"]


# In a process of its own, which can be ended where it waits.
ONE_AFTER_ANOTHER = """
import sys
from nwb_mepp.cli import main
for line in sys.stdin:
    code = main(line.split())
    print("ended with", code, file=sys.stderr)
"""


@POSIX
def test_a_pipe_as_input_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    for name in ("pipe", "pipe.txt", "pipe.nwb"):
        os.mkfifo(tmp_path / name)
    commands = (
        "run pipe.txt -o out",
        "convert pipe -o out",
        "info pipe.txt",
        "info pipe.nwb",
        "detect pipe.nwb",
        "validate pipe.nwb",
    )
    called = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER],
        input="\n".join(commands),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *said, rest = called.stderr.split("ended with 1\n")
    assert (len(said), rest) == (len(commands), ""), called.stderr
    for command, one in zip(commands, said, strict=True):
        assert "found a named pipe" in one, command
        assert "bug" not in one, command


@POSIX
def test_a_pipe_as_output_is_refused(bare: Path, tmp_path: Path, call: Call) -> None:
    os.mkfifo(tmp_path / "pipe.nwb")
    called = call("detect", bare, "-o", tmp_path / "pipe.nwb", "--overwrite", "--detector", "matched_filter")
    assert called.code == 1
    assert "found a named pipe; give the name of a file" in called.err
