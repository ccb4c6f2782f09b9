"""MEPPs between evoked responses are looked for again without these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from builders.traces import RATE_HZ, segment_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors import Candidates
from nwb_mepp.workflows.confirmation import confirm

PEAKS_S = np.array([0.3, 1.0, 1.02, 1.5, 1.7, 2.0, 2.5])
KINDS = np.array(["mepp", "evoked", "mepp", "mepp", "artifact", "evoked", "mepp"])


def events(kinds: Sequence[str]) -> Mepps:
    peak = np.round(PEAKS_S * RATE_HZ).astype(int)
    return Mepps(
        channel="Vm",
        unit="V",
        sweep=np.zeros(len(peak), dtype=int),
        start_index=peak - 10,
        peak_index=peak,
        stop_index=peak + 30,
        start_s=PEAKS_S - 1e-3,
        stop_s=PEAKS_S + 3e-3,
        peak_s=PEAKS_S,
        probability=np.full(len(peak), 0.6),
        kind=np.array(kinds),
    )


def found_at(*times_s: float) -> tuple[list[Segment], object]:
    """Return a list that fills with the stretches, and what finds candidates at these times."""
    seen: list[Segment] = []

    def find(pieces: Sequence[Segment]) -> list[Candidates]:
        seen.extend(pieces)
        found = []
        for piece in pieces:
            peak = np.round(np.array(times_s) * RATE_HZ).astype(int) - piece.start
            peak = peak[(peak >= 0) & (peak < piece.n_samples)]
            found.append(
                Candidates(start=peak - 5, peak=peak, stop=peak + 5, probability=np.full(len(peak), 0.9))
            )
        return found

    return seen, find


def test_only_what_is_found_again_between_evoked_responses_stays() -> None:
    seen, find = found_at(0.302, 2.6)
    kept = confirm(find, [segment_of(np.zeros(30_000))], events(KINDS))
    # The stretches end 10 ms before an evoked response and begin 50 ms after its end.
    assert [(one.start, one.stop) for one in seen] == [(0, 9890), (10530, 19890), (20530, 30000)]
    # 1.02 s is within what the response covers, 1.7 s no MEPP; 1.5 and 2.5 s are not found again.
    assert kept.peak_s.tolist() == [0.3, 1.0, 1.02, 1.7, 2.0]
    assert kept.probability.tolist() == pytest.approx([0.9, 0.6, 0.6, 0.6, 0.6])


def test_without_evoked_responses_nothing_is_looked_for_again() -> None:
    seen, find = found_at()
    every = events(["mepp"] * len(PEAKS_S))
    assert confirm(find, [segment_of(np.zeros(30_000))], every) is every
    assert seen == []


def test_stretches_that_are_too_short_stay_as_they_are() -> None:
    seen, find = found_at()
    many = events(["mepp", *["evoked"] * 6])
    short = [Segment(trace=segment_of(np.zeros(30_000)).trace, start=2000, stop=4500)]
    assert len(confirm(find, short, many)) == len(many)
    assert seen == []
