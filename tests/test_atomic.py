from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nwb_mepp.atomic import complete_or_absent
from nwb_mepp.errors import OutputError


def write_and_fail(path: Path, failure: BaseException) -> None:
    with complete_or_absent(path) as temporary:
        temporary.write_text("half")
        raise failure


def test_the_file_appears_when_the_block_ends_well(folder: Path) -> None:
    target = folder / "deeper" / "a.nwb"
    with complete_or_absent(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("failure", [RuntimeError("broken"), KeyboardInterrupt()])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_else(
    folder: Path, failure: BaseException
) -> None:
    target = folder / "a.nwb"
    target.write_text("old")
    with pytest.raises(type(failure)):
        write_and_fail(target, failure)
    assert target.read_text() == "old"
    assert list(folder.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions as bits are POSIX's")
def test_a_replaced_file_keeps_its_permissions(folder: Path) -> None:
    target = folder / "a.nwb"
    target.write_text("old")
    target.chmod(0o440)
    with complete_or_absent(target) as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o440
    assert target.read_text() == "new"


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    with (
        pytest.raises(
            OutputError, match=r"expected to write .*a\.nwb, found: .*check the folder's permissions"
        ),
        complete_or_absent(folder / "file" / "a.nwb"),
    ):
        pass


def test_a_folder_without_write_permission_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The check is replaced, for the tests may run as a user who may write anywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="is not writable"), complete_or_absent(folder / "a.nwb"):
        pass
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_said_in_a_sentence(folder: Path) -> None:
    with pytest.raises(OutputError, match="found: No space left on device"):
        write_and_fail(folder / "a.nwb", OSError(28, "No space left on device"))
    assert list(folder.iterdir()) == []
