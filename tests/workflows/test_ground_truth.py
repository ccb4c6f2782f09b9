"""What is known to be true of a recording, wherever it is stated."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.known_mepps import mepp_trace
from builders.traces import recording_of, trace_of
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows.ground_truth import own_truth, read_truth
from nwb_mepp.workflows.recording_files import open_recording
from nwb_mepp.workflows.simulate import SimulationPlan, simulate_files

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording as NWB and as labeled text, with its table; not to be changed."""
    folder = tmp_path_factory.mktemp("truths")
    simulate_files(
        folder,
        plan=SimulationPlan(seed=5, level=10.0, rate_hz=2.0, duration_s=6.0),
        formats=("nwb", "labeled-text"),
        session_start=resolve_session_start(None, given="2026-01-15T10:00:00Z", timezone=None),
    )
    return folder / "simulated_0005.nwb"


@pytest.fixture
def curated(simulated: Path, tmp_path: Path) -> Path:
    """Return a copy with a person's table: the truth, its first two rows rejected."""
    path = tmp_path / "curated.nwb"
    path.write_bytes(simulated.read_bytes())
    with h5py.File(path, "a") as file:
        file.move("intervals/mepps_truth", "intervals/mepps_curated")
        table = file["intervals/mepps_curated"]
        status = ["rejected", "rejected", *["accepted"] * (len(table["id"]) - 2)]
        column = table.create_dataset("status", data=status, dtype=h5py.string_dtype())
        for name, value in table["peak_time"].attrs.items():
            column.attrs[name] = value
        column.attrs["object_id"] = "00000000-0000-4000-8000-000000000002"
        table.attrs["colnames"] = [*table.attrs["colnames"], "status"]
    return path


def truth_in(path: Path, truth: str | None) -> np.ndarray:
    with open_recording(path) as recording:
        return read_truth(path, truth, recording=recording, channel="Vm").start_s


def test_a_persons_table_is_taken_before_the_truth_of_a_simulation(
    simulated: Path, curated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, expected in ((simulated, "mepps_truth"), (curated, "mepps_curated")):
        with open_recording(path) as recording:
            assert own_truth(path, recording=recording, channel="Vm") == expected
    monkeypatch.setattr(
        "nwb_mepp.workflows.ground_truth.interval_tables", lambda _: ("mepps_curated", "mepps_truth")
    )
    with open_recording(simulated) as recording:
        assert own_truth(simulated, recording=recording, channel="Vm") == "mepps_curated"


def test_what_a_person_has_rejected_is_not_true(simulated: Path, curated: Path) -> None:
    onsets = truth_in(simulated, "mepps_truth")
    assert len(onsets) > 5
    np.testing.assert_array_equal(truth_in(curated, "mepps_curated"), onsets[2:])


def test_labels_that_came_with_the_samples_need_no_table(simulated: Path) -> None:
    text = simulated.with_suffix(".csv")
    with open_recording(text, options=ReadOptions(unit={"": "V"})) as recording:
        assert own_truth(text, recording=recording, channel="Vm") is None
        (channel,) = recording.channels
        marks = read_truth(text, None, recording=recording, channel=channel)
        assert marks.matched_by == "start"
        with pytest.raises(ReadError, match=r"expected labels of channel 'Im' .*, found none; name a table"):
            read_truth(text, None, recording=recording, channel="Im")
    onsets = truth_in(simulated, "mepps_truth")
    assert np.abs(marks.start_s[:, None] - onsets).min(axis=1).max() <= 1e-4


def test_an_event_table_of_mini_analysis_is_the_truth_of_the_example_recording() -> None:
    path = DATA / "simulated.abf"
    with open_recording(path) as recording:
        marks = read_truth(path, str(DATA / "truth" / "mepps_events.txt"), recording=recording, channel="Vm")
        table = read_truth(path, str(DATA / "truth" / "mepps.csv"), recording=recording, channel="Vm")
    assert marks.matched_by == "peak"
    np.testing.assert_allclose(marks.peak_s, table.peak_s, rtol=0, atol=1e-6)
    np.testing.assert_allclose(marks.intervals(), table.intervals(), rtol=0, atol=1e-6)
    assert np.isnan(marks.amplitude).all()


def test_a_recording_without_truth_asks_for_it() -> None:
    path = DATA / "simulated.abf"
    with (
        open_recording(path) as recording,
        pytest.raises(
            ReadError, match=r"mepps_curated or mepps_truth, or labels, .*without labels; name a table"
        ),
    ):
        own_truth(path, recording=recording, channel="Vm")


def test_a_lab_file_has_no_tables() -> None:
    path = DATA / "simulated.abf"
    with (
        open_recording(path) as recording,
        pytest.raises(ReadError, match=r"an NWB file to have the table 'mepps_truth', found the lab file"),
    ):
        read_truth(path, "mepps_truth", recording=recording, channel="Vm")


def test_an_nwb_file_without_a_truth_names_its_tables(simulated: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.nwb"
    path.write_bytes(simulated.read_bytes())
    with h5py.File(path, "a") as file:
        file.move("intervals/mepps_truth", "intervals/mepps_miniunet")
    with open_recording(path) as recording, pytest.raises(ReadError, match=r"bare.nwb, found mepps_miniunet"):
        own_truth(path, recording=recording, channel="Vm")


def test_options_for_a_lab_file_are_refused_for_nwb(simulated: Path) -> None:
    with (
        pytest.raises(
            UsageError,
            match=r"is an NWB file; leave out `reader`, which says how to read a lab file",
        ),
        open_recording(simulated, options=ReadOptions(reader="axon")),
    ):
        pass


def test_an_event_table_belongs_to_a_recording_without_sweeps() -> None:
    values = mepp_trace(onsets_s=())
    recording = recording_of(
        trace_of(values, channel="Vm"), trace_of(values, channel="Vm", sweep=1, start_s=100.0)
    )
    with pytest.raises(ReadError, match=r"a recording without sweeps for the event table .*, found 2 sweeps"):
        read_truth("a.abf", str(DATA / "truth" / "mepps_events.txt"), recording=recording, channel="Vm")
