"""What a data manager does: metadata, names of the archive, validation by its rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pynwb import NWBHDF5IO

from builders.command_line import STATED, Call
from builders.known_mepps import mepp_trace, write_text

DATA = Path(__file__).resolve().parents[2] / "data"
START = ("--session-start", "2026-01-15T10:00:00Z")


def test_recordings_named_for_the_archive_are_valid_by_its_rules(call: Call, tmp_path: Path) -> None:
    for number in (1, 2):
        write_text(tmp_path / "lab" / f"run{number}.txt", mepp_trace(seed=number))
    (tmp_path / "sessions.csv").write_text(
        "file,session_start,session_id\n"
        "run1.txt,2026-01-15T10:00:00Z,fiber_1\nrun2.txt,2026-01-15T11:00:00Z,fiber_2\n",
        encoding="utf-8",
    )
    called = call(
        "run", tmp_path / "lab", "-o", tmp_path / "out", "--unit", "V", "--detector", "matched_filter",
        "--metadata", DATA / "metadata.yaml", "--clamp", "izero",
        "--sessions", tmp_path / "sessions.csv", "--dandi-names",
    )  # fmt: skip
    assert called.code == 0, called.err
    folder = tmp_path / "out" / "sub-example-mouse-1"
    names = [f"sub-example-mouse-1_ses-fiber-{number}_icephys.nwb" for number in (1, 2)]
    assert sorted(path.name for path in folder.glob("*.nwb")) == names
    with NWBHDF5IO(folder / names[1], "r") as io:
        file = io.read()
        assert file.session_id == "fiber_2"
        source = file.processing["icephys"]["source_files"]
        assert source["file_name"][:].tolist() == ["run2.txt"]
        assert len(source["sha256"][0]) == 64
        assert source["reader"][0] == "labeled-text"
    called = call("validate", "--dandi", folder)
    assert called.code == 0, called.out
    assert called.out.count(": valid\n") == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("age: P90D", "age: 3 months"), "found '3 months'; write P3M."),
        (("species:", "spezies:"), "m.yaml line 24: expected a known key in subject, found 'spezies'"),
        (
            ("age: P90D", f"date_of_birth: {(datetime.now(UTC) + timedelta(days=9)).date()}"),
            "m.yaml line 26: subject.date_of_birth: expected a date in the past, found ",
        ),
        (
            ("age: P90D", "date_of_birth: 2026-01-16"),
            "expected a subject born before the session, found date_of_birth 2026-01-16 and a session start "
            "of 2026-01-15T10:00:00",
        ),
    ],
)
def test_a_mistake_in_the_metadata_is_named_and_nothing_written(
    call: Call, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    text = (DATA / "metadata.yaml").read_text("utf-8")
    assert text.count(change[0]) == 1
    (tmp_path / "m.yaml").write_text(text.replace(*change), encoding="utf-8")
    called = call(
        "convert", DATA / "simulated.abf", "-o", tmp_path / "out", *START, "--metadata", tmp_path / "m.yaml"
    )
    assert called.code == 1
    assert message in called.err
    assert not list((tmp_path / "out").rglob("*.nwb"))


def test_a_start_in_the_future_is_refused(call: Call, tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    called = call("convert", DATA / "simulated.abf", "-o", tmp_path / "out", "--session-start", ahead)
    assert called.code == 1
    assert "expected a session start in the past, found" in called.err
    assert not (tmp_path / "out").exists()


def test_validate_accepts_what_run_wrote_once_the_subject_is_known(
    call: Call, lab_file: Path, tmp_path: Path
) -> None:
    metadata = DATA / "metadata.yaml"
    assert call("convert", lab_file, "-o", tmp_path, *STATED[:4], "--metadata", metadata).code == 0
    called = call("validate", tmp_path / "run07.txt.nwb")
    assert called.code == 0
    assert called.out.splitlines()[-1] == f"{tmp_path / 'run07.txt.nwb'}: valid"


def test_validate_fails_where_the_subject_is_not_known(call: Call, annotated: Path) -> None:
    called = call("validate", annotated)
    assert called.code == 1
    assert "BEST_PRACTICE_VIOLATION" in called.out or "CRITICAL" in called.out
