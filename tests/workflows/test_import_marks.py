"""Marks that a person made elsewhere come into the file as they are, measured on the samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.known_mepps import AMPLITUDE_V, ONSETS_S, TAU_DECAY_S, TAU_RISE_S, mepp_trace
from builders.traces import recording_of, trace_of
from nwb_mepp.core.errors import MetadataError, ReadError, UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import is_failure, read_events, validate_nwb
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, WriteOptions, convert_file
from nwb_mepp.workflows.import_marks import carry_marks

PEAK_S = TAU_RISE_S * np.log1p(TAU_DECAY_S / TAU_RISE_S)
DATA = Path(__file__).resolve().parents[2] / "data"
Marks = Callable[..., Path]


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    def write(*lines: str, name: str = "marks.csv") -> Path:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recording_of(trace_of(mepp_trace(), start_s=10.0))


def carry(recording: Recording, file: Path, **settings: object) -> dict[str, np.ndarray]:
    carried = carry_marks(recording, file, settings=DetectionSettings(**settings))  # type: ignore[arg-type]
    return {name: getattr(carried, name) for name in (*carried.array_names(),)}


def test_times_that_a_table_states_stay_to_the_last_digit_and_the_rest_is_measured(
    recording: Recording, marks: Marks
) -> None:
    rows = [f"{10.0 + onset},{10.0 + onset + 0.0071234}" for onset in ONSETS_S]
    found = carry(recording, marks("start_time,stop_time", *rows))
    assert found["start_s"].tolist() == [float(row.split(",")[0]) for row in rows]
    assert found["stop_s"].tolist() == [float(row.split(",")[1]) for row in rows]
    np.testing.assert_array_equal(found["start_index"], np.round(np.array(ONSETS_S) * 1e4))
    np.testing.assert_array_equal(found["stop_index"], np.round((np.array(ONSETS_S) + 0.0071234) * 1e4))
    np.testing.assert_allclose(found["peak_s"], 10.0 + np.array(ONSETS_S) + PEAK_S, atol=0.5e-3)
    # The noise is a twentieth of the amplitude, and a peak the mean of five samples.
    np.testing.assert_allclose(found["amplitude"], AMPLITUDE_V, rtol=0.1)
    assert np.isnan(found["probability"]).all()


def test_where_only_peaks_are_stated_onset_and_end_are_measured(recording: Recording, marks: Marks) -> None:
    rows = [f"{10.0 + onset + PEAK_S:.6f},{0.001 * number}" for number, onset in enumerate(ONSETS_S, 1)]
    found = carry(recording, marks("peak_time,amplitude", *rows))
    assert found["peak_s"].tolist() == [float(row.split(",")[0]) for row in rows]
    # What the table states of the size stays too.
    np.testing.assert_array_equal(found["amplitude"], [float(row.split(",")[1]) for row in rows])
    np.testing.assert_allclose(found["start_s"], 10.0 + np.array(ONSETS_S), atol=0.5e-3)
    assert np.all(found["stop_s"] > found["peak_s"])


def test_where_only_onsets_are_stated_peak_and_end_are_measured(recording: Recording, marks: Marks) -> None:
    found = carry(recording, marks("start_time", *(f"{10.0 + onset}" for onset in ONSETS_S)))
    assert found["start_s"].tolist() == [10.0 + onset for onset in ONSETS_S]
    np.testing.assert_allclose(found["peak_s"], 10.0 + np.array(ONSETS_S) + PEAK_S, atol=0.5e-3)


def test_a_mark_on_the_peak_of_another_has_no_measures_of_its_own(recording: Recording, marks: Marks) -> None:
    # 0.1 ms apart: both mean the one peak there is.
    table = marks(
        "start_time,peak_time,stop_time",
        "10.4000,10.40090,10.40095",
        "10.40095,10.40100,10.4040",
        "10.75,10.751,10.757",
    )
    found = carry(recording, table)
    assert found["start_s"].tolist() == [10.4, 10.40095, 10.75]
    assert np.isnan(found["amplitude"]).tolist().count(True) == 1
    table = marks("peak_time", "10.4009", "10.4010", "10.751")
    with pytest.raises(
        ReadError,
        match=r"expected each mark of .*marks.csv on a peak of its own, .* found none for the mark at 10\.40",
    ):
        carry(recording, table)


def test_sweeps_each_get_their_marks(marks: Marks) -> None:
    values = mepp_trace()
    sweeps = [trace_of(values, sweep=sweep, start_s=100.0 * sweep) for sweep in (0, 1)]
    found = carry(recording_of(*sweeps), marks("peak_time", "0.401", "100.401", "102.301"))
    assert found["sweep"].tolist() == [0, 1, 1]
    assert found["start_index"][0] == found["start_index"][1]


def test_an_end_after_the_last_sample_is_the_end_of_the_sweep(recording: Recording, marks: Marks) -> None:
    found = carry(recording, marks("start_time,peak_time,stop_time", "13.65,13.651,14.5"))
    assert found["stop_s"].tolist() == [14.0]
    assert found["stop_index"].tolist() == [40_000]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("peak_time", "3.0"),
            r"expected the marks of '.*' within the sweeps of channel 'Vm' \(10 to 14 s\)",
        ),
        (("peak_time",), r"expected events in the marks of '.*marks.csv', found none"),
        (
            ("start_time,stop_time", "11,10.9"),
            r"expected intervals that end after they begin in the marks of",
        ),
        (("start_time,stop_time", "11,11.1", "11.05,11.2"), r"expected intervals that do not overlap"),
        (
            ("start_time,peak_time,stop_time", "11,11.5,11.2"),
            r"found one that begins at 11\.0000 s, peaks at",
        ),
        (("start_time,peak_time", "13.999,14.1"), r"expected the peaks that .* states within the sweeps of"),
        (
            ("when", "11"),
            r"expected the columns peak_time or start_time, or labels, .* or labeled text with `events`",
        ),
        (("peak_time", "soon"), r"line 2: expected a number under 'peak_time', found 'soon'"),
    ],
)
def test_marks_that_cannot_be_right_are_refused(
    recording: Recording, marks: Marks, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        carry(recording, marks(*lines))


def test_with_several_channels_one_is_asked_for(marks: Marks) -> None:
    values = mepp_trace()
    both = recording_of(trace_of(values), trace_of(0.1 * values, channel="Vm2"))
    table = marks("peak_time", "0.401")
    with pytest.raises(
        MetadataError, match=r"2 channels in volts or amperes \(Vm, Vm2\); pass `channels='Vm'`"
    ):
        carry(both, table)
    with pytest.raises(UsageError, match="has no channel 'V'"):
        carry(both, table, channels=("V",))
    carried = carry_marks(both, table, settings=DetectionSettings(channels=("Vm2",)))
    assert carried.channel == "Vm2"
    np.testing.assert_allclose(carried.amplitude, 0.1 * AMPLITUDE_V, rtol=0.1)


KNOWN = WriteOptions(
    session_start="2026-01-15T10:00:00+00:00", metadata=DATA / "metadata.yaml", clamp="izero"
)


@pytest.mark.parametrize("table", ["truth/mepps_events.txt", "truth/mepps.csv", "simulated_labeled.csv"])
def test_the_marks_of_the_example_recording_come_into_its_file(tmp_path: Path, table: str) -> None:
    output = tmp_path / "simulated.nwb"
    outcome = convert_file(DATA / "simulated.abf", output, write_options=KNOWN, events=str(DATA / table))
    assert outcome.found == (("Vm", "hand", 28),)
    (curated,) = read_events(output, table="mepps_curated")
    truth = np.genfromtxt(DATA / "truth" / "mepps.csv", delimiter=",", names=True)
    # Mini Analysis prints 0.1 us; a label covers whole samples of 0.1 ms.
    tolerance_s = 1e-4 if "labeled" in table else 1e-6
    np.testing.assert_allclose(curated.mepps.start_s, truth["start_time"], atol=tolerance_s)
    assert set(curated.series) == {"Vm"}
    with h5py.File(output) as file:
        hand = file["intervals/mepps_curated"]
        assert set(hand["source"].asstr()[:]) == {"hand"}
        assert set(hand["status"].asstr()[:]) == {"accepted"}
        assert hand.attrs["colnames"].tolist()[-2:] == ["source", "status"]
    assert [one.message for one in validate_nwb(output, dandi=True) if is_failure(one)] == []


def test_other_marks_make_another_file(tmp_path: Path, marks: Marks) -> None:
    output = tmp_path / "out.nwb"

    def convert(**events: str) -> str:
        return convert_file(
            DATA / "simulated.abf", output, write_options=KNOWN, overwrite=not events, **events
        ).status

    first = str(marks("peak_time", "0.1848", name="simulated.marks"))
    convert()
    with pytest.raises(Exception, match=r"out.nwb is there already, from other input or settings"):
        convert(events=first)
    output.unlink()
    assert [convert(events=first), convert(events=first)] == ["written", "kept"]
    marks("peak_time", "0.4498", name="simulated.marks")
    with pytest.raises(Exception, match=r"out.nwb is there already, from other input or settings"):
        convert(events=first)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ("none.csv", r"`events`: there is no file none.csv; check the path"),
        ("{}.marks", r"expected its marks in .*simulated.marks, as `events` '{}.marks' says, found no such"),
    ],
)
def test_a_table_that_is_not_there_is_named_and_nothing_written(
    tmp_path: Path, events: str, message: str
) -> None:
    output = tmp_path / "simulated.nwb"
    with pytest.raises(ReadError, match=message):
        convert_file(DATA / "simulated.abf", output, write_options=KNOWN, events=events)
    assert list(tmp_path.iterdir()) == []


def test_marks_of_people_on_a_real_recording_are_imported(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "recordings" / "winchester"
    consensus = np.genfromtxt(folder / "GroupA_consensus.csv", delimiter=",", names=True)
    agreed_s = np.sort(consensus["time_s"][consensus["votes_of_5"] == 5])
    table = tmp_path / "agreed.csv"
    # The people marked onsets or flanks; the recording begins where its file says.
    table.write_text("start_time\n" + "".join(f"{time_s:.6f}\n" for time_s in agreed_s), encoding="utf-8")
    output = tmp_path / "a.nwb"
    convert_file(
        folder / "GroupA.abf",
        output,
        read_options=ReadOptions(),
        write_options=WriteOptions(session_start="2020-01-01T00:00:00+00:00", override=True),
        events=str(table),
    )
    (curated,) = read_events(output, table="mepps_curated")
    np.testing.assert_allclose(curated.mepps.start_s, agreed_s, atol=1e-6)
    # Synaptic currents that five people agree on stand out of the noise, all to one side.
    assert np.mean(np.sign(curated.mepps.amplitude) == np.sign(np.nanmedian(curated.mepps.amplitude))) > 0.95
