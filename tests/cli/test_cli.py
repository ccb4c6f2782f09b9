"""The program as a whole: help, version, pipes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.command_line import Call


def test_version_and_help_succeed(call: Call) -> None:
    from nwb_mepp import __version__

    assert call("--version").out == f"nwb-mepp {__version__}\n"
    for arguments in (("--help",), (), ("run", "--help"), ("metadata", "--help")):
        called = call(*arguments)
        assert called.code == 0
        assert "Usage: nwb-mepp" in called.out


def test_a_pipe_that_closes_early_gets_no_error(annotated: Path) -> None:
    command = [sys.executable, "-m", "nwb_mepp", "events", *[str(annotated)] * 2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait() == 0
    assert errors == ""


def test_names_in_any_alphabet_reach_a_pipe_whatever_its_encoding(lab_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "Мышь 7.txt"
    shutil.copy(lab_file, path)
    command = [sys.executable, "-m", "nwb_mepp", "info", str(path), "--unit", "V"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    finished = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert finished.returncode == 0, finished.stderr
    assert str(path) in finished.stdout.decode("utf-8")


def test_a_search_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from nwb_mepp.cli.console import show_search

    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with show_search("recordings"):
        pass
    assert stream.getvalue() == ""
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setenv("TERM", "xterm")
    with show_search("recordings"):
        pass
    assert "searching for recordings" in stream.getvalue()


@pytest.mark.parametrize(("n_files", "told"), [(1, False), (2, True)])
def test_of_several_files_it_is_told_how_long_they_will_take(
    n_files: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nwb_mepp.cli.console import show_progress

    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with show_progress(n_files) as progress:
        progress.advance()
        progress.describe("reading")
    assert "reading" in stream.getvalue()
    assert ("left" in stream.getvalue()) is told
