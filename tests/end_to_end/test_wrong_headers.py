"""A header that is silent or lies: the user is asked or believed, and the file says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import neo
import numpy as np

START = ("--session-start", "2026-01-15T10:00:00Z", "--override")


def provenance(file: h5py.File) -> str:
    return str(file["processing/icephys/source_files/settings"].asstr()[0])


def test_a_label_in_the_wrong_unit_is_replaced_and_the_numbers_stay(
    call: Any, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "recordings" / "winchester" / "GroupA.abf"  # says mV, holds milliamperes
    called = call("convert", path, "-o", tmp_path, "--unit", "mA", *START)
    assert called.code == 0, called.err
    signal = neo.io.AxonIO(str(path)).read_block().segments[0].analogsignals[0]
    assert signal.units.dimensionality.string == "mV"
    with h5py.File(tmp_path / "GroupA.abf.nwb") as file:
        (series,) = file["acquisition"].values()
        data = series["data"]
        assert data.attrs["unit"] == "amperes"
        values = data[:] * data.attrs["conversion"] + data.attrs["offset"]
        scale_a = np.abs(signal.magnitude).max() * 1e-3
        np.testing.assert_allclose(values, signal.magnitude[:, 0] * 1e-3, rtol=1e-6, atol=1e-6 * scale_a)
        assert provenance(file) == "unit=mA"
        assert "with unit=mA." in series.attrs["description"]


def test_a_wrong_rate_is_replaced_and_the_file_says_so(call: Any, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "formats" / "File_neuroexplorer_1.nex"
    called = call("convert", path, "-o", tmp_path, "--sampling-rate", "4000", *START)
    assert called.code == 0, called.err
    left_out = (
        "Left out, because the stated sampling rate replaces the clock that timed them: events (Event04"
    )
    assert left_out in called.err
    with h5py.File(tmp_path / "File_neuroexplorer_1.nex.nwb") as file:
        rates = {series["starting_time"].attrs["rate"] for series in file["acquisition"].values()}
        assert rates == {4000.0}
        assert provenance(file) == "sampling_rate_hz=4000.0"
        assert left_out in file["general/notes"].asstr()[()]
        assert "units" not in file
        assert "events" not in file


def broken(stated: bytes, instead: bytes, *, shared_data: Path, path: Path) -> bytes:
    """Write a recording whose header was changed; return it as it was."""
    content = (shared_data / "formats" / "File_WinEDR_1.EDR").read_bytes()
    assert content.count(stated) == 1
    path.write_bytes(content.replace(stated, instead))
    return content


def test_a_unit_that_means_nothing_is_asked_for(call: Any, shared_data: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "run.EDR", tmp_path / "out" / "run.EDR.nwb"
    content = broken(b"YU0=pA", b"YU0=??", shared_data=shared_data, path=path)
    called = call("convert", path, "-o", output.parent, *START)
    assert called.code == 1
    assert "found no known unit for 'Im' (unit '??'); pass --unit UNIT" in called.err
    assert called.err.count("\n") == 1
    assert not output.parent.exists()
    assert call("convert", path, "-o", output.parent, *START, "--unit", "pA").code == 0
    output.rename(tmp_path / "mended.nwb")
    path.write_bytes(content)
    assert call("convert", path, "-o", output.parent, *START).code == 0
    with h5py.File(tmp_path / "mended.nwb") as mended, h5py.File(output) as sound:
        assert provenance(mended) == "unit=pA"
        assert provenance(sound) == ""
        found, expected = mended["acquisition/Im/data"], sound["acquisition/Im/data"]
        np.testing.assert_array_equal(found[:], expected[:])
        assert dict(found.attrs) == dict(expected.attrs)


def test_a_sampling_interval_of_0_is_reported(call: Any, shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.EDR"
    broken(b"DT=0.0001", b"DT=0.0000", shared_data=shared_data, path=path)
    called = call("convert", path, "-o", tmp_path / "out", *START)
    assert called.code == 1
    assert "expected a sampling interval, scale factors and a number of channels above 0" in called.err
    assert called.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
