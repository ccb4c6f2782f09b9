"""Importing the package does nothing but define names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("ai_edge_litert", "elephant", "h5py", "keras", "matplotlib", "neo", "pandas", "pynwb", "tensorflow")

REPORT = f"""
import sys
print("loaded:", *sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})))
"""


def run_fresh(code: str, home: Path) -> str:
    """Run code in a fresh process whose home and working folder are an empty folder."""
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "MPLCONFIGDIR": ""}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_importing_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    assert run_fresh("import nwb_mepp" + REPORT, tmp_path).strip() == "loaded:"


def test_the_help_text_loads_nothing_heavy(tmp_path: Path) -> None:
    show_help = """
import sys
sys.argv = ["nwb-mepp", "--help"]
from nwb_mepp.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    output = run_fresh(show_help + REPORT, tmp_path)
    assert "convert" in output
    assert output.splitlines()[-1].strip() == "loaded:"


def test_describing_detectors_loads_no_network_and_nothing_heavy(tmp_path: Path) -> None:
    describe = """
from nwb_mepp.detectors import *
for name in detector_names():
    one = get_detector(name)
    print(one.name, one.version, one.weights_sha256, one.default_threshold, takes_weights(name),
          gives_probability(name), gives_second_opinion(name), fits_recordings(name))
import sys
assert not {"scipy.ndimage", "scipy.signal"} & set(sys.modules)
"""
    output = run_fresh(describe + REPORT, tmp_path)
    assert "miniunet 6" in output
    assert output.splitlines()[-1].strip() == "loaded:"


REPOSITORY = Path(__file__).resolve().parents[1]
ANNOTATED = REPOSITORY / "extensions" / "ndx-mepp" / "back_compat" / "0.3.0.nwb"


def run_command(arguments: list[str], home: Path, *, modules: str) -> tuple[list[str], set[str]]:
    """Run a command in a fresh process; return the lines that it prints, and which modules it loads."""
    code = f"""
import sys
sys.argv = ["nwb-mepp", *{arguments!r}]
from nwb_mepp.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("loaded:", *(name for name in sys.modules if name.startswith({modules!r})))
"""
    *lines, last = run_fresh(code, home).splitlines()
    return lines, set(last.split()[1:])


@pytest.mark.parametrize("command", ["events", "summary", "info"])
def test_printing_what_is_in_our_files_loads_h5py_alone(command: str, tmp_path: Path) -> None:
    lines, loaded = run_command([command, str(ANNOTATED)], tmp_path, modules="")
    assert any("miniunet" in line for line in lines)
    heavy = {name.partition(".")[0] for name in loaded} & {*HEAVY, "hdmf", "quantities", "scipy", "yaml"}
    assert heavy == {"h5py"}


def test_converting_loads_nothing_of_the_analysis(tmp_path: Path) -> None:
    recording = REPOSITORY / "data" / "simulated.abf"
    arguments = ["convert", str(recording), "--session-start", "2026-01-15T10:00:00+00:00", "-o", "out"]
    _, loaded = run_command(arguments, tmp_path, modules="")
    assert (tmp_path / "out" / "simulated.abf.nwb").is_file()
    assert "pynwb" in loaded
    ours = ("conditioning", "detectors", "measurement", "plots", "statistics")
    assert not {f"nwb_mepp.{name}" for name in ours} & loaded
    others = {"ai_edge_litert", "elephant", "matplotlib", "scipy.ndimage", "scipy.signal", "scipy.stats"}
    assert not others & loaded


def test_a_batch_leaves_pynwb_to_its_processes(tmp_path: Path) -> None:
    copies = [str(tmp_path / name) for name in ("one.abf", "two.abf")]
    for copy in copies:
        shutil.copyfile(REPOSITORY / "data" / "simulated.abf", copy)
    start = ["--session-start", "2026-01-15T10:00:00+00:00", "--override"]
    _, loaded = run_command(["convert", *copies, *start, "-o", "out"], tmp_path, modules="")
    assert len(list((tmp_path / "out").glob("*.nwb"))) == 2
    assert not {"pynwb", "hdmf", "pandas", "scipy"} & loaded


def test_a_heavy_import_is_noticed(tmp_path: Path) -> None:
    assert "neo" in run_fresh("import neo" + REPORT, tmp_path).split()


def test_importing_the_package_creates_no_file_or_folder(tmp_path: Path) -> None:
    run_fresh("import nwb_mepp", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_touches_neither_logging_nor_warnings(tmp_path: Path) -> None:
    code = """
import logging, warnings
filters = list(warnings.filters)
import nwb_mepp
assert logging.getLogger().handlers == []
assert logging.getLogger("nwb_mepp").handlers == []
assert list(warnings.filters) == filters
"""
    run_fresh(code, tmp_path)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_package_runs_as_a_module(argument: str, tmp_path: Path) -> None:
    run_fresh(
        f"import runpy, sys; sys.argv = ['nwb-mepp', {argument!r}]\n"
        "try:\n    runpy.run_module('nwb_mepp', run_name='__main__')\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code",
        tmp_path,
    )
