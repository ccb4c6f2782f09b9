"""What a user is told about results: what was left out, not counted, doubtful, or is left unexplained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from nwb_mepp.core.results import ChannelResult, LeftOut
from nwb_mepp.nwb import CURATED_TABLE, interval_tables, reviewers_of

__all__ = ["describe_left_out", "remarks_on", "remarks_on_reviews"]

_N_NAMED = 5
_N_UNEXPLAINED_NAMED = 3
_KINDS = {
    "evoked": ("evoked response", "evoked responses"),
    "spike": ("action potential", "action potentials"),
    "artifact": ("artifact", "artifacts"),
}


def describe_left_out(left_out: Sequence[LeftOut]) -> str:
    """Return the stretches that were left out, with their reasons, as text.

    Examples
    --------
    >>> describe_left_out([LeftOut(35.0, 60.0, "impalement lost"), LeftOut(1.0, 1.02, "not a number")])
    'impalement lost 35:60 s; not a number 1:1.02 s'
    """
    parts = []
    for reason in dict.fromkeys(one.reason for one in left_out):
        own = [f"{one.start_s:.6g}:{one.stop_s:.6g}" for one in left_out if one.reason == reason]
        more = f" and {len(own) - _N_NAMED} more" if len(own) > _N_NAMED else ""
        parts.append(f"{reason} {', '.join(own[:_N_NAMED])} s{more}")
    return "; ".join(parts)


def _covered_s(left_out: Sequence[LeftOut]) -> float:
    """Return how long stretches last together, counting once where they overlap."""
    total_s, reached_s = 0.0, -math.inf
    for one in sorted(left_out):
        total_s += max(one.stop_s - max(one.start_s, reached_s), 0.0)
        reached_s = max(reached_s, one.stop_s)
    return total_s


def remarks_on(results: Sequence[ChannelResult]) -> tuple[str, ...]:
    """Return a sentence for each thing that a user should know about results.

    Parameters
    ----------
    results : sequence of ChannelResult
        Of one recording.
    """
    said = []
    for result in results:
        channel = result.mepps.channel
        if result.left_out:
            total_s = _covered_s(result.left_out)
            said.append(
                f"{channel}: {total_s:.4g} s were left out ({describe_left_out(result.left_out)}); "
                "`keep_all_time=True` keeps what can be analyzed of them."
            )
        counts = {kind: len(result.mepps.of_kind(kind)) for kind in _KINDS}
        named = [f"{n} {_KINDS[kind][n != 1]}" for kind, n in counts.items() if n]
        if named:
            said.append(
                f"{channel} ({result.detector}): {' and '.join(named)} in the table, not counted as MEPPs."
            )
        if result.summary.warnings:
            said.append(f"{channel} ({result.detector}): {result.summary.warnings}.")
        if result.unexplained:
            said.append(_unexplained(result))
    return tuple(dict.fromkeys(said))


def remarks_on_reviews(path: Path, results: Sequence[ChannelResult]) -> tuple[str, ...]:
    """Return a sentence for each table of a person on a channel that was searched again: it is kept.

    Parameters
    ----------
    path : Path
        NWB file.
    results : sequence of ChannelResult
        What was found anew.
    """
    if not any(name.startswith(CURATED_TABLE) for name in interval_tables(path)):
        return ()
    return tuple(
        f"{channel}: {table} is kept as it was reviewed; the next 'nwb-mepp review' takes its decisions over "
        "to the events that were found now, by their times."
        for channel in dict.fromkeys(result.mepps.channel for result in results)
        for table in reviewers_of(path, channel=channel).values()
    )


def _unexplained(result: ChannelResult) -> str:
    """Return a sentence about clear deflections that are not among the MEPPs of a detector."""
    n_left = len(result.unexplained)
    several = len({sweep for sweep, _ in result.unexplained} | set(result.mepps.sweep.tolist()) | {0}) > 1
    named = [
        f"{onset_s:.3f} s (sweep {sweep})" if several else f"{onset_s:.3f} s"
        for sweep, onset_s in result.unexplained[:_N_UNEXPLAINED_NAMED]
    ]
    what = "deflections" if n_left > 1 else "deflection"
    looks = "look like MEPPs but are" if n_left > 1 else "looks like a MEPP but is"
    more = f" and {n_left - _N_UNEXPLAINED_NAMED} more" if n_left > _N_UNEXPLAINED_NAMED else ""
    return (
        f"{n_left} clear {what} on {result.mepps.channel} {looks} not among those of {result.detector}: "
        f"{', '.join(named)}{more}."
    )
