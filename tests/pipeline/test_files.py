"""One file in, one file out: complete, recognised when it is there, and never overwritten unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nwb_mepp.errors import MeppError, MetadataError, OutputError, UsageError
from nwb_mepp.nwb import open_nwb, read_results
from nwb_mepp.pipeline import (
    DetectionSettings,
    FileOutcome,
    WriteOptions,
    convert_file,
    detect_file,
    run_file,
)
from nwb_mepp.readers import ReadOptions
from tests.synthetic import ONSETS_S, mepp_trace, write_text

SETTINGS = DetectionSettings(detectors=("matched_filter",))
VOLTS = ReadOptions(units={"": "V"})
KNOWN = WriteOptions(session_start="2026-01-15T10:00:00+00:00")


@pytest.fixture(scope="module")
def lab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("lab") / "run07.txt", mepp_trace())


def run(lab_file: Path, output: Path, **changes: Any) -> FileOutcome:
    arguments: dict[str, Any] = {
        "settings": SETTINGS,
        "read_options": VOLTS,
        "write_options": KNOWN,
    } | changes
    return run_file(lab_file, output, **arguments)


def test_run_writes_nwb_and_picture_and_keeps_them_the_next_time(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "run07.txt.nwb"
    told: list[str] = []
    outcome = run(lab_file, output, on_progress=told.append)
    assert outcome.status == "written"
    assert outcome.found == (("Voltage", "matched_filter", len(ONSETS_S)),)
    assert outcome.pictures == (output.with_name("run07.txt.png"),)
    assert told == ["reading", "noise of Voltage", "matched_filter on Voltage", "writing", "drawing"]
    (result,) = read_results(output)
    assert result.mepps.start_s == pytest.approx(ONSETS_S, abs=0.3e-3)

    before = {path: path.read_bytes() for path in output.parent.iterdir()}
    again = run(lab_file, output)
    assert again.status == "kept"
    assert again.found == outcome.found
    assert again.pictures == ()
    assert {path: path.read_bytes() for path in output.parent.iterdir()} == before

    outcome.pictures[0].unlink()
    assert run(lab_file, output, picture=False).pictures == ()
    assert run(lab_file, output).pictures == outcome.pictures

    other = DetectionSettings(detectors=("matched_filter",), threshold=30.0)
    with pytest.raises(
        OutputError, match=r"run07\.txt\.nwb to be from the same input and settings, .* --overwrite"
    ):
        run(lab_file, output, settings=other)
    assert output.read_bytes() == before[output]
    replaced = run(lab_file, output, settings=other, overwrite=True, picture=False)
    assert replaced.status == "written"
    assert read_results(output)[0].summary.threshold == 30.0


def test_what_is_no_output_of_ours_is_not_overwritten(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.txt.nwb"
    output.write_text("my notes")
    with pytest.raises(
        OutputError, match=r"expected nothing or an NWB file at .*run07\.txt\.nwb, found something else"
    ):
        run(lab_file, output)
    assert output.read_text() == "my notes"


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (WriteOptions(), "expected a session start, found none in the file"),
        (
            WriteOptions(session_start="2026-01-15T10:00:00"),
            "expected a time zone, found 2026-01-15T10:00:00",
        ),
        (
            WriteOptions(session_start=KNOWN.session_start, clamp="voltage"),
            "--clamp voltage is given, found Voltage in V",
        ),
        (
            WriteOptions(session_start=KNOWN.session_start, metadata=Path("none.yaml")),
            r"none\.yaml cannot be read",
        ),
    ],
)
def test_what_is_not_known_is_asked_for_before_anything_is_computed(
    known: WriteOptions, message: str, lab_file: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    with pytest.raises(MetadataError, match=message):
        run(lab_file, tmp_path / "out" / "run07.nwb", write_options=known, on_progress=told.append)
    assert told == ["reading"]
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(
    lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> list[str]:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nwb_mepp.nwb.writing.schema_errors", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        run(lab_file, tmp_path / "out" / "run07.nwb")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_convert_then_detect_gives_what_run_gives(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.nwb"
    converted = convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN, exclude=((3.0, 4.0),))
    assert converted.status == "written"
    assert read_results(output) == []
    with open_nwb(output) as recording:
        assert recording.invalid_times == ((3.0, 4.0),)
    kept = convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN, exclude=((3.0, 4.0),))
    assert kept.status == "kept"
    with pytest.raises(OutputError, match="to be from the same input and settings"):
        convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)

    detect_file(output, settings=SETTINGS)
    (result,) = read_results(output)
    inside = [onset_s for onset_s in ONSETS_S if onset_s < 3.0]
    assert result.mepps.start_s == pytest.approx(inside, abs=0.3e-3)

    again = DetectionSettings(detectors=("matched_filter",), threshold=1000.0)
    detect_file(output, settings=again)
    (result,) = read_results(output)
    assert (result.summary.threshold, result.summary.n_mepps) == (1000.0, 0)


def test_detect_writes_elsewhere_on_request_and_asks_before_overwriting(
    lab_file: Path, tmp_path: Path
) -> None:
    source, other = tmp_path / "run07.nwb", tmp_path / "marked.nwb"
    convert_file(lab_file, source, read_options=VOLTS, write_options=KNOWN)
    before = source.read_bytes()
    detect_file(source, output=other, settings=SETTINGS)
    assert source.read_bytes() == before
    assert len(read_results(other)) == 1
    with pytest.raises(
        OutputError, match=r"expected nothing at .*marked\.nwb, found a file; give --overwrite"
    ):
        detect_file(source, output=other, settings=SETTINGS)
    detect_file(source, output=other, settings=SETTINGS, overwrite=True)


def test_a_stretch_outside_the_recording_is_refused_when_converting(lab_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--exclude: expected a stretch within the recording"):
        convert_file(
            lab_file, tmp_path / "x.nwb", read_options=VOLTS, write_options=KNOWN, exclude=((7.0, 8.0),)
        )
    assert list(tmp_path.iterdir()) == []


def test_a_refused_detection_leaves_the_file_as_it_was(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.nwb"
    convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)
    before = output.read_bytes()
    with pytest.raises(MeppError, match="has no channel 'Vx'"):
        detect_file(output, settings=DetectionSettings(detectors=("matched_filter",), channels=("Vx",)))
    assert output.read_bytes() == before
    assert list(tmp_path.iterdir()) == [output]
