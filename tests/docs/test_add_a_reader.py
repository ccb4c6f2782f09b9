"""The how-to of readers works as it stands: a format of one's own is read by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.how_to import install, nwb_mepp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    install("add-a-reader.md", tmp_path)
    return tmp_path


def write(path: Path, samples: np.ndarray) -> None:
    header = {"rig": 1, "channel": "Vm", "unit": "mV", "gain": 0.01, "rate": 10_000.0}
    path.write_bytes(json.dumps(header).encode() + b"\n" + samples.astype("<i2").tobytes())


def test_the_reader_is_chosen_for_its_files(folder: Path) -> None:
    write(folder / "day1.rig", np.arange(-7000, -6000))
    done = nwb_mepp("info", "day1.rig", "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    (info,) = json.loads(done.stdout)["channels"]
    assert (info["channel"], info["unit"], info["sampling_rate_hz"]) == ("Vm", "V", 10_000.0)


def test_the_reader_is_listed(folder: Path) -> None:
    assert "files of our rig" in nwb_mepp("formats", folder=folder).stdout


def test_its_errors_are_shown_as_they_are(folder: Path) -> None:
    write(folder / "day1.rig", np.arange(0))
    done = nwb_mepp("info", "day1.rig", folder=folder)
    assert done.returncode == 1
    assert "day1.rig: expected samples after the header, found none; record again." in done.stderr
