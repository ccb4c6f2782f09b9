from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import ndx_mepp
import pynwb
import pytest

EXTENSION = Path(__file__).resolve().parents[3]


def run(script: str, path: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(EXTENSION / script), str(path)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_page_of_the_types_is_what_the_script_writes(tmp_path: Path) -> None:
    run("docs/make_types.py", tmp_path / "types.md")
    page = (EXTENSION / "docs" / "types.md").read_text("utf-8")
    written = (tmp_path / "types.md").read_text("utf-8")
    assert page == written, "run: python extensions/ndx-mepp/docs/make_types.py"


def test_the_page_of_the_types_names_every_type_with_what_it_extends() -> None:
    page = (EXTENSION / "docs" / "types.md").read_text("utf-8")
    assert f"# Types of ndx-mepp {ndx_mepp.__version__}\n" in page
    assert dict(re.findall(r"^## (\w+)\n\nExtends `(\w+)`", page, re.MULTILINE)) == {
        "MEPPQuantity": "VectorData",
        "MEPPDetector": "NWBDataInterface",
        "MEPPTable": "TimeIntervals",
        "MEPPSummary": "DynamicTable",
    }


def test_the_example_prints_what_it_wrote_into_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "example.nwb"
    assert run("examples/write_and_read.py", path) == (
        "3 MEPPs, found by mine above 0.5\n0.0510 s  0.00082 V\n0.2111 s  0.00061 V\n0.3309 s  0.00074 V\n"
    )
    assert pynwb.validate(path=str(path)) == []


def test_the_example_of_the_readme_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(EXTENSION / "README.md"), module_relative=False)
    assert (failed, tried > 0) == (0, True)
