"""A decision is on the disk before it counts, and a journal tells all of them."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from builders.reviews import PEAKS_S, decider, done, review_of, steps, told
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.curation.decisions import History
from nwb_mepp.curation.journal import Beginning, Journal, journal_place, read_journal

ABOUT = {"file": "a.nwb", "table": "mepps_miniunet", "channel": "Vm", "reviewer": "anna", "at": "now"}


def begun(place: Path) -> Journal:
    return Journal.begin(place, Beginning(ABOUT, "base", review_of(*PEAKS_S)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(steps())
def test_a_journal_tells_how_things_stand_and_what_can_be_undone(
    tmp_path: Path, taken: list[tuple[str, Any]]
) -> None:
    journal, history = begun(tmp_path / "j.jsonl"), History(review_of(*PEAKS_S))
    for what, which in taken:
        could = {"undo": history.can_undo, "redo": history.can_redo}.get(what, True)
        change = done(history, what, which)
        if change is not None:
            journal.change(change)
        elif could and what in ("undo", "redo"):
            journal.note(what)
    journal.close()
    found = read_journal(tmp_path / "j.jsonl")
    assert found is not None
    assert told(found.history.now) == told(history.now)
    while history.can_undo:
        history.undo()
        found.history.undo()
        assert told(found.history.now) == told(history.now)


def test_a_line_that_was_cut_short_is_left_out_and_written_over(tmp_path: Path) -> None:
    place = tmp_path / "j.jsonl"
    journal, history, who = begun(place), History(review_of(*PEAKS_S)), decider()
    for name in ("1", "2"):
        change = who.accept(history.now, [name])
        history.do(change)
        journal.change(change)
    journal.close()
    whole = place.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for length in range(len(last)):
        place.write_bytes(whole[: len(whole) - len(last) + length])
        found = read_journal(place)
        assert found is not None
        assert [row["status"] for row in found.history.now.rows.values()].count("accepted") == 1
    again = Journal(place, length=found.complete_bytes)
    again.change(who.reject(found.history.now, ["4"]))
    again.close()
    found = read_journal(place)
    assert found is not None
    assert [row["status"] for row in found.history.now.rows.values()] == [
        "accepted",
        "unreviewed",
        "unreviewed",
        "rejected",
    ]
    assert (found.base, found.saved, dict(found.beginning.about)) == ("base", False, ABOUT)


def test_what_was_saved_is_told(tmp_path: Path) -> None:
    journal = begun(tmp_path / "j.jsonl")
    journal.change(decider().accept(review_of(*PEAKS_S), ["1"]))
    journal.note("save", base="later")
    journal.close()
    found = read_journal(tmp_path / "j.jsonl")
    assert found is not None
    assert (found.base, found.saved) == ("later", True)


def test_without_a_journal_or_with_an_empty_one_nothing_is_told(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none.jsonl") is None
    (tmp_path / "empty.jsonl").write_bytes(b'{"nwb_mepp_rev')
    assert read_journal(tmp_path / "empty.jsonl") is None


@pytest.mark.parametrize(
    ("line", "content"), [(1, '{"a": 1}\n'), (1, "[]\n"), (1, "x\n"), (1, '{"nwb_mepp_review": 2}\n')]
)
def test_what_is_no_journal_is_refused(tmp_path: Path, line: int, content: str) -> None:
    (tmp_path / "j.jsonl").write_text(content)
    with pytest.raises(ReadError, match=rf"its line {line} is not one of nwb-mepp; move the file away"):
        read_journal(tmp_path / "j.jsonl")


def test_a_damaged_line_in_the_middle_is_refused(tmp_path: Path) -> None:
    journal = begun(tmp_path / "j.jsonl")
    journal.note("undo")
    journal.close()
    with (tmp_path / "j.jsonl").open("a") as stream:
        stream.write('{"do": "accept", "rows": 3, "at": ""}\n{"do": "undo"}\n')
    with pytest.raises(ReadError, match=r"its line 3 is not one"):
        read_journal(tmp_path / "j.jsonl")
    with pytest.raises(ReadError, match=r"expected to read the journal .*Is a directory"):
        read_journal(tmp_path)


def test_a_full_disk_takes_no_half_of_a_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "j.jsonl"
    journal = begun(place)
    before = place.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("nwb_mepp.curation.journal.os.fsync", full)
        with pytest.raises(OutputError, match=r"No space left on device; the decision was not taken"):
            journal.change(decider().accept(review_of(*PEAKS_S), ["1"]))
    assert place.read_bytes() == before
    journal.change(decider().accept(review_of(*PEAKS_S), ["1"]))
    assert place.read_bytes().count(b"\n") == 2
    journal.close()
    with pytest.raises(OutputError, match=r"expected to write the journal .*No such file"):
        Journal(tmp_path / "none.jsonl", length=0)


def test_the_journal_lies_beside_the_file_or_in_the_folder_for_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run07.nwb"
    path.touch()
    assert journal_place(path, reviewer="") == (tmp_path / "run07.nwb.review.jsonl", True)
    assert journal_place(path, reviewer="anna") == (tmp_path / "run07.nwb.review-anna.jsonl", True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path.chmod(0o444)
    place, beside = journal_place(path, reviewer="")
    assert not beside
    assert place.parent == tmp_path / "state" / "nwb-mepp" / "review"
    assert place.name.endswith("-run07.nwb.review.jsonl")


def test_a_process_that_is_killed_loses_no_decision_that_it_told(tmp_path: Path) -> None:
    place = tmp_path / "j.jsonl"
    begun(place).close()
    program = f"""
        from pathlib import Path
        from builders.reviews import decider, review_of
        from nwb_mepp.curation.journal import Journal, read_journal
        place = Path({str(place)!r})
        found = read_journal(place)
        journal, history, who = Journal(place, length=found.complete_bytes), found.history, decider()
        while True:
            for name in ("1", "2", "3", "4"):
                change = who.set_note(history.now, [name], "x" * 2000)
                journal.change(change)
                history.do(change)
                print(history.n_changes, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    ) as process:
        assert process.stdout is not None
        shown = 0
        while shown < 20:
            shown = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        shown = int((process.stdout.read().split(b"\n")[:-1] or [str(shown).encode()])[-1])
    found = read_journal(place)
    assert found is not None
    assert found.history.n_changes >= shown
    assert json.loads(place.read_bytes().splitlines()[0])["file"] == "a.nwb"
