"""The command asks before it converts or detects, and hands on what was typed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import pytest

from builders.command_line import Call
from nwb_mepp.curation.desk import Wishes


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[Path], Wishes, dict[str, Any]]]:
    """What would be served, instead of serving it."""
    seen: list[tuple[Sequence[Path], Wishes, dict[str, Any]]] = []

    def serve(paths: Sequence[Path], wishes: Wishes, **how: Any) -> None:
        seen.append((paths, wishes, how))

    monkeypatch.setattr("nwb_mepp.curation.serving.review_until_stopped", serve)
    return seen


def answer(monkeypatch: pytest.MonkeyPatch, said: bool) -> list[str]:
    questions: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return said

    monkeypatch.setattr("nwb_mepp.cli.review.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("nwb_mepp.cli.review.typer.confirm", confirm)
    return questions


def test_what_was_typed_is_handed_on(annotated: Path, call: Call, served: list[Any]) -> None:
    called = call(
        "review", annotated.parent, "--table", "miniunet", "--reviewer", "anna", "--blind", "--seed", 3,
        "--extension", "--port", 8123, "--no-browser",
    )  # fmt: skip
    assert called.code == 0, called.err
    ((paths, wishes, how),) = served
    assert list(paths) == [annotated]
    assert wishes == Wishes(table="miniunet", reviewer="anna", seed=3, extension=True)
    assert (how["port"], how["browser"]) == (8123, False)
    assert "the order of the recordings is drawn with --seed 3" in called.err


def test_a_seed_is_drawn_for_who_gives_none_and_told(annotated: Path, call: Call, served: list[Any]) -> None:
    called = call("review", annotated, "--blind")
    assert f"--seed {served[0][1].seed}" in called.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seed", "3"), "--seed: expected --blind, to which it belongs, found none; give both."),
        (("--reviewer", "a/b"), "--reviewer: expected letters, digits and hyphens, as it becomes part of a"),
    ],
)
def test_what_contradicts_itself_is_refused(
    annotated: Path, call: Call, served: list[Any], arguments: tuple[str, ...], message: str
) -> None:
    called = call("review", annotated, *arguments)
    assert called.code == 2
    assert message in called.err
    assert served == []


def test_a_lab_file_is_converted_and_searched_after_asking(
    lab_file: Path, tmp_path: Path, call: Call, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(lab_file, tmp_path))
    refused = call("review", path)
    assert refused.code == 2
    assert f"found the lab file {path}; make one with 'nwb-mepp run" in refused.err
    made: list[Path] = []
    monkeypatch.setattr("nwb_mepp.workflows.run_file", lambda _, output, **__: made.append(output))
    questions = answer(monkeypatch, said=True)
    assert call("review", path).code == 0
    assert made == [tmp_path / "run07.txt.nwb"] == served[0][0]
    assert questions == [f"{path} is a lab file. Convert it to {made[0]} and look for MEPPs first?"]
    made[0].touch()
    again = call("review", path)
    assert f"note: {path} is a lab file; reviewing {made[0]}, which is beside it." in again.err
    assert len(questions) == 1


def test_a_file_without_mepps_is_searched_after_asking(
    annotated: Path, tmp_path: Path, call: Call, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(annotated, tmp_path / "bare.nwb"))
    with h5py.File(path, "r+") as file:
        del file["intervals"]
    detected: list[Path] = []
    monkeypatch.setattr("nwb_mepp.workflows.detect_file", detected.append)
    questions = answer(monkeypatch, said=False)
    declined = call("review", path)
    assert f"note: {path} has no MEPPs: the review begins with none." in declined.err
    assert questions == [f"No MEPPs were looked for in {path}. Look for them first?"]
    answer(monkeypatch, said=True)
    call("review", path)
    assert detected == [path]
    assert len(served) == 2
