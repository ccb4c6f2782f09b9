from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.command_line import STATED
from nwb_mepp._utils.cache_folders import writable_cache_folders

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows needs no home")

NAMES = ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home below a file: nobody, not even root, can create anything there."""
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    monkeypatch.setenv("HOME", str(home))
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.mark.usefixtures("no_home")
def test_a_temporary_folder_stands_in_for_the_home() -> None:
    with writable_cache_folders():
        folders = {os.environ["XDG_CACHE_HOME"], os.environ["MPLCONFIGDIR"]}
        (folder,) = map(Path, folders)
        (folder / "cache").touch()
    assert not folder.exists()
    assert not {"XDG_CACHE_HOME", "MPLCONFIGDIR"} & os.environ.keys()


def test_a_home_that_can_be_written_to_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with writable_cache_folders():
        assert not {"XDG_CACHE_HOME", "MPLCONFIGDIR"} & os.environ.keys()
    assert list(tmp_path.iterdir()) == []


def test_a_stated_folder_that_cannot_be_written_to_is_replaced_and_restored(
    no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_home))
    with writable_cache_folders():
        assert Path(os.environ["XDG_CACHE_HOME"]).is_dir()
    assert os.environ["XDG_CACHE_HOME"] == str(no_home)


@pytest.mark.usefixtures("no_home")
def test_run_works_without_a_home(lab_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "nwb_mepp", "run", str(lab_file), "-o", str(out), *STATED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found, note = done.stderr.splitlines()  # nothing from a dependency
    assert found == f"{lab_file} -> {out / 'run07.txt.nwb'}: 8 MEPPs on Voltage (matched_filter)"
    assert note.startswith("nwb-mepp: note: plain series were written")
    assert (out / "run07.txt.png").exists()
