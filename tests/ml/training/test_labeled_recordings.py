"""Labeled recordings become examples, however the labels are given."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import DURATION_S, ONSETS_S
from builders.lab_files import write_times
from builders.reviews import reviewed_file
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import MeppError, ReadError, UsageError
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.ml.training.examples import mask_of
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording, read_labeled
from nwb_mepp.nwb import write_nwb
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.ground_truth import truth_of
from nwb_mepp.workflows.simulate import SimulationPlan, simulate_files

RATE_HZ = 5000.0
VOLTS = ReadOptions(unit={"": "V"})
# How long the events of a reviewed file last.
LASTING_S = 3.7e-3


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording as NWB, ABF and labeled text, with its table; not to be changed."""
    folder = tmp_path_factory.mktemp("labeled")
    simulate_files(
        folder,
        plan=SimulationPlan(seed=5, level=10.0, rate_hz=2.0, duration_s=8.0),
        formats=("nwb", "abf", "labeled-text"),
        session_start=resolve_session_start(None, given="2026-01-15T10:00:00Z", timezone=None),
    )
    return folder / "simulated_0005.nwb"


@pytest.fixture(scope="module")
def truth(simulated: Path) -> dict[str, np.ndarray]:
    with simulated.with_suffix(".truth.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def read(path: Path, truth: str | Path | None = None, **settings: Any) -> LabeledRecording:
    options = VOLTS if path.suffix == ".csv" else ReadOptions()
    return read_labeled(
        path,
        truth=None if truth is None else str(truth),
        options=options,
        settings=DetectionSettings(**settings),
        sampling_rate_hz=RATE_HZ,
    )


def true_mask(truth: dict[str, np.ndarray]) -> np.ndarray:
    return mask_of(truth["start_time"], truth["stop_time"], sampling_rate_hz=RATE_HZ, n_samples=40_000)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sum(one & other) / np.sum(one | other))


def test_the_truth_of_an_nwb_file_and_a_table_of_times_say_the_same(
    simulated: Path, truth: dict[str, np.ndarray]
) -> None:
    own, given = read(simulated), read(simulated.with_suffix(".abf"), "{}.truth.csv")
    for one in (own, given):
        (example,) = one.examples
        np.testing.assert_array_equal(example.mask, true_mask(truth))
        np.testing.assert_allclose(example.peak / RATE_HZ, truth["peak_time"], rtol=0, atol=1.01e-4)
        assert (one.n_mepps, one.duration_s) == (len(truth["peak_time"]), 8.0)
    assert (own.labels, given.labels) == ("table mepps_truth", "a file of marks")
    assert own.sha256 != given.sha256


def test_labels_of_each_sample_give_intervals_with_the_highest_point_as_the_peak(
    simulated: Path, truth: dict[str, np.ndarray]
) -> None:
    one = read(simulated.with_suffix(".csv"))
    (example,) = one.examples
    assert one.labels == "labels of each sample"
    assert overlap(example.mask, true_mask(truth)) > 0.95
    # Ten times the noise SD: half a millisecond is enough for nearly every peak.
    distance_s = np.abs(example.peak[:, None] / RATE_HZ - truth["peak_time"]).min(axis=1)
    assert np.median(distance_s) < 3e-4
    assert distance_s.max() < 5e-3


@pytest.mark.parametrize("column", ["peak_time", "start_time"])
def test_where_marks_are_points_the_intervals_around_them_are_measured(
    simulated: Path, truth: dict[str, np.ndarray], tmp_path: Path, column: str
) -> None:
    table = write_times(tmp_path / "t.csv", *(f"{time:.6f}" for time in truth[column]), header=column)
    (example,) = read(simulated, table).examples
    assert len(example.peak) == len(truth[column])
    assert np.median(np.abs(example.peak / RATE_HZ - truth["peak_time"])) < 3e-4
    assert overlap(example.mask, true_mask(truth)) > 0.7


