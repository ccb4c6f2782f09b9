"""Calls of the command line within this process, and recordings to call it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.command_line import STATED, Call, Called
from builders.known_mepps import mepp_trace, write_text
from nwb_mepp.cli import main


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line with arguments."""

    def call_main(*arguments: object) -> Called:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Called(code, printed.out, printed.err)

    return call_main


@pytest.fixture(scope="session")
def lab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file with MEPPs, in volts."""
    return write_text(tmp_path_factory.mktemp("lab") / "run07.txt", mepp_trace())


@pytest.fixture(scope="session")
def annotated(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NWB file that ``run`` made of it; not to be changed."""
    folder = tmp_path_factory.mktemp("out")
    assert main(["run", str(lab_file), "-o", str(folder), *STATED]) == 0
    return folder / "run07.txt.nwb"
