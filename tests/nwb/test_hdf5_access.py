from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import h5py
import pytest

from builders.traces import recording_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import read_fingerprint, write_nwb
from nwb_mepp.nwb.hdf5_access import open_hdf5


def opened(path: Path) -> None:
    with open_hdf5(path):
        pass


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(ReadError, match=r"expected an NWB file, found nothing at .*a\.nwb; check the path"):
        opened(folder / "a.nwb")


def test_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(ReadError, match="found a folder at"):
        opened(folder)


def test_another_format_is_refused(folder: Path) -> None:
    (folder / "a.nwb").write_text("Time,Voltage")
    with pytest.raises(
        ReadError, match=r"expected an NWB file \(HDF5\), found that .* is not one or is damaged"
    ):
        opened(folder / "a.nwb")


def test_a_truncated_file_is_refused(folder: Path, session_start: datetime) -> None:
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start)
    content = (folder / "a.nwb").read_bytes()
    (folder / "a.nwb").write_bytes(content[: len(content) // 2])
    with pytest.raises(ReadError, match="is not one or is damaged"):
        opened(folder / "a.nwb")


@pytest.mark.parametrize(
    ("version", "found"), [("1.0.6", "NWB 1.0.6"), (None, "HDF5 without an NWB version")]
)
def test_hdf5_that_is_not_nwb_2_is_refused(folder: Path, version: str | None, found: str) -> None:
    with h5py.File(folder / "a.nwb", "w") as file:
        if version:
            file.attrs["nwb_version"] = version
    with pytest.raises(ReadError, match=f"expected an NWB 2 file, found {found} in"):
        opened(folder / "a.nwb")


def test_a_file_that_another_program_writes_is_said_to_be_locked(folder: Path) -> None:
    path = folder / "a.nwb"
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'w'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        with pytest.raises(ReadError, match="found it locked: another program has it open for writing"):
            opened(path)
        program.communicate("")


def test_the_fingerprint_comes_back(folder: Path, session_start: datetime) -> None:
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start, fingerprint="abc")
    assert read_fingerprint(folder / "a.nwb") == "abc"


def test_a_file_of_another_program_has_no_fingerprint(folder: Path) -> None:
    with h5py.File(folder / "a.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.5.0"
    assert read_fingerprint(folder / "a.nwb") is None


def test_recognizing_an_output_does_not_import_pynwb() -> None:
    names = "load_metadata, metadata_template, read_fingerprint, Metadata"
    code = f"import sys; from nwb_mepp.nwb import {names}; sys.exit('pynwb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