def test_what_is_left_out_is_not_learned(simulated: Path, truth: dict[str, np.ndarray]) -> None:
    one = read(simulated, exclude=((2.0, 5.0),))
    first, second = one.examples
    assert (len(first.trace), len(second.trace), one.duration_s) == (10_000, 15_000, 5.0)
    peaks = truth["peak_time"]
    kept_s = np.concatenate([first.peak / RATE_HZ, 5.0 + second.peak / RATE_HZ])
    np.testing.assert_allclose(kept_s, peaks[(peaks < 2.0) | (peaks >= 5.0)], rtol=0, atol=1.01e-4)


def test_a_review_teaches_what_was_accepted_and_what_was_rejected(tmp_path: Path) -> None:
    one = read(reviewed_file(tmp_path / "run07.nwb"), channels=("Vm",))
    assert (one.labels, one.n_mepps) == ("table mepps_curated_Vm", 4)
    # Left out are two stretches that nobody has looked at, and an evoked response.
    left_out_s = [
        ONSETS_S[4] - (ONSETS_S[2] + LASTING_S),
        DURATION_S - (ONSETS_S[6] + LASTING_S),
        LASTING_S,
    ]
    assert one.duration_s == pytest.approx(DURATION_S - sum(left_out_s), abs=1e-3)
    first = one.examples[0]
    inside = slice(round(ONSETS_S[1] * RATE_HZ), round((ONSETS_S[1] + LASTING_S) * RATE_HZ))
    # What was rejected is in the trace, and not in the mask.
    assert first.trace[inside].max() > 1.0
    assert not first.mask[inside].any()
    assert len(first.peak) == 2


def test_other_marks_of_the_same_recording_are_other_data(simulated: Path, tmp_path: Path) -> None:
    table = write_times(tmp_path / "t.csv", "1,1.01,1.002")
    one, other = read(simulated), read(simulated, table)
    assert one.sha256 == other.sha256
    assert one.marks_sha256 != other.marks_sha256
    assert read(simulated, table).marks_sha256 == other.marks_sha256


def test_a_recording_without_mepps_gives_empty_examples(simulated: Path, tmp_path: Path) -> None:
    one = read(simulated, write_times(tmp_path / "t.csv"))
    assert one.n_mepps == 0
    assert not one.examples[0].mask.any()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("9.5,9.6,9.55",), "within the sweeps of channel 'Vm' .0 to 8 s., found an event at 9.55 s"),
        (("1,1.5,1.2", "1.4,1.6,1.45"), "do not overlap in the truth .* until 1.5 s and the next from 1.4 s"),
        (("1.2,1.1,1.25",), "end after they begin in the truth .*at 1.2 s"),
    ],
)
def test_labels_that_cannot_be_are_refused(
    simulated: Path, tmp_path: Path, rows: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        read(simulated, write_times(tmp_path / "t.csv", *rows))


def test_labels_of_another_length_are_refused(simulated: Path, tmp_path: Path) -> None:
    lines = simulated.with_suffix(".csv").read_text().splitlines(keepends=True)
    (tmp_path / "short.csv").write_text("".join(lines[:70_001]))
    with pytest.raises(ReadError, match=r"a label for each of the 80000 samples .*, found 70000 labels"):
        read(simulated.with_suffix(".abf"), str(tmp_path / "short.csv"))


def test_marks_that_are_not_there_are_named(simulated: Path) -> None:
    with pytest.raises(ReadError, match=r"marks in .*simulated_0005\.marks, as `truth` '\{\}\.marks' says"):
        truth_of(simulated, "{}.marks")


def test_several_channels_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "pair.nwb"
    start = resolve_session_start(None, given="2026-01-15T10:00:00Z", timezone=None)
    write_nwb(recording_of(int16_trace("V1"), int16_trace("V2")), path, session_start=start)
    with pytest.raises(UsageError, match="`channel`: expected one channel to train on, found V1, V2"):
        read(path, channels=("V1", "V2"))


def test_every_error_is_one_that_users_can_fix() -> None:
    with pytest.raises(MeppError, match=r"expected an NWB file, found nothing at nowhere.nwb"):
        read(Path("nowhere.nwb"))
