"""What detectors are tested with: events in white noise at 5 kHz, scores on simulated recordings, weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from builders.traces import NOISE_SD, white_noise
from nwb_mepp.conditioning import survey
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import Described, Detector, ProbabilityModel, template
from nwb_mepp.detectors.candidate_features import N_FEATURES
from nwb_mepp.detectors.shape_bank import SHAPES_S, ShapeFits
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import Scenario, Simulated, reference_scenario, simulate_recording

RATE_HZ = 5_000.0
SHAPE = template(rise_s=0.7e-3, decay_s=2.5e-3, sampling_rate_hz=RATE_HZ)


def noise(duration_s: float = 20.0, *, seed: int = 0) -> np.ndarray:
    """Return white noise."""
    return white_noise(int(duration_s * RATE_HZ), seed=seed)


def with_events(places: Sequence[int], heights_sd: Sequence[float]) -> np.ndarray:
    """Return 20 s of white noise with MEPPs of 0.7 ms rise and 2.5 ms decay, onsets at ``places``."""
    samples = noise()
    for place, height in zip(places, heights_sd, strict=True):
        samples[place : place + len(SHAPE)] += height * NOISE_SD * SHAPE
    return samples


def found_peaks_s(detector: Detector, simulated: Simulated) -> np.ndarray:
    """Return the times of the peaks that a detector finds."""
    segments = list(cut_segments([simulated.trace()]))
    (found,) = detector.find(segments, noise=survey(segments))
    return found.peak / simulated.scenario.sampling_rate_hz


def f1_on_reference(detector: Detector, *, level: float) -> float:
    """Return F1 over three reference recordings, peaks matched within 5 ms."""
    n_pairs = n_wrong = 0
    for index in range(3):
        simulated = simulate_recording(reference_scenario(level=level, index=index), seed=700 + index)
        matching = match_times(simulated.truth.peak_s, found_peaks_s(detector, simulated), tolerance_s=0.005)
        n_pairs += len(matching.pairs)
        n_wrong += len(matching.missed) + len(matching.false)
    return 2.0 * n_pairs / (2.0 * n_pairs + n_wrong)


def false_per_minute(detector: Detector) -> float:
    """Return how many candidates a minute two minutes of noise, hum and drift without MEPPs give."""
    scenario = Scenario(
        duration_s=60.0, rate_hz=0.0, noise_sd=NOISE_SD, drift_per_sqrt_s=4.0 * NOISE_SD, step=0.5 * NOISE_SD
    )
    return float(
        np.mean([len(found_peaks_s(detector, simulate_recording(scenario, seed=seed))) for seed in (1, 2)])
    )


USUAL = SHAPES_S.index((0.6e-3, 2.5e-3))


def described(
    start_s: Sequence[float],
    *,
    score: Sequence[float],
    height: Sequence[float],
    best: int = USUAL,
    misfit: float = 1.0,
    length_s: float = 4e-3,
    step: float = 0.0,
) -> Described:
    """Return candidates of 4 ms that stand out under one shape, and by 1 less under all others."""
    heights = np.tile(np.array(height)[:, None] - 1.0, (1, len(SHAPES_S)))
    heights[:, best] = height
    start = np.array(start_s)
    fits = ShapeFits(
        heights=heights,
        misfit=np.full(len(start), misfit),
        step=np.full(len(start), step),
        drift=np.zeros(len(start)),
    )
    return Described(start_s=start, stop_s=start + length_s, score=np.array(score), fits=fits)


def by_score_alone() -> ProbabilityModel:
    """Return a model whose probability is the score of the candidate, whatever else is known of it."""
    weight = np.zeros((N_FEATURES, 1))
    weight[0] = 1.0  # the logit of the score comes first
    return ProbabilityModel(
        center=np.zeros(N_FEATURES), scale=np.ones(N_FEATURES), members=(((weight, np.zeros(1)),),)
    )


def weights_config(detector: str, **config: Any) -> dict[str, Any]:
    """Return the configuration of weights, complete but for what only one detector needs."""
    stated = {"version": "4", "min_package_version": "0.1.0", "sampling_rate_hz": 10_000.0, "threshold": 0.5}
    return {"detector": detector, **stated, **config}


def write_weights(folder: Path, detector: str, *, network: bytes = b"", **config: Any) -> Path:
    """Write a folder of weights whose network need not run; a value of None leaves its key out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(network)
    stated = weights_config(detector, sha256=hashlib.sha256(network).hexdigest()) | config
    kept = {key: value for key, value in stated.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder
