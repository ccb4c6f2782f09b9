"""Names, tables and settings made to do harm, or damaged: a sentence, and nothing else."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.command_line import STATED, Call
from builders.known_mepps import mepp_trace, write_text
from nwb_mepp.core.safe_text import from_csv_cell
from nwb_mepp.detectors import shipped_weights
from nwb_mepp.readers.channel_names import unique_names

NAME = "=cmd|' /C calc'!A0\x1b[2J"
PROJECT = Path(__file__).resolve().parents[2]


def labeled(path: Path, *, channel: str) -> Path:
    write_text(path, mepp_trace())
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Voltage", channel, 1), encoding="utf-8")
    return path


def test_the_name_of_a_channel_does_no_harm_anywhere(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    called = call("run", labeled(tmp_path / "a.txt", channel=NAME), "-o", out, *STATED)
    assert called.code == 0, called.err
    assert "8 MEPPs on =cmd|' /C calc'!A0\\x1b[2J (matched_filter)" in called.err
    with h5py.File(out / "a.txt.nwb") as file:
        (series,) = file["acquisition"].values()
        assert series.attrs["comments"].startswith(f"channel={NAME};")
    listed = [call("events", out / "a.txt.nwb"), call("summary", out / "a.txt.nwb", "--format", "csv")]
    for one, table in zip(listed, ("mepps.csv", "summary.csv"), strict=True):
        for text in (one.out, (out / table).read_text(encoding="utf-8")):
            rows = list(csv.DictReader(text.splitlines()))
            assert {row["channel"] for row in rows} == {"'=cmd|' /C calc'!A0\\x1b[2J"}
            assert {from_csv_cell(row["channel"]) for row in rows} == {NAME}
    for command in ("events", "summary", "info"):
        printed = call(command, out / "a.txt.nwb", "--format", "json").out
        assert NAME in json.dumps(json.loads(printed), ensure_ascii=False).replace("\\u001b", "\x1b")
        assert "\x1b" not in printed
    for command in ("summary", "info"):
        printed = call(command, out / "a.txt.nwb").out
        assert "!A0\\x1b[2J" in printed
        assert "\x1b" not in printed


def test_a_negative_number_is_not_taken_for_a_formula(call: Call, annotated: Path) -> None:
    rows = list(csv.DictReader(call("events", annotated).out.splitlines()))
    assert all(float(row["baseline"]) < 0 for row in rows)


def test_a_channel_with_nul_in_its_name_can_be_stored() -> None:
    assert unique_names(["V\0m", "Vm\0"]) == ["V\\x00m", "Vm"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_not_utf8_is_escaped(call: Call, tmp_path: Path, lab_file: Path) -> None:
    path = tmp_path / os.fsdecode(b"r\xffn.txt")
    shutil.copy(lab_file, path)
    out = tmp_path / "out"
    called = call("run", path, "-o", out, *STATED)
    assert called.code == 0, called.err
    assert "r\\udcffn.txt" in called.err
    assert "r\\udcffn.txt.nwb" in (out / "mepps.csv").read_text(encoding="utf-8")
    output = out / os.fsdecode(b"r\xffn.txt.nwb")
    with h5py.File(output) as file:
        table = file["processing/icephys/source_files"]
        assert "r\\udcffn.txt" in [str(column.asstr()[0]) for column in table.values() if column.dtype == "O"]
    assert output.with_name(os.fsdecode(b"r\xffn.txt.png")).exists()
    for arguments in (
        ("events", output),
        ("events", output, "--format", "json"),
        ("summary", output),
        ("info", output),
        ("info", path),
        ("info", output, "--format", "json"),
        ("validate", output),
        ("run", tmp_path / os.fsdecode(b"\xfe.abf"), "-o", out, *STATED),
    ):
        called = call(*arguments)
        assert "bug in nwb-mepp" not in called.err
        assert "\\udcf" in called.out + called.err
        called.out.encode()


@pytest.mark.parametrize("name", ["model.tflite", "float32.tflite"])
def test_a_network_that_is_none_is_refused(call: Call, lab_file: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(shipped_weights("miniunet"), folder)
    garbage = bytes(range(256)) * 20
    (folder / name).write_bytes(garbage)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    described = config if name == "model.tflite" else config["float32"]
    described["sha256"] = hashlib.sha256(garbage).hexdigest()
    config["float32"]["above"] = 2.0  # both networks are needed
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    stated = [*STATED[:-1], "miniunet"]
    called = call("run", lab_file, "-o", tmp_path / "out", *stated, "--weights", f"miniunet={folder}")
    assert called.code == 1
    assert f"weights/{name}: expected a network that takes and gives a shape of (1, n, 1)" in called.err
    assert "bug in" not in called.err


@pytest.mark.parametrize("content", [b"\xff\xfe\xfd", b"[" * 100_000])
def test_a_configuration_that_is_no_json_is_refused(
    call: Call, lab_file: Path, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"")
    (folder / "config.json").write_bytes(content)
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED, "--weights", f"miniunet={folder}")
    assert called.code in (1, 2)
    assert "weights/config.json: expected JSON, found other bytes or endless brackets" in called.err


def test_endless_nesting_of_metadata_is_refused(call: Call, lab_file: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "deep.yaml"
    metadata.write_text("a: " + "[" * 20_000, encoding="utf-8")
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED, "--metadata", metadata)
    assert called.code in (1, 2)
    assert (
        "deep.yaml: expected sections of keys and texts, found YAML that is nested far too deep" in called.err
    )


LONG = "x" * 131_073


def test_an_endless_cell_in_a_table_of_sessions_is_refused(
    call: Call, lab_file: Path, tmp_path: Path
) -> None:
    sessions = tmp_path / "sessions.csv"
    sessions.write_text(f"file,session_start\nrun07.txt,{LONG}\n", encoding="utf-8")
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED, "--sessions", sessions)
    assert called.code == 2
    assert "--sessions: expected" in called.err
    assert "to be CSV, found: field larger than field limit (131072)" in called.err


def test_an_endless_cell_in_a_table_of_marks_is_refused(
    call: Call, annotated: Path, lab_file: Path, tmp_path: Path
) -> None:
    marks = tmp_path / "marks.csv"
    marks.write_text(f"peak_time,comment\n0.5,{LONG}\n", encoding="utf-8")
    called = call("evaluate", annotated, "--truth", marks)
    assert called.code == 1
    assert "field larger than field limit (131072)" in called.err
    called = call("convert", lab_file, "-o", tmp_path / "out", *STATED[:4], "--events", marks)
    assert called.code == 1
    assert "bug in nwb-mepp" not in called.err


def test_an_endless_cell_of_a_text_recording_is_answered_in_a_sentence(call: Call, tmp_path: Path) -> None:
    for name, text in (
        ("a.txt", f"Time_ms,Voltage\n0,0.1\n0.1,{LONG}\n0.2,0.1\n"),
        ("b.txt", f"Time_ms,{LONG}\n0,0.1\n0.1,0.1\n0.2,0.1\n"),
        ("c.txt", f"Interval=\t0.1 ms\nChannelTitle=\t{LONG}\n0\t0.1\n0.1\t0.1\n"),
        ("d.atf", f'ATF\t1.0\n0\t2\n"Time (s)"\t"{LONG}"\n0\t0.1\n0.1\t0.1\n'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        called = call("run", tmp_path / name, "-o", tmp_path / "out", *STATED)
        assert called.code == 1, name
        assert "bug in nwb-mepp" not in called.err
        assert "Traceback" not in called.err


@pytest.mark.parametrize(("position", "what"), [(40, "samples"), (44, "tags"), (92, "sweeps")])
def test_a_section_before_the_beginning_of_an_abf_file_is_refused(
    call: Call, tmp_path: Path, position: int, what: str
) -> None:
    content = bytearray((PROJECT / "data" / "simulated.abf").read_bytes())
    assert content.startswith(b"ABF ")
    count = {"samples": 10, "tags": 48, "sweeps": 96}[what]
    content[position : position + 4] = np.int32(-7).tobytes()
    content[count : count + 4] = np.int32(1).tobytes()
    (tmp_path / "a.abf").write_bytes(content)
    called = call("run", tmp_path / "a.abf", "-o", tmp_path / "out", *STATED[2:])
    assert called.code == 1
    assert f"a.abf is damaged: expected its {what} behind the header, found them at block -7" in called.err
