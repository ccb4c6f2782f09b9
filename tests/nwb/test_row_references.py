"""References that HDF5 writes row by row: nothing tells them from those that pynwb writes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import pytest
from pynwb import NWBHDF5IO

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.nwb import row_references, write_nwb
from nwb_mepp.nwb.header import make_file
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.writer import add_mepp_tables, add_recording

TRACES = [int16_trace(sweep=sweep) for sweep in range(3)]
# The second sweep has none; more rows than are written at once.
RESULT = result_of(mepps_on(TRACES, [(0, 5), (0, 500), (2, 3), (2, 7), (2, 700)]))
TABLE = "mepps_miniunet_Vm"


@pytest.fixture
def ours(folder: Path, session_start: datetime, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(row_references, "_BLOCK", 2)
    path = folder / "ours.nwb"
    write_nwb(recording_of(*TRACES), path, session_start=session_start, results=[RESULT])
    return path


@pytest.fixture
def theirs(folder: Path, session_start: datetime) -> Path:
    """The same as pynwb writes it by itself."""
    file = make_file(recording_of(*TRACES), session_start=session_start, metadata=Metadata(), fingerprint="")
    series = add_recording(file, recording_of(*TRACES), clamp=None, metadata=Metadata())
    add_mepp_tables(file, [RESULT], series=series, stems={"Vm": "Vm"})
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
            "index": table["timeseries_index"][:].tolist(),
            "index of": file[table["timeseries_index"].attrs["target"]].name,
        }


def test_rows_are_those_that_pynwb_would_have_written(ours: Path, theirs: Path) -> None:
    found = described(ours)
    assert found == described(theirs)
    first = RESULT.mepps.start_index.tolist()
    assert [row[0] for row in found["rows"]] == first == [5, 500, 3, 7, 700]
    assert schema_errors(ours) == []


def test_pynwb_reads_samples_of_the_right_series(ours: Path) -> None:
    with NWBHDF5IO(ours, "r") as io:
        (table,) = io.read().intervals.values()
        for row, (sweep, onset) in enumerate([(0, 5), (0, 500), (2, 3), (2, 7), (2, 700)]):
            (reference,) = table["timeseries"][row]
            stop = onset + reference.count
            assert reference.data.tolist() == TRACES[sweep].raw(onset, stop).tolist()
