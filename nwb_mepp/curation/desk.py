"""The recordings of a review, one of them open, and everything that the page can ask for.

All methods are called by one thread; a decision is on the disk when its method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.curation.doubted import find_doubted, without_known
from nwb_mepp.curation.journal import journal_place, read_journal
from nwb_mepp.curation.rows import Row
from nwb_mepp.curation.session import Session, choose_table, rows_in
from nwb_mepp.curation.views import counts, doubted_for_page, rows_for_page, standing, state
from nwb_mepp.nwb import ReviewFile, curated_by, open_for_review

__all__ = ["Desk", "Wishes"]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How recordings are to be reviewed.

    Attributes
    ----------
    table : str, optional
        Which table to begin with (:func:`~nwb_mepp.curation.session.choose_table`).
    reviewer : str
        Who decides; may be empty.
    seed : int, optional
        Hide names, groups and probabilities, and show the recordings in an order drawn with this seed.
    extension : bool
        Save tables of the extension ``ndx-mepp``.
    rows : callable, optional
        Returns the rows to begin with (:class:`~nwb_mepp.curation.session.Session`).
    """

    table: str | None = None
    reviewer: str = ""
    seed: int | None = None
    extension: bool = False
    rows: Callable[[ReviewFile], list[Row]] | None = None

    @property
    def blind(self) -> bool:
        """Whether names, groups and probabilities are hidden."""
        return self.seed is not None


