"""What a person decides about the events of a recording, as changes that can be undone and repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.results import REJECTED, UNREVIEWED
from nwb_mepp.curation.rows import TOUCHED, Row

__all__ = ["KINDS", "REJECTED", "UNREVIEWED", "Change", "Decider", "History", "Review", "is_kept"]

ACCEPTED, ADDED, MOVED = "accepted", "added", "moved"
KINDS = ("mepp", "evoked", "spike", "artifact")
Stretches = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Change:
    """One decision: what becomes of some rows, and of the stretches that are left out.

    Attributes
    ----------
    name : str
        What was done, as in the journal.
    rows : mapping of str to (dict or None)
        By the identifier of a row: new values of some columns, all of them for a new row, None to remove it.
    excluded : tuple of (start_s, stop_s), optional
        All stretches that are left out from now on; None leaves them as they are.
    at : str
        When, in ISO 8601.
    """

    name: str
    rows: Mapping[str, Row | None] = field(default_factory=dict)
    excluded: Stretches | None = None
    at: str = ""


@dataclass(frozen=True)
class Review:
    """How things stand: the rows by identifier, and what is left out."""

    rows: Mapping[str, Row]
    excluded: Stretches = ()

    def after(self, change: Change) -> Review:
        """Return how things stand after a change.

        Raises
        ------
        UsageError
            If it is about a row that is not there.
        """
        rows = dict(self.rows)
        for name, values in change.rows.items():
            if values is None:
                self.row(name)
                del rows[name]
            elif name in rows:
                rows[name] = {**rows[name], **values}
            elif "peak_s" in values:
                rows[name] = dict(values)
            else:
                self.row(name)
        return Review(rows, self.excluded if change.excluded is None else change.excluded)

    def row(self, name: str) -> Row:
        """Return a row.

        Raises
        ------
        UsageError
            If there is none of that name.
        """
        if name not in self.rows:
            raise UsageError(
                f"expected an event of this review, found no event {name!r}; load the page again."
            )
        return self.rows[name]

    def back_from(self, change: Change) -> Change:
        """Return the change that undoes a change of this state."""
        before: dict[str, Row | None] = {name: self.rows.get(name) for name in change.rows}
        return Change("undo", before, None if change.excluded is None else self.excluded)


def is_kept(row: Mapping[str, Any]) -> bool:
    """Return whether nobody rejected a row: it counts as an event, or may come to."""
    return bool(row["status"] != REJECTED)


class History:
    """A review with every change since it began; undo and redo know no limit.

    Parameters
    ----------
    start : Review

    Examples
    --------
    >>> history = History(Review({"1": {"peak_s": 0.5, "status": "unreviewed"}}))
    >>> history.do(Change("accept", {"1": {"status": "accepted"}}))
    {'1'}
    >>> history.undo(), history.now.rows["1"]["status"]
    ({'1'}, 'unreviewed')
    >>> history.redo(), history.now.rows["1"]["status"]
    ({'1'}, 'accepted')
    """

    def __init__(self, start: Review) -> None:
        self.now = start
        self._done: list[tuple[Change, Change]] = []
        self._undone: list[Change] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to repeat."""
        return bool(self._undone)

    @property
    def n_changes(self) -> int:
        """How many changes stand."""
        return len(self._done)

    def do(self, change: Change) -> set[str]:
        """Make a change, and return the names of the rows that it is about."""
        touched = self._apply(change)
        self._undone.clear()
        return touched

    def undo(self) -> set[str]:
        """Take the last change back; without one, nothing happens."""
        if not self._done:
            return set()
        change, back = self._done.pop()
        rows = dict(self.now.rows)
        for name, row in back.rows.items():
            if row is None:
                rows.pop(name, None)
            else:
                rows[name] = row
        self.now = Review(rows, self.now.excluded if back.excluded is None else back.excluded)
        self._undone.append(change)
        return set(change.rows)

    def redo(self) -> set[str]:
        """Repeat what was taken back last; without it, nothing happens."""
        return self._apply(self._undone.pop()) if self._undone else set()

    def _apply(self, change: Change) -> set[str]:
        after, back = self.now.after(change), self.now.back_from(change)
        self._done.append((change, back))
        self.now = after
        return set(change.rows)


