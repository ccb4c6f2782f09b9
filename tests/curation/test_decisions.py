"""Decisions change rows as a person expects, and every one of them can be taken back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from builders.reviews import PEAKS_S, decider, done, review_of, row_at, steps, told
from nwb_mepp.core.errors import UsageError
from nwb_mepp.curation.decisions import Change, History, Review, is_kept
from nwb_mepp.curation.rows import curation_of, mepps_of, rows_of


def test_what_is_accepted_says_who_and_when() -> None:
    history = History(review_of(*PEAKS_S))
    history.do(decider().accept(history.now, ["2"]))
    row = history.now.rows["2"]
    assert (row["status"], row["reviewer"], row["source"]) == ("accepted", "anna", "miniunet")
    assert row["reviewed_at"].startswith("2026-01-15T10:00:")
    assert history.now.rows["1"]["status"] == "unreviewed"


def test_a_row_that_was_moved_stays_moved_when_it_is_rejected_and_accepted_again() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    history.do(who.move(history.now, "1", row_at(0.1002)))
    history.do(who.reject(history.now, ["1"]))
    assert not is_kept(history.now.rows["1"])
    history.do(who.accept(history.now, ["1"]))
    assert history.now.rows["1"]["status"] == "moved"
    assert history.now.rows["1"]["peak_s"] == pytest.approx(0.1002)


def test_what_a_person_added_is_gone_when_it_is_rejected() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    (name,) = history.do(who.add(history.now, [row_at(0.25)]))
    assert name == "5"
    assert (history.now.rows["5"]["source"], history.now.rows["5"]["status"]) == ("hand", "added")
    history.do(who.reject(history.now, ["5"]))
    assert sorted(history.now.rows) == ["1", "2", "3", "4"]


def test_a_row_that_was_decided_on_can_be_undecided_again() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    history.do(who.reject(history.now, ["3"]))
    history.do(who.reopen(history.now, ["3"]))
    assert told(history.now) == told(review_of(*PEAKS_S))


def test_splitting_and_merging_put_new_rows_in_the_place_of_others() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    halves = who.replace(history.now, ["2"], [row_at(0.2), row_at(0.202)], name="split")
    assert history.do(halves) == {"2", "5", "6"}
    assert sorted(history.now.rows) == ["1", "3", "4", "5", "6"]
    history.do(who.replace(history.now, ["5", "6"], [row_at(0.2)], name="merge"))
    assert sorted(history.now.rows) == ["1", "3", "4", "7"]
    history.undo()
    history.undo()
    assert told(history.now) == told(review_of(*PEAKS_S))


def test_a_kind_is_a_decision_and_a_note_is_none() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    history.do(who.set_note(history.now, ["1"], "small"))
    assert (history.now.rows["1"]["note"], history.now.rows["1"]["status"]) == ("small", "unreviewed")
    history.do(who.set_kind(history.now, ["1"], "artifact"))
    assert (history.now.rows["1"]["kind"], history.now.rows["1"]["status"]) == ("artifact", "accepted")
    with pytest.raises(UsageError, match=r"one of the kinds mepp, evoked, spike, artifact, found 'noise'"):
        who.set_kind(history.now, ["1"], "noise")


def test_what_peaks_in_a_stretch_that_is_left_out_is_rejected_and_stretches_unite() -> None:
    history, who = History(review_of(*PEAKS_S)), decider()
    history.do(who.exclude(history.now, 0.15, 0.3))
    assert [row["status"] for row in history.now.rows.values()] == [
        "unreviewed",
        "rejected",
        "unreviewed",
        "unreviewed",
    ]
    history.do(who.exclude(history.now, 0.3, 0.35))
    history.do(who.exclude(history.now, 0.5, 0.6))
    assert history.now.excluded == ((0.15, 0.35), (0.5, 0.6))
    history.do(who.include(history.now, 0.2))
    assert history.now.excluded == ((0.5, 0.6),)
    with pytest.raises(UsageError, match=r"expected a stretch left out by hand at 0\.2 s, found none"):
        who.include(history.now, 0.2)
    with pytest.raises(UsageError, match=r"ends after it begins, found 0\.4 to 0\.4 s"):
        who.exclude(history.now, 0.4, 0.4)


def test_a_threshold_is_for_what_nobody_decided_on_and_takes_in_what_was_doubted() -> None:
    rows = {
        "1": row_at(0.1, probability=0.5),
        "2": row_at(0.2, probability=0.5, status="accepted"),
        "3": row_at(0.3, probability=0.95, amplitude=0.1e-3),
        "4": row_at(0.4, probability=float("nan")),
    }
    doubted = [row_at(0.5, probability=0.7), row_at(0.6, probability=0.2)]
    history = History(Review(rows))
    history.do(decider().choose(history.now, doubted, threshold=0.6, min_size=0.2e-3))
    status = {name: row["status"] for name, row in history.now.rows.items()}
    assert status == {"1": "rejected", "2": "accepted", "3": "rejected", "4": "unreviewed", "5": "unreviewed"}
    assert history.now.rows["5"]["source"] == "miniunet"


def test_a_row_that_is_not_there_is_refused_and_nothing_changes() -> None:
    history = History(review_of(*PEAKS_S))
    for change in (Change("accept", {"9": {"status": "accepted"}}), Change("reject", {"9": None})):
        with pytest.raises(UsageError, match=r"found no event '9'; load the page again"):
            history.do(change)
    with pytest.raises(UsageError, match="found no event '9'"):
        decider().accept(history.now, ["9"])
    assert told(history.now) == told(review_of(*PEAKS_S))
    assert not history.can_undo


@settings(max_examples=60)
@given(steps())
def test_everything_can_be_undone_to_the_beginning_and_repeated_to_the_end(
    taken: list[tuple[str, Any]],
) -> None:
    history = History(review_of(*PEAKS_S))
    for what, which in taken:
        done(history, what, which)
    end, n_changes = history.now, history.n_changes
    for _ in range(n_changes):
        history.undo()
    assert told(history.now) == told(review_of(*PEAKS_S))
    assert history.undo() == set()
    for _ in range(n_changes):
        history.redo()
    assert told(history.now) == told(end)


@settings(max_examples=60)
@given(steps())
def test_rows_survive_as_a_table_and_back(taken: list[tuple[str, Any]]) -> None:
    history = History(review_of(*PEAKS_S))
    for what, which in taken:
        done(history, what, which)
    rows = list(history.now.rows.values())
    table = mepps_of(rows, channel="Vm", unit="V")
    back = rows_of(table, curation=curation_of(rows))
    for row, again in zip(rows, back, strict=True):
        known = {name for name in row if name != "touched" or row["status"] != "rejected"}
        assert repr({name: again[name] for name in sorted(known)}) == repr(
            {name: row[name] for name in sorted(known)}
        )
