"""How far two people agree on a recording, and what they differ in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from os import PathLike

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.curation.beginnings import TOLERANCE_S
from nwb_mepp.curation.decisions import ACCEPTED, REJECTED, UNREVIEWED, is_kept
from nwb_mepp.curation.rows import TOUCHED, Row, rows_of, sort_rows
from nwb_mepp.evaluation import match_times
from nwb_mepp.nwb import ReviewFile, is_curated, open_for_review

__all__ = ["Agreement", "Difference", "agreements_in", "compare", "consensus_rows"]

ABSENT = "not there"
Pair = tuple[Row | None, Row | None]


@dataclass(frozen=True)
class Difference:
    """One event that one person takes for a MEPP and the other does not.

    Attributes
    ----------
    peak_s : float
        Seconds from the session start.
    decisions : tuple of str
        What each says.
    """

    peak_s: float
    decisions: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two people agree.

    Attributes
    ----------
    reviewers : tuple of str
    channel : str
    f1 : float
        Of the MEPPs of one against those of the other; NaN if neither has any.
    kappa : float
        Cohen's kappa over the candidates; NaN where both say the same of all.
    n_candidates : int
        Events that either of them has, and that both decided on.
    n_undecided : int
        Events that either of them has not decided on, which are left out.
    differences : tuple of Difference
        In order of time.
    """

    reviewers: tuple[str, str]
    channel: str
    f1: float
    kappa: float
    n_candidates: int
    n_undecided: int
    differences: tuple[Difference, ...]


def compare(
    one: Sequence[Row], other: Sequence[Row], *, reviewers: tuple[str, str], channel: str
) -> Agreement:
    """Compare what two people decided.

    Parameters
    ----------
    one, other : sequence of Row
    reviewers : tuple of str
    channel : str

    Notes
    -----
    Rows are matched one to one by their peaks, at most 2 ms apart. A row of one that the other does not have
    is a candidate that the other takes for no MEPP.
    """
    pairs = list(_pairs(one, other))
    decided = [pair for pair in pairs if not any(_is_open(row) for row in pair)]
    says = [(_is_mepp(left), _is_mepp(right)) for left, right in decided]
    both, neither = says.count((True, True)), says.count((False, False))
    n_one, n_other = (sum(said[number] for said in says) for number in (0, 1))
    differences = sorted(
        (
            Difference((left or right or {})["peak_s"], (_said(left), _said(right)))
            for (left, right), (yes, also) in zip(decided, says, strict=True)
            if yes != also
        ),
        key=lambda difference: difference.peak_s,
    )
    return Agreement(
        reviewers=reviewers,
        channel=channel,
        f1=2.0 * both / (n_one + n_other) if n_one + n_other else math.nan,
        kappa=_kappa(both, neither, n_one, n_other, n=len(says)),
        n_candidates=len(says),
        n_undecided=len(pairs) - len(decided),
        differences=tuple(differences),
    )


def _kappa(both: int, neither: int, n_one: int, n_other: int, *, n: int) -> float:
    """Return Cohen's kappa.

    Examples
    --------
    The example of Wikipedia: of 50 proposals both accept 20 and both reject 15; 25 and 30 are accepted.

    >>> round(_kappa(20, 15, 25, 30, n=50), 3)
    0.4
    """
    if not n:
        return math.nan
    observed = (both + neither) / n
    by_chance = (n_one * n_other + (n - n_one) * (n - n_other)) / n**2
    return (observed - by_chance) / (1.0 - by_chance) if by_chance < 1.0 else math.nan


def _pairs(one: Sequence[Row], other: Sequence[Row]) -> Iterator[Pair]:
    """Yield what is one event to both, and what only one of them has."""
    for sweep in sorted({row["sweep"] for row in [*one, *other]}):
        left = [row for row in one if row["sweep"] == sweep]
        right = [row for row in other if row["sweep"] == sweep]
        matching = match_times(
            [row["peak_s"] for row in left], [row["peak_s"] for row in right], tolerance_s=TOLERANCE_S
        )
        yield from ((left[first], right[second]) for first, second in matching.pairs.tolist())
        yield from ((left[number], None) for number in matching.missed.tolist())
        yield from ((None, right[number]) for number in matching.false.tolist())


def _is_open(row: Row | None) -> bool:
    return row is not None and row["status"] == UNREVIEWED


def _is_mepp(row: Row | None) -> bool:
    return row is not None and is_kept(row) and row["kind"] in ("", "mepp")


def _said(row: Row | None) -> str:
    if row is None:
        return ABSENT
    return str(row["status"]) if row["kind"] in ("", "mepp") else f"{row['status']} as {row['kind']}"


def _tables(file: ReviewFile, *, path: object) -> dict[tuple[str, str], list[Row]]:
    """Return the rows of each named reviewer on each channel."""
    found = {}
    for name, row in file.rows.items():
        reviewer = row.detector.partition("_")[2]
        if is_curated(row.detector) and reviewer and name in file.tables:
            rows = [one for part in file.events(name) for one in rows_of(part.mepps, curation=part.curation)]
            found[reviewer, row.channel] = rows
    if len({reviewer for reviewer, _ in found}) < 2:
        names = ", ".join(sorted({reviewer for reviewer, _ in found})) or "none"
        raise ReadError(
            f"expected tables of two reviewers in {path}, found {names}; let each review the file with "
            "`reviewer` and save."
        )
    return found


def agreements_in(path: str | PathLike[str]) -> list[Agreement]:
    """Return how far the reviewers of a file agree, for each pair of them and each channel.

    Parameters
    ----------
    path : path-like
        NWB file.

    Raises
    ------
    ReadError
        If the file cannot be read, or has no tables of two named reviewers.
    """
    with open_for_review(path) as file:
        tables = _tables(file, path=path)
    return [
        compare(tables[one, channel], tables[other, channel], reviewers=(one, other), channel=channel)
        for channel in dict.fromkeys(channel for _, channel in tables)
        for one, other in combinations([name for name, where in tables if where == channel], 2)
    ]


def consensus_rows(file: ReviewFile) -> list[Row]:
    """Return the events of two reviewers: decided where they agree, undecided where they differ.

    Parameters
    ----------
    file : ReviewFile

    Raises
    ------
    ReadError
        If there are no tables of two named reviewers.
    UsageError
        If there are those of more, or on several channels.
    """
    tables = _tables(file, path=file.recording.source.name)
    if len(tables) != 2 or len({channel for _, channel in tables}) != 1:
        raise UsageError(
            "expected tables of two reviewers on one channel, found "
            f"{', '.join(f'{name} on {channel}' for name, channel in tables)}."
        )
    (one, left), (other, right) = tables.items()
    return sort_rows(_settled(pair, (one[0], other[0])) for pair in _pairs(left, right))


def _settled(pair: Pair, names: tuple[str, str]) -> Row:
    """Return the row of an event with the decision of both, or with what each of them said."""
    row = max(filter(None, pair), key=_is_mepp)
    agreed = _is_mepp(pair[0]) == _is_mepp(pair[1]) and not any(map(_is_open, pair))
    note = "; ".join(f"{name}: {_said(one)}" for name, one in zip(names, pair, strict=True))
    status = (ACCEPTED if _is_mepp(row) else REJECTED) if agreed else UNREVIEWED
    return {
        **row,
        "status": status,
        TOUCHED: "",
        "note": row["note"] if agreed else note,
        "reviewer": "",
        "reviewed_at": row["reviewed_at"] if agreed else "",
    }
