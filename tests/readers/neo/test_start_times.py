"""When a recording began, where Neo does not look."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.start_times import axona_start, brainvision_start, edf_start, settings_start


def edf_header(*, date: str = "02.10.17", time: str = "14.05.09", recording: str = "") -> bytes:
    return b"0".ljust(88) + recording.encode().ljust(80) + date.encode() + time.encode() + bytes(100)


@pytest.mark.parametrize(
    ("header", "start"),
    [
        (edf_header(), datetime(2017, 10, 2, 14, 5, 9)),
        (edf_header(date="02.10.85"), datetime(1985, 10, 2, 14, 5, 9)),
        (edf_header(date="02.10.84"), datetime(2084, 10, 2, 14, 5, 9)),
        (edf_header(recording="Startdate 02-OCT-2117 X X"), datetime(2117, 10, 2, 14, 5, 9)),
        (edf_header(date="yy.10.17"), None),
        (edf_header(date="32.10.17"), None),
    ],
)
def test_edf_has_the_start_in_its_header(header: bytes, start: datetime | None, tmp_path: Path) -> None:
    path = tmp_path / "run.edf"
    path.write_bytes(header)
    assert edf_start(path) == start


def test_an_edf_recording_starts_when_its_header_says(tmp_path: Path) -> None:
    import numpy as np
    from pyedflib import EdfWriter

    path = tmp_path / "run.edf"
    with EdfWriter(str(path), 1) as writer:
        writer.setSignalHeaders(
            [
                {"label": "Vm", "dimension": "mV", "sample_frequency": 1000, "physical_min": -100}
                | {"physical_max": 100, "digital_min": -32768, "digital_max": 32767, "transducer": ""}
                | {"prefilter": ""}
            ]
        )
        writer.setStartdatetime(datetime(2020, 3, 4, 5, 6, 7))
        writer.writeSamples([np.zeros(2000)])
    assert read_recording(path).session_start == datetime(2020, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("trial_date Friday, 24 May 2013\r\ntrial_time 12:34:56\r\n", datetime(2013, 5, 24, 12, 34, 56)),
        ("trial_date 4 Dec 2013\r\ntrial_time 2:34:56\r\n", datetime(2013, 12, 4, 2, 34, 56)),
        ("trial_date 24.05.2013\r\ntrial_time 12:34:56\r\n", None),
        ("trial_date 99 May 2013\r\ntrial_time 12:34:56\r\n", None),
    ],
)
def test_axona_has_the_start_in_its_settings(text: str, start: datetime | None, tmp_path: Path) -> None:
    path = tmp_path / "run.set"
    path.write_text(text)
    assert axona_start(path) == start


def test_brainvision_has_the_start_in_its_first_marker(tmp_path: Path) -> None:
    header, markers = tmp_path / "run.vhdr", tmp_path / "other.vmrk"
    header.write_text("Brain Vision Data Exchange Header\n[Common Infos]\nMarkerFile=other.vmrk\n")
    assert brainvision_start(header) is None
    markers.write_text(
        "[Marker Infos]\nMk1=New Segment,,1,1,0,20080820143000123456\nMk2=Stimulus,S 1,5,1,0\n"
    )
    assert brainvision_start(header) == datetime(2008, 8, 20, 14, 30, 0, 123_456)
    markers.write_text("[Marker Infos]\nMk1=New Segment,,1,1,0\n")
    assert brainvision_start(header) is None


def test_a_brainvision_recording_starts_at_its_first_marker(tmp_path: Path, shared_data: Path) -> None:
    for path in (shared_data / "formats").glob("File_brainvision*"):
        shutil.copyfile(path, tmp_path / path.name)
    (markers,) = tmp_path.glob("*.vmrk")
    text = markers.read_text()
    assert read_recording(markers).session_start is None or "New Segment" in text
    markers.write_text(
        text.split("[Marker Infos]")[0] + "[Marker Infos]\nMk1=New Segment,,1,1,0,20080820143000000000\n"
    )
    assert read_recording(markers).session_start == datetime(2008, 8, 20, 14, 30)


def test_settings_of_open_ephys_have_a_date(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    assert settings_start(path) is None
    path.write_text("<SETTINGS><INFO><DATE>25 Jul 2022 15:30:00</DATE></INFO></SETTINGS>")
    assert settings_start(path) == datetime(2022, 7, 25, 15, 30)
    path.write_text("<SETTINGS><INFO><DATE>soon</DATE></INFO></SETTINGS>")
    assert settings_start(path) is None
