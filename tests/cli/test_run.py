"""The commands that read recordings and write results: convert, detect and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from builders.command_line import EVENT_COLUMNS, STATED, Call
from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from nwb_mepp.detectors import shipped_weights


def test_run_writes_file_picture_and_tables_and_tells_what_it_found(annotated: Path) -> None:
    names = {path.name for path in annotated.parent.iterdir()}
    assert names == {"run07.txt.nwb", "run07.txt.png", "mepps.csv", "summary.csv", ".nwb-mepp.json"}
    header, *rows = (annotated.parent / "mepps.csv").read_text().splitlines()
    assert header == EVENT_COLUMNS
    assert len(rows) == len(ONSETS_S)


def test_a_second_run_keeps_everything_and_succeeds(call: Call, annotated: Path, lab_file: Path) -> None:
    before = {path: path.read_bytes() for path in annotated.parent.iterdir()}
    called = call("run", lab_file, "-o", annotated.parent, *STATED)
    assert called.code == 0
    assert called.out == ""
    assert (
        f"-> {annotated} (kept, from the same input and settings): 8 MEPPs on Voltage (matched_filter)"
        in called.err
    )
    assert {path: path.read_bytes() for path in annotated.parent.iterdir()} == before


def test_a_rate_of_false_discoveries_can_stand_for_the_threshold(
    call: Call, lab_file: Path, tmp_path: Path
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


def test_weights_of_ones_own_are_given_by_their_folder(call: Call, annotated: Path, tmp_path: Path) -> None:
    path = tmp_path / "run07.nwb"
    shutil.copy(annotated, path)
    folder = Path(shutil.copytree(shipped_weights("miniunet"), tmp_path / "lab"))
    assert call("detect", path, "--weights", folder, "--detector", "miniunet").code == 0
    refused = call("detect", path, "--weights", f"autoencoder={folder}")
    assert refused.code == 1
    assert "lab: expected weights of autoencoder, found those of miniunet" in refused.err
    assert call("detect", path, "--weights", folder, "--detector", "template").code == 2


def test_detect_replaces_its_own_table_and_row(call: Call, annotated: Path, tmp_path: Path) -> None:
    path = tmp_path / "run07.nwb"
    shutil.copy(annotated, path)
    called = call("detect", path, "--detector", "matched_filter", "--threshold", "1000")
    assert called.code == 0
    assert called.err.splitlines() == [
        f"{path}: 0 MEPPs on Voltage (matched_filter)",
        f"nwb-mepp: note: {path}: 8 clear deflections on Voltage look like MEPPs but are not among those of "
        "matched_filter: 0.400 s, 0.750 s, 1.200 s and 5 more.",
    ]
    (row,) = json.loads(call("summary", path, "--format", "json").out)
    assert (row["threshold"], row["n_mepps"]) == (1000.0, 0)
    assert call("events", path).out.splitlines() == [EVENT_COLUMNS]


def test_sessions_state_what_is_known_of_each_file(call: Call, tmp_path: Path) -> None:
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


DATED = ("--session-start-from", "mtime", "--timezone", "UTC")


def test_a_folder_of_a_lab_is_summed_up(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    for number, scale in enumerate((1.0, 1.0, 1.0, 10.0)):
        trace = scale * (-70e-3 + np.random.default_rng(number).normal(0, 1e-4, 3000))
        write_text(folder / f"run{number}.txt", trace)
    for number in range(3):
        (folder / f"old{number}.adicht").write_bytes(b"x")
        (folder / f"empty{number}.abf").touch()
    called = call("convert", folder, "-o", tmp_path / "out", "--unit", "V", *DATED)
    assert called.code == 1
    odd = f"note: {folder / 'run3.txt'} stands out, channel 'Voltage': its baseline is -700 mV, 10 times"
    assert odd in called.err
    advice = "open it in LabChart or the free LabChart Reader and export it as text (File > Export)"
    assert f"skipped 3 .adicht: {advice} ({folder / 'old0.adicht'})." in called.err
    assert "4 done, 3 failed, 3 skipped." in called.err
    assert (
        f"3 files, such as {folder / 'empty0.abf'}: expected a recording, found an empty file" in called.err
    )
    assert called.err.count("found an empty file") == 1


def test_one_table_of_sessions_serves_a_folder_of_two_kinds(call: Call, tmp_path: Path) -> None:
    folder, out = tmp_path / "lab", tmp_path / "out"
    folder.mkdir()
    write_text(folder / "plain.txt", mepp_trace())
    write_text(folder / "times10.txt", 10 * mepp_trace())
    table = tmp_path / "sessions.csv"
    table.write_text("file,gain,unit,group,cell\nplain.txt,,V,WT,1\ntimes10.txt,10,V,KO,\nother.txt,,,KO,2\n")
    stated = ("--sessions", table, "--detector", "matched_filter", "--no-picture", *DATED)
    called = call("run", folder, "-o", out, *stated)
    assert called.code == 0
    assert f"note: {table}: rows for files that are not in this run are ignored: other.txt." in called.err
    heading, *rows = (out / "summary.csv").read_text().splitlines()
    assert heading.endswith(",group,cell")
    assert sorted(row.rsplit(",", 2)[1:] for row in rows) == [["KO", ""], ["WT", "1"]]
    median = [float(row.split(",")[heading.split(",").index("amplitude_median")]) for row in rows]
    assert median[0] == pytest.approx(median[1], rel=1e-6)
    assert (out / "mepps.csv").read_text().splitlines()[0].endswith(",group,cell")
    # What an earlier table said stays when another batch writes into the folder.
    write_text(folder / "late.txt", mepp_trace())
    late = ("--unit", "V", "--detector", "matched_filter", "--no-picture", *DATED)
    assert call("run", folder / "late.txt", "-o", out, *late).code == 0
    rows = (out / "summary.csv").read_text().splitlines()[1:]
    assert sorted(row.rsplit(",", 2)[1:] for row in rows) == [["", ""], ["KO", ""], ["WT", "1"]]


def test_a_template_says_what_the_files_say(call: Call, tmp_path: Path) -> None:
    write_text(tmp_path / "plain.txt", mepp_trace())
    called = call("sessions", "template", tmp_path)
    heading, row = called.out.splitlines()
    assert heading.startswith("file,subject,session_start,timezone,channel,unit,gain,")
    assert row.startswith(f"{(tmp_path / 'plain.txt').as_posix()},,")
    assert ",Voltage," in row
    table = tmp_path / "sessions.csv"
    table.write_text(called.out)
    out = ("-o", tmp_path / "out", "--unit", "V", *DATED)
    assert call("convert", tmp_path / "plain.txt", "--sessions", table, *out).code == 0
