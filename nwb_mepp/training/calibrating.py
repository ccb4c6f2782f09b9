"""How the scores of a trained network are distributed, and which threshold serves it best.

All on simulated recordings whose seeds neither training nor benchmark use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import WhitenedTrace, survey, whiten
from nwb_mepp.detectors.calibration import ScoreModel, fit_score_model
from nwb_mepp.detectors.miniunet import RawCandidates
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.simulation import LEVELS, Scenario, draw_scenario, reference_scenario, simulate_recording
from nwb_mepp.windows import cut_pieces

__all__ = ["CALIBRATION_SEEDS_FROM", "Scored", "best_threshold", "calibrate"]

FloatArray = npt.NDArray[np.float64]
Output = Callable[[WhitenedTrace], npt.NDArray[np.float32]]

# Training counts its seeds upwards from 0, the benchmark from a thousand million.
CALIBRATION_SEEDS_FROM = 500_000_000

_LEVELS = (1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 16.0)
_TOLERANCE_S = 0.005
_THRESHOLDS = np.round(np.arange(0.1, 0.96, 0.05), 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """The candidates of one recording and what they were.

    Attributes
    ----------
    time_s, score : ndarray, shape (n_candidates,)
        Where the candidate lies, and its score.
    truth_s : ndarray, shape (n_mepps,)
    duration_s : float
    """

    time_s: FloatArray
    score: FloatArray
    truth_s: FloatArray
    duration_s: float

    @property
    def is_mepp(self) -> npt.NDArray[np.bool_]:
        """Which candidates are MEPPs, shape (n_candidates,)."""
        matching = match_times(self.truth_s, self.time_s, tolerance_s=_TOLERANCE_S)
        found = np.zeros(len(self.time_s), dtype=np.bool_)
        found[matching.pairs[:, 1]] = True
        return found


def calibrate(output: Output, *, sampling_rate_hz: float, n_recordings: int = 20) -> ScoreModel:
    """Fit the score model of a network.

    Parameters
    ----------
    output : callable
        The network: whitened trace in, probability of each sample out.
    sampling_rate_hz : float
        Rate of the network.
    n_recordings : int, default 20
        Recordings of 20 s for each of seven mean amplitudes, and twice as many without MEPPs.

    Returns
    -------
    ScoreModel
    """
    false: list[FloatArray] = []
    true: list[list[FloatArray]] = []
    for row, level in enumerate(_LEVELS):
        true.append([])
        for number in range(n_recordings):
            seed = CALIBRATION_SEEDS_FROM + row * n_recordings + number
            drawn = draw_scenario(seed)
            scenario = replace(drawn, noise_sd=drawn.amplitude_mean / level)
            scored = _score(scenario, seed, output, sampling_rate_hz)
            true[-1].append(scored.score[scored.is_mepp])
            false.append(scored.score[~scored.is_mepp])
    silent = [
        _score(_silent(draw_scenario(seed)), seed, output, sampling_rate_hz)
        for seed in range(CALIBRATION_SEEDS_FROM + 10**6, CALIBRATION_SEEDS_FROM + 10**6 + 2 * n_recordings)
    ]
    false += [scored.score for scored in silent]
    n_false = sum(len(scored.score) for scored in silent)
    return fit_score_model(
        np.concatenate(false),
        [np.concatenate(scores) for scores in true],
        null_rate_hz=n_false / sum(scored.duration_s for scored in silent),
    )


def best_threshold(
    output: Output, model: ScoreModel, *, sampling_rate_hz: float, n_recordings: int = 12
) -> tuple[float, dict[float, float]]:
    """Choose the one threshold with the highest F1, averaged over the levels of the reference recording.

    Parameters
    ----------
    output : callable
        The network, as for :func:`calibrate`.
    model : ScoreModel
    sampling_rate_hz : float
    n_recordings : int, default 12
        Recordings at each level, with seeds of the calibration.

    Returns
    -------
    threshold : float
    f1_by_level : dict of float to float
        F1 at that threshold.
    """
    by_level = {
        level: [
            _score(
                reference_scenario(level=level, index=number),
                CALIBRATION_SEEDS_FROM + 2 * 10**6 + number,
                output,
                sampling_rate_hz,
            )
            for number in range(n_recordings)
        ]
        for level in LEVELS
    }
    table = np.array([_f1_by_threshold(scored, model) for scored in by_level.values()])
    best = int(np.argmax(table.mean(axis=0)))
    return float(_THRESHOLDS[best]), {
        level: float(value) for level, value in zip(by_level, table[:, best], strict=True)
    }


def _f1_by_threshold(recordings: Iterable[Scored], model: ScoreModel) -> list[float]:
    counts: list[list[npt.NDArray[np.int64]]] = [[] for _ in _THRESHOLDS]
    for scored in recordings:
        probability = model.probability(scored.score, duration_s=scored.duration_s)
        for row, threshold in zip(counts, _THRESHOLDS, strict=True):
            found_s = scored.time_s[probability >= threshold]
            row.append(count_matches(match_times(scored.truth_s, found_s, tolerance_s=_TOLERANCE_S)))
    return [float(f1(np.array(row))) for row in counts]


def _silent(scenario: Scenario) -> Scenario:
    """Return the scenario without MEPPs and artefacts: its noise, hum and drift alone."""
    return replace(scenario, rate_hz=0.0, bursts_per_s=0.0, artefacts={})


def _score(scenario: Scenario, seed: int, output: Output, sampling_rate_hz: float) -> Scored:
    simulated = simulate_recording(scenario, seed=seed)
    pieces = list(cut_pieces([simulated.trace()]))
    learned = survey(pieces, polarity="positive")
    (white,) = whiten(pieces, survey=learned, sampling_rate_hz=sampling_rate_hz)
    raw = RawCandidates(output(white))
    return Scored(
        time_s=raw.peak / white.sampling_rate_hz,
        score=raw.score,
        truth_s=simulated.truth.peak_s,
        duration_s=scenario.duration_s,
    )
