"""simulate and evaluate: files whose truth is known, and how well what is found agrees with it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
import pytest

from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from builders.lab_files import write_times
from nwb_mepp.cli import main
from nwb_mepp.nwb import is_failure, open_nwb, read_events, read_results, validate_nwb
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.simulation import Scenario, reference_scenario, simulate_recording

START = ("--session-start", "2026-01-15T10:00:00Z")
FILTER = ("--detector", "matched_filter")
SHORT = ("--duration", 8, "--rate", 2.0, "--level", 10, "--seed", 5)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings in all formats, MEPPs detected in the NWB files; not to be changed."""
    folder = tmp_path_factory.mktemp("simulated")
    formats = [part for name in ("nwb", "abf", "labeled-text") for part in ("--format", name)]
    words = ["simulate", "-o", folder, "--recordings", 2, *SHORT, *formats, *START]
    assert main([str(word) for word in words]) == 0
    for number in (5, 6):
        assert main(["detect", str(folder / f"simulated_000{number}.nwb"), *FILTER]) == 0
    return folder


def first(folder: Path) -> Path:
    return folder / "simulated_0005.nwb"


def test_the_files_are_named_after_the_seeds(simulated: Path) -> None:
    assert {path.name for path in simulated.iterdir()} == {
        f"simulated_000{seed}{suffix}" for seed in (5, 6) for suffix in (".nwb", ".abf", ".csv", ".truth.csv")
    }


def test_nwb_holds_samples_and_truth_as_the_simulator_made_them(simulated: Path) -> None:
    scenario = Scenario(
        **(vars(reference_scenario(level=10.0, index=0)) | {"duration_s": 8.0, "rate_hz": 2.0})
    )
    expected = simulate_recording(scenario, seed=5)
    with open_nwb(first(simulated)) as recording:
        assert np.array_equal(recording.traces[0].values(), expected.values)
    (table,) = read_events(first(simulated), table="mepps_truth")
    assert np.array_equal(table.mepps.start_s, expected.truth.start_s)
    assert np.array_equal(table.mepps.peak_s, expected.truth.peak_s)
    assert np.array_equal(table.mepps.stop_s, expected.truth.stop_s)
    assert np.array_equal(table.mepps.amplitude, expected.truth.amplitude)


def test_the_truth_says_that_it_is_simulated_and_has_no_row_of_statistics(simulated: Path) -> None:
    with pynwb.NWBHDF5IO(first(simulated), "r") as stream:
        file = stream.read()
        truth, found = (file.intervals[name] for name in ("mepps_truth", "mepps_matched_filter"))
        assert truth.description.startswith("Ground truth of a simulation")
        assert truth.colnames == found.colnames
    assert [result.detector for result in read_results(first(simulated))] == ["matched_filter"]


def test_nwb_with_truth_lacks_a_subject_and_nothing_else(simulated: Path) -> None:
    failures = [one for one in validate_nwb(first(simulated)) if is_failure(one)]
    assert [one.message for one in failures] == ["Subject is missing."]  # a simulation has none


def test_all_formats_hold_the_same_recording(simulated: Path) -> None:
    with open_nwb(first(simulated)) as recording:
        values = recording.traces[0].values()
    (labeled,) = read_recording(simulated / "simulated_0005.csv", options=ReadOptions(unit={"": "V"})).traces
    assert np.array_equal(labeled.values(), values)
    (axon,) = read_recording(simulated / "simulated_0005.abf").traces
    assert (axon.channel, axon.unit, axon.sampling_rate_hz) == ("Vm", "V", 10_000.0)
    assert np.abs(axon.values() - values).max() < 3.1e-6  # a step is 100 mV / 2**15


