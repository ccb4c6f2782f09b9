"""One series a sweep: sweeps of one electrode are one channel, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.icephys import CurrentClampSeries, IntracellularElectrode, VoltageClampSeries

from builders.known_mepps import DURATION_S, ONSETS_S, mepp_trace
from builders.nwb_files import changed, objects
from builders.traces import RATE_HZ
from nwb_mepp.core.errors import MetadataError, UsageError
from nwb_mepp.nwb import open_nwb, read_events, read_results
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.workflows import DetectionSettings, detect_file

N_SAMPLES = 2_000  # 0.2 s at 10 kHz
MATCHED = DetectionSettings(detectors=("matched_filter",))


@pytest.fixture
def file() -> NWBFile:
    return NWBFile(
        session_description="Elsewhere.",
        identifier="i",
        session_start_time=datetime(2026, 1, 15, 10, tzinfo=UTC),
    )


def electrode(file: NWBFile, name: str = "electrode_0") -> IntracellularElectrode:
    device = file.devices.get("amplifier") or file.create_device(name="amplifier")
    return file.create_icephys_electrode(name=name, description="d", device=device)


def sweep(name: str, one: IntracellularElectrode, start_s: float, **stated: Any) -> CurrentClampSeries:
    defaults = {"data": np.zeros(N_SAMPLES), "rate": RATE_HZ, "starting_time": start_s}
    kind = stated.pop("kind", CurrentClampSeries)
    return kind(name=name, electrode=one, **(defaults | stated))


def plain(name: str, start_s: float) -> TimeSeries:
    return TimeSeries(name=name, data=np.zeros(N_SAMPLES), unit="V", rate=RATE_HZ, starting_time=start_s)


def written(file: NWBFile, folder: Path) -> Path:
    with NWBHDF5IO(folder / "f.nwb", "w") as io:
        io.write(file)
    return folder / "f.nwb"


def found(file: NWBFile, folder: Path) -> dict[str, list[float]]:
    with open_nwb(written(file, folder)) as recording:
        return {name: [one.start_s for one in recording.sweeps(name)] for name in recording.channels}


def test_sweeps_that_follow_each_other_are_one_channel_in_order_of_time(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    for name, start_s in (("data_10_AD0", 1.0), ("data_9_AD0", 0.5), ("test", 2.0)):
        file.add_acquisition(sweep(name, one, start_s))
    file.add_acquisition(sweep("data_9_AD1", electrode(file, "electrode_1"), 0.5))
    assert found(file, folder) == {"electrode_0": [0.5, 1.0, 2.0], "data_9_AD1": [0.5]}


def test_sweeps_at_one_time_are_told_by_their_numbers(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    for number in range(3):
        file.add_acquisition(sweep(f"s{number}", one, 0.0, sweep_number=np.uint32(number)))
    assert found(file, folder) == {"electrode_0": [0.0, 0.0, 0.0]}


def test_sweeps_at_one_time_are_told_by_the_table_of_recordings(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    for number in range(3):
        series = sweep(f"s{number}", one, 0.0)
        file.add_acquisition(series)
        row = file.add_intracellular_recording(electrode=one, response=series)
        file.add_icephys_simultaneous_recording(recordings=[row])
    assert found(file, folder) == {"electrode_0": [0.0, 0.0, 0.0]}


def test_copies_of_one_sweep_are_no_sweeps(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    rows = []
    for name in ("raw", "filtered"):
        series = sweep(name, one, 0.0)
        file.add_acquisition(series)
        rows.append(file.add_intracellular_recording(electrode=one, response=series))
    file.add_icephys_simultaneous_recording(recordings=rows)
    assert found(file, folder) == {"filtered": [0.0], "raw": [0.0]}


def test_a_filtered_copy_of_each_sweep_is_a_channel_of_its_own(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    for number in range(2):
        for name in ("raw", "filtered"):
            file.add_acquisition(sweep(f"{name}_{number}", one, float(number)))
    assert found(file, folder) == {"electrode_0": [0.0, 1.0], "electrode_0 CurrentClamp": [0.0, 1.0]}


def test_modes_and_rates_of_an_electrode_are_channels_of_their_own(file: NWBFile, folder: Path) -> None:
    one = electrode(file)
    for number in range(2):
        file.add_acquisition(sweep(f"a{number}", one, number + 0.0))
        file.add_acquisition(sweep(f"b{number}", one, number + 2.0, rate=RATE_HZ / 2))
        file.add_acquisition(sweep(f"c{number}", one, number + 4.0, kind=VoltageClampSeries))
    assert found(file, folder) == {
        "electrode_0": [0.0, 1.0],
        "electrode_0 CurrentClamp": [2.0, 3.0],
        "electrode_0 VoltageClamp": [4.0, 5.0],
    }


def test_plain_series_are_sweeps_by_name_only_where_it_says_so(file: NWBFile, folder: Path) -> None:
    for number in range(2):
        file.add_acquisition(plain(f"Vm_sweep_{number}", float(number)))
        file.add_acquisition(plain(f"cell{number}", float(number)))
        file.add_acquisition(plain(f"trial_{number}", 0.0))  # at one time
    assert found(file, folder) == {
        "Vm": [0.0, 1.0],
        "cell0": [0.0],
        "cell1": [1.0],
        "trial_0": [0.0],
        "trial_1": [0.0],
    }


def test_electrical_series_of_the_same_electrodes_are_sweeps(file: NWBFile, folder: Path) -> None:
    group = file.create_electrode_group(
        name="g", description="d", location="l", device=file.create_device(name="p")
    )
    for _ in range(2):
        file.add_electrode(group=group, location="l")
    for number in range(2):
        region = file.create_electrode_table_region(region=[0, 1], description="both")
        data = np.zeros((N_SAMPLES, 2))
        name = f"ElectricalSeries{number}"
        file.add_acquisition(
            ElectricalSeries(
                name=name, data=data, electrodes=region, rate=RATE_HZ, starting_time=float(number)
            )
        )
    assert found(file, folder) == {"ElectricalSeries_0": [0.0, 1.0], "ElectricalSeries_1": [0.0, 1.0]}


@pytest.mark.parametrize("gap_s", [DURATION_S, 0.0])
def test_sweeps_give_one_table_and_the_rest_of_the_file_stays(
    file: NWBFile, folder: Path, gap_s: float
) -> None:
    one = electrode(file)
    for number in range(3):
        values = mepp_trace(seed=number)
        stated = {"data": values, "sweep_number": np.uint32(number)}
        file.add_acquisition(sweep(f"data_{number:05d}_AD0", one, gap_s * number, **stated))
    path = written(file, folder)
    before = objects(path)
    detect_file(path, settings=MATCHED)
    (result,) = read_results(path)
    assert result.mepps.channel == "electrode_0"
    assert np.bincount(result.mepps.sweep).tolist() == [len(ONSETS_S)] * 3
    for number in range(3):
        start_s = result.mepps.start_s[result.mepps.sweep == number] - gap_s * number
        np.testing.assert_allclose(start_s, ONSETS_S, atol=1e-3)
    assert result.summary.analyzed_s == pytest.approx(3 * DURATION_S)
    (table,) = read_events(path)
    assert table.name == "mepps_matched_filter"
    assert sorted(set(table.series)) == ["data_00000_AD0", "data_00001_AD0", "data_00002_AD0"]
    left = {name.split("/")[0] for name in changed(before, objects(path))}
    assert left <= {"", "intervals", "processing"}
    assert schema_errors(path) == []


def test_all_channels_are_analyzed_at_once(file: NWBFile, folder: Path) -> None:
    for name in ("Vm", "Vn"):
        file.add_acquisition(TimeSeries(name=name, data=mepp_trace(), unit="V", rate=RATE_HZ))
    path = written(file, folder)
    with pytest.raises(MetadataError, match="to choose one, or `all_channels=True`"):
        detect_file(path, settings=MATCHED)
    detect_file(path, settings=DetectionSettings(detectors=("matched_filter",), all_channels=True))
    assert [one.mepps.channel for one in read_results(path)] == ["Vm", "Vn"]
    with pytest.raises(UsageError, match="`all_channels`: expected no other choice, found `channels` Vm;"):
        DetectionSettings(all_channels=True, channels=("Vm",))
