"""Tables of the extension from the command line: written, read by every command, turned plain and back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders.command_line import STATED
from builders.known_mepps import ONSETS_S
from builders.nwb_files import objects
from nwb_mepp.cli import main

TABLE, SUMMARY = "intervals/mepps_matched_filter", "processing/icephys/mepp_detections"
DETECTOR = "processing/icephys/mepp_detector_matched_filter"


def kind(path: Path, place: str = TABLE) -> str:
    return str(objects(path)[place][0]["neurodata_type"]).strip("'")


@pytest.fixture(scope="module")
def typed(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``run --extension`` makes of the recording that ``annotated`` is made of; not to be changed."""
    folder = tmp_path_factory.mktemp("typed")
    assert main(["run", str(lab_file), "-o", str(folder), *STATED, "--extension", "--no-picture"]) == 0
    return folder / "run07.txt.nwb"


def test_run_writes_types_of_the_extension_where_asked(annotated: Path, typed: Path) -> None:
    assert (kind(typed), kind(typed, SUMMARY)) == ("MEPPTable", "MEPPSummary")
    assert (kind(annotated), kind(annotated, SUMMARY)) == ("TimeIntervals", "DynamicTable")
    assert (typed.parent / "mepps.csv").read_bytes() == (annotated.parent / "mepps.csv").read_bytes()
    assert (typed.parent / "summary.csv").read_bytes() == (annotated.parent / "summary.csv").read_bytes()


def test_another_kind_of_table_is_another_output(call: Any, lab_file: Path, typed: Path) -> None:
    again = ("run", lab_file, "-o", typed.parent, *STATED, "--no-picture")
    assert "kept, from the same input and settings" in call(*again, "--extension").err
    refused = call(*again)
    assert refused.code == 1
    assert "is there already, from other input or settings" in refused.err


