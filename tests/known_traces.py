"""Traces at 5 kHz with known events, and detectors scored on simulated recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nwb_mepp.conditioning import WhitenedTrace, survey, whiten
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Detector, template
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import Scenario, Simulated, reference_scenario, simulate_recording

RATE_HZ = 5_000.0
NOISE_SD = 0.05e-3
SHAPE = template(rise_s=0.7e-3, decay_s=2.5e-3, sampling_rate_hz=RATE_HZ)


def segments_of(samples: np.ndarray) -> list[Segment]:
    trace = Trace(
        channel="Vm",
        sweep=0,
        source=ArraySource(samples),
        unit="V",
        conversion=1.0,
        offset=0.0,
        sampling_rate_hz=RATE_HZ,
        start_s=0.0,
    )
    return list(cut_segments([trace]))


def traces_of(samples: np.ndarray, *, block_s: float = 60.0) -> list[WhitenedTrace]:
    segments = segments_of(samples)
    return whiten(segments, noise=survey(segments, polarity="positive"), block_s=block_s)


def noise(duration_s: float = 20.0, *, seed: int = 0) -> np.ndarray:
    return NOISE_SD * np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ))


def with_events(places: Sequence[int], heights_sd: Sequence[float]) -> np.ndarray:
    """Return 20 s of white noise with MEPPs of 0.7 ms rise and 2.5 ms decay, onsets at ``places``."""
    samples = noise()
    for place, height in zip(places, heights_sd, strict=True):
        samples[place : place + len(SHAPE)] += height * NOISE_SD * SHAPE
    return samples


def found_peaks_s(detector: Detector, simulated: Simulated) -> np.ndarray:
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
