"""Whoever follows ``docs/how-to/add-an-option.md`` has an option, in Python and on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders.how_to import HOW_TO, PROJECT, followed, run_in

PAGE = (HOW_TO / "add-an-option.md").read_text("utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("add-an-option")
    changed = followed("add-an-option.md", folder, needs="command-line.md")
    assert changed == ["nwb_mepp/workflows/settings.py", "nwb_mepp/workflows/detection.py"]
    return folder


def test_the_option_passes_its_test(copy: Path) -> None:
    run_in(copy, "-m", "pytest", "-q", "tests/workflows/test_max_amplitude_sd.py")


def test_the_page_of_the_command_line_has_it(copy: Path) -> None:
    (command,) = re.findall(r"^python (docs/\S+)$", PAGE, re.MULTILINE)
    run_in(copy, command)
    row = "| `--max-amplitude-sd X` | Keep only MEPPs with at most this amplitude in standard deviations of"
    assert row in (copy / "docs" / "command-line.md").read_text("utf-8")
    assert row not in (PROJECT / "docs" / "command-line.md").read_text("utf-8")


def test_signature_and_docstring_have_it(copy: Path) -> None:
    code = (
        "import inspect, nwb_mepp; from nwb_mepp.workflows import DetectionSettings as S;"
        "print(inspect.signature(nwb_mepp.annotate)); print(nwb_mepp.detect.__doc__);"
        "print(S(max_amplitude_sd=40).described())"
    )
    shown = run_in(copy, "-c", code)
    assert "max_amplitude_sd: 'float | None' = None" in shown
    assert "max_amplitude_sd : float, optional\n        Keep only MEPPs with at most" in shown
    assert "'max_amplitude_sd': 40" in shown
