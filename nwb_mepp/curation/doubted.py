"""Candidates that a detector doubted: what a lower threshold would add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.curation.beginnings import TOLERANCE_S
from nwb_mepp.curation.rows import Row, rows_of
from nwb_mepp.detectors import get_detector
from nwb_mepp.evaluation import match_times
from nwb_mepp.nwb import open_for_review
from nwb_mepp.workflows.measured_candidates import measure_candidates

__all__ = ["find_doubted", "without_known"]

# Below, candidates are noise: more of them than anyone looks at.
_LOWEST = 0.03


def find_doubted(path: Path, *, channel: str, detector: str, polarity: str) -> list[Row]:
    """Return what a detector finds with hardly any threshold, measured.

    Parameters
    ----------
    path : Path
        NWB file, which is opened anew: this may take long, and the review goes on meanwhile.
    channel : str
    detector : str
    polarity : str

    Raises
    ------
    UsageError
        If the detector gives no probabilities.
    MeppError
        If the file cannot be read, or the detector is not installed.
    """
    finder = get_detector(detector)
    if not getattr(finder, "gives_probability", True):
        raise UsageError(
            f"expected a detector that gives probabilities, found {detector}, which gives none; review the "
            "table of another one."
        )
    with open_for_review(path) as file:
        left_out = [*file.recording.invalid_times, *((one[0], one[1]) for one in file.found_on(channel))]
        segments = list(cut_segments(file.recording.sweeps(channel), excluded=left_out))
        noise = survey(segments, polarity=polarity)
        candidates = finder.find(segments, noise=noise, threshold=_LOWEST)
        measured, _ = measure_candidates(segments, candidates, noise=noise)
        upright = measured.select(noise.polarity.sign * measured.amplitude > 0.0)
    kinds = upright.replace(kind=np.full(len(upright), "mepp"), quality=np.full(len(upright), "ok"))
    return rows_of(kinds, source=detector)


def without_known(doubted: Sequence[Row], known: Sequence[Row]) -> list[Row]:
    """Return the candidates that a review does not have, matched by time."""
    left: list[Row] = []
    for sweep in sorted({row["sweep"] for row in doubted}):
        mine = [row for row in doubted if row["sweep"] == sweep]
        theirs = [row["peak_s"] for row in known if row["sweep"] == sweep]
        matching = match_times(theirs, [row["peak_s"] for row in mine], tolerance_s=TOLERANCE_S)
        left += [mine[number] for number in matching.false.tolist()]
    return left