@pytest.mark.parametrize("command", [("events",), ("summary", "--format", "csv"), ("info",)])
def test_what_is_printed_does_not_depend_on_the_kind(
    call: Any, annotated: Path, typed: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    printed = []
    for source in (annotated, typed):
        shutil.copy(source, tmp_path / "a.nwb")
        called = call(*command, tmp_path / "a.nwb")
        assert called.code == 0
        printed.append(called.out)
    assert printed[0] == printed[1]
    assert "matched_filter" in printed[0]


def test_evaluate_takes_typed_tables(call: Any, typed: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("start_time\n" + "\n".join(map(str, ONSETS_S)) + "\n")
    called = call("evaluate", typed, "--truth", truth, "--format", "json")
    assert called.code == 0, called.err
    assert '"f1": 1.0' in called.out or '"f1": 1' in called.out


def test_validate_accepts_a_typed_file(call: Any, lab_file: Path, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "subject: {subject_id: m1, species: Mus musculus, sex: F, age: P90D}\n"
        "session: {session_description: One fiber.}\n"
    )
    stated = (*STATED, "--metadata", tmp_path / "m.yaml", "--extension", "--no-picture")
    assert call("run", lab_file, "-o", tmp_path, *stated).code == 0
    path = tmp_path / "run07.txt.nwb"
    assert kind(path) == "MEPPTable"
    called = call("validate", path)
    assert called.code == 0, called.out + called.err


def test_detect_writes_the_kind_that_is_asked_for_whichever_is_there(
    call: Any, annotated: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.nwb"
    shutil.copy(annotated, path)
    detect = ("detect", path, "--detector", "matched_filter")
    assert call(*detect, "--extension").code == 0
    assert (kind(path), kind(path, SUMMARY)) == ("MEPPTable", "MEPPSummary")
    assert call(*detect, "--threshold", "5").code == 0
    after = objects(path)
    assert (kind(path), kind(path, SUMMARY), DETECTOR in after) == ("TimeIntervals", "MEPPSummary", False)
    (row,) = json.loads(call("summary", path, "--format", "json").out)
    assert row["threshold"] == 5.0


def test_a_file_is_turned_into_types_and_back(call: Any, annotated: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "a.nwb", tmp_path / "out.nwb"
    shutil.copy(annotated, path)
    added = call("extension", "add", path, "-o", out)
    assert (added.code, added.out) == (0, "")
    assert added.err == f"{out}: mepps_matched_filter, mepp_detections are now types of ndx-mepp\n"
    assert path.read_bytes() == annotated.read_bytes()
    assert kind(out) == "MEPPTable"
    refused = call("extension", "add", path, "-o", out)
    assert refused.code == 1
    assert f"{out} is there already; give --overwrite" in refused.err
    assert call("extension", "add", out).err == f"{out}: nothing is left to become types of ndx-mepp\n"
    removed = call("extension", "remove", out)
    assert removed.code == 0
    assert "mepps_matched_filter" in removed.err
    assert removed.err.endswith("are now core tables\n")
    assert objects(out) == objects(annotated)


def test_a_table_that_stays_plain_is_named(call: Any, annotated: Path, tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.nwb"
    shutil.copy(annotated, path)
    with h5py.File(path, "r+") as file:
        file[TABLE]["half_width"].attrs["description"] = "Width at half of the amplitude, in ms."
    called = call("extension", "add", path)
    assert called.code == 0
    assert (
        f"nwb-mepp: note: {path}: Table 'mepps_matched_filter' stays plain: the description of its column "
        "'half_width' does not end in 'Unit: s.'." in called.err
    )
    assert kind(path) == "TimeIntervals"


def test_a_file_without_mepps_gets_a_message_that_says_what_to_do(
    call: Any, lab_file: Path, tmp_path: Path
) -> None:
    assert call("convert", lab_file, "-o", tmp_path, *STATED[:4]).code == 0
    for command in ("add", "remove"):
        called = call("extension", command, tmp_path / "run07.txt.nwb")
        assert called.code == 1
        assert "expected tables of MEPPs in" in called.err
        assert "'nwb-mepp detect' puts them there" in called.err


MISSING = (
    "Writing tables of the extension ndx-mepp needs the package ndx-mepp, which is not installed; install it "
    "with 'pip install ndx-mepp'."
)


def test_without_the_package_no_table_of_the_extension_is_written(
    call: Any, lab_file: Path, annotated: Path, typed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, copy, out = tmp_path / "plain.nwb", tmp_path / "typed.nwb", tmp_path / "out"
    shutil.copy(annotated, plain)
    shutil.copy(typed, copy)
    monkeypatch.setitem(sys.modules, "ndx_mepp", None)  # any import of it fails
    detect = ("detect", "--detector", "matched_filter")
    for arguments in (
        ("run", lab_file, "-o", out, *STATED, "--extension"),
        (*detect, plain, "--extension"),
        (*detect, copy),
        ("extension", "add", plain),
    ):
        called = call(*arguments)
        assert called.code == 1
        assert MISSING in called.err
    assert list(out.glob("*.nwb")) == []
    assert plain.read_bytes() == annotated.read_bytes()
    assert copy.read_bytes() == typed.read_bytes()
    assert call(*detect, plain).code == 0


WITHOUT_THE_PACKAGE = """
import sys
sys.modules["ndx_mepp"] = None  # any import of it fails
from nwb_mepp.cli import main
for words in ("events", "extension remove"):
    assert main([*words.split(), sys.argv[1]]) == 0
"""


def test_without_the_package_tables_of_the_extension_are_read_and_turned_plain(
    call: Any, annotated: Path, typed: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.nwb"
    shutil.copy(typed, path)
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_THE_PACKAGE, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    shutil.copy(annotated, tmp_path / "plain.nwb")
    expected = call("events", tmp_path / "plain.nwb").out.replace("plain.nwb", "a.nwb")
    assert finished.stdout == expected
    assert kind(path) == "TimeIntervals"
