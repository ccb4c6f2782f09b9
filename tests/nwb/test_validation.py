from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import h5py
import pytest

from builders.traces import recording_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import is_failure, validate_nwb, write_nwb
from nwb_mepp.nwb.metadata import Metadata, Subject
from nwb_mepp.nwb.schema_validation import schema_errors


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, session_start: datetime) -> Path:
    """A file without any metadata."""
    path = tmp_path_factory.mktemp("bare") / "a.nwb"
    write_nwb(recording_of(), path, session_start=session_start)
    return path


def test_what_an_archive_would_refuse_is_a_failure(bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    findings = validate_nwb(bare)
    assert findings[0].source == "check_subject_exists"
    assert (findings[0].severity, findings[0].message) == ("CRITICAL", "Subject is missing.")
    assert [finding.source for finding in findings if is_failure(finding)] == ["check_subject_exists"]
    assert capfd.readouterr() == ("", ""), "the libraries' own output concerns nobody"


def test_the_archive_may_rank_findings_differently(
    folder: Path, full_metadata: Metadata, session_start: datetime
) -> None:
    metadata = replace(full_metadata, subject=Subject(subject_id="m", sex="F", age="P90D"))
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start, metadata=metadata)
    for dandi, severity in ((False, "BEST_PRACTICE_VIOLATION"), (True, "CRITICAL")):
        failures = [finding for finding in validate_nwb(folder / "a.nwb", dandi=dandi) if is_failure(finding)]
        assert [(one.source, one.severity) for one in failures] == [
            ("check_subject_species_exists", severity)
        ]


def test_a_muscle_need_not_be_in_the_atlas_of_the_brain(
    folder: Path, full_metadata: Metadata, session_start: datetime
) -> None:
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start, metadata=full_metadata)
    (finding,) = [one for one in validate_nwb(folder / "a.nwb") if "Allen" in one.message]
    assert finding.severity == "BEST_PRACTICE_SUGGESTION"


def test_what_breaks_the_schema_is_a_failure(bare: Path, folder: Path) -> None:
    path = folder / "b.nwb"
    path.write_bytes(bare.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["acquisition/Vm/data"].attrs["unit"]
    finding = next(one for one in validate_nwb(path) if one.source == "pynwb")
    assert is_failure(finding)
    assert finding.severity == "PYNWB_VALIDATION"
    assert finding.location == "acquisition/Vm/data"
    assert "argument missing" in finding.message


def test_a_file_that_pynwb_cannot_read_is_a_failure(bare: Path, folder: Path) -> None:
    path = folder / "b.nwb"
    path.write_bytes(bare.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["session_start_time"]
    errors = [finding for finding in validate_nwb(path) if finding.severity == "ERROR"]
    assert len(errors) == 1
    assert is_failure(errors[0])
    assert "\n" not in errors[0].message


def test_what_is_not_an_nwb_file_is_refused(folder: Path) -> None:
    (folder / "a.nwb").write_text("text")
    with pytest.raises(ReadError, match="is not one or is damaged"):
        validate_nwb(folder / "a.nwb")


def test_a_file_with_another_schema_is_checked_against_that(bare: Path, folder: Path) -> None:
    path = folder / "b.nwb"
    path.write_bytes(bare.read_bytes())
    with h5py.File(path, "r+") as file:
        versions = file["specifications/core"]
        (version,) = versions
        versions.move(version, "2.5.0")
    assert schema_errors(path) == []
