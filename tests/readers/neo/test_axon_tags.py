"""Tags added to real Axon files, compared with hand calculations and pyabf."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyabf
import pytest

from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.axon_tags import read_tags

# Time in units of the file, comment, type.
TAGS = ((20_000, b"wash in \xb5M", 1), (3_000_000, b"", 2))


def with_tags(path: Path, target: Path, **changes: float) -> Path:
    """Copy a file, append tags to it and enter them in the header."""
    content = bytearray(path.read_bytes())
    content += bytes(-len(content) % 512)
    first_block = len(content) // 512
    if content.startswith(b"ABF2"):
        struct.pack_into("<IIq", content, 252, first_block, 64, len(TAGS))
    else:
        struct.pack_into("<ii", content, 44, first_block, len(TAGS))
        if "time_unit_us" in changes:
            struct.pack_into("<f", content, 130, changes["time_unit_us"])
    for time, comment, kind in TAGS:
        content += struct.pack("<i56shh", time, comment.ljust(56), kind, 0)
    target.write_bytes(content)
    return target


def test_version_1_states_its_unit_of_time(shared_data: Path, tmp_path: Path) -> None:
    path = with_tags(shared_data / "formats" / "File_axon_3.abf", tmp_path / "run.abf")
    (tags,) = read_tags(path)
    # Its header says 12.5 us: 20 000 x 12.5 us and 3 000 000 x 12.5 us.
    assert tags.times_s == pytest.approx([0.25, 37.5])
    assert tags.labels == ("wash in µM", "")
    assert tags.columns == {"tag_type": ("comment", "external")}


def test_without_a_unit_times_count_samples_of_all_channels(shared_data: Path, tmp_path: Path) -> None:
    path = with_tags(shared_data / "formats" / "File_axon_3.abf", tmp_path / "run.abf", time_unit_us=0.0)
    # Two channels of 20 kHz: a sample every 25 us.
    assert read_tags(path)[0].times_s == pytest.approx([0.5, 75.0])


def test_version_2_agrees_with_pyabf(shared_data: Path, tmp_path: Path) -> None:
    path = with_tags(shared_data / "formats" / "File_axon_5.abf", tmp_path / "run.abf")
    abf = pyabf.ABF(str(path), loadData=False)
    (tags,) = read_tags(path)
    np.testing.assert_allclose(tags.times_s, abf.tagTimesSec, atol=1e-5)
    assert abf.tagTimesSec == [0.25, 37.5]
    assert [label.encode("cp1252") for label in tags.labels] == [b"wash in \xb5M", b""]


def test_tags_are_returned_once_regardless_of_the_number_of_sweeps(shared_data: Path, tmp_path: Path) -> None:
    path = with_tags(shared_data / "formats" / "File_axon_5.abf", tmp_path / "run.abf")
    recording = read_recording(path)
    assert len(recording.sweeps("_Ipatch")) == 9
    assert [(one.name, len(one.times_s)) for one in recording.ancillary.events] == [("Tag", 2)]


@pytest.mark.parametrize("name", ["File_axon_3.abf", "File_axon_5.abf", "File_axon_7.abf"])
def test_a_file_without_tags_has_none(name: str, shared_data: Path) -> None:
    assert read_tags(shared_data / "formats" / name) == ()