@dataclass
class Desk:
    """What lies before the person.

    Parameters
    ----------
    paths : sequence of Path
        NWB files.
    wishes : Wishes
    """

    paths: Sequence[Path]
    wishes: Wishes
    number: int = -1
    _session: Session | None = None
    _counts: dict[int, dict[str, int] | None] = field(default_factory=dict)
    _doubted: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paths = list(self.paths)
        if self.wishes.seed is not None:
            order = np.random.default_rng(self.wishes.seed).permutation(len(self.paths))
            self.paths = [self.paths[number] for number in order]

    @property
    def session(self) -> Session:
        """The recording that is open.

        Raises
        ------
        UsageError
            If none is.
        """
        if self._session is None:
            raise UsageError("expected an open recording, found none; choose one from the list.")
        return self._session

    def open(self, number: int) -> None:
        """Open a recording, and close the one that was open.

        Parameters
        ----------
        number : int

        Raises
        ------
        MeppError
            If it cannot be reviewed; then none is open.
        """
        if not 0 <= number < len(self.paths):
            raise UsageError(f"expected a recording from 1 to {len(self.paths)}, found {number + 1}.")
        self.close()
        wishes = self.wishes
        self._session = Session(
            self.paths[number], table=wishes.table, reviewer=wishes.reviewer, rows=wishes.rows
        )
        self.number, self._doubted = number, []

    def close(self) -> None:
        """Close the recording that is open; what was decided is in its journal."""
        if self._session is not None:
            self._counts[self.number] = counts(self._session.history.now.rows.values())
            self._session.close()
            self._session = None

    def name_of(self, number: int) -> str:
        """Return how a recording is called on the page."""
        return f"recording {number + 1}" if self.wishes.blind else self.paths[number].name

    def words(self, text: str) -> str:
        """Return what may be said on the page: without names of files and folders, if they are hidden."""
        if self.wishes.blind:
            for path in self.paths:
                text = text.replace(str(path), "the recording").replace(path.name, "the recording")
                text = text.replace(str(path.parent), "its folder")
        return text

    def count_next(self) -> bool:
        """Count the decisions on one more recording; return whether all are counted."""
        waiting = [one for one in range(len(self.paths)) if one not in self._counts and one != self.number]
        if waiting:
            self._counts[waiting[0]] = counts_in(self.paths[waiting[0]], self.wishes)
        return len(waiting) <= 1

    def listing(self) -> list[dict[str, Any]]:
        """Return the recordings with their counts, as far as they are known."""
        listed = []
        for number in range(len(self.paths)):
            known = self._counts.get(number)
            if number == self.number and self._session is not None:
                known = counts(self._session.history.now.rows.values())
            listed.append({"name": self.name_of(number), "counts": known})
        return listed

    def state(self) -> dict[str, Any]:
        """Return all that the page needs to begin."""
        return {
            "number": self.number,
            "blind": self.wishes.blind,
            "reviewer": self.wishes.reviewer,
            "files": self.listing(),
            **state(self.session, blind=self.wishes.blind),
            "notes": [self.words(note) for note in self.session.notes],
            "doubted": doubted_for_page(self.session, self._doubted),
        }

    def decide(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the page asks for, and return what has changed.

        Parameters
        ----------
        wish : mapping
            ``do`` names a decision; the rest says what it is about.

        Raises
        ------
        MeppError
            If it cannot be done; nothing has changed then.
        """
        what = wish.get("do")
        one = _DECISIONS.get(what) if isinstance(what, str) else None
        if one is None:
            raise UsageError(f"expected one of {', '.join(_DECISIONS)}, found {what!r}; load the page again.")
        session = self.session
        try:
            touched = one(session, wish)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, MeppError):
                raise
            raise UsageError(f"expected all that {what!r} needs, found {dict(wish)!r}.") from error
        return {"do": what, **self._changed(touched)}

    def _changed(self, touched: set[str]) -> dict[str, Any]:
        return {
            "type": "change",
            "rows": rows_for_page(self.session, sorted(touched), blind=self.wishes.blind),
            "counts": counts(self.session.history.now.rows.values()),
            **standing(self.session),
        }

    def choose(self, *, threshold: float, min_size: float) -> dict[str, Any]:
        """Apply a threshold to what nobody decided on yet and to what the detector doubted."""
        session = self.session
        new = without_known(self._doubted, list(session.history.now.rows.values()))
        change = session.decider.choose(session.history.now, new, threshold=threshold, min_size=min_size)
        return {"do": "choose", **self._changed(session.decide(change))}

    def save(self) -> str:
        """Write the decisions into the file, and return a sentence that says so."""
        return self.words(self.session.save(extension=self.wishes.extension))

    def doubted_of(self) -> Callable[[], list[Row]]:
        """Return what looks for doubted candidates; it may be called by another thread.

        Raises
        ------
        UsageError
            If the review did not begin with what a detector found.
        """
        session, row = self.session, self.session.reviewed.row
        if row is None:
            raise UsageError("expected a table of a detector, found none; there is nothing that it doubted.")
        path, channel, detector, polarity = session.path, row.channel, row.detector, row.polarity
        return lambda: find_doubted(path, channel=channel, detector=detector, polarity=polarity)

    def take_doubted(self, found: list[Row]) -> list[list[Any]]:
        """Keep doubted candidates that the review does not have, and return them for the page."""
        self._doubted = without_known(found, list(self.session.history.now.rows.values()))
        return doubted_for_page(self.session, self._doubted)


def counts_in(path: Path, wishes: Wishes) -> dict[str, int] | None:
    """Return the counts of a recording that is not open; None if it cannot be read."""
    try:
        told = read_journal(journal_place(path, reviewer=wishes.reviewer)[0])
        if told is not None:
            return counts(told.history.now.rows.values())
        with open_for_review(path) as file:
            table = choose_table(file, wishes.table, path=path)
            row = file.rows.get(table or "")
            channel = file.recording.channels[0] if row is None else row.channel
            own = rows_in(file, file.curated_name(curated_by(wishes.reviewer), channel), channel=channel)
            return counts(own or rows_in(file, table, channel=channel))
    except MeppError:
        return None


def _names(wish: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in wish["ids"]]


def _maybe(wish: Mapping[str, Any], name: str) -> float | None:
    return float(wish[name]) if wish.get(name) is not None else None


def _exclude(session: Session, wish: Mapping[str, Any]) -> set[str]:
    first, last = sorted((float(wish["from"]), float(wish["to"])))
    start_s, stop_s = session.clock.time_of(first), session.clock.time_of(last)
    return session.decide(session.decider.exclude(session.history.now, start_s, stop_s))


_DECISIONS: dict[str, Callable[[Session, Mapping[str, Any]], set[str]]] = {
    "accept": lambda of, wish: of.decide(of.decider.accept(of.history.now, _names(wish))),
    "reject": lambda of, wish: of.decide(of.decider.reject(of.history.now, _names(wish))),
    "reopen": lambda of, wish: of.decide(of.decider.reopen(of.history.now, _names(wish))),
    "kind": lambda of, wish: of.decide(of.decider.set_kind(of.history.now, _names(wish), str(wish["kind"]))),
    "note": lambda of, wish: of.decide(of.decider.set_note(of.history.now, _names(wish), str(wish["note"]))),
    "add": lambda of, wish: of.add(float(wish["x"])),
    "move": lambda of, wish: of.move(
        str(wish["id"]), onset_x=_maybe(wish, "onset"), end_x=_maybe(wish, "end")
    ),
    "split": lambda of, wish: of.split(str(wish["id"]), at_x=_maybe(wish, "x")),
    "merge": lambda of, wish: of.merge(_names(wish)),
    "exclude": _exclude,
    "include": lambda of, wish: of.decide(
        of.decider.include(of.history.now, of.clock.time_of(float(wish["x"])))
    ),
    "undo": lambda of, _: of.undo(),
    "redo": lambda of, _: of.redo(),
}
