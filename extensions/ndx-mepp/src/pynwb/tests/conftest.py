"""Files to put the types into."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pynwb
import pytest
from pynwb import NWBHDF5IO, NWBFile


@pytest.fixture
def nwbfile() -> NWBFile:
    return NWBFile(
        session_description="Of a test.",
        identifier="test",
        session_start_time=datetime(2026, 1, 15, 10, tzinfo=UTC),
    )


@pytest.fixture
def write(nwbfile: NWBFile, tmp_path: Path) -> Callable[[], Path]:
    """Write the file, see that it is valid, and return where it is."""

    def make() -> Path:
        path = tmp_path / "test.nwb"
        with NWBHDF5IO(path, "w") as io:
            io.write(nwbfile)
        assert pynwb.validate(path=str(path)) == []
        return path

    return make
