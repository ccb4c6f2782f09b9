from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdmf.common import DynamicTable, VectorData
from ndx_mepp import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable
from ndx_mepp.testing.mock import (
    mock_MEPPDetector,
    mock_MEPPQuantity,
    mock_MEPPSummary,
    mock_MEPPTable,
)
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals

Write = Callable[[], Path]


def test_a_table_comes_back_with_columns_units_and_detector(nwbfile: NWBFile, write: Write) -> None:
    detector = mock_MEPPDetector(name="detector", threshold=0.7, nwbfile=nwbfile)
    voltage = TimeSeries(name="Vm", data=np.zeros(1000), unit="volts", rate=1000.0)
    nwbfile.add_acquisition(voltage)
    table = MEPPTable(name="mepps", description="Two.", detector=detector, amplitude_unit="V")
    for start, amplitude in ((0.1, 0.0008), (0.3, 0.0011)):
        table.add_interval(
            start_time=start,
            stop_time=start + 0.005,
            timeseries=voltage,
            peak_time=start + 0.001,
            amplitude=amplitude,
            rise_10_90=0.0007,
            half_width=0.0025,
            decay_tau=0.003,
            area=3e-6,
            baseline=-0.07,
            probability=0.9,
            overlapped=False,
            anomaly=np.nan,
            status="accepted",
        )
    nwbfile.add_time_intervals(table)
    with NWBHDF5IO(write(), "r") as io:
        back = io.read().intervals["mepps"]
        assert type(back) is MEPPTable
        assert back["start_time"][:].tolist() == [0.1, 0.3]
        assert back["amplitude"][:].tolist() == [0.0008, 0.0011]
        assert back["amplitude"].data.dtype == np.float64
        assert back["overlapped"].data.dtype == bool
        assert np.isnan(back["anomaly"][:]).all()
        assert back["status"][:].tolist() == ["accepted", "accepted"]
        assert [reference.count for (reference,) in back["timeseries"][:]] == [5, 5]
        assert (back["amplitude"].unit, back["area"].unit, back["half_width"].unit) == ("V", "V s", "s")
        assert back["area"].description.endswith("signed. Unit: V s.")
        assert type(back.detector) is MEPPDetector
        assert back.detector.threshold == 0.7


def test_a_table_in_amperes_says_so() -> None:
    table = mock_MEPPTable(amplitude_unit="A")
    assert (table["baseline"].unit, table["area"].unit) == ("A", "A s")
    assert table["amplitude"].description.endswith("Unit: A.")


def test_a_table_can_be_built_from_whole_columns() -> None:
    other = mock_MEPPTable()
    columns = [type(column)(**described(column)) for column in other.columns]
    table = MEPPTable(name="mepps", description="Built.", columns=columns, colnames=other.colnames)
    assert table["amplitude"].unit == "V"
    assert len(table) == 2


def described(column: VectorData) -> dict[str, Any]:
    unit = {"unit": column.unit} if isinstance(column, MEPPQuantity) else {}
    return {"name": column.name, "description": column.description, "data": list(column.data), **unit}


def test_a_table_without_columns_needs_a_unit() -> None:
    with pytest.raises(
        ValueError, match=r"expected amplitude_unit \('V' or 'A'\) for a table without columns"
    ):
        MEPPTable(name="mepps", description="Of what?")


def test_a_unit_other_than_volts_and_amperes_is_refused() -> None:
    with pytest.raises(ValueError, match="forbidden value for 'amplitude_unit' \\(got 'mV'"):
        MEPPTable(name="mepps", description="Millivolts.", amplitude_unit="mV")


def test_a_quantity_needs_a_unit() -> None:
    with pytest.raises(TypeError, match="missing argument 'unit'"):
        MEPPQuantity(name="x", description="Of what?", data=[1.0])


def test_a_row_needs_every_measure() -> None:
    table = MEPPTable(name="mepps", description="Incomplete.", amplitude_unit="V")
    with pytest.raises(ValueError, match="column 'peak_time' missing"):
        table.add_interval(start_time=0.1, stop_time=0.2)


def test_a_summary_comes_back_with_its_units(nwbfile: NWBFile, write: Write) -> None:
    mock_MEPPSummary(name="mepp_detections", n_rows=2, nwbfile=nwbfile)
    with NWBHDF5IO(write(), "r") as io:
        back = io.read().processing["icephys"]["mepp_detections"]
        assert type(back) is MEPPSummary
        assert back["n_mepps"][:].tolist() == [1, 1]
        units = {name: back[name].unit for name in ("rate_hz", "noise_sd", "baseline_drift")}
        assert units == {
            "rate_hz": "Hz",
            "noise_sd": "amplitude_unit",
            "baseline_drift": "amplitude_unit/s",
        }


def test_a_detector_keeps_what_it_states(nwbfile: NWBFile, write: Write) -> None:
    stated = {
        "detector": "template",
        "detector_version": "2",
        "weights_sha256": "a" * 64,
        "threshold": 4.5,
        "polarity": "negative",
        "package_version": "0.3.0",
        "settings": "block_s=60.0",
    }
    mock_MEPPDetector(name="full", **stated, nwbfile=nwbfile)
    bare = {"weights_sha256": "", "package_version": None, "settings": None}
    mock_MEPPDetector(name="bare", **bare, nwbfile=nwbfile)
    path = write()
    with NWBHDF5IO(path, "r") as io:
        icephys = io.read().processing["icephys"]
        assert {name: getattr(icephys["full"], name) for name in stated} == stated
        assert (icephys["bare"].package_version, icephys["bare"].settings) == (None, None)
        assert icephys["bare"].weights_sha256 == ""
    with h5py.File(path) as file:
        assert "settings" not in file["processing/icephys/bare"].attrs


def test_the_types_extend_core_ones() -> None:
    assert isinstance(mock_MEPPTable(), TimeIntervals)
    assert isinstance(mock_MEPPSummary(), DynamicTable)
    assert isinstance(mock_MEPPQuantity(), VectorData)


def test_the_classes_can_be_pickled() -> None:
    for one in (MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable):
        assert pickle.loads(pickle.dumps(one)) is one


def test_every_mock_is_valid_and_named_by_itself(nwbfile: NWBFile, write: Write) -> None:
    for _ in range(2):
        detector = mock_MEPPDetector(nwbfile=nwbfile)
        mock_MEPPTable(detector=detector, nwbfile=nwbfile)
        mock_MEPPSummary(nwbfile=nwbfile)
    nwbfile.processing["icephys"].add(
        DynamicTable(name="own", description="d", columns=[mock_MEPPQuantity()])
    )
    write()
    assert len(nwbfile.intervals) == 2
    assert len(nwbfile.processing["icephys"].data_interfaces) == 5
