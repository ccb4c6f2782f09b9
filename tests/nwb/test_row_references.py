"""References that HDF5 writes row by row: nothing tells them from those that pynwb writes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import read_results, row_references, write_nwb
from nwb_mepp.nwb.header import make_file
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.writer import add_mepp_tables, add_recording

TRACES = [int16_trace(sweep=sweep) for sweep in range(3)]
# The second sweep has none.
FEW = [(0, 5), (0, 500), (2, 3), (2, 7), (2, 700)]
# An index of these has numbers of 8 and of 16 bits.
MANY = {n: [(0, 10 + 3 * row) for row in range(n)] for n in (255, 256, 300)}


@pytest.fixture(scope="module", params=[FEW, *MANY.values()], ids=len)
def result(request: pytest.FixtureRequest) -> ChannelResult:
    return result_of(mepps_on(TRACES, request.param))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, session_start: datetime, result: ChannelResult) -> Path:
    path = tmp_path_factory.mktemp("ours") / "ours.nwb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_references, "_BLOCK", 2)  # fewer than there are rows
        write_nwb(recording_of(*TRACES), path, session_start=session_start, results=[result])
    return path


@pytest.fixture
def theirs(folder: Path, session_start: datetime, result: ChannelResult) -> Path:
    """The same as pynwb writes it by itself."""
    file = make_file(recording_of(*TRACES), session_start=session_start, metadata=Metadata(), fingerprint="")
    series = add_recording(file, recording_of(*TRACES), clamp=None, metadata=Metadata())
    add_mepp_tables(file, [result], series=series, stems={"Vm": "Vm"})
    with NWBHDF5IO(folder / "theirs.nwb", "w") as io:
        io.write(file)
    return folder / "theirs.nwb"


def described(path: Path) -> dict[str, Any]:
    """Return everything about the references of a file but what is unique to each."""
    with h5py.File(path) as file:
        (table,) = file["intervals"].values()
        column = table["timeseries"]
        return {
            "attributes": {name: value for name, value in column.attrs.items() if name != "object_id"},
            "type": column.dtype,
            "can grow": column.maxshape,
            "rows": [(int(row[0]), int(row[1]), file[row[2]].name) for row in column[:]],
            "index": (table["timeseries_index"].dtype, table["timeseries_index"][:].tolist()),
            "index can grow": table["timeseries_index"].maxshape,
            "index of": file[table["timeseries_index"].attrs["target"]].name,
        }


def test_rows_are_those_that_pynwb_would_have_written(
    ours: Path, theirs: Path, result: ChannelResult
) -> None:
    found = described(ours)
    assert found == described(theirs)
    assert [row[0] for row in found["rows"]] == result.mepps.start_index.tolist()
    assert found["index"][1] == list(range(1, len(result.mepps) + 1))
    assert schema_errors(ours) == []


def test_they_are_read_as_they_were_found(ours: Path, result: ChannelResult) -> None:
    (back,) = read_results(ours)
    for name in Mepps.array_names():
        np.testing.assert_array_equal(getattr(back.mepps, name), getattr(result.mepps, name), err_msg=name)


def test_pynwb_reads_samples_of_the_right_series(ours: Path, result: ChannelResult) -> None:
    found = result.mepps
    with NWBHDF5IO(ours, "r") as io:
        (table,) = io.read().intervals.values()
        for row in {0, len(found) // 2, len(found) - 1}:
            (reference,) = table["timeseries"][row]
            samples = TRACES[found.sweep[row]].raw(found.start_index[row], found.stop_index[row])
            assert reference.data.tolist() == samples.tolist()
