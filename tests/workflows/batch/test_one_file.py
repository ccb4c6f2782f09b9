from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.workflows import FileOutcome
from nwb_mepp.workflows.batch import Failure, one_file
from nwb_mepp.workflows.batch.plan import Job

JOB = Job(path=Path("a.abf"), output=Path("a.abf.nwb"))


def test_what_is_logged_is_a_note_on_the_file() -> None:
    def work(path: Path, output: Path, **_: Any) -> FileOutcome:
        logging.getLogger("nwb_mepp._utils.atomic_files").warning("removed %s", "1 temporary file")
        return FileOutcome(path=path, output=output, status="written", notes=("first",))

    outcome = one_file.guarded(JOB, work=work)
    assert isinstance(outcome, FileOutcome)
    assert outcome.notes == ("first", "removed 1 temporary file")


@pytest.mark.parametrize(
    ("error", "given_up"),
    [(OutputError("found the disk full"), 1), (OSError(28, "No space"), 1), (ReadError("no file"), 0)],
)
def test_after_a_failed_output_no_other_file_is_worked_on_in_that_process(
    error: Exception, given_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(one_file, "give_up_process", lambda: calls.append(True))

    def fail(*_: Path, **__: object) -> FileOutcome:
        raise error

    assert isinstance(one_file.guarded(JOB, work=fail), Failure)
    assert len(calls) == given_up
