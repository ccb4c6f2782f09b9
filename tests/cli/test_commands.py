"""What the commands print and write when all is well."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nwb_mepp.detectors import shipped_weights
from nwb_mepp.readers import reader_table
from tests.synthetic import DURATION_S, ONSETS_S, mepp_trace, write_text

PROJECT = Path(__file__).resolve().parents[2]
STATED = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z", "--detector", "matched_filter")
EVENT_COLUMNS = (
    "file,channel,sweep,series,start_time,stop_time,peak_time,amplitude,amplitude_unit,rise_10_90,half_width,"
    "decay_tau,area,baseline,probability,overlapped,detector"
)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_run_writes_file_picture_and_tables_and_tells_what_it_found(annotated: Path) -> None:
    names = {path.name for path in annotated.parent.iterdir()}
    assert names == {"run07.txt.nwb", "run07.txt.png", "mepps.csv", "summary.csv"}
    header, *rows = (annotated.parent / "mepps.csv").read_text().splitlines()
    assert header == EVENT_COLUMNS
    assert len(rows) == len(ONSETS_S)


def test_a_second_run_keeps_everything_and_succeeds(call: Any, annotated: Path, lab_file: Path) -> None:
    before = {path: path.read_bytes() for path in annotated.parent.iterdir()}
    called = call("run", lab_file, "-o", annotated.parent, *STATED)
    assert called.code == 0
    assert called.out == ""
    assert (
        f"-> {annotated} (kept, from the same input and settings): 8 MEPPs on Voltage (matched_filter)"
        in called.err
    )
    assert {path: path.read_bytes() for path in annotated.parent.iterdir()} == before


def test_events_are_printed_with_the_promised_columns(call: Any, annotated: Path) -> None:
    called = call("events", annotated)
    assert called.code == 0
    assert called.err == ""
    assert called.out.splitlines()[0] == EVENT_COLUMNS
    rows = rows_of(called.out)
    assert [float(row["start_time"]) for row in rows] == pytest.approx(ONSETS_S, abs=0.3e-3)
    assert {row["file"] for row in rows} == {str(annotated)}
    assert {row["series"] for row in rows} == {"Voltage"}
    assert {row["amplitude_unit"] for row in rows} == {"V"}


def test_events_of_many_files_have_one_header(call: Any, annotated: Path, tmp_path: Path) -> None:
    shutil.copy(annotated, tmp_path / "copy.nwb")
    called = call("events", annotated, tmp_path)
    assert called.out.count("start_time") == 1
    assert len(rows_of(called.out)) == 2 * len(ONSETS_S)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_listed(
    call: Any, annotated: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.nwb").write_text("Dear diary")
    called = call("events", tmp_path / "bad.nwb", annotated)
    assert called.code == 1
    assert called.err.startswith(f"nwb-mepp: {tmp_path / 'bad.nwb'}: expected an NWB file")
    assert len(rows_of(called.out)) == len(ONSETS_S)


def test_events_as_json_are_valid_and_have_the_same_keys(call: Any, annotated: Path) -> None:
    events = json.loads(call("events", annotated, "--format", "json").out, parse_constant=pytest.fail)
    assert list(events[0]) == EVENT_COLUMNS.split(",")
    assert len(events) == len(ONSETS_S)


def test_events_for_a_spreadsheet(call: Any, annotated: Path) -> None:
    called = call("events", annotated, "--units", "lab", "--decimal", "comma")
    head, first, *_ = (line.split(";") for line in called.out.splitlines())
    row = dict(zip(head, first, strict=True))
    assert row["amplitude_unit"] == "mV"
    assert float(row["amplitude"].replace(",", ".")) == pytest.approx(1.0, rel=0.15)
    assert float(row["start_time_ms"].replace(",", ".")) == pytest.approx(1e3 * ONSETS_S[0], abs=0.3)
    assert "." not in row["amplitude"]


def test_a_decimal_comma_is_for_csv_only(call: Any, annotated: Path) -> None:
    for command in ("events", "summary"):
        called = call(command, annotated, "--format", "json", "--decimal", "comma")
        assert called.code == 2
        assert "--decimal comma: expected --format csv, found json" in called.err


def test_an_unknown_table_is_told_with_those_that_are_there(call: Any, annotated: Path) -> None:
    called = call("events", annotated, "--table", "mepps_curated")
    assert called.code == 1
    assert "expected table 'mepps_curated'" in called.err
    assert "mepps_matched_filter" in called.err
    assert len(rows_of(call("events", annotated, "--table", "mepps_matched_filter").out)) == len(ONSETS_S)


def test_summary_is_printed_as_text_csv_and_json(call: Any, annotated: Path) -> None:
    (row,) = json.loads(call("summary", annotated, "--format", "json").out, parse_constant=pytest.fail)
    assert row["n_mepps"] == len(ONSETS_S)
    assert row["rate_hz"] == pytest.approx(len(ONSETS_S) / DURATION_S)
    assert row["detection_limit_50"] is None
    (as_csv,) = rows_of(call("summary", annotated, "--format", "csv").out)
    assert list(as_csv) == list(row)
    assert float(as_csv["noise_sd"]) == row["noise_sd"]
    text = call("summary", annotated, "--units", "lab").out
    assert text.startswith(f"{annotated}\n")
    shown = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:] if line.strip()}
    assert shown["n_mepps"] == ["8"]
    assert shown["rate_hz"] == ["2", "Hz"]
    assert shown["noise_sd"][1] == "mV"


def test_summary_says_where_nothing_was_looked_for(call: Any, lab_file: Path, tmp_path: Path) -> None:
    assert call("convert", lab_file, "-o", tmp_path, *STATED[:4]).code == 0
    path = tmp_path / "run07.txt.nwb"
    for output_format, printed in (("text", ""), ("json", "[]")):
        called = call("summary", path, "--format", output_format)
        assert (called.code, "".join(called.out.split())) == (0, printed)
        assert called.err.count("no detector was run on it") == 1
        assert f"'nwb-mepp detect {path}'" in called.err


def test_a_rate_of_false_discoveries_can_stand_for_the_threshold(
    call: Any, lab_file: Path, tmp_path: Path
) -> None:
    rate = ("--false-discovery-rate", "0.05")
    assert call("run", lab_file, "-o", tmp_path, *STATED[:4], "--no-picture", *rate).code == 0
    rows = json.loads(call("summary", tmp_path, "--format", "json").out)
    by_detector = {row["detector"]: row for row in rows}
    assert by_detector["miniunet"]["false_discovery_rate"] <= 0.05
    assert by_detector["autoencoder"]["false_discovery_rate"] is None
    refused = call("run", lab_file, "-o", tmp_path, *STATED, *rate)
    assert refused.code == 2
    assert "found matched_filter, which gives none; use --threshold" in refused.err


def test_weights_of_ones_own_are_given_by_their_folder(call: Any, annotated: Path, tmp_path: Path) -> None:
    path = tmp_path / "run07.nwb"
    shutil.copy(annotated, path)
    folder = Path(shutil.copytree(shipped_weights("miniunet"), tmp_path / "lab"))
    assert call("detect", path, "--weights", folder, "--detector", "miniunet").code == 0
    refused = call("detect", path, "--weights", f"autoencoder={folder}")
    assert refused.code == 1
    assert "lab: expected weights of autoencoder, found those of miniunet" in refused.err
    assert call("detect", path, "--weights", folder, "--detector", "template").code == 2


def test_info_tells_what_is_in_a_lab_file(call: Any, lab_file: Path) -> None:
    described = json.loads(call("info", lab_file, "--unit", "V", "--format", "json").out)
    (channel,) = described["channels"]
    assert channel["channel"] == "Voltage"
    assert channel["unit"] == "V"
    assert channel["sampling_rate_hz"] == pytest.approx(10_000.0)
    assert channel["duration_s"] == pytest.approx(DURATION_S)
    assert channel["median"] == pytest.approx(-0.07, abs=1e-3)
    text = call("info", lab_file, "--unit", "V").out
    assert "session_start" in text
    assert "not stated" in text


def test_info_tells_what_stands_in_the_way_and_shows_the_rest(call: Any, lab_file: Path) -> None:
    called = call("info", lab_file)
    assert called.code == 1
    assert "Voltage" in called.out
    assert "pass --unit UNIT" in called.err


def test_info_tells_what_is_in_an_nwb_file(call: Any, annotated: Path) -> None:
    described = json.loads(call("info", annotated, "--format", "json").out)
    assert described["detections"] == [{"detector": "matched_filter", "channel": "Voltage", "n_mepps": 8}]
    assert described["session_start"].startswith("2026-01-15T10:00:00")
    assert "matched_filter" in call("info", annotated).out


def test_detect_replaces_its_own_table_and_row(call: Any, annotated: Path, tmp_path: Path) -> None:
    path = tmp_path / "run07.nwb"
    shutil.copy(annotated, path)
    called = call("detect", path, "--detector", "matched_filter", "--threshold", "1000")
    assert called.code == 0
    assert called.err == f"{path}: 0 MEPPs on Voltage (matched_filter)\n"
    (row,) = json.loads(call("summary", path, "--format", "json").out)
    assert (row["threshold"], row["n_mepps"]) == (1000.0, 0)
    assert call("events", path).out.splitlines() == [EVENT_COLUMNS]


def test_validate_accepts_what_run_wrote_once_the_subject_is_known(
    call: Any, lab_file: Path, tmp_path: Path
) -> None:
    metadata = PROJECT / "data" / "metadata.yaml"
    assert call("convert", lab_file, "-o", tmp_path, *STATED[:4], "--metadata", metadata).code == 0
    called = call("validate", tmp_path / "run07.txt.nwb")
    assert called.code == 0
    assert called.out.splitlines()[-1] == f"{tmp_path / 'run07.txt.nwb'}: valid"


def test_validate_fails_where_the_subject_is_not_known(call: Any, annotated: Path) -> None:
    called = call("validate", annotated)
    assert called.code == 1
    assert "BEST_PRACTICE_VIOLATION" in called.out or "CRITICAL" in called.out


def test_sessions_state_what_is_known_of_each_file(call: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_text(tmp_path / "rec" / f"{name}.txt", mepp_trace(duration_s=1.0, onsets_s=()))
    (tmp_path / "sessions.csv").write_text(
        "file,session_start,subject\na.txt,2026-01-15T10:00:00Z,mouse-1\nb.txt,2026-01-16T10:00:00Z,mouse-2\n"
    )
    options = ("--unit", "V", "--sessions", tmp_path / "sessions.csv")
    assert call("convert", tmp_path / "rec", "-o", tmp_path / "out", *options).code == 0
    for name, day in (("a", "15"), ("b", "16")):
        described = json.loads(call("info", tmp_path / "out" / f"{name}.txt.nwb", "--format", "json").out)
        assert described["session_start"].startswith(f"2026-01-{day}T10:00:00")


def test_the_registries_are_listed(call: Any) -> None:
    detectors = call("detectors")
    assert detectors.code == 0
    assert any(line.startswith("matched_filter ") for line in detectors.out.splitlines())
    formats = call("formats")
    title, *rows = [re.split(r" {2,}", line.strip()) for line in formats.out.splitlines()]
    assert title == ["FORMAT", "FILES", "READER", "NEEDS", "LAZY"]
    assert ["Axon (AxonIO of Neo)", ".abf", "axon", "-", "yes"] in rows
    assert ["Axon Text Format (pyabf)", ".atf", "atf", "pyabf (extra formats)", "no"] in rows
    assert ["Ced (CedIO of Neo)", ".smrx", "ced", "sonpy", "yes"] in rows
    assert ["a folder of .ncs .nse .ntt .nev", "neuralynx"] in [row[1:3] for row in rows]
    assert [".raw .bin .dat (with --reader)", "rawbinarysignal"] in [row[1:3] for row in rows]
    assert len(rows) == len(reader_table())
    template = call("metadata", "template")
    assert template.out.startswith("#")
    assert "subject:" in template.out


def test_version_and_help_succeed(call: Any) -> None:
    from nwb_mepp import __version__

    assert call("--version").out == f"nwb-mepp {__version__}\n"
    for arguments in (("--help",), (), ("run", "--help"), ("metadata", "--help")):
        called = call(*arguments)
        assert called.code == 0
        assert "Usage: nwb-mepp" in called.out


def test_a_reader_that_has_had_enough_gets_no_complaint(annotated: Path) -> None:
    command = [sys.executable, "-m", "nwb_mepp", "events", *[str(annotated)] * 2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait() == 0
    assert errors == ""


def test_names_in_any_alphabet_reach_a_pipe_whatever_its_encoding(lab_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "Мышь 7.txt"
    shutil.copy(lab_file, path)
    command = [sys.executable, "-m", "nwb_mepp", "info", str(path), "--unit", "V"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    finished = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert finished.returncode == 0, finished.stderr
    assert str(path) in finished.stdout.decode("utf-8")


def test_a_run_never_loads_tensorflow(lab_file: Path, tmp_path: Path) -> None:
    arguments = ["run", str(lab_file), "-o", str(tmp_path), "--no-picture", *STATED[:4]]
    code = f"""
import sys
from nwb_mepp.cli import main
assert main({arguments!r}) == 0
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "MEPPs on Voltage (miniunet)" in finished.stderr
