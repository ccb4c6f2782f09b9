"""BCI2000: calibration, rate and start as the header says them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from builders.lab_files import samples
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.bci2000 import parameter


def write_bci2000(
    path: Path, *, gains: str = "2 0.01617 1.51617", offsets: str = "2 43 -17.5", rate: str = "160"
) -> Path:
    """Write two channels of 500 samples, and a state of one byte."""
    lines = [
        "HeaderLen= {length:5d} SourceCh= 2 StatevectorLen= 1",
        "[ State Vector Definition ] ",
        "Running 8 0 0 0",
        "[ Parameter Definition ] ",
        f"Source int SamplingRate= {rate} 128 1 4000 // rate",
        f"Filtering floatlist SourceChGain= {gains} 1 0 1 // gain",
        f"Filtering floatlist SourceChOffset= {offsets} 0 0 1 // offset",
        "Storage string StorageTime= Thu%20Sep%2004%2012:59:22%202008 // time",
        "",
        "",
    ]
    header = "\r\n".join(lines)
    header = header.format(length=len(header.format(length=0)))
    row = np.dtype([("samples", "<i2", 2), ("state", "u1")])
    rows = np.zeros(500, dtype=row)
    rows["samples"] = samples(0, 1000).reshape(500, 2)
    path.write_bytes(header.encode() + rows.tobytes())
    return path


def test_gains_and_offsets_are_read_whole(tmp_path: Path) -> None:
    first, second = read_recording(write_bci2000(tmp_path / "eeg.dat")).traces
    raw = samples(0, 1000).reshape(500, 2)
    np.testing.assert_allclose(first.values(), (raw[:, 0] - 43) * 0.01617e-6, rtol=1e-12)
    np.testing.assert_allclose(second.values(), (raw[:, 1] + 17.5) * 1.51617e-6, rtol=1e-12)
    assert first.sampling_rate_hz == 160.0


def test_units_may_follow_the_numbers(tmp_path: Path) -> None:
    path = write_bci2000(tmp_path / "eeg.dat", gains="{{ a b }} 0.5muV .25mV", rate="2.5kHz")
    first, second = read_recording(path).traces
    assert (first.conversion, second.conversion) == (pytest.approx(0.5e-6), pytest.approx(0.25e-3))
    assert first.sampling_rate_hz == 2500.0


def test_the_start_is_that_of_the_storage(tmp_path: Path) -> None:
    assert read_recording(write_bci2000(tmp_path / "eeg.dat")).session_start == datetime(
        2008, 9, 4, 12, 59, 22
    )


def test_a_channel_without_a_gain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"expected 2 values of SourceChOffset in the header, found 1;"):
        read_recording(write_bci2000(tmp_path / "eeg.dat", offsets="1 43"))


def test_a_gain_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected a number for SourceChGain in the header, found 'x1'"):
        read_recording(write_bci2000(tmp_path / "eeg.dat", gains="2 0.1 x1"))


def test_a_parameter_that_is_not_there_has_no_values() -> None:
    assert parameter("Source int Other= 1 // one", "SourceChGain") == []


def test_a_real_file_has_the_gains_of_its_header(shared_data: Path) -> None:
    recording = read_recording(shared_data / "corpus" / "bci2000" / "eeg1_1.dat")
    assert [trace.conversion for trace in recording.traces[:3]] == pytest.approx(
        [1.617e-8, 1.591e-8, 1.595e-8]
    )
    assert recording.traces[0].offset == pytest.approx(-43 * 1.617e-8)
    assert recording.session_start == datetime(2008, 9, 4, 12, 59, 22)
