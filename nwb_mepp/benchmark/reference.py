"""Detectors on the reference recordings, level by level, against a matched filter that knows the shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import MatchedFilter
from nwb_mepp.evaluation import count_matches, f1, interval_iou, match_times
from nwb_mepp.mepps import Mepps
from nwb_mepp.pipeline import DetectionSettings, analyse
from nwb_mepp.recording import Recording, SourceFile
from nwb_mepp.results import ChannelResult
from nwb_mepp.simulation import (
    BENCHMARK_SEEDS_FROM,
    EventShape,
    Simulated,
    reference_scenario,
    simulate_recording,
)
from nwb_mepp.windows import cut_pieces

__all__ = [
    "ORACLE",
    "TOLERANCE_S",
    "LevelScores",
    "RecordingScores",
    "analyse_simulated",
    "run_reference",
    "score_recording",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TOLERANCE_S = 0.005
ORACLE = "matched filter, true mean shape and best threshold"

_ORACLE_THRESHOLDS = np.arange(2.5, 6.6, 0.25)
_ORACLE_RATE_HZ = 5000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordingScores:
    """One detector on one recording whose truth is known.

    Attributes
    ----------
    counts : ndarray of int64, shape (3,)
        Matched, missed and false MEPPs; peaks are matched one to one.
    iou : float
        Intersection over union of the intervals, samples pooled.
    peak_error_s, onset_error_s : ndarray, shape (n_matched,)
        Found minus true.
    amplitude_error, decay_error : ndarray, shape (n_matched,)
        Found over true, minus 1; NaN where a decay could not be fitted.
    """

    counts: IntArray
    iou: float
    peak_error_s: FloatArray
    onset_error_s: FloatArray
    amplitude_error: FloatArray
    decay_error: FloatArray


@dataclass(kw_only=True, eq=False)
class LevelScores:
    """Everything measured at one level.

    Attributes
    ----------
    level : float
        Mean amplitude over noise SD.
    by_detector : dict of str to list of RecordingScores
        In the order of the recordings.
    oracle_counts : ndarray of int64, shape (n_recordings, 3)
        Of the matched filter that is given the true mean shape, at the threshold that is best for this level.
    oracle_threshold : float
    """

    level: float
    by_detector: dict[str, list[RecordingScores]] = field(default_factory=dict)
    oracle_counts: IntArray = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))
    oracle_threshold: float = np.nan

    def counts(self, detector: str) -> IntArray:
        """Return matched, missed and false MEPPs, shape (n_recordings, 3)."""
        return np.array([scores.counts for scores in self.by_detector[detector]])


def score_recording(simulated: Simulated, mepps: Mepps) -> RecordingScores:
    """Compare the MEPPs found in a simulated recording with those put in.

    Parameters
    ----------
    simulated : Simulated
    mepps : Mepps
        Found by any detector in ``simulated.trace()``.

    Returns
    -------
    RecordingScores
    """
    truth = simulated.truth
    matching = match_times(truth.peak_s, mepps.peak_s, tolerance_s=TOLERANCE_S)
    true, found = matching.pairs[:, 0], matching.pairs[:, 1]
    return RecordingScores(
        counts=count_matches(matching),
        iou=interval_iou(
            np.stack([truth.start_s, truth.stop_s], axis=1),
            np.stack([mepps.start_s, mepps.stop_s], axis=1),
            duration_s=simulated.scenario.duration_s,
            sampling_rate_hz=simulated.scenario.sampling_rate_hz,
        ),
        peak_error_s=mepps.peak_s[found] - truth.peak_s[true],
        onset_error_s=mepps.start_s[found] - truth.start_s[true],
        amplitude_error=mepps.amplitude[found] / truth.amplitude[true] - 1.0,
        decay_error=mepps.decay_tau_s[found] / truth.decay_tau_s[true] - 1.0,
    )


def run_reference(
    *,
    level: float,
    detectors: Sequence[str],
    n_recordings: int,
    on_recording: Callable[[int], None] | None = None,
) -> LevelScores:
    """Run detectors over the reference recordings of one level.

    Parameters
    ----------
    level : float
        Mean amplitude over the SD of the white and 1/f noise.
    detectors : sequence of str
        Registered names; each runs with its default threshold, the same for all levels.
    n_recordings : int
        Of 60 s each, with seeds that training refuses.
    on_recording : callable, optional
        Called with the number of recordings done.

    Returns
    -------
    LevelScores
    """
    scores = LevelScores(level=level, by_detector={name: [] for name in detectors})
    oracle = MatchedFilter([_mean_shape(level)])
    by_threshold: list[list[IntArray]] = [[] for _ in _ORACLE_THRESHOLDS]
    for number in range(n_recordings):
        simulated = simulate_recording(
            reference_scenario(level=level, index=number), seed=BENCHMARK_SEEDS_FROM + number
        )
        for result in analyse_simulated(simulated, detectors=detectors):
            scores.by_detector[result.detector].append(score_recording(simulated, result.mepps))
        for row, counts in zip(by_threshold, _oracle_counts(simulated, oracle), strict=True):
            row.append(counts)
        if on_recording is not None:
            on_recording(number + 1)
    best = int(np.argmax([f1(np.array(row)) for row in by_threshold]))
    scores.oracle_counts = np.array(by_threshold[best])
    scores.oracle_threshold = float(_ORACLE_THRESHOLDS[best])
    return scores


def analyse_simulated(
    simulated: Simulated, *, detectors: Sequence[str], polarity: str = "auto"
) -> list[ChannelResult]:
    """Run detectors over a simulated recording just as over a read one.

    Parameters
    ----------
    simulated : Simulated
    detectors : sequence of str
    polarity : {"auto", "positive", "negative"}

    Returns
    -------
    list of ChannelResult
        One for each detector.
    """
    source = SourceFile(name=f"simulated {simulated.seed}", sha256="", reader="simulation", reader_version="")
    recording = Recording(traces=(simulated.trace(),), source=source)
    return analyse(recording, settings=DetectionSettings(detectors=tuple(detectors), polarity=polarity))


def _mean_shape(level: float) -> FloatArray:
    """Return the mean of many MEPPs of the reference recording, aligned at the onset, from the onset on."""
    scenario = reference_scenario(level=level, index=0)
    rng = np.random.default_rng(0)
    time_s = np.arange(0.0, 8.0 * scenario.decay_s, 1.0 / _ORACLE_RATE_HZ)
    total = np.zeros(len(time_s))
    for _ in range(500):
        rise, decay = (
            np.exp(np.sqrt(np.log1p(cv**2)) * rng.standard_normal() - 0.5 * np.log1p(cv**2))
            for cv in (scenario.rise_cv, scenario.decay_cv)
        )
        shape = EventShape(rise_s=scenario.rise_s * float(rise), decay_s=scenario.decay_s * float(decay))
        total += shape.value(time_s)
    return np.asarray(total / total.max())


def _oracle_counts(simulated: Simulated, oracle: MatchedFilter) -> list[IntArray]:
    """Return matched, missed and false MEPPs of the oracle for each threshold."""
    pieces = list(cut_pieces([simulated.trace()]))
    learned = survey(pieces, polarity="positive")
    rate_hz = simulated.scenario.sampling_rate_hz
    counts = []
    for candidates in oracle.find_at(pieces, survey=learned, thresholds=_ORACLE_THRESHOLDS):
        matching = match_times(simulated.truth.peak_s, candidates[0].peak / rate_hz, tolerance_s=TOLERANCE_S)
        counts.append(count_matches(matching))
    return counts
