from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nwb_mepp._utils.atomic_files import complete_or_absent, hold
from nwb_mepp.core.errors import OutputError


def write_and_fail(path: Path, failure: BaseException) -> None:
    with complete_or_absent(path) as temporary:
        temporary.write_text("half")
        raise failure


def test_the_file_appears_when_the_block_ends_well(tmp_path: Path) -> None:
    target = tmp_path / "deeper" / "a.nwb"
    with complete_or_absent(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("failure", [RuntimeError("broken"), KeyboardInterrupt()])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_else(
    tmp_path: Path, failure: BaseException
) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    with pytest.raises(type(failure)):
        write_and_fail(target, failure)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions as bits are POSIX's")
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    target.chmod(0o640)
    with complete_or_absent(target) as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text() == "new"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(
            OutputError, match=r"expected to write .*a\.nwb, found: .*check the folder's permissions"
        ),
        complete_or_absent(tmp_path / "file" / "a.nwb"),
    ):
        pass


def test_a_folder_without_write_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The check is replaced, for the tests may run as a user who may write anywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="is not writable"), complete_or_absent(tmp_path / "a.nwb"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="found: No space left on device"):
        write_and_fail(tmp_path / "a.nwb", OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


def put(path: Path, text: str) -> None:
    with complete_or_absent(path) as temporary:
        temporary.write_text(text)


def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_and_fail(tmp_path / "new" / "deeper" / "a.nwb", RuntimeError("broken"))
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.nwb", tmp_path / "link.nwb"
    real.write_text("old")
    link.symlink_to(Path("elsewhere", "real.nwb"))
    put(link, "new")
    assert link.readlink() == Path("elsewhere", "real.nwb")
    assert real.read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "link.nwb", "real.nwb"]


def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nwb").symlink_to("a.nwb")
    with pytest.raises(OutputError, match="symbolic links"):
        put(tmp_path / "a.nwb", "new")


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes are Linux's")
def test_extended_attributes_of_a_replaced_file_stay(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    try:
        os.setxattr(target, "user.lab", b"7")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    put(target, "new")
    assert os.getxattr(target, "user.lab") == b"7"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only the superuser gives files away")
def test_owner_and_group_of_a_replaced_file_stay(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    os.chown(target, 12_345, 23_456)
    put(target, "new")
    assert (target.stat().st_uid, target.stat().st_gid) == (12_345, 23_456)


@pytest.mark.skipif(os.name != "posix", reason="permissions as bits are POSIX's")
def test_a_read_only_file_is_refused_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(OutputError, match=r"a\.nwb, found that it is read-only; make it writable"):
        put(target, "new")
    assert target.read_text() == "old"


def test_a_file_of_two_names_is_refused_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    os.link(target, tmp_path / "b.nwb")
    with pytest.raises(OutputError, match=r"has 2 names \(hard links\)"):
        put(target, "new")
    assert target.read_text() == "old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="found a named pipe; give the name of a file"):
        put(tmp_path / "pipe", "new")
    with pytest.raises(OutputError, match="found a folder"):
        put(tmp_path, "new")


@pytest.mark.parametrize("name", ["a" * 251 + ".nwb", "é" * 125 + ".nwb", "a" * 200 + "." + "b" * 54])
def test_a_name_of_255_bytes_at_most_works(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_that_is_too_long_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        put(tmp_path / ("a" * 256), "new")
    assert list(tmp_path.iterdir()) == []


def test_what_another_program_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    target.write_text("old")
    with hold(target):
        target.write_text("theirs")
        with pytest.raises(OutputError, match="another program has changed it since"):
            put(target, "new")
    assert target.read_text() == "theirs"


def test_what_another_program_put_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"

    def write_while_another_writes() -> None:
        with complete_or_absent(target) as temporary:
            temporary.write_text("new")
            target.write_text("theirs")

    with pytest.raises(OutputError, match="another program has changed it since"):
        write_while_another_writes()
    assert target.read_text() == "theirs"


def test_who_holds_a_file_may_replace_it_more_than_once(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    with hold(target):
        put(target, "first")
        put(target, "second")
    assert target.read_text() == "second"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it is not known whether a process has ended")
def test_what_a_killed_process_left_is_removed_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "a.nwb"
    program = (
        "import os, sys, pathlib; from nwb_mepp._utils.atomic_files import complete_or_absent\n"
        "with complete_or_absent(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(bytes(2_000_000)); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert len(list(tmp_path.iterdir())) == 2, "a temporary file and a lock"
    mine = tmp_path / ".nwb-mepp-notes"
    mine.write_text("of the user")
    put(tmp_path / "b.nwb", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".nwb-mepp-notes", "b.nwb"]
    assert caplog.messages == [
        f"removed 1 temporary file (2.0 MB) from {tmp_path} that an interrupted nwb-mepp had left."
    ]


def test_the_temporary_file_of_a_living_process_stays(tmp_path: Path) -> None:
    with complete_or_absent(tmp_path / "a.nwb") as temporary:
        temporary.write_text("half")
        put(tmp_path / "b.nwb", "new")
        assert temporary.read_text() == "half"
