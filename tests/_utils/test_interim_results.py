"""What an interrupted computation leaves, and what the next one makes of it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from nwb_mepp._utils.interim_results import InterimResults

Arrays = dict[str, npt.NDArray[np.float64]]


def squares() -> Arrays:
    return {"squares": np.arange(3.0) ** 2}


def never() -> Arrays:
    raise AssertionError("worked out again")


def beside(target: Path, made_from: str = "input 1") -> InterimResults:
    return InterimResults(target, made_from=lambda: made_from)


def test_a_step_is_taken_over_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "a.nwb"
    assert beside(target).get("squares", squares)["squares"].tolist() == [0.0, 1.0, 4.0]
    with caplog.at_level(logging.WARNING):
        again = beside(target).get("squares", never)
    assert again["squares"].tolist() == [0.0, 1.0, 4.0]
    assert caplog.messages == [f"{target}: going on with what an interrupted run had worked out."]
    assert [path.name for path in tmp_path.iterdir()] == [".a.nwb.nwb-mepp-interim"]


def test_parts_come_back_as_they_were(tmp_path: Path) -> None:
    parts = [
        {"n": np.arange(2), "kind": np.array(["a", "bc"])},
        {"n": np.arange(0), "kind": np.array([], "U2")},
    ]
    for make in (lambda: parts, never):
        found = beside(tmp_path / "a.nwb").get_parts("parts", make)  # type: ignore[arg-type]
        assert [{name: column.tolist() for name, column in part.items()} for part in found] == [
            {"n": [0, 1], "kind": ["a", "bc"]},
            {"n": [], "kind": []},
        ]


def test_what_was_made_from_something_else_goes(tmp_path: Path) -> None:
    beside(tmp_path / "a.nwb", "input 1").get("squares", squares)
    found = beside(tmp_path / "a.nwb", "input 2").get("squares", lambda: {"squares": np.ones(1)})
    assert found["squares"].tolist() == [1.0]
    assert beside(tmp_path / "a.nwb", "input 2").get("squares", never)["squares"].tolist() == [1.0]


def test_without_a_target_and_without_steps_nothing_is_kept(tmp_path: Path) -> None:
    assert InterimResults().get("squares", squares)["squares"].tolist() == [0.0, 1.0, 4.0]
    beside(tmp_path / "a.nwb").discard()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_they_are_discarded(tmp_path: Path) -> None:
    interim = beside(tmp_path / "a.nwb")
    interim.get("squares", squares)
    interim.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_else_put_there_stays(tmp_path: Path) -> None:
    interim = beside(tmp_path / "a.nwb")
    interim.get("squares", squares)
    (folder,) = tmp_path.iterdir()
    (folder / "notes.txt").write_text("mine")
    interim.discard()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    beside(tmp_path / "a.nwb").get("squares", squares)
    assert beside(tmp_path / "a.nwb").get("squares", never)["squares"].tolist() == [0.0, 1.0, 4.0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"\x80\x04K\x01."])
def test_a_damaged_step_is_worked_out_again(tmp_path: Path, content: bytes) -> None:
    beside(tmp_path / "a.nwb").get("squares", squares)
    (kept,) = tmp_path.glob(".*/*.npz")
    kept.write_bytes(content)
    assert beside(tmp_path / "a.nwb").get("squares", squares)["squares"].tolist() == [0.0, 1.0, 4.0]


def test_where_a_file_has_the_name_of_the_folder_all_is_worked_out(tmp_path: Path) -> None:
    (tmp_path / ".a.nwb.nwb-mepp-interim").write_text("mine")
    interim = beside(tmp_path / "a.nwb")
    assert interim.get("squares", squares)["squares"].tolist() == [0.0, 1.0, 4.0]
    interim.discard()
    assert (tmp_path / ".a.nwb.nwb-mepp-interim").read_text() == "mine"
