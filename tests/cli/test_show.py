"""The commands that print tables: events and summary."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from builders.command_line import EVENT_COLUMNS, STATED, Call
from builders.known_mepps import DURATION_S, ONSETS_S


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_events_are_printed_with_the_promised_columns(call: Call, annotated: Path) -> None:
    called = call("events", annotated)
    assert called.code == 0
    assert called.err == ""
    assert called.out.splitlines()[0] == EVENT_COLUMNS
    rows = rows_of(called.out)
    assert [float(row["start_time"]) for row in rows] == pytest.approx(ONSETS_S, abs=0.3e-3)
    assert {row["file"] for row in rows} == {str(annotated)}
    assert {row["series"] for row in rows} == {"Voltage"}
    assert {row["amplitude_unit"] for row in rows} == {"V"}


def test_events_of_many_files_have_one_header(call: Call, annotated: Path, tmp_path: Path) -> None:
    shutil.copy(annotated, tmp_path / "copy.nwb")
    called = call("events", annotated, tmp_path)
    assert called.out.count("start_time") == 1
    assert len(rows_of(called.out)) == 2 * len(ONSETS_S)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_listed(
    call: Call, annotated: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.nwb").write_text("Dear diary")
    called = call("events", tmp_path / "bad.nwb", annotated)
    assert called.code == 1
    assert called.err.startswith(f"nwb-mepp: {tmp_path / 'bad.nwb'}: expected an NWB file")
    assert len(rows_of(called.out)) == len(ONSETS_S)


def test_events_as_json_are_valid_and_have_the_same_keys(call: Call, annotated: Path) -> None:
    events = json.loads(call("events", annotated, "--format", "json").out, parse_constant=pytest.fail)
    assert list(events[0]) == EVENT_COLUMNS.split(",")
    assert len(events) == len(ONSETS_S)


def test_events_for_a_spreadsheet(call: Call, annotated: Path) -> None:
    called = call("events", annotated, "--units", "lab", "--decimal", "comma")
    head, first, *_ = (line.split(";") for line in called.out.splitlines())
    row = dict(zip(head, first, strict=True))
    assert row["amplitude_unit"] == "mV"
    assert float(row["amplitude"].replace(",", ".")) == pytest.approx(1.0, rel=0.15)
    assert float(row["start_time_ms"].replace(",", ".")) == pytest.approx(1e3 * ONSETS_S[0], abs=0.3)
    assert "." not in row["amplitude"]


def test_a_decimal_comma_is_for_csv_only(call: Call, annotated: Path) -> None:
    for command in ("events", "summary"):
        called = call(command, annotated, "--format", "json", "--decimal", "comma")
        assert called.code == 2
        assert "--decimal comma: expected --format csv, found json" in called.err


def test_an_unknown_table_is_answered_with_those_that_exist(call: Call, annotated: Path) -> None:
    called = call("events", annotated, "--table", "mepps_curated")
    assert called.code == 1
    assert "expected table 'mepps_curated'" in called.err
    assert "mepps_matched_filter" in called.err
    assert len(rows_of(call("events", annotated, "--table", "mepps_matched_filter").out)) == len(ONSETS_S)


def test_summary_is_printed_as_text_csv_and_json(call: Call, annotated: Path) -> None:
    (row,) = json.loads(call("summary", annotated, "--format", "json").out, parse_constant=pytest.fail)
    assert row["n_mepps"] == len(ONSETS_S)
    assert row["rate_hz"] == pytest.approx(len(ONSETS_S) / DURATION_S)
    assert row["false_discovery_rate"] is None
    (as_csv,) = rows_of(call("summary", annotated, "--format", "csv").out)
    assert list(as_csv) == list(row)
    assert float(as_csv["noise_sd"]) == row["noise_sd"]
    text = call("summary", annotated, "--units", "lab").out
    assert text.startswith(f"{annotated}\n")
    shown = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:] if line.strip()}
    assert shown["n_mepps"] == ["8"]
    assert shown["rate_hz"] == ["2", "Hz"]
    assert shown["noise_sd"][1] == "mV"


def test_summary_says_where_nothing_was_looked_for(call: Call, lab_file: Path, tmp_path: Path) -> None:
    assert call("convert", lab_file, "-o", tmp_path, *STATED[:4]).code == 0
    path = tmp_path / "run07.txt.nwb"
    for output_format, printed in (("text", ""), ("json", "[]")):
        called = call("summary", path, "--format", output_format)
        assert (called.code, "".join(called.out.split())) == (0, printed)
        assert called.err.count("no detector was run on it") == 1
        assert f"'nwb-mepp detect {path}'" in called.err


def test_more_jobs_than_cores_are_said(annotated: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    called = call("summary", annotated, "--jobs", "3")
    assert called.code == 0
    assert "nwb-mepp: note: --jobs 3 is more than the 2 cores that there are; more files" in called.err
    assert "note" not in call("summary", annotated, "--jobs", "2").err


def test_a_budget_below_what_one_file_may_take_is_said(annotated: Path, call: Call) -> None:
    called = call("summary", annotated, "--memory-budget", "2")
    assert called.code == 1
    assert re.search(
        r"run07\.txt\.nwb: expected a memory budget of 4(\.\d+)? GB or more, .* found 2 GB; allow more with "
        r"--memory-budget, or less for a file with --memory-limit\.",
        called.err,
    )
    assert call("summary", annotated, "--memory-budget", "8", "--memory-limit", "6").code == 0
