"""The command asks before it converts or detects, and hands on what was typed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import pytest

from builders.command_line import STATED, Call, answer
from builders.known_mepps import ONSETS_S
from nwb_mepp.curation.desk import Wishes
from nwb_mepp.nwb import read_results


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[Path], Wishes, dict[str, Any]]]:
    """What would be served, instead of serving it."""
    seen: list[tuple[Sequence[Path], Wishes, dict[str, Any]]] = []

    def serve(paths: Sequence[Path], wishes: Wishes, **how: Any) -> None:
        seen.append((paths, wishes, how))

    monkeypatch.setattr("nwb_mepp.curation.serving.review_until_stopped", serve)
    return seen


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
    lab_file: Path, tmp_path: Path, call: Call, served: list[Any]
) -> None:
    path = Path(shutil.copy(lab_file, tmp_path))
    refused = call("review", path, "--unit", "V")
    assert refused.code == 2
    assert (
        f"found the lab file {path}; give --yes to convert it to {path}.nwb and look for MEPPs" in refused.err
    )
    assert "Also, expected a session start, found none in the file; give --session-start" in refused.err
    # What is proposed does what is promised.
    done = call("review", path, "--yes", *STATED[:4])
    assert done.code == 0, done.err
    (made,) = served[0][0]
    assert made == tmp_path / "run07.txt.nwb"
    (result,) = [one for one in read_results(made) if one.detector == "miniunet"]
    assert result.summary.n_mepps == len(ONSETS_S)
    again = call("review", path)
    assert f"note: {path} is a lab file; reviewing {made}, which is beside it." in again.err


def test_what_a_lab_file_does_not_say_is_asked_on_a_terminal(
    lab_file: Path, tmp_path: Path, call: Call, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(lab_file, tmp_path))
    made: list[tuple[Path, str]] = []
    monkeypatch.setattr(
        "nwb_mepp.workflows.run_file",
        lambda _, output, *, write_options, **__: made.append((output, write_options.session_start)),
    )
    answers = iter(["yesterday", "2026-01-15T10:00:00Z"])
    prompts: list[str] = []

    def prompt(words: str, **_: object) -> str:
        prompts.append(words)
        return next(answers)

    monkeypatch.setattr("nwb_mepp.cli.review.typer.prompt", prompt)
    questions = answer(monkeypatch, "review", said=True)
    called = call("review", path, "--unit", "V")
    assert called.code == 0, called.err
    assert made == [(tmp_path / "run07.txt.nwb", "2026-01-15T10:00:00Z")]
    assert served[0][0] == [made[0][0]]
    assert questions == [f"{path} is a lab file. Convert it to {made[0][0]} and look for MEPPs first?"]
    assert prompts == ["When did the recording begin (such as 2020-01-31T09:30:00+01:00)"] * 2
    assert (
        "--session-start: expected ISO 8601, such as 2020-01-31T09:30:00+01:00, found 'yesterday'"
        in called.err
    )
    refused = call("review", path)
    assert "pass --unit UNIT" in refused.err


def test_a_file_without_mepps_is_searched_after_asking(
    annotated: Path, tmp_path: Path, call: Call, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(annotated, tmp_path / "bare.nwb"))
    with h5py.File(path, "r+") as file:
        del file["intervals"]
    detected: list[Path] = []
    monkeypatch.setattr("nwb_mepp.workflows.detect_file", lambda one, **_: detected.append(one))
    questions = answer(monkeypatch, "review", said=False)
    declined = call("review", path)
    assert f"note: {path} has no MEPPs: the review begins with none." in declined.err
    assert questions == [f"No MEPPs were looked for in {path}. Look for them first?"]
    answer(monkeypatch, "review", said=True)
    call("review", path)
    assert detected == [path]
    assert len(served) == 2
