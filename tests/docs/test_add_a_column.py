"""Whoever follows ``docs/how-to/add-a-column.md`` has a column."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.how_to import HOW_TO, named_blocks

PROJECT = HOW_TO.parents[1]
PAGE = (HOW_TO / "add-a-column.md").read_text("utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, as far as it is needed, in which the page was followed."""
    shutil.copytree(
        PROJECT / "nwb_mepp", tmp_path / "nwb_mepp", ignore=shutil.ignore_patterns("weights", "__pycache__")
    )
    (tmp_path / "nwb_mepp" / "weights").symlink_to(PROJECT / "nwb_mepp" / "weights")
    (tmp_path / "docs").mkdir()
    shutil.copy(PROJECT / "docs" / "nwb-layout.md", tmp_path / "docs")
    (tmp_path / "tests" / "measurement").mkdir(parents=True)
    shutil.copytree(PROJECT / "tests" / "builders", tmp_path / "tests" / "builders")
    changes = re.findall(r"^```diff\n--- (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in changes] == ["nwb_mepp/core/schema.py", "nwb_mepp/measurement/kinetics.py"]
    for name, lines in changes:
        apply(lines.splitlines(), tmp_path / name)
    for name, text in named_blocks(PAGE).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def apply(lines: list[str], path: Path) -> None:
    """Put the lines that begin with ``+`` between the others, which stand in a file once."""
    old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in lines)
    source = path.read_text("utf-8")
    assert source.count(old) == 1, f"{path.name} has changed: bring the page up to date"
    path.write_text(source.replace(old, new), encoding="utf-8")


def run(copy: Path, *words: str) -> None:
    paths = [str(copy), str(copy / "tests")]
    finished = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_page_leads_to_a_column_that_passes_its_test_and_is_documented(copy: Path) -> None:
    run(copy, "-m", "pytest", "-q", "tests/measurement/test_rise_slope.py")
    (command,) = re.findall(r"^python (-m nwb_mepp\S+ \S+)$", PAGE, re.MULTILINE)
    run(copy, *command.split())
    row = "| `rise_slope` | float64 | (V or A)/s | Mean slope from 10 % to 90 % of the amplitude, signed."
    assert row in (copy / "docs" / "nwb-layout.md").read_text("utf-8")
    assert row not in (PROJECT / "docs" / "nwb-layout.md").read_text("utf-8")
