from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.lab_files import TDT_RATE_HZ, samples, write_tdt
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.tdt import check_extent


def test_a_block_holds_what_was_written(tmp_path: Path) -> None:
    recording = read_recording(write_tdt(tmp_path, name="b1", n_chunks=3))
    assert recording.channels == ("Wave 1", "Wave 2")
    for channel, trace in enumerate(recording.traces, start=1):
        np.testing.assert_array_equal(trace.raw(), samples(channel, 3 * 256))
        assert trace.sampling_rate_hz == TDT_RATE_HZ


def test_a_file_without_all_the_data_of_the_index_is_refused(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    data = path.with_suffix(".tev")
    data.write_bytes(data.read_bytes()[:-1])
    # 3 chunks of 2 channels of 256 samples of 2 bytes.
    with pytest.raises(ReadError, match=r"b1\.tev is truncated: expected at least 3072 bytes .*, found 3071"):
        check_extent(path)


def test_samples_in_separate_files_are_not_expected_in_the_common_one(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1")
    path.with_suffix(".tev").write_bytes(b"")
    (tmp_path / "b1_Wave_Ch1.sev").touch()
    check_extent(path)
    (tmp_path / "b1_Wave_Ch1.sev").unlink()
    path.with_suffix(".tev").unlink()
    check_extent(path)


def test_an_index_without_data_needs_no_data_file(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=0)
    check_extent(path)
