"""Detectors on real currents that people marked, and on simulated ones in real noise.

The recordings come from the repository of Winchester et al. (acp29/Winchester_EVENTER, BSD-3-Clause):
a folder ``winchester`` with ``GroupA.abf``, ``GroupA_consensus.csv`` and ``Train1`` to ``Train4``. They are
not part of this package.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.evaluation import common_shift, count_matches, match_times
from nwb_mepp.ml.benchmark.detector_runs import AnyDetector, find_all, survey_trace
from nwb_mepp.readers import ReadOptions, read_recording

__all__ = ["GROUP_A", "RealScores", "run_winchester"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GROUP_A = "GroupA"

_TOLERANCE_S = 0.002
_MIN_VOTES = 3
_MIN_AMPLITUDE_SD = 4.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RealScores:
    """One detector on one recording with marks.

    Attributes
    ----------
    recording, detector : str
    counts : ndarray of int64, shape (3,)
        Matched, missed and false, within 2 ms after the shift.
    shift_s : float
        What was added to the found onsets.
    """

    recording: str
    detector: str
    counts: IntArray
    shift_s: float


def run_winchester(folder: Path, *, detectors: Sequence[AnyDetector]) -> list[RealScores]:
    """Run detectors over the five recordings.

    Parameters
    ----------
    folder : Path
        The folder ``winchester``.
    detectors : sequence of str or Detector

    Returns
    -------
    list of RealScores
        Group A against what at least three of five people marked, events below 4 noise SD left out as those
        people judged none; then Train1 to Train4 against the simulated onsets.

    Raises
    ------
    ReadError
        If a file is missing.
    """
    consensus = folder / "GroupA_consensus.csv"
    if not consensus.is_file():
        raise ReadError(
            f"expected GroupA_consensus.csv in {folder}, found none; name the folder 'winchester' itself."
        )
    with consensus.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    marked_s = np.sort([float(row["time_s"]) for row in rows if int(row["votes_of_5"]) >= _MIN_VOTES])
    # The header of Group A says mV; the numbers are milliamperes.
    scores = _score(
        folder / f"{GROUP_A}.abf",
        marked_s,
        detectors=detectors,
        options=ReadOptions(unit={"": "mA"}),
        min_amplitude_sd=_MIN_AMPLITUDE_SD,
    )
    for number in range(1, 5):
        part = folder / f"Train{number}"
        true_s = np.sort(np.loadtxt(part / "EventTimes.txt").ravel())
        scores += _score(part / "Simulation.abf", true_s, detectors=detectors)
    return scores


def _score(
    path: Path,
    truth_s: FloatArray,
    *,
    detectors: Sequence[AnyDetector],
    options: ReadOptions | None = None,
    min_amplitude_sd: float | None = None,
) -> list[RealScores]:
    (trace,) = read_recording(path, options=options).traces
    surveyed = survey_trace(trace, polarity=Polarity.NEGATIVE)
    found = find_all(surveyed, detectors=detectors, min_amplitude_sd=min_amplitude_sd)
    name = path.stem if path.stem != "Simulation" else path.parent.name
    scores = []
    for detector, mepps in found.items():
        # People mark the onset or the peak, and differently early: one shift for a recording is allowed.
        shift_s = common_shift(truth_s, mepps.start_s, tolerance_s=_TOLERANCE_S)
        counts = count_matches(match_times(truth_s, mepps.start_s + shift_s, tolerance_s=_TOLERANCE_S))
        scores.append(RealScores(recording=name, detector=detector, counts=counts, shift_s=shift_s))
    return scores
