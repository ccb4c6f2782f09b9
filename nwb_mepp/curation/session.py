"""The review of one channel of a file: opened and locked, decided on, written down, saved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from nwb_mepp._utils.atomic_files import hold
from nwb_mepp._utils.file_lock import FileState
from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import DetectionError, OutputError, UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import counts_as_event
from nwb_mepp.core.segments import Segment
from nwb_mepp.curation.beginnings import begun_from, checksum, with_decisions
from nwb_mepp.curation.clock import Clock
from nwb_mepp.curation.decisions import UNREVIEWED, Change, Decider, History, Review, is_kept
from nwb_mepp.curation.envelope import Envelope
from nwb_mepp.curation.journal import Beginning, Journal, Told, journal_place, read_journal
from nwb_mepp.curation.measures import Measuring
from nwb_mepp.curation.rows import Row, rows_of
from nwb_mepp.curation.saving import Reviewed, result_of
from nwb_mepp.nwb import ReviewFile, curated_by, is_curated, open_for_review, replace_results

__all__ = ["Session", "choose_table", "now"]

# The polarity of a channel that no detector was run on shows within so much of it.
_LOOKED_AT_S = 60.0


def now() -> str:
    """Return the present time in ISO 8601 with the time zone of this computer, to the second."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def choose_table(file: ReviewFile, table: str | None, *, path: Path) -> str | None:
    """Return the table that a review begins with.

    Parameters
    ----------
    file : ReviewFile
    table : str or None
        Its name, with or without ``mepps_``; by default that of the first detector of the summary.
    path : Path
        For the message.

    Returns
    -------
    str or None
        None if no detector was run on the file.

    Raises
    ------
    UsageError
        If there is no such table, or detectors were run on several channels and none is named.
    """
    known = list(dict.fromkeys([*file.rows, *file.tables]))
    if table is not None:
        for name in (table, f"mepps_{table}"):
            if name in known:
                return name
        raise UsageError(
            f"`table`: expected a table of {path} ({', '.join(known) or 'it has none'}), found {table!r}; "
            "name one of these."
        )
    rows = {name: row for name, row in file.rows.items() if not is_curated(row.detector)}
    if len({row.channel for row in rows.values()}) > 1:
        raise UsageError(
            f"expected MEPPs on one channel in {path}, found them on several; name the table to review with "
            f"`table` ({', '.join(rows)})."
        )
    by_hand = [name for name in known if name.startswith("mepps_curated")]
    return next(iter([*rows, *by_hand]), None)


