"""Series as signals: how often their samples are read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdmf.backends.hdf5 import H5DataIO
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

from nwb_mepp.nwb import open_nwb


def test_a_chunk_is_unpacked_once_a_pass_however_short_the_stretches(
    folder: Path, session_start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_samples, chunk = 300_000, 100_000
    numbers = np.random.default_rng(3).integers(-1000, 1000, (n_samples, 2)).astype(np.int16)
    data = H5DataIO(numbers, chunks=(chunk, 1), compression="gzip")
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    file.add_acquisition(TimeSeries(name="v", data=data, unit="volts", rate=10_000.0))
    with NWBHDF5IO(folder / "foreign.nwb", "w") as io:
        io.write(file)
    unpacked = []
    as_it_is = h5py.Dataset.__getitem__

    def noted(dataset: h5py.Dataset, place: Any) -> Any:
        if dataset.shape == numbers.shape:
            unpacked.append(place)
        return as_it_is(dataset, place)

    with open_nwb(folder / "foreign.nwb") as recording:
        monkeypatch.setattr(h5py.Dataset, "__getitem__", noted)
        for _ in range(2):
            for trace, column in zip(recording.traces, (0, 1), strict=True):
                for start in range(0, n_samples, 1000):
                    assert trace.raw(start, start + 9).tolist() == numbers[start : start + 9, column].tolist()
    blocks = [slice(first, first + chunk) for first in range(0, n_samples, chunk)]
    assert unpacked == [(block, column) for column in (0, 1) for block in blocks]
