"""NIX files are only read, and do not take the time of writing for the start."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import neo
import numpy as np
import quantities as pq

from nwb_mepp.readers import inspect, read_recording


def write_nix(path: Path, *, start: datetime | None = None) -> Path:
    """Write one signal with Neo."""
    signal = neo.AnalogSignal(np.arange(100.0), units="mV", sampling_rate=1000 * pq.Hz)
    segment = neo.Segment()
    segment.analogsignals.append(signal)
    block = neo.Block(rec_datetime=start)
    block.segments.append(segment)
    with neo.NixIO(str(path), mode="ow") as writer:
        writer.write_block(block)
    return path


def test_reading_changes_neither_the_file_nor_its_time(tmp_path: Path) -> None:
    path = write_nix(tmp_path / "run.nix")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    content = path.read_bytes()
    assert inspect(path).problems == ()
    np.testing.assert_array_equal(read_recording(path).traces[0].raw(), np.arange(100))
    assert path.read_bytes() == content
    assert path.stat().st_mtime == 1_000_000_000


def test_a_file_that_cannot_be_written_to_is_read(tmp_path: Path) -> None:
    path = write_nix(tmp_path / "run.nix")
    path.chmod(0o444)
    assert read_recording(path).channels


def test_the_time_of_writing_is_not_the_start(tmp_path: Path) -> None:
    assert read_recording(write_nix(tmp_path / "run.nix")).session_start is None


def test_a_start_that_was_stored_is_kept(tmp_path: Path) -> None:
    start = datetime(2020, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert read_recording(write_nix(tmp_path / "run.nix", start=start)).session_start == start


def test_a_real_file_is_read(tmp_path: Path, shared_data: Path) -> None:
    path = tmp_path / "nixio_fr.nix"
    shutil.copyfile(shared_data / "corpus" / "nix" / path.name, path)
    before = path.stat().st_mtime
    recording = read_recording(path)
    (block,) = neo.NixIO(str(path), mode="ro").read_all_blocks()[:1]
    np.testing.assert_array_equal(
        recording.traces[0].raw(), block.segments[0].analogsignals[0].magnitude[:, 0]
    )
    assert (recording.session_start, path.stat().st_mtime) == (None, before)
