"""The how-to of detectors works as it stands: a detector of one's own is listed, run and checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from builders.how_to import install, nwb_mepp
from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from nwb_mepp.nwb import read_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("add-a-detector")
    install("add-a-detector.md", folder)
    return folder


def test_the_detector_is_listed(folder: Path) -> None:
    lines = nwb_mepp("detectors", folder=folder).stdout.splitlines()
    (row,) = [line.split(maxsplit=4) for line in lines if line.startswith("step ")]
    assert row[:4] == ["step", "1", "5", "-"]
    assert row[4].startswith("Finds steps")


def test_the_detector_finds_the_mepps_of_a_recording(folder: Path) -> None:
    write_text(folder / "run07.txt", mepp_trace())
    stated = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z", "--no-picture")
    done = nwb_mepp("run", "run07.txt", "--detector", "step", "-o", "out", *stated, folder=folder)
    assert done.returncode == 0, done.stderr
    (result,) = read_results(folder / "out" / "run07.txt.nwb")
    assert (result.detector, result.summary.detector_version) == ("step", "1")
    assert result.mepps.start_s == pytest.approx(ONSETS_S, abs=0.3e-3)
    assert np.isnan(result.mepps.probability).all()


def test_what_it_cannot_do_is_refused(folder: Path) -> None:
    done = nwb_mepp("detect", "x.nwb", "--detector", "step", "--false-discovery-rate", 0.1, folder=folder)
    assert done.returncode == 2
    assert "found step, which gives none; use --threshold for it." in done.stderr


def test_the_checks_pass(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_step_detector.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout
