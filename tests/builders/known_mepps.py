"""Four seconds of a trace whose eight MEPPs are known, in memory and as a lab file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from builders.traces import RATE_HZ, FloatArray

# Seconds from the first sample; far enough apart that no two overlap.
ONSETS_S = (0.4, 0.75, 1.2, 1.9, 2.3, 2.8, 3.1, 3.65)
DURATION_S = 4.0
AMPLITUDE_V = 1e-3
NOISE_SD_V = 0.05e-3
LEVEL_V = -70e-3
TAU_RISE_S, TAU_DECAY_S = 0.5e-3, 3e-3


def mepp_trace(
    *,
    onsets_s: Sequence[float] = ONSETS_S,
    amplitudes: Sequence[float] | float = AMPLITUDE_V,
    duration_s: float = DURATION_S,
    rate_hz: float = RATE_HZ,
    level: float = LEVEL_V,
    noise_sd: float = NOISE_SD_V,
    seed: int = 7,
) -> FloatArray:
    """Return a trace with MEPPs of the shape (1 - exp(-t/rise)) exp(-t/decay), scaled to their amplitudes."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    trace = level + noise_sd * np.random.default_rng(seed).standard_normal(len(time_s))
    peak_s = TAU_RISE_S * np.log1p(TAU_DECAY_S / TAU_RISE_S)
    height = -np.expm1(-peak_s / TAU_RISE_S) * np.exp(-peak_s / TAU_DECAY_S)
    for onset_s, amplitude in zip(onsets_s, np.broadcast_to(amplitudes, len(onsets_s)), strict=True):
        since_s = np.maximum(time_s - onset_s, 0.0)
        trace += amplitude / height * -np.expm1(-since_s / TAU_RISE_S) * np.exp(-since_s / TAU_DECAY_S)
    return trace


def write_text(path: Path, values: FloatArray, *, rate_hz: float = RATE_HZ) -> Path:
    """Write labeled text without labels: milliseconds and volts."""
    times_ms = 1e3 * np.arange(len(values)) / rate_hz
    rows = (f"{time_ms:.6g},{value:.9g}" for time_ms, value in zip(times_ms, values, strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Time_ms,Voltage", *rows]) + "\n", encoding="utf-8")
    return path
