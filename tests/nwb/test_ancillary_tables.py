"""Events, epochs, spikes and irregular signals in the file, where NWB looks for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pynwb import NWBHDF5IO

from builders.traces import recording_of
from nwb_mepp.core.ancillary import AncillaryData, Epochs, IrregularTrace, PointEvents, SpikeTimes
from nwb_mepp.nwb import open_nwb, validate_nwb, write_nwb


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def events(*times_s: float, **other: object) -> PointEvents:
    stated = {"name": "drug", "sweep": 0, "labels": ("",) * len(times_s)}
    return PointEvents(times_s=array(*times_s), **(stated | other))


SPIKES = SpikeTimes(name="a", sweep=0, times_s=array(0.1, 0.2), start_s=0.0, stop_s=0.5, resolution_s=1e-4)


def test_each_kind_of_events_is_a_table_sorted_by_time(folder: Path, session_start: datetime) -> None:
    kinds = (
        events(2.5, 0.5, labels=("out", "in"), annotations={"pump": "2"}, columns={"dose": ("1", "")}),
        events(1.5, sweep=1, labels=("again",)),
        events(3.0, name="light/blue"),
    )
    recording = recording_of(ancillary=AncillaryData(events=kinds))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        tables = io.read().events
        assert set(tables) == {"drug", "light_blue"}
        drug = tables["drug"]
        np.testing.assert_array_equal(drug["timestamp"][:], [0.5, 1.5, 2.5])
        assert list(drug["annotation"][:]) == ["in", "again", "out"]
        assert list(drug["dose"][:]) == ["", "", "1"]
        assert drug.description == "Events 'drug' of the source (pump=2)."
        assert "Read from fiber.abf by reader axon" in drug.source_description
        assert "annotation" not in tables["light_blue"].colnames


def test_a_column_named_like_one_of_the_table_gets_another_name(
    folder: Path, session_start: datetime
) -> None:
    kind = events(1.0, labels=("x",), columns={"timestamp": ("10:00",), "annotation": ("y",)})
    recording = recording_of(ancillary=AncillaryData(events=(kind,)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        table = io.read().events["drug"]
        assert list(table["annotation"][:]) == ["x"]
        assert (table["timestamp_2"][0], table["annotation_2"][0]) == ("10:00", "y")


def test_epochs_are_intervals_apart_from_those_of_mepps(folder: Path, session_start: datetime) -> None:
    pulse = Epochs(
        name="mepps_curated",
        sweep=0,
        start_s=array(1.0, 0.25),
        duration_s=array(0.5, 0.0),
        labels=("b", "a"),
    )
    recording = recording_of(ancillary=AncillaryData(epochs=(pulse,)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        table = io.read().intervals["epochs_mepps_curated"]
        np.testing.assert_array_equal(table["start_time"][:], [0.25, 1.0])
        np.testing.assert_array_equal(table["stop_time"][:], [0.25, 1.5])
        assert list(table["annotation"][:]) == ["a", "b"]


def test_spike_trains_are_units_pooled_over_sweeps(folder: Path, session_start: datetime) -> None:
    second = replace(SPIKES, sweep=1, times_s=array(1.1), start_s=1.0, stop_s=1.5, resolution_s=2e-4)
    silent = replace(SPIKES, name="b", times_s=array(), annotations={"depth": "20 um"})
    recording = recording_of(ancillary=AncillaryData(spikes=(SPIKES, silent, second)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        units = io.read().units
        assert list(units["unit_name"][:]) == ["a", "b"]
        np.testing.assert_array_equal(units["spike_times"][0], [0.1, 0.2, 1.1])
        np.testing.assert_array_equal(units["obs_intervals"][0], [[0.0, 0.5], [1.0, 1.5]])
        assert len(units["spike_times"][1]) == 0
        assert list(units["source_annotations"][:]) == ["", "depth=20 um"]
        assert units.resolution == 1e-4


def test_without_a_spike_there_are_no_units(folder: Path, session_start: datetime) -> None:
    silent = replace(SPIKES, times_s=array())
    recording = recording_of(ancillary=AncillaryData(spikes=(silent,)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        assert io.read().units is None


def test_irregular_signals_keep_their_numbers_and_times_and_are_not_analyzed(
    folder: Path, session_start: datetime
) -> None:
    samples = np.array([3, -2, 7], dtype=np.int16)
    bath = IrregularTrace(
        name="Vm", sweep=0, times_s=array(0.1, 0.15, 0.4), samples=samples, unit="V", conversion=1e-3
    )
    recording = recording_of(ancillary=AncillaryData(irregular=(bath,)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with NWBHDF5IO(folder / "a.nwb", "r") as io:
        series = io.read().acquisition["Vm_2"]  # 'Vm' is the channel of the recording
        assert series.data.dtype == np.int16
        np.testing.assert_array_equal(series.data[:], samples)
        np.testing.assert_array_equal(series.timestamps[:], bath.times_s)
        assert (series.unit, series.conversion) == ("volts", 1e-3)
    with open_nwb(folder / "a.nwb") as read:
        assert read.channels == ("Vm",)
        assert any("'Vm_2' was left out: its samples are not at regular times" in note for note in read.notes)


@settings(max_examples=5)
@given(
    times=st.lists(st.floats(0, 1e5), min_size=1, max_size=20),
    names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3, unique=True),
    label=st.text(max_size=8),
)
def test_whatever_names_and_labels_are_the_file_is_valid(
    times: list[float], names: list[str], label: str, session_start: datetime, tmp_path_factory: object
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.nwb"  # type: ignore[attr-defined]
    labels = (label,) * len(times)
    kinds = [events(*times, name=name, labels=labels) for name in names]
    stretches = [
        Epochs(name=name, sweep=0, start_s=array(*times), duration_s=np.ones(len(times)), labels=labels)
        for name in names
    ]
    trains = [replace(SPIKES, name=name, times_s=array(*times), stop_s=2e5) for name in names]
    ancillary = AncillaryData(events=tuple(kinds), epochs=tuple(stretches), spikes=tuple(trains))
    write_nwb(recording_of(ancillary=ancillary), path, session_start=session_start)
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert len(file.events) == len(file.intervals) == len(file.units) == len(names)
        for table in file.events.values():
            np.testing.assert_array_equal(table["timestamp"][:], sorted(times))


def test_a_file_with_all_of_them_has_no_finding_of_their_own(
    folder: Path, session_start: datetime, full_metadata: object
) -> None:
    stretch = Epochs(name="p", sweep=0, start_s=array(1.0, 2.0), duration_s=array(0.5, 0.5), labels=("", ""))
    ancillary = AncillaryData(events=(events(0.1, 0.3),), epochs=(stretch,), spikes=(SPIKES,))
    write_nwb(
        recording_of(ancillary=ancillary),
        folder / "a.nwb",
        session_start=session_start,
        metadata=full_metadata,
    )
    tables = ("/drug", "/epochs_p", "/units", "/events", "/intervals")
    assert not [one for one in validate_nwb(folder / "a.nwb") if one.location.startswith(tables)]