def test_the_table_of_the_truth_and_the_labels_mark_the_same(simulated: Path) -> None:
    with (simulated / "simulated_0005.truth.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    labeled = read_recording(simulated / "simulated_0005.csv", options=ReadOptions(unit={"": "V"}))
    (labels,) = labeled.labels.values()
    starts = np.array([float(row["start_time"]) for row in rows])
    np.testing.assert_allclose(labels[:, 0], starts, rtol=0, atol=1e-4)


def test_the_same_seed_gives_the_same_table_and_samples(call: Any, simulated: Path, tmp_path: Path) -> None:
    assert call("simulate", "-o", tmp_path, *SHORT, "--format", "labeled-text").code == 0
    for name in ("simulated_0005.csv", "simulated_0005.truth.csv"):
        assert (tmp_path / name).read_bytes() == (simulated / name).read_bytes()


def test_negative_mepps_and_the_training_distribution_can_be_asked_for(call: Any, tmp_path: Path) -> None:
    called = call(
        "simulate", "-o", tmp_path, "--training-distribution", "--duration", 3, "--polarity", "negative",
        "--format", "labeled-text", "--seed", 3,
    )  # fmt: skip
    assert called.code == 0
    with (tmp_path / "simulated_0003.truth.csv").open() as stream:
        assert all(float(row["amplitude"]) < 0 for row in csv.DictReader(stream))


def test_mepps_are_added_to_real_noise_at_the_stated_level(call: Any, tmp_path: Path) -> None:
    noise = 1e-4 * np.random.default_rng(3).standard_normal(60_000) - 0.07
    source = write_text(tmp_path / "quiet.txt", noise)
    called = call(
        "simulate", "-o", tmp_path, "--noise", source, "--unit", "V", "--exclude", "0:2", "--level", 8,
        "--rate", 20, "--recordings", 2, "--duration", 4, *START,
    )  # fmt: skip
    assert called.code == 0, called.err
    truths = [read_events(tmp_path / f"simulated_000{n}.nwb", table="mepps_truth")[0].mepps for n in (0, 1)]
    # Mean amplitude 8 times the noise of 0.1 mV, 150 MEPPs or so of CV 0.35 and some giant ones.
    assert np.mean(np.concatenate([one.amplitude for one in truths])) == pytest.approx(0.8e-3, rel=0.2)
    with open_nwb(tmp_path / "simulated_0000.nwb") as recording:
        values = recording.traces[0].values()
    before = values[: int(truths[0].start_s[0] * 10_000)]
    assert np.allclose(before, noise[20_000 : 20_000 + len(before)], atol=1e-8)
    assert len(values) == 40_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "NWB needs a date, .* give one, such as --session-start"),
        ((*START, "--recordings", 0), "--recordings: expected at least 1, found 0"),
        ((*START, "--seed", -1), "--seed: expected 0 or more, found -1"),
        ((*START, "--level", 0), "--level: expected a number above 0, found 0"),
        ((*START, "--polarity", "auto"), "--polarity: expected positive or negative, found auto"),
        ((*START, "--duration", "inf"), "--duration: expected a number above 0, found inf"),
        ((*START, "--rate", -1), "--rate: expected 0 per second or more, found -1"),
        ((*START, "--gain", 10), "expected --gain together with --noise"),
        (
            (*START, "--training-distribution", "--level", 3),
            "--training-distribution and --level exclude each other",
        ),
        ((*START, "--training-distribution", "--seed", 10**9), "reserved for the benchmark"),
        ((*START, "--noise", "NOISE", "--unit", "V", "--duration", 30), "stretch of 30 s .* at most 4 s"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused(
    call: Any, tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    source = write_text(tmp_path / "noise.txt", mepp_trace(onsets_s=()))
    called = call("simulate", "-o", tmp_path / "out", *(source if w == "NOISE" else w for w in words))
    assert called.code == 2
    with pytest.raises(ValueError, match=message):
        raise ValueError(called.err)
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_are_not_replaced_unasked(call: Any, simulated: Path) -> None:
    called = call("simulate", "-o", simulated, *SHORT, *START)
    assert called.code == 1
    assert f"expected nothing at {first(simulated)}, found a file; give --overwrite" in called.err


def test_abf_without_its_package_names_the_extra(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nwb_mepp.simulation.files.find_spec", lambda _: None)
    called = call("simulate", "-o", tmp_path / "out", "--format", "abf")
    assert called.code == 1
    assert "writing ABF files needs the package pyabf, which is not installed" in called.err
    assert "nwb-mepp[formats]" in called.err


def test_evaluate_pools_files_with_intervals(call: Any, simulated: Path) -> None:
    called = call("evaluate", simulated, "--truth", "mepps_truth", "--format", "json")
    assert called.code == 0
    document = json.loads(called.out)
    assert [row["file"] for row in document["files"]] == [
        str(simulated / f"simulated_000{seed}.nwb") for seed in (5, 6)
    ]
    pooled = document["all"]
    for name in ("n_true", "n_found", "n_matched"):
        assert pooled[name] == sum(row[name] for row in document["files"])
    assert pooled["f1"] == 2 * pooled["n_matched"] / (pooled["n_true"] + pooled["n_found"])
    assert pooled["f1_low"] <= pooled["f1"] <= pooled["f1_high"]
    assert pooled["f1"] > 0.8


def test_evaluate_prints_text_and_csv(call: Any, simulated: Path) -> None:
    text = call("evaluate", simulated, "--truth", "mepps_truth").out
    assert "matched" in text
    assert "(95 %: " in text
    rows = list(
        csv.DictReader(
            io.StringIO(call("evaluate", simulated, "--truth", "mepps_truth", "--format", "csv").out)
        )
    )
    assert [row["file"] for row in rows][-1] == "all"
    assert rows[0]["f1_low"] == ""
    assert 0 <= float(rows[-1]["f1_low"]) <= 1


def test_scores_and_errors_follow_from_a_table_of_known_times(
    call: Any, annotated: Path, tmp_path: Path
) -> None:
    (found,) = read_events(annotated)
    peaks = found.mepps.peak_s
    # Every time is 1 ms early, the last MEPP is not in the table, one is invented.
    times = [*(float(peak) - 1e-3 for peak in peaks[:-1]), 3.9]
    table = write_times(tmp_path / "t.csv", *(f"{time:.9f}" for time in times), header="peak_time")
    (row,) = json.loads(call("evaluate", annotated, "--truth", table, "--format", "json").out)["files"]
    n = len(ONSETS_S)
    assert (row["n_matched"], row["n_missed"], row["n_false"]) == (n - 1, 1, 1)
    assert row["precision"] == row["recall"] == row["f1"] == (n - 1) / n
    assert row["peak_error"] == pytest.approx(1e-3, abs=1e-8)
    assert row["onset_error"] is row["iou"] is row["iou_patches"] is row["amplitude_error"] is None
    tight = call("evaluate", annotated, "--truth", table, "--tolerance", 0.0005, "--format", "json").out
    assert json.loads(tight)["files"][0]["n_matched"] == 0
    words = ("--tolerance", 0.0005, "--shift", "--format", "json")
    (shifted,) = json.loads(call("evaluate", annotated, "--truth", table, *words).out)["files"]
    assert (shifted["n_matched"], shifted["shift"]) == (n - 1, -1e-3)


def test_labels_are_matched_by_their_onsets(call: Any, simulated: Path) -> None:
    words = ("--truth", simulated / "simulated_0005.csv", "--format", "json")
    (row,) = json.loads(call("evaluate", first(simulated), *words).out)["files"]
    assert row["matched_by"] == "start"
    assert row["recall"] > 0.8
    assert row["peak_error"] is None
    # Within the patches that hold an onset nothing that was found elsewhere counts.
    assert row["iou_patches"] > max(row["iou"], 0.7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("9.5,9.6,9.55",), "within the sweeps of channel 'Voltage' .0 to 4 s., found an event at 9.55 s"),
        ((), "expected events in the truth .*, found none"),
        (("1,1.5,1.2", "1.4,1.6,1.45"), "do not overlap in the truth .* until 1.5 s and the next from 1.4 s"),
        (("1.2,1.1,1.25",), "end after they begin in the truth .*at 1.2 s"),
        (("1,1.1,soon",), "line 2: expected a number under 'peak_time', found 'soon'"),
        ((",1.6,",), "expected peak_time, or else start_time, in every row"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(
    call: Any, annotated: Path, tmp_path: Path, rows: tuple[str, ...], message: str
) -> None:
    called = call("evaluate", annotated, "--truth", write_times(tmp_path / "t.csv", *rows))
    assert called.code == 1
    with pytest.raises(ValueError, match=message):
        raise ValueError(called.err)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--truth", "mepps_truth"), 1, "expected table 'mepps_truth' in .*, found mepps_matched_filter"),
        (("--truth", "no.csv"), 1, "expected the truth in no.csv, found no such file"),
        (("--truth", "x", "--table", "x"), 2, "expected --table and --truth to differ, found 'x' for both"),
        (("--truth", "x", "--channel", "Im"), 1, "on channel 'Im' of .*, found those on Voltage"),
        (("--truth", "x", "--tolerance", -1), 2, "--tolerance: expected 0 s or more, found -1"),
    ],
)
def test_an_evaluation_of_what_is_not_there_is_refused(
    call: Any, annotated: Path, words: tuple[object, ...], code: int, message: str
) -> None:
    called = call("evaluate", annotated, *words)
    assert called.code == code
    with pytest.raises(ValueError, match=message):
        raise ValueError(called.err)


def test_labels_of_another_length_are_refused(call: Any, annotated: Path, simulated: Path) -> None:
    called = call("evaluate", annotated, "--truth", simulated / "simulated_0005.csv")
    assert called.code == 1
    assert "expected a label for each of the 40000 samples of channel 'Voltage'" in called.err
    assert "found 80000 labels" in called.err


def test_text_without_labels_is_not_a_truth(call: Any, annotated: Path, lab_file: Path) -> None:
    called = call("evaluate", annotated, "--truth", lab_file)
    assert called.code == 1
    assert "expected the columns peak_time or start_time, or labels" in called.err


def test_a_file_of_marks_belongs_to_one_recording(call: Any, simulated: Path) -> None:
    called = call("evaluate", simulated, "--truth", simulated / "simulated_0005.truth.csv")
    assert called.code == 2
    assert "expected one NWB file for --truth" in called.err


def test_a_file_without_detections_is_named_and_the_others_are_judged(
    call: Any, simulated: Path, tmp_path: Path
) -> None:
    assert call("simulate", "-o", tmp_path, *SHORT, *START).code == 0
    called = call("evaluate", first(tmp_path), first(simulated), "--truth", "mepps_truth", "--format", "csv")
    assert called.code == 1
    assert f"{first(tmp_path)}: no detector was run on" in called.err
    assert len(called.out.splitlines()) == 2