class Session:
    """A review that is going on; all its methods are called by one thread.

    Parameters
    ----------
    path : path-like
        NWB file.
    table : str, optional
        Which table to begin with (:func:`choose_table`).
    reviewer : str, default ""
        Who decides; the decisions of each named person are a table of their own.
    rows : callable, optional
        Given the open file and the channel, returns the rows to begin with instead of those of a table.

    Attributes
    ----------
    history : History
    notes : list of str
        What the person should know, a sentence each.
    saved : bool
        Whether the file holds all that was decided.

    Raises
    ------
    MeppError
        If the file cannot be read, is being written or reviewed, or the journal cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        table: str | None = None,
        reviewer: str = "",
        rows: Callable[[ReviewFile], list[Row]] | None = None,
    ) -> None:
        self.path = Path(path)
        self.reviewer = reviewer
        self._rows = rows
        self.notes: list[str] = []
        self.saved = True
        self._held = ExitStack()
        self._opened = ExitStack()
        place, beside = journal_place(self.path, reviewer=reviewer)
        try:
            # Whoever may write the file holds its lock; of one that nobody here may write, the journal's.
            self._held.enter_context(hold(self.path if beside else place, doing="reviewing"))
            self._seen = FileState.of(self.path)
            self._open(table)
            self.decider = Decider(reviewer, now)
            self._begin(place)
            if not beside:
                self.notes.append(
                    f"The file is read-only here: the journal is {place}, and saving will fail."
                )
        except BaseException:
            self.close()
            raise

    def _open(self, table: str | None) -> None:
        file = self._opened.enter_context(open_for_review(self.path))
        self.table = choose_table(file, table, path=self.path)
        row = file.rows.get(self.table or "")
        found = file.events(self.table) if self.table in file.tables else []
        if row is None and len(found) > 1:
            raise UsageError(
                f"expected table {self.table!r} of {self.path} to lie on one channel, found several; name a "
                "table of one channel with `table`."
            )
        channels = file.recording.channels
        if row is None and not found and len(channels) > 1:
            raise UsageError(
                f"expected one channel or MEPPs in {self.path}, found the channels {', '.join(channels)} and "
                "no MEPPs; run 'nwb-mepp detect' on one of them first."
            )
        channel = row.channel if row is not None else found[0].mepps.channel if found else channels[0]
        detector = curated_by(self.reviewer)
        self.file = file
        self.reviewed = Reviewed(
            recording=file.recording,
            channel=channel,
            detector=detector,
            table=self.table or "",
            row=row,
            left_out=file.found_on(channel),
            polarity=_polarity(file, channel, stated="" if row is None else row.polarity),
        )
        self.target = file.curated_name(detector, channel)
        self.clock = Clock(self.reviewed.traces)
        self.measuring = Measuring(self.reviewed.traces, polarity=self.reviewed.polarity)

    def _begin(self, place: Path) -> None:
        self.envelope = Envelope(self.reviewed.traces, identity=self.file.identity(self.reviewed.channel))
        told = read_journal(place)
        begun, base = self._from_file()
        about = {
            "file": self.path.name,
            "table": self.table or "",
            "channel": self.reviewed.channel,
            "reviewer": self.reviewer,
            "at": now(),
        }
        if told is not None and told.base == base and told.beginning.about.get("table") == about["table"]:
            self.history, self.saved = told.history, told.saved
            self.journal = Journal(place, length=told.complete_bytes)
            if told.history.n_changes:
                self.notes.append(f"{_counted(told.history.n_changes)} taken up from {place.name}.")
            return
        if told is not None:
            begun = self._carried(told, begun, place)
            self.saved = told.saved
        self.history = History(begun)
        self.journal = Journal.begin(place, Beginning(about, base, begun))

    def _from_file(self) -> tuple[Review, str]:
        """Return the review that tables and invalid times of the file give, and their checksum."""
        own = self._rows_in(self.target)
        if self._rows is not None:
            found = self._rows(self.file)
        elif self.table in (None, self.target):
            found = []
        else:
            found = self._rows_in(self.table)
        joined = with_decisions(found, own) if found else own
        return begun_from(joined, self.file.excluded), checksum([*found, *own], self.file.excluded)

    def _rows_in(self, table: str | None) -> list[Row]:
        rows = rows_in(self.file, table, channel=self.reviewed.channel)
        return [self.measuring.completed(row) for row in rows]

    def _carried(self, told: Told, begun: Review, place: Path) -> Review:
        """Return a review with the decisions of a journal whose tables have changed since."""
        theirs = told.history.now
        aside = place.with_name(f"{place.name}.before")
        # Copied, so that a complete journal is there whatever happens.
        shutil.copyfile(place, aside)
        decided = [row for row in theirs.rows.values() if row["status"] != "unreviewed"]
        if decided:
            self.notes.append(
                f"The tables of {self.path.name} have changed since they were reviewed: "
                f"{_counted(len(decided))} taken over by their times. The earlier journal is {aside.name}."
            )
        rows = with_decisions(list(begun.rows.values()), decided)
        excluded = theirs.excluded if theirs.excluded != told.beginning.review.excluded else begun.excluded
        return begun_from(rows, excluded)

    def decide(self, change: Change) -> set[str]:
        """Write a change to the journal, then make it.

        Parameters
        ----------
        change : Change

        Returns
        -------
        set of str
            The names of the rows that it is about.

        Raises
        ------
        MeppError
            If it cannot be made or written; nothing has changed then.
        """
        self.history.now.after(change)
        self.journal.change(change)
        self.saved = False
        return self.history.do(change)

    def undo(self) -> set[str]:
        """Take the last change back; raises as :meth:`decide`."""
        if not self.history.can_undo:
            return set()
        self.journal.note("undo", at=now())
        self.saved = False
        return self.history.undo()

    def redo(self) -> set[str]:
        """Repeat what was taken back last; raises as :meth:`decide`."""
        if not self.history.can_redo:
            return set()
        self.journal.note("redo", at=now())
        self.saved = False
        return self.history.redo()

    def add(self, x_s: float) -> set[str]:
        """Add the event nearest to a place on the axis."""
        sweep, sample = self.clock.place(x_s)
        rows = self.measuring.measure(sweep, [self.measuring.snap(sweep, sample)], others=self._kept())
        taken = [row for row in self._kept() if row["sweep"] == sweep]
        if any(abs(row["peak_index"] - rows[0]["peak_index"]) <= 1 for row in taken):
            raise UsageError(
                "expected a place without an event, found one with this very peak; choose another."
            )
        return self.decide(self.decider.add(self.history.now, rows))

    def move(self, name: str, *, onset_x: float | None = None, end_x: float | None = None) -> set[str]:
        """Move the onset or the end of an event to a place on the axis."""
        row = self.history.now.row(name)
        rate_hz, begin = self.clock.rate_hz, self.clock.x(row["sweep"], 0)
        start = row["start_index"] if onset_x is None else round((onset_x - begin) * rate_hz)
        stop = row["stop_index"] if end_x is None else round((end_x - begin) * rate_hz)
        n_samples = self._trace(row["sweep"]).n_samples
        if not 0 <= start < stop - 1 < n_samples:
            raise UsageError("expected the onset before the end, both within the sweep; drag it elsewhere.")
        rows = self.measuring.measure_between(row["sweep"], start, stop, others=self._kept(without={name}))
        kept = {one: row[one] for one in ("probability", "anomaly", "kind", "source", "note")}
        return self.decide(self.decider.move(self.history.now, name, {**rows, **kept}))

    def split(self, name: str, *, at_x: float | None = None) -> set[str]:
        """Make two events of one, at a place on the axis or where it dips."""
        row = self.history.now.row(name)
        at = None if at_x is None else round((at_x - self.clock.x(row["sweep"], 0)) * self.clock.rate_hz)
        places = self.measuring.halves(row, at)
        rows = self.measuring.measure(row["sweep"], places, others=self._kept(without={name}))
        return self.decide(self.decider.replace(self.history.now, [name], rows, name="split"))

    def merge(self, names: Sequence[str]) -> set[str]:
        """Make one event of several neighbors of one sweep."""
        rows = [self.history.now.row(name) for name in names]
        if len(rows) < 2 or len({row["sweep"] for row in rows}) > 1:
            raise UsageError("expected two events or more of one sweep to merge; select them first.")
        start = min(row["start_index"] for row in rows)
        stop = max(row["stop_index"] for row in rows)
        row = self.measuring.measure_between(
            rows[0]["sweep"], start, stop, others=self._kept(without=set(names))
        )
        return self.decide(self.decider.replace(self.history.now, names, [row], name="merge"))

    def save(self, *, extension: bool = False) -> str:
        """Write the decisions into the file, and return a sentence that says so.

        Raises
        ------
        MeppError
            If the file cannot be written, or was changed by another program; the journal holds all.
        """
        if FileState.of(self.path) != self._seen:
            raise OutputError(
                f"expected {self.path} as it was when the review began, found that another program has "
                "changed it since; nothing was written. All decisions are in the journal: choose the "
                "recording again (g) to take them over by their times, then save."
            )
        by_hand = {tuple(one) for one in self.file.excluded}
        stated = [one for one in self.reviewed.recording.invalid_times if tuple(one) not in by_hand]
        result = result_of(self.reviewed, self.history.now, stated_s=stated)
        # Closed before it is replaced: on Windows a file that is open cannot be.
        self._opened.close()
        try:
            replace_results(self.path, [result], extension=extension, excluded=self.history.now.excluded)
            self._seen = FileState.of(self.path)
        finally:
            self._open(self.table)
        _, base = self._from_file()
        self.saved = True
        status = [row["status"] for row in self.history.now.rows.values()]
        n_open, n_counted = status.count(UNREVIEWED), int(counts_as_event(status).sum())
        said = f"Saved {n_counted} events as {self.target} in {self.path.name}"
        said = f"{said}; {n_open} to do, which do not count." if n_open else f"{said}."
        try:
            self.journal.note("save", at=now(), base=base)
        except OutputError as error:
            # The next review finds a file that has changed and meets it by the times of the decisions.
            return f"{said} That could not be noted: {error}"
        return said

    def close(self) -> None:
        """Close the file and the journal, and let go of the lock."""
        if hasattr(self, "envelope"):
            self.envelope.close()
        if hasattr(self, "journal"):
            self.journal.close()
        self._opened.close()
        self._held.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _trace(self, sweep: int) -> Trace:
        return next(trace for trace in self.reviewed.traces if trace.sweep == sweep)

    def _kept(self, *, without: set[str] | None = None) -> list[Row]:
        rows = self.history.now.rows.items()
        return [row for name, row in rows if is_kept(row) and name not in (without or ())]


def rows_in(file: ReviewFile, table: str | None, *, channel: str) -> list[Row]:
    """Return the rows of a table on a channel; none if there is no such table."""
    if table not in file.tables or table is None:
        return []
    return [
        row
        for one in file.events(table)
        if one.mepps.channel == channel
        for row in rows_of(
            one.mepps, curation=one.curation, source=one.detector or table.removeprefix("mepps_")
        )
    ]


def _polarity(file: ReviewFile, channel: str, *, stated: str) -> Polarity:
    """Return the direction of the MEPPs of a channel: as the summary says, else as the samples show."""
    if stated:
        return Polarity(stated)
    trace = file.recording.sweeps(channel)[0]
    stop = min(round(_LOOKED_AT_S * trace.sampling_rate_hz), trace.n_samples)
    try:
        return survey([Segment(trace=trace, start=0, stop=stop)]).polarity
    except DetectionError:
        return Polarity.POSITIVE if trace.unit == "V" else Polarity.NEGATIVE


def _counted(n_decisions: int) -> str:
    return "1 decision was" if n_decisions == 1 else f"{n_decisions} decisions were"
