"""What the page on adding an option shows runs, and does what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-an-option.md"


def test_an_option_added_as_the_page_says_reaches_python_and_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    module = ModuleType("how_to")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # a dataclass looks its module up
    names = vars(module)
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert names["held"] == 50
    assert names["message"] == "`max_amplitude_sd`: expected a finite number of 0 or more, found -1."
    assert (
        "max_amplitude_sd : float, optional\n        Keep only MEPPs with at most"
        in names["DetectionSettings"].__doc__
    )
    assert CliRunner().invoke(names["app"], ["--max-amplitude-sd", "50"]).output == "at most 50.0 SD\n"
    assert names["shown"] == "Leave the stretch out with --exclude START:STOP."
