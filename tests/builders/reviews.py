"""Rows of a review, and an annotated file that a test may change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st

from builders.known_mepps import ONSETS_S, mepp_trace
from builders.tables import mepps_at, result_of
from builders.traces import recording_of, trace_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult, Curation
from nwb_mepp.curation.decisions import KINDS, Change, Decider, History, Review
from nwb_mepp.curation.rows import Row, rows_of
from nwb_mepp.nwb import replace_results, write_nwb

RATE_HZ = 10_000.0
PEAKS_S = (0.1, 0.2, 0.3, 0.4)
# What a person said of the eight MEPPs of :func:`reviewed_file`, of which two are something else.
SAID = ("accepted", "rejected", "added", "unreviewed", "accepted", "moved", "accepted", "unreviewed")
EVOKED_ROW = 5


def reviewed(channel: str, unit: str, *, reviewer: str = "") -> ChannelResult:
    """Return what a person said of the eight MEPPs of a channel: four of them are accepted."""
    kind = np.full(len(SAID), "mepp", dtype="<U6")
    kind[EVOKED_ROW] = "evoked"
    mepps = mepps_at(ONSETS_S, channel=channel, unit=unit, kind=kind)
    curation = Curation(len(SAID), status=np.array(SAID))
    detector = f"curated_{reviewer}" if reviewer else "curated"
    found = result_of(mepps, detector, n_mepps=4, reviewed=0.75, threshold=np.nan, rate_hz=2.0)
    return replace(found, curation=curation)


def reviewed_file(path: Path, *, reviewers: tuple[str, ...] = ("",)) -> Path:
    """Write a file of two channels with eight MEPPs each, which a detector found and people reviewed."""
    path.write_bytes(_reviewed_content(reviewers))
    return path


@cache
def _reviewed_content(reviewers: tuple[str, ...]) -> bytes:
    units = {"Vm": "V", "Im": "A"}
    traces = [trace_of(mepp_trace(), channel=channel, unit=unit) for channel, unit in units.items()]
    found = [result_of(mepps_at(ONSETS_S, channel=one, unit=unit)) for one, unit in units.items()]
    start = datetime(2026, 1, 15, 10, tzinfo=UTC)
    said = [reviewed(*one, reviewer=reviewer) for reviewer in reviewers for one in units.items()]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reviewed.nwb"
        write_nwb(recording_of(*traces), path, session_start=start, results=found)
        replace_results(path, said)
        return path.read_bytes()


def row_at(peak_s: float, **changes: Any) -> Row:
    """Return the row of an event that a detector found."""
    peak = round(peak_s * RATE_HZ)
    table = Mepps(
        channel="Vm",
        unit="V",
        sweep=np.array([0]),
        start_index=np.array([peak - 10]),
        peak_index=np.array([peak]),
        stop_index=np.array([peak + 40]),
        start_s=np.array([(peak - 10) / RATE_HZ]),
        peak_s=np.array([peak / RATE_HZ]),
        stop_s=np.array([(peak + 40) / RATE_HZ]),
        amplitude=np.array([1e-3]),
        baseline=np.array([-70e-3]),
        probability=np.array([0.9]),
        kind=np.array(["mepp"]),
    )
    return {**rows_of(table, source="miniunet")[0], **changes}


def review_of(*peaks_s: float) -> Review:
    """Return a review of events at some times, named 1, 2, ..."""
    return Review({str(number): row_at(peak_s) for number, peak_s in enumerate(peaks_s, start=1)})


def told(review: Review) -> str:
    """Return all that a review holds as text, which is equal where all is, NaN too."""
    rows = {name: sorted(review.rows[name].items()) for name in sorted(review.rows, key=int)}
    return repr((rows, review.excluded))


def ticking() -> Callable[[], str]:
    """Return a clock that gives a new time whenever it is asked."""
    numbers = itertools.count()
    return lambda: f"2026-01-15T10:00:{next(numbers) % 60:02d}+00:00"


def decider(reviewer: str = "anna") -> Decider:
    """Return one who decides at known times."""
    return Decider(reviewer, ticking())


def steps() -> st.SearchStrategy[list[tuple[str, Any]]]:
    """Any sequence of things that a person can do; a number chooses the rows."""
    which = st.integers(0, 50)
    names = ("accept", "reject", "reopen", "add", "move", "split", "merge", "note", "undo", "redo", "choose")
    simple = st.tuples(st.sampled_from(names), which)
    kinds = st.tuples(st.sampled_from(KINDS), which)
    stretches = st.tuples(st.just("exclude"), st.tuples(st.floats(0, 0.4), st.floats(0.41, 1.0)))
    return st.lists(st.one_of(simple, kinds, stretches), max_size=25)


def done(history: History, what: str, which: Any) -> Change | None:
    """Do one thing, and return the change unless it was undoing or repeating."""
    who, now = decider(), history.now
    names = sorted(now.rows, key=int)
    if what == "undo":
        history.undo()
        return None
    if what == "redo":
        history.redo()
        return None
    if what == "exclude":
        change = who.exclude(now, *which)
    elif what == "add":
        change = who.add(now, [row_at(0.5 + which / 100)])
    elif what == "choose":
        change = who.choose(now, [row_at(0.7, probability=which / 50)], threshold=which / 60, min_size=0.0)
    elif not names:
        return None
    else:
        one, other = names[which % len(names)], names[(which + 1) % len(names)]
        change = {
            "accept": lambda: who.accept(now, [one, other]),
            "reject": lambda: who.reject(now, [one]),
            "reopen": lambda: who.reopen(now, [one, other]),
            "move": lambda: who.move(now, one, row_at(0.3 + which / 1000)),
            "split": lambda: who.replace(now, [one], [row_at(0.2), row_at(0.21)], name="split"),
            "merge": lambda: who.replace(now, list({one, other}), [row_at(0.2)], name="merge"),
            "note": lambda: who.set_note(now, [one], f"no. {which}"),
        }.get(what, lambda: who.set_kind(now, [one], what))()
    history.do(change)
    return change
