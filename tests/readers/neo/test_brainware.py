"""BrainWare DAM files, which state no rate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, read_recording


def write_dam(path: Path) -> Path:
    """Write two sweeps of 100 samples at noon of 5 November 2013 and two seconds later."""
    content = b""
    for sweep, day in enumerate((41_583.5, 41_583.5 + 2 / 86_400)):
        content += np.float64(day).tobytes() + np.int16([sweep, 0]).tobytes() + np.int32(100).tobytes()
        content += (np.arange(100, dtype=np.int16) + 100 * sweep).tobytes()
    path.write_bytes(content)
    return path


def test_the_rate_that_neo_invents_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        ReadError, match=r"expected a sampling rate .* found none; pass `sampling_rate_hz=HZ`"
    ):
        read_recording(write_dam(tmp_path / "block.dam"))


def test_sweeps_begin_when_the_file_says(tmp_path: Path) -> None:
    options = ReadOptions(sampling_rate_hz=25_000.0)
    recording = read_recording(write_dam(tmp_path / "block.dam"), options=options)
    assert recording.session_start == datetime(2013, 11, 5, 12)
    assert [trace.start_s for trace in recording.traces] == pytest.approx([0.0, 2.0], abs=1e-4)
    np.testing.assert_array_equal(recording.traces[1].raw(), np.arange(100, 200))
    assert any("states no unit; mV, as Neo assumes" in note for note in recording.notes)


def test_a_real_file_is_asked_for_its_rate(shared_data: Path) -> None:
    (path,) = (shared_data / "corpus" / "brainwaredam").iterdir()
    with pytest.raises(ReadError, match="pass `sampling_rate_hz=HZ`"):
        read_recording(path)
    recording = read_recording(path, options=ReadOptions(sampling_rate_hz=24_414.0625))
    assert [trace.n_samples for trace in recording.traces] == [12_207] * 29
    assert recording.session_start == datetime(2013, 11, 4, 13, 47, 52, 22_000)
    assert recording.traces[1].start_s == pytest.approx(0.795, abs=1e-6)
