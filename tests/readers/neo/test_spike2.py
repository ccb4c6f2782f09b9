"""Spike2 files whose headers contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import read_recording


def test_a_block_that_ends_before_it_begins_is_refused(shared_data: Path, tmp_path: Path) -> None:
    sound = shared_data / "formats" / "File_spike2_1.smr"
    assert [trace.n_samples for trace in read_recording(sound).traces] == [45_688]
    content = bytearray(sound.read_bytes())
    # Where a block of samples says when it begins and ends, in ticks of the clock.
    content[17_416:17_424] = b"\xff" * 8
    damaged = tmp_path / "run07.smr"
    damaged.write_bytes(content)
    with pytest.raises(
        ReadError,
        match=r"run07\.smr: expected sampling to end after it begins, found that it begins at 220\.001 s and "
        r"ends at -3e-06 s; a block of the file is damaged",
    ):
        read_recording(damaged)
