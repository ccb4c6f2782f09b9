"""What is usual is read without pynwb, all else with it; errors of this package are no reason for that."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import h5py
import pytest

from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import write_nwb
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.hdf5_access import open_hdf5


@pytest.fixture
def path(folder: Path, session_start: datetime) -> Path:
    write_nwb(recording_of(int16_trace()), folder / "a.nwb", session_start=session_start)
    return folder / "a.nwb"


def names(file: NwbContents) -> tuple[str, list[str]]:
    return type(file).__name__, list(file.acquisition)


def test_a_usual_file_is_read_without_pynwb(path: Path) -> None:
    with open_hdf5(path) as handle:
        assert read_contents(handle, names) == ("StoredFile", ["Vm"])


def test_an_unusual_file_is_read_with_pynwb(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["acquisition/a number of another program"] = 3
    with open_hdf5(path) as handle:
        kind, series = read_contents(handle, names)
    assert kind == "NWBFile"
    assert "Vm" in series


def test_an_error_of_this_package_is_not_tried_again(path: Path) -> None:
    seen = []

    def refuse(file: NwbContents) -> None:
        seen.append(type(file).__name__)
        raise ReadError("expected something else, found this.")

    with open_hdf5(path) as handle, pytest.raises(ReadError, match="expected something else, found this"):
        read_contents(handle, refuse)
    assert seen == ["StoredFile"]
