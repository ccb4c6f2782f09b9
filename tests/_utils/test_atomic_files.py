from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nwb_mepp._utils.atomic_files import complete_or_absent
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
    target.chmod(0o440)
    with complete_or_absent(target) as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o440
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
