"""F1 of a network on held-out recordings during training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.anomalies import find_anomalies, sample_anomaly
from nwb_mepp.detectors.miniunet import RawCandidates
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.ml.networks import BLOCK_MARGIN, BLOCK_SAMPLES
from nwb_mepp.ml.training.examples import Example

__all__ = ["TOLERANCE_S", "ScoredCandidates", "anomaly_f1", "best_f1", "event_f1", "run_network"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

TOLERANCE_S = 0.005
_N_THRESHOLDS = 40
_N_BLOCKS = 16
# Anomalies below this quantile of the score are ignored: in every recording they are noise.
_FLOOR_QUANTILE = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredCandidates:
    """Candidates and true peaks of one recording; times in seconds.

    Attributes
    ----------
    time_s, score : ndarray, shape (n_candidates,)
    truth_s : ndarray, shape (n_mepps,)
    """

    time_s: FloatArray
    score: FloatArray
    truth_s: FloatArray


def best_f1(recordings: Sequence[ScoredCandidates]) -> float:
    """Return F1 of the peaks within 5 ms, events pooled, at the best threshold on the score.

    Parameters
    ----------
    recordings : sequence of ScoredCandidates

    Returns
    -------
    float
        0 if nothing was found.

    Examples
    --------
    >>> one = ScoredCandidates(time_s=np.array([0.1, 0.2, 0.3]), score=np.array([0.9, 0.2, 0.8]),
    ...             truth_s=np.array([0.101, 0.301]))
    >>> best_f1([one])
    1.0
    """
    scores = np.concatenate([one.score for one in recordings])
    if len(scores) == 0:
        return 0.0
    thresholds = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, _N_THRESHOLDS), method="nearest"))
    best = 0.0
    for threshold in thresholds:
        counts = [
            count_matches(
                match_times(one.truth_s, one.time_s[one.score >= threshold], tolerance_s=TOLERANCE_S)
            )
            for one in recordings
        ]
        best = max(best, np.nan_to_num(f1(np.array(counts))))
    return float(best)


def run_network(predict: Callable[[Float32Array], Float32Array], trace: Float32Array) -> Float32Array:
    """Run a network over a trace in overlapping blocks, a batch at a time.

    Parameters
    ----------
    predict : callable
        Blocks of shape (n, n_block, 1) in and out.
    trace : ndarray of float32, shape (n_samples,)

    Returns
    -------
    ndarray of float32, shape (n_samples,)
    """
    hop = BLOCK_SAMPLES - 2 * BLOCK_MARGIN
    n_blocks = -(-len(trace) // hop)
    padded = np.zeros((n_blocks - 1) * hop + BLOCK_SAMPLES, dtype=np.float32)
    padded[BLOCK_MARGIN : BLOCK_MARGIN + len(trace)] = trace
    blocks = np.lib.stride_tricks.sliding_window_view(padded, BLOCK_SAMPLES)[::hop, :, np.newaxis]
    outputs = [
        predict(np.ascontiguousarray(blocks[first : first + _N_BLOCKS]))[:, BLOCK_MARGIN : BLOCK_MARGIN + hop]
        for first in range(0, n_blocks, _N_BLOCKS)
    ]
    return np.concatenate(outputs)[:, :, 0].ravel()[: len(trace)]


def event_f1(
    predict: Callable[[Float32Array], Float32Array], examples: Sequence[Example], *, sampling_rate_hz: float
) -> float:
    """Return the best F1 of a MiniUnet on held-out examples.

    Parameters
    ----------
    predict : callable
        Blocks in, logits out.
    examples : sequence of Example
    sampling_rate_hz : float
        Sampling rate of the examples.
    """
    recordings = []
    for example in examples:
        logits = run_network(predict, example.trace)
        # The sigmoid, in a form in which no logit overflows.
        raw = RawCandidates([np.exp(-np.logaddexp(0.0, -logits))])
        recordings.append(
            ScoredCandidates(
                time_s=raw.peak / sampling_rate_hz,
                score=raw.score,
                truth_s=example.peak / sampling_rate_hz,
            )
        )
    return best_f1(recordings)


def anomaly_f1(
    predict: Callable[[Float32Array], Float32Array], examples: Sequence[Example], *, sampling_rate_hz: float
) -> float:
    """Return the best F1 of an autoencoder on held-out examples; see :func:`event_f1`.

    ``predict`` takes blocks and returns their reconstruction.
    """
    scores = [sample_anomaly(one.trace - run_network(predict, one.trace)) for one in examples]
    floor = float(np.quantile(np.concatenate(scores), _FLOOR_QUANTILE))
    recordings = []
    for example, score in zip(examples, scores, strict=True):
        found = find_anomalies(example.trace, score, floor=floor)
        recordings.append(
            ScoredCandidates(
                time_s=found.peak / sampling_rate_hz,
                score=found.score,
                truth_s=example.peak / sampling_rate_hz,
            )
        )
    return best_f1(recordings)
