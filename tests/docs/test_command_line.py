"""The page on the command line says what the commands say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_the_page_on_the_command_line_says_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location(
        "make_command_line", PROJECT / "docs" / "make_command_line.py"
    )
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    _, _, generated = make.PAGE.read_text("utf-8").partition(make.MARK)
    assert generated.strip() == make.reference().strip(), "run: python docs/make_command_line.py"
