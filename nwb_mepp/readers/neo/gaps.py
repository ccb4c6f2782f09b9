"""Sweeps that a file interrupts: each stretch without a gap becomes a sweep; times moved to another clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from nwb_mepp.core.ancillary import AncillaryData
from nwb_mepp.core.recording import SampleSource
from nwb_mepp.readers.contents import FileContents, RawTrace

__all__ = ["Stretch", "from_first_sample", "moved", "split_at_gaps"]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Samples of a trace that follow one another without a gap.

    Attributes
    ----------
    source : SampleSource
    start_s : float
        Time of the first of them on the clock of the file.
    """

    source: SampleSource
    start_s: float


def split_at_gaps(
    contents: FileContents, stretches: Mapping[tuple[str, int], Sequence[Stretch]]
) -> FileContents:
    """Make a sweep of each stretch, with a note if there is more than one in a sweep of the file.

    Parameters
    ----------
    contents : FileContents
    stretches : mapping of (channel, sweep) to sequence of Stretch
        For every trace; those of one channel in order.

    Returns
    -------
    FileContents
    """
    counts: dict[int, int] = {}
    for (_, sweep), parts in stretches.items():
        counts[sweep] = max(counts.get(sweep, 1), len(parts))
    first_of, n_sweeps = {}, 0
    for sweep in sorted(counts):
        first_of[sweep] = n_sweeps
        n_sweeps += counts[sweep]
    traces = [
        replace(trace, sweep=first_of[trace.sweep] + number, source=part.source, start_s=part.start_s)
        for trace in contents.traces
        for number, part in enumerate(stretches[trace.channel, trace.sweep])
    ]
    traces.sort(key=lambda trace: trace.sweep)  # stable: channels stay in order
    n_gaps = n_sweeps - len(counts)
    if not n_gaps:
        return replace(contents, traces=tuple(traces))
    # Events and spikes have times of their own, so that it does not matter which sweep they go with.
    ancillary = _each(contents.ancillary, lambda item: replace(item, sweep=first_of.get(item.sweep, 0)))
    note = _gap_note(contents.traces, stretches, n_gaps=n_gaps, n_sweeps=n_sweeps)
    return replace(contents, traces=tuple(traces), ancillary=ancillary, notes=(*contents.notes, note))


def _gap_note(
    traces: Sequence[RawTrace],
    stretches: Mapping[tuple[str, int], Sequence[Stretch]],
    *,
    n_gaps: int,
    n_sweeps: int,
) -> str:
    lost_s = [
        later.start_s - one.start_s - len(one.source) / (trace.sampling_rate_hz or 1.0)
        for trace in traces
        for one, later in pairwise(stretches[trace.channel, trace.sweep])
    ]
    gaps = "1 gap" if n_gaps == 1 else f"{n_gaps} gaps"
    return (
        f"The recording has {gaps} (the longest lasts {max(lost_s):g} s), at which it was split: it has "
        f"{n_sweeps} sweeps."
    )


def moved(contents: FileContents, by_s: Mapping[int, float]) -> FileContents:
    """Add to all times of each sweep.

    Parameters
    ----------
    contents : FileContents
    by_s : mapping of int to float
        By number of the sweep; others stay.

    Returns
    -------
    FileContents
    """
    if not any(by_s.values()):
        return contents
    traces = [replace(t, start_s=t.start_s + by_s.get(t.sweep, 0.0)) for t in contents.traces]
    ancillary = _each(contents.ancillary, lambda item: item.shifted(by_s.get(item.sweep, 0.0)))
    return replace(contents, traces=tuple(traces), ancillary=ancillary)


def from_first_sample(contents: FileContents) -> FileContents:
    """Make times count from the first sample, at which the session starts, not from the start of a clock.

    Parameters
    ----------
    contents : FileContents

    Returns
    -------
    FileContents
    """
    first_s = min((trace.start_s for trace in contents.traces), default=0.0)
    sweeps = {one.sweep for one in (*contents.traces, *contents.ancillary)}
    return moved(contents, dict.fromkeys(sweeps, -first_s))


def _each(ancillary: AncillaryData, change: Callable[[Any], Any]) -> AncillaryData:
    return AncillaryData(
        events=tuple(map(change, ancillary.events)),
        epochs=tuple(map(change, ancillary.epochs)),
        spikes=tuple(map(change, ancillary.spikes)),
        irregular=tuple(map(change, ancillary.irregular)),
        commands=tuple(map(change, ancillary.commands)),
    )
