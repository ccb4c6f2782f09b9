"""Recordings with evoked responses, lost impalements, clipped peaks and samples that are no numbers."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import h5py
import neo
import numpy as np
import pytest
import quantities as pq

import nwb_mepp
from builders.command_line import Call, Called
from builders.known_mepps import mepp_trace
from builders.traces import RATE_HZ, recording_of, trace_of
from nwb_mepp.core.ancillary import AncillaryData, PointEvents
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import open_nwb, read_results, replace_results, write_nwb
from nwb_mepp.workflows import DetectionSettings, analyze, detect_file

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def case(name: str) -> Path:
    """Return the file of a case, which lies beside the project, not in it."""
    if not CASES.is_dir():
        reason = "expected cases in ../shared/cases beside the project, found none"
        if os.environ.get("CI") == "true" and CASES.parent.exists():
            pytest.fail(reason)
        pytest.skip(reason)
    (file,) = (one for one in (CASES / name).iterdir() if one.suffix in (".nwb", ".abf", ".txt", ".csv"))
    return file


def detected(call: Call, file: Path, folder: Path, *options: object) -> tuple[ChannelResult, Called]:
    output = folder / "out.nwb"
    called = call("detect", file, "-o", output, "--detector", "miniunet", *options)
    assert called.code == 0, called.err
    (result,) = read_results(output)
    return result, called


def test_evoked_responses_are_in_the_table_but_not_counted(call: Call, tmp_path: Path) -> None:
    result, called = detected(call, case("epp_1hz"), tmp_path)
    assert result.summary.n_evoked == 58
    # Large events beside them do not make noise look like MEPPs: it was 62.
    assert abs(result.summary.n_mepps - 54) <= 4
    assert result.summary.amplitude_mean == pytest.approx(0.47e-3, rel=0.15)
    assert (result.mepps.of_kind("evoked").amplitude > 5e-3).all()
    # Few of the artifacts of stimulation are found.
    n_artifacts = int(result.summary.n_artifacts)
    beside = f" and {n_artifacts} artifact{'' if n_artifacts == 1 else 's'}" if n_artifacts else ""
    assert f"58 evoked responses{beside} in the table, not counted as MEPPs" in called.err


def test_time_outside_the_cell_is_not_analyzed(call: Call, tmp_path: Path) -> None:
    result, called = detected(call, case("slip"), tmp_path)
    assert result.summary.analyzed_s == pytest.approx(35.0, abs=0.2)
    assert result.summary.rate_hz == pytest.approx(1.14, abs=0.1)
    assert result.summary.baseline_mean == pytest.approx(-70e-3, abs=0.5e-3)
    assert "25 s were left out (impalement lost 35:60 s)" in called.err
    again = call("detect", tmp_path / "out.nwb", "--detector", "miniunet", "--keep-all-time")
    assert again.code == 0, again.err
    (kept,) = read_results(tmp_path / "out.nwb")
    assert (kept.summary.analyzed_s, kept.left_out) == (60.0, ())


def test_clipped_amplitudes_are_left_out_of_the_mean(call: Call, tmp_path: Path) -> None:
    result, called = detected(call, case("clip_top"), tmp_path)
    clipped = np.char.find(result.mepps.quality, "clipped") >= 0
    assert 40 <= clipped.sum() <= 62
    # The range ends 0.4 mV above rest.
    assert np.median(result.mepps.amplitude[clipped]) == pytest.approx(0.4e-3, rel=0.1)
    assert result.summary.amplitude_mean == pytest.approx(result.mepps.amplitude[~clipped].mean())
    assert "peaks lie on an end of the range: their amplitudes are lower bounds" in result.summary.warnings
    assert result.summary.warnings in called.err


def test_samples_that_are_no_numbers_are_left_out_by_themselves(call: Call, tmp_path: Path) -> None:
    result, called = detected(call, case("nan_nwb"), tmp_path)
    assert result.left_out == ((10.0, 12.0, "not a number"), (40.0, 40.0005, "not a number"))
    assert result.summary.analyzed_s == pytest.approx(57.9995)
    assert "not a number 10:12, 40:40.0005 s" in called.err
    with open_nwb(tmp_path / "out.nwb") as recording:
        assert recording.invalid_times == ()  # found anew, so that --keep-all-time can undo it


def test_command_steps_of_a_model_cell_are_no_mepps(call: Call, tmp_path: Path) -> None:
    # Its sweeps of 0.5 s are too short to leave the step out, so the events stay, as artifacts.
    options = ("--detector", "miniunet", "--timezone", "UTC", "--no-picture")
    called = call("run", case("vc_step_model_cell"), "-o", tmp_path, *options)
    assert called.code == 0, called.err
    (result,) = read_results(next(tmp_path.glob("*.nwb")))
    assert (result.summary.n_mepps, result.summary.n_artifacts) == (0, 20)
    assert "the sweeps are too short to leave out the command steps that the header states" in called.err


def test_command_steps_are_known_in_the_converted_file_too(call: Call, tmp_path: Path) -> None:
    source, steps_s = case("vc_step_model_cell"), ((0.5 * n + 0.0078, 0.5 * n + 0.2078) for n in range(20))
    assert call("convert", source, "-o", tmp_path, "--timezone", "UTC").code == 0
    (converted,) = tmp_path.glob("*.nwb")
    with open_nwb(converted) as recording:
        assert np.array(recording.command_steps) == pytest.approx(np.array(list(steps_s)), abs=1e-12)
    called = call("detect", converted, "--detector", "threshold")
    assert "the sweeps are too short to leave out the command steps that the header states" in called.err


def test_a_neo_signal_may_hold_samples_that_are_no_numbers() -> None:
    values = mepp_trace()
    values[20_000:21_000] = np.nan
    signal = neo.AnalogSignal(values, units="V", sampling_rate=RATE_HZ * pq.Hz)
    epoch = nwb_mepp.detect(signal, detectors="matched_filter")
    assert epoch.annotations["analyzed"] == [[0, 0.0, 2.0], [0, 2.1, 4.0]]
    assert set(epoch.array_annotations["kind"]) == {"mepp"}
    summary = nwb_mepp.summarize(epoch)
    assert (summary["analyzed_s"], summary["n_mepps"]) == (pytest.approx(3.9), 8)


def test_the_output_of_a_run_says_what_was_left_out_and_why(tmp_path: Path) -> None:
    values = mepp_trace(duration_s=8.0)
    values[at_s(5.0) : at_s(6.0)] = -0.3
    recording = recording_of(trace_of(values), invalid_times=((7.0, 7.5),))
    results = analyze(recording, settings=DetectionSettings(detectors=("matched_filter",)))
    start = datetime(2026, 1, 15, tzinfo=UTC)
    write_nwb(recording, tmp_path / "a.nwb", session_start=start, results=results)
    with h5py.File(tmp_path / "a.nwb") as file:
        table = file["intervals/invalid_times"]
        rows = [table[name].asstr()[:].tolist() for name in ("reason", "channel")]
        assert table["start_time"][:].tolist() == [5.0, 7.0]
    assert rows == [["at the end of the range", ""], ["Vm", ""]]
    assert read_results(tmp_path / "a.nwb")[0].left_out == results[0].left_out
    replace_results(tmp_path / "a.nwb", [replace(results[0], left_out=())])
    with h5py.File(tmp_path / "a.nwb") as file:
        assert file["intervals/invalid_times/start_time"][:].tolist() == [7.0]  # what was stated stays


@pytest.mark.parametrize(("name", "channel"), [("nan_text", ("--channel", "Vm")), ("nan_csv", ())])
def test_a_text_with_samples_that_are_no_numbers_is_converted(
    name: str, channel: tuple[str, ...], call: Call, tmp_path: Path
) -> None:
    options = ("--session-start", "2026-01-15T10:00:00Z", "--detector", "miniunet", "--override")
    called = call("run", case(name), "-o", tmp_path, *options, *channel, "--no-picture")
    assert called.code == 0, called.err
    (result,) = read_results(next(tmp_path.glob("*.nwb")))
    ((start_s, stop_s, reason),) = result.left_out
    assert (start_s, stop_s, reason) == (
        pytest.approx(0.5, abs=2e-4),
        pytest.approx(0.52, abs=2e-4),
        "not a number",
    )


def test_events_of_an_nwb_file_that_responses_follow_are_stimuli(tmp_path: Path) -> None:
    stimuli_s = np.array([1.1, 2.05, 3.2, 4.15, 5.6, 6.3, 7.45])  # neither regular nor stated
    onsets_s = sorted([*(stimuli_s + 4e-3), 0.6, 1.7, 2.7, 5.1])
    events = PointEvents(name="TTL", sweep=0, times_s=stimuli_s, labels=("",) * 7)
    trace = trace_of(mepp_trace(onsets_s=onsets_s, duration_s=8.0))
    recording = recording_of(trace, ancillary=AncillaryData(events=(events,)))
    write_nwb(recording, tmp_path / "a.nwb", session_start=datetime(2026, 1, 15, tzinfo=UTC))
    detect_file(tmp_path / "a.nwb", settings=DetectionSettings(detectors=("matched_filter",)))
    (result,) = read_results(tmp_path / "a.nwb")
    assert (result.summary.n_evoked, result.summary.n_mepps) == (7, 4)


def at_s(time_s: float) -> int:
    return round(time_s * RATE_HZ)
