"""Series in every place of a file: what they are called, and which are taken."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hdmf.common import DynamicTable
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import BehavioralTimeSeries
from pynwb.ecephys import LFP, ElectricalSeries

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.nwb import open_nwb
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.reader import electrical_traces, series_stems


def series(name: str, **stated: Any) -> TimeSeries:
    defaults = {"data": np.arange(10, dtype=np.int16), "unit": "volts", "rate": 10_000.0}
    return TimeSeries(name=name, **(defaults | stated))


@pytest.fixture
def scattered(folder: Path, session_start: datetime) -> Path:
    """A file whose series lie in every place that a program puts them."""
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    file.add_acquisition(series("Vm"))
    file.add_stimulus(series("command", unit="amperes"))
    module = file.create_processing_module(name="ecephys", description="Of another program.")
    group = file.create_electrode_group(
        name="g", description="d", location="l", device=file.create_device(name="probe", description="d")
    )
    for _ in range(2):
        file.add_electrode(location="l", group=group)
    region = file.create_electrode_table_region(region=[0, 1], description="Both.")
    samples = np.arange(20).reshape(10, 2)
    lfp = LFP()
    module.add(lfp)
    lfp.add_electrical_series(ElectricalSeries(name="slow", data=samples, electrodes=region, rate=1_000.0))
    module.add(series("speed", unit="m/s"))
    module.add(DynamicTable(name="table", description="d"))
    file.add_acquisition(BehavioralTimeSeries(name="raw", time_series=series("e", data=samples[:, :1])))
    with NWBHDF5IO(folder / "scattered.nwb", "w") as io:
        io.write(file)
    return folder / "scattered.nwb"


def test_what_lies_outside_acquisition_is_named_and_taken_only_if_wanted(scattered: Path) -> None:
    with open_nwb(scattered) as recording:
        assert recording.channels == ("Vm", "raw/e")
        assert recording.notes == (
            "Outside /acquisition there is stimulus/command, processing/ecephys/LFP/slow_0, "
            "processing/ecephys/LFP/slow_1, which is only used if `channels` names it.",
        )
    with open_nwb(scattered, channels=["processing/ecephys/LFP/slow_1", "stimulus/command"]) as recording:
        assert recording.channels == ("Vm", "raw/e", "stimulus/command", "processing/ecephys/LFP/slow_1")
        assert recording.sweeps("processing/ecephys/LFP/slow_1")[0].raw(2, 5).tolist() == [5, 7, 9]
        assert recording.sweeps("stimulus/command")[0].unit == "A"


def test_series_elsewhere_do_not_change_the_names_of_tables(scattered: Path) -> None:
    with open_hdf5(scattered) as handle:
        stems = read_contents(handle, lambda file: series_stems(electrical_traces(file)[0]))
        assert stems == {"Vm": "Vm", "raw/e": "raw_e"}


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (
            "processing/ecephys/speed",
            ReadError,
            r"expected series 'processing/ecephys/speed' of .*scattered.nwb to be regularly sampled volts or "
            r"amperes, found that its unit is 'm/s', not volts or amperes; choose another with `channels`",
        ),
        (
            "processing/ecephys/LFP/slow",
            UsageError,
            r"expected one column of series 'processing/ecephys/LFP/slow' of .*, found that it has 2; name "
            r"one, from processing/ecephys/LFP/slow_0 to processing/ecephys/LFP/slow_1\.",
        ),
    ],
)
def test_a_wanted_series_that_cannot_be_taken_is_answered_with_the_reason(
    scattered: Path, wanted: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message), open_nwb(scattered, channels=[wanted]):
        pass


def test_of_a_probe_with_many_columns_only_some_are_named(folder: Path, session_start: datetime) -> None:
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    module = file.create_processing_module(name="m", description="Of another program.")
    module.add(series("p", data=np.zeros((10, 11))))
    file.add_acquisition(series("Vm"))
    with NWBHDF5IO(folder / "p.nwb", "w") as io:
        io.write(file)
    with open_nwb(folder / "p.nwb") as recording:
        assert recording.notes[0].startswith("Outside /acquisition there is processing/m/p_0, ")
        assert "processing/m/p_7 and 3 more, which is only used" in recording.notes[0]