@dataclass(frozen=True)
class Decider:
    """Makes changes in the name of a person; each method returns the change, nothing is changed yet.

    Attributes
    ----------
    reviewer : str
        Who decides; may be empty.
    clock : callable
        Returns the present time in ISO 8601.
    """

    reviewer: str
    clock: Callable[[], str]

    def _stamp(self) -> Row:
        return {"reviewer": self.reviewer, "reviewed_at": self.clock()}

    def _change(self, name: str, rows: Mapping[str, Row | None], excluded: Stretches | None = None) -> Change:
        return Change(name, rows, excluded, at=self.clock())

    def accept(self, review: Review, names: Iterable[str]) -> Change:
        """Accept rows; one that was added or moved stays so."""
        rows = {one: review.row(one) for one in names}
        return self._change(
            "accept",
            {one: {"status": row[TOUCHED] or ACCEPTED, **self._stamp()} for one, row in rows.items()},
        )

    def reject(self, review: Review, names: Iterable[str]) -> Change:
        """Reject rows; what the person added before is removed."""
        return self._change("reject", {one: self._rejected(review.row(one)) for one in names})

    def _rejected(self, row: Row, **further: Any) -> Row | None:
        if row[TOUCHED] == ADDED:
            return None
        return {"status": REJECTED, **self._stamp(), **further}

    def reopen(self, review: Review, names: Iterable[str]) -> Change:
        """Take the decision about rows back, however long ago it was made."""
        rows = {one: review.row(one) for one in names}
        undecided = {"status": UNREVIEWED, "reviewer": "", "reviewed_at": ""}
        return self._change("reopen", {one: undecided for one, row in rows.items() if not row[TOUCHED]})

    def add(self, review: Review, rows: Sequence[Row], *, name: str = "add") -> Change:
        """Add rows that the person found."""
        names = _free_names(review, len(rows))
        return self._change(name, {one: self._own(row) for one, row in zip(names, rows, strict=True)})

    def _own(self, row: Row) -> Row:
        return {**row, "source": "hand", "status": ADDED, TOUCHED: ADDED, "note": "", **self._stamp()}

    def move(self, review: Review, name: str, row: Row) -> Change:
        """Give a row other times, and the measures that go with them."""
        touched = review.row(name)[TOUCHED] or MOVED
        return self._change("move", {name: {**row, "status": touched, TOUCHED: touched, **self._stamp()}})

    def replace(self, review: Review, names: Sequence[str], rows: Sequence[Row], *, name: str) -> Change:
        """Put new rows in the place of others: what splitting and merging are."""
        added = self.add(review, rows, name=name)
        return self._change(name, {**dict.fromkeys(names), **added.rows})

    def set_kind(self, review: Review, names: Iterable[str], kind: str) -> Change:
        """Say what rows are; that they are something is accepted with it.

        Raises
        ------
        UsageError
            If there is no such kind.
        """
        if kind not in KINDS:
            raise UsageError(f"expected one of the kinds {', '.join(KINDS)}, found {kind!r}; choose one.")
        rows = {one: review.row(one) for one in names}
        return self._change(
            "kind",
            {
                one: {"kind": kind, "status": row[TOUCHED] or ACCEPTED, **self._stamp()}
                for one, row in rows.items()
            },
        )

    def set_note(self, review: Review, names: Iterable[str], note: str) -> Change:
        """Write something about rows."""
        return self._change("note", {one: {"note": note} for one in names if review.row(one)})

    def exclude(self, review: Review, start_s: float, stop_s: float) -> Change:
        """Leave a stretch out, and reject what peaks in it.

        Raises
        ------
        UsageError
            If it does not last.
        """
        if not start_s < stop_s:
            raise UsageError(
                f"expected a stretch that ends after it begins, found {start_s:g} to {stop_s:g} s; choose "
                "both ends again."
            )
        rows = {
            name: self._rejected(row)
            for name, row in review.rows.items()
            if start_s <= row["peak_s"] < stop_s and is_kept(row)
        }
        stretches = _united([*review.excluded, (float(start_s), float(stop_s))])
        return self._change("exclude", rows, stretches)

    def include(self, review: Review, at_s: float) -> Change:
        """Take back that the stretch around a time is left out; its rows stay rejected until accepted.

        Raises
        ------
        UsageError
            If no stretch is left out there.
        """
        kept = tuple(one for one in review.excluded if not one[0] <= at_s < one[1])
        if len(kept) == len(review.excluded):
            raise UsageError(f"expected a stretch left out by hand at {at_s:g} s, found none.")
        return self._change("include", {}, kept)

    def choose(self, review: Review, doubted: Sequence[Row], *, threshold: float, min_size: float) -> Change:
        """Apply a threshold: reject what nobody decided on yet below it, take in what a detector doubted.

        Parameters
        ----------
        review : Review
        doubted : sequence of Row
            Candidates below the threshold of the detector.
        threshold : float
            Least probability; a row without any passes.
        min_size : float
            Least amplitude, without sign.
        """

        def passes(row: Mapping[str, Any]) -> bool:
            return not row["probability"] < threshold and abs(row["amplitude"]) >= min_size

        rows: dict[str, Row | None] = {
            name: {"status": REJECTED, **self._stamp()}
            for name, row in review.rows.items()
            if row["status"] == UNREVIEWED and not passes(row)
        }
        taken = [row for row in doubted if passes(row)]
        names = _free_names(review, len(taken))
        return self._change("threshold", {**rows, **dict(zip(names, taken, strict=True))})


def _free_names(review: Review, n_names: int) -> list[str]:
    last = max((int(name) for name in review.rows), default=0)
    return [str(last + 1 + number) for number in range(n_names)]


def _united(stretches: Iterable[tuple[float, float]]) -> Stretches:
    """Return stretches in order, those that overlap or touch as one."""
    united: list[tuple[float, float]] = []
    for start_s, stop_s in sorted(stretches):
        if united and start_s <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], stop_s))
        else:
            united.append((start_s, stop_s))
    return tuple(united)
