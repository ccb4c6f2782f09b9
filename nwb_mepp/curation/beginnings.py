"""What a review begins with: the rows of a detector, and what was decided about them before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from nwb_mepp.core.safe_text import json_text
from nwb_mepp.curation.decisions import ADDED, UNREVIEWED, Review
from nwb_mepp.curation.rows import TOUCHED, Row, plain, sort_rows
from nwb_mepp.evaluation import match_times

__all__ = ["TOLERANCE_S", "begun_from", "checksum", "with_decisions"]

# Two detections of one MEPP differ by less, two MEPPs that a person tells apart by more.
TOLERANCE_S = 2e-3
# What was decided about a row, whatever its measures are.
_DECIDED = ("status", "reviewer", "reviewed_at", "note", "kind")


def checksum(rows: Iterable[Row], excluded: Sequence[tuple[float, float]]) -> str:
    """Return a checksum of rows and of what is left out, by which a change of the file is noticed."""
    digest = hashlib.sha256(json_text([list(one) for one in excluded]).encode())
    for row in rows:
        digest.update(json_text(plain(row)).encode())
    return digest.hexdigest()


def begun_from(rows: Iterable[Row], excluded: Sequence[tuple[float, float]]) -> Review:
    """Return a review of rows, numbered in order of their onsets.

    Examples
    --------
    >>> later, earlier = ({"start_s": start_s, "peak_s": start_s} for start_s in (0.2, 0.1))
    >>> begun_from([later, earlier], []).rows["1"]["start_s"]
    0.1
    """
    return Review({str(number): row for number, row in enumerate(sort_rows(rows), start=1)}, tuple(excluded))


def with_decisions(found: Sequence[Row], decided: Sequence[Row]) -> list[Row]:
    """Return what a detector found with the decisions that a person made before, matched by time.

    Parameters
    ----------
    found : sequence of Row
        Of the present detection.
    decided : sequence of Row
        Of an earlier review.

    Returns
    -------
    list of Row
        What was accepted or rejected has the measures of the present detection where it is found again. What
        was added or moved stays as the person left it, and so does what is no longer found. What nobody
        decided on counts only if it is found.
    """
    kept = [row for row in decided if row["status"] != UNREVIEWED]
    joined = list(found)
    for sweep in sorted({row["sweep"] for row in kept}):
        mine = [number for number, row in enumerate(found) if row["sweep"] == sweep]
        theirs = [row for row in kept if row["sweep"] == sweep]
        matching = match_times(
            np.array([row["peak_s"] for row in theirs]),
            np.array([found[number]["peak_s"] for number in mine]),
            tolerance_s=TOLERANCE_S,
        )
        for old, new in matching.pairs.tolist():
            row = theirs[old]
            again = row if row[TOUCHED] else {**found[mine[new]], **{name: row[name] for name in _DECIDED}}
            joined[mine[new]] = again
        joined += [theirs[number] for number in matching.missed.tolist()]
    own = [row for row in kept if row[TOUCHED] == ADDED]
    return sort_rows(row for row in joined if row["status"] != UNREVIEWED or not _within(row, own))


def _within(row: Row, others: Sequence[Row]) -> bool:
    """Return whether a row peaks in the interval of another one, as what was merged does."""
    return any(
        other["sweep"] == row["sweep"] and other["start_index"] <= row["peak_index"] < other["stop_index"]
        for other in others
    )
