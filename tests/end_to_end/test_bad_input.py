"""Whatever is wrong: one clear sentence, a non-zero exit code, no traceback, nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import mepp_trace, write_text
from builders.traces import RATE_HZ

PROJECT = Path(__file__).resolve().parents[2]
ABF = PROJECT / "data" / "simulated.abf"
START = ("--session-start", "2026-01-15T10:00:00Z")
FILTER = ("--detector", "matched_filter")
STATED = ("--unit", "V", *START, *FILTER)


def text_with(**changes: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        rate_hz = changes.get("rate_hz", RATE_HZ)
        return write_text(folder / "bad.txt", mepp_trace(**changes), rate_hz=rate_hz)

    return make


def text_of(content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bad.txt"
        path.write_text(content)
        return path

    return make


def text_with_sample(value: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = write_text(folder / "bad.txt", mepp_trace())
        lines = path.read_text().splitlines()
        lines[5001] = f"{lines[5001].partition(',')[0]},{value}"
        path.write_text("\n".join(lines))
        return path

    return make


def missing(folder: Path) -> Path:
    return folder / "bad.abf"


def empty_folder(folder: Path) -> Path:
    (folder / "bad").mkdir()
    return folder / "bad"


def empty(folder: Path) -> Path:
    (folder / "bad.abf").touch()
    return folder / "bad.abf"


def truncated(folder: Path) -> Path:
    (folder / "bad.abf").write_bytes(ABF.read_bytes()[:1000])
    return folder / "bad.abf"


def cut_short(folder: Path) -> Path:
    content = ABF.read_bytes()
    (folder / "bad.abf").write_bytes(content[: len(content) // 2])
    return folder / "bad.abf"


def constant(folder: Path) -> Path:
    return write_text(folder / "bad.txt", np.full(40_000, -0.07))


def sound(folder: Path) -> Path:
    return write_text(folder / "bad.txt", mepp_trace())


# What is wrong: how to make it, the options, and the sentence.
CASES: dict[str, tuple[Callable[[Path], Path], tuple[str, ...], str]] = {
    "missing file": (missing, STATED, "expected a recording, found no such file or folder"),
    "folder without recordings": (empty_folder, STATED, "expected recordings in the folder, found none"),
    "empty file": (empty, STATED, "found an empty file"),
    "truncated header": (truncated, STATED, "bad.abf"),
    "truncated samples": (cut_short, STATED, "bad.abf"),
    "text of another kind": (
        text_of("Dear diary,\ntoday the fiber died.\n"),
        STATED,
        "is not a recording in text form",
    ),
    "infinite": (text_with_sample("inf"), STATED, "bad.txt|finite"),
    "constant": (constant, STATED, "found the constant -0.07"),
    "too short": (text_with(duration_s=0.2, onsets_s=()), STATED, r"expected a stretch of at least 0\.5 s"),
    "slow": (text_with(rate_hz=1000.0), STATED, "sampling rate of at least 2000 Hz .*, found 1000 Hz"),
    "no unit": (sound, (*START, *FILTER), "pass --unit UNIT"),
    "unit of another kind": (
        sound,
        ("--unit", "degC", *START, *FILTER),
        "has no channel in volts or amperes",
    ),
    "unknown channel": (sound, (*STATED, "--channel", "Vx"), r"has no channel 'Vx'; .*Voltage"),
    "unit of unknown channel": (sound, (*STATED, "--unit", "Vx=mV"), "has no channel 'Vx'"),
    "no session start": (sound, ("--unit", "V", *FILTER), "expected a session start, found none in the file"),
    "no time zone": (
        sound,
        ("--unit", "V", *FILTER, "--session-start", "2026-01-15T10:00:00"),
        "expected a time zone, .* give --timezone",
    ),
    "unknown time zone": (
        sound,
        ("--unit", "V", *FILTER, "--session-start", "2026-01-15T10:00:00", "--timezone", "Europe/Berlino"),
        "found 'Europe/Berlino'; did you mean Europe/Berlin",
    ),
    "stretch outside": (sound, (*STATED, "--exclude", "90:91"), "expected a stretch within the recording"),
    "everything left out": (sound, (*STATED, "--exclude", "0:4"), "no samples are left to analyze"),
    "clamp of another unit": (
        sound,
        (*STATED, "--clamp", "voltage"),
        "--clamp voltage is stated, found Voltage in V",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_file_is_explained_in_a_sentence_and_leaves_nothing(
    case: str, call: Any, tmp_path: Path
) -> None:
    make, options, sentence = CASES[case]
    path, output = make(tmp_path), tmp_path / "out"
    called = call("run", path, "-o", output, *options)
    assert called.code == 1
    assert re.search(sentence, called.err), called.err
    assert called.err.startswith(f"nwb-mepp: {path}: ")
    assert called.err.count("\n") == 1
    assert "Traceback" not in called.err
    assert called.out == ""
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            (*STATED, "--sampling-rate", "0"),
            "--sampling-rate: expected a finite number of Hz above 0, found 0",
        ),
        ((*START, *FILTER, "--unit", "qwerty"), "--unit: expected a unit such as .*, found 'qwerty'"),
        ((*STATED, "--detector", "sharpshooter"), "--detector: expected one of .*, found 'sharpshooter'"),
        ((*STATED, "--exclude", "2:1"), "--exclude: expected the start before the stop, found 2:1"),
        ((*STATED, "--exclude", "2"), "--exclude: expected a start and a stop in seconds"),
        ((*STATED, "--min-amplitude", "0.2"), "--min-amplitude: expected a number with its unit"),
        ((*STATED, "--reader", "crystal-ball"), "--reader: expected one of"),
        ((*STATED, "--polarity", "up"), "--polarity"),
        ((*STATED, "--clamp", "loose"), "'--clamp': 'loose' is not one of"),
        ((*STATED, "--jobs", "0"), "--jobs"),
        (
            (*STATED, "--sessions", "none.csv"),
            r"--sessions: expected a table, found that none\.csv cannot be read",
        ),
        ((*STATED, "--frobnicate"), "No such option: --frobnicate"),
        ((*STATED, "--threshold", "high"), "--threshold"),
    ],
)
def test_wrong_usage_is_reported_before_anything_is_done(
    options: tuple[str, ...], sentence: str, call: Any, lab_file: Path, tmp_path: Path
) -> None:
    called = call("run", lab_file, "-o", tmp_path / "out", *options)
    assert called.code == 2
    assert re.search(sentence, called.err), called.err
    assert called.err.startswith("nwb-mepp: ")
    assert called.err.count("\n") == 1
    assert called.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_not_a_folder_is_reported(call: Any, lab_file: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED)
    assert called.code == 1
    assert re.search(r"expected to write .*out.run07\.txt\.nwb, found: .*", called.err)
    assert "Traceback" not in called.err
    assert (tmp_path / "out").read_text() == "a file"


def test_an_output_from_other_settings_is_reported_and_kept(
    call: Any, annotated: Path, lab_file: Path
) -> None:
    before = annotated.read_bytes()
    called = call("run", lab_file, "-o", annotated.parent, *STATED, "--threshold", "7")
    assert called.code == 1
    assert "is there already, from other input or settings" in called.err
    assert "--overwrite" in called.err
    assert annotated.read_bytes() == before


def test_a_start_that_contradicts_the_file_is_reported(call: Any, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "recordings" / "171116sh_0020.abf"
    contradiction = ("--session-start", "2001-01-01T00:00:00Z", "--timezone", "UTC")
    called = call("convert", path, "-o", tmp_path / "out", *contradiction)
    assert called.code == 1
    assert "expected --session-start to agree with the file" in called.err
    assert list(tmp_path.iterdir()) == []


def test_without_output_folder_or_recordings_usage_is_wrong(call: Any, lab_file: Path) -> None:
    for arguments in (("run", lab_file), ("run", "-o", "out"), ("nonsense",), ("--nonsense",)):
        called = call(*arguments)
        assert called.code == 2
        assert called.err.startswith("nwb-mepp: ")
        assert "--help' lists the options." in called.err


@pytest.mark.parametrize("command", ["detect", "events", "summary", "info", "validate"])
def test_commands_on_nwb_files_explain_that_a_file_is_not_one(
    command: str, call: Any, tmp_path: Path
) -> None:
    none, text = tmp_path / "none.nwb", tmp_path / "text.nwb"
    text.write_text("Dear diary")
    options = FILTER if command == "detect" else ()
    for path in (none, text):
        called = call(command, path, *options)
        assert called.code == 1
        assert called.err.startswith("nwb-mepp: ")
        assert re.search("expected an NWB file", called.err)
        assert "Traceback" not in called.err
    assert text.read_text() == "Dear diary"


def test_a_bad_file_among_many_is_named_in_a_list_at_the_end(
    call: Any, lab_file: Path, tmp_path: Path
) -> None:
    text_of("Dear diary,\n")(tmp_path)
    paths = (lab_file, tmp_path / "bad.txt", tmp_path / "none.abf")
    called = call("convert", *paths, "-o", tmp_path / "out", *STATED[:4], "--override")
    assert called.code == 1
    assert (tmp_path / "out" / "run07.txt.nwb").is_file()
    end = called.err.splitlines()[-3:]
    assert end[0] == "nwb-mepp: 2 of 3 files failed:"
    assert [line.split(": ")[1] for line in end[1:]] == [
        str(tmp_path / "none.abf"),
        str(tmp_path / "bad.txt"),
    ]


def test_a_defect_is_reported_without_traceback_unless_asked_for(
    call: Any, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: bool) -> list[Any]:
        raise ZeroDivisionError(f"division by zero in {path.name}")

    monkeypatch.setattr("nwb_mepp.nwb.validate_nwb", fail, raising=False)
    monkeypatch.delenv("NWB_MEPP_DEBUG", raising=False)
    called = call("validate", annotated)
    assert called.code == 1
    assert "this is a bug in nwb-mepp (ZeroDivisionError: division by zero in run07.txt.nwb)" in called.err
    assert "Traceback" not in called.err
    monkeypatch.setenv("NWB_MEPP_DEBUG", "1")
    assert "Traceback" in call("validate", annotated).err
