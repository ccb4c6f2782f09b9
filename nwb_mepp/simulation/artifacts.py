"""Artifacts that a detector must not mistake for MEPPs, each added to a trace in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ARTIFACTS", "add_artifact"]

FloatArray = npt.NDArray[np.float64]
# An artifact changes the trace in place; `size` is a typical MEPP amplitude, `rate_hz` the sampling rate.
Artifact: TypeAlias = Callable[[FloatArray, float, float, np.random.Generator], None]


def _add_at_random(trace: FloatArray, shape: FloatArray, rng: np.random.Generator) -> None:
    """Add a shape at a random position, cut off at the end of the trace."""
    start = int(rng.integers(0, len(trace)))
    stop = min(start + len(shape), len(trace))
    trace[start:stop] += shape[: stop - start]


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def _spike(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Single-sample spike (at most three samples at high rates), from radio or a relay."""
    width = int(rng.integers(1, max(int(rate_hz / 10_000.0), 1) + 1))
    _add_at_random(trace, np.full(width, _sign(rng) * size * rng.uniform(1.0, 6.0)), rng)


def _step(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Lasting step of the level, sudden or within a few milliseconds."""
    rise = int(rng.uniform(0.0, 0.004) * rate_hz) + 1
    shape = np.full(len(trace), _sign(rng) * size * rng.uniform(0.5, 6.0))
    shape[:rise] *= np.linspace(1.0 / rise, 1.0, rise)
    _add_at_random(trace, shape, rng)


def _slow_bump(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Slow wave of either sign, from movement, breathing or the contraction of a neighboring fiber."""
    width_s = rng.uniform(0.03, 0.5)
    time = np.arange(-3.0, 3.0, 1.0 / (width_s * rate_hz))
    _add_at_random(trace, _sign(rng) * size * rng.uniform(0.5, 8.0) * np.exp(-0.5 * time**2), rng)


def _negative_decay(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Sudden deflection against the direction of MEPPs with an exponential return."""
    decay_s = rng.uniform(0.001, 0.02)
    time_s = np.arange(0.0, 6.0 * decay_s, 1.0 / rate_hz)
    _add_at_random(trace, -size * rng.uniform(0.5, 4.0) * np.exp(-time_s / decay_s), rng)


def _pop(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Electrode pop: a sudden jump that returns slowly, far slower than a MEPP decays."""
    decay_s = rng.uniform(0.03, 0.4)
    time_s = np.arange(0.0, 6.0 * decay_s, 1.0 / rate_hz)
    _add_at_random(trace, _sign(rng) * size * rng.uniform(1.0, 15.0) * np.exp(-time_s / decay_s), rng)


def _movement(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Irregular oscillation for some tens of milliseconds."""
    n_samples = int(rng.uniform(0.02, 0.3) * rate_hz)
    frequency_hz = rng.uniform(8.0, 150.0)
    phase = 2.0 * np.pi * frequency_hz * np.arange(n_samples) / rate_hz
    wobble = np.cumsum(rng.standard_normal(n_samples)) * 0.5 / np.sqrt(rate_hz / frequency_hz)
    _add_at_random(trace, size * rng.uniform(0.5, 4.0) * np.hanning(n_samples) * np.sin(phase + wobble), rng)


def _test_pulse(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Rectangular test pulse with capacitive transients at both edges."""
    width = int(rng.uniform(0.003, 0.2) * rate_hz) + 1
    tail_s = rng.uniform(0.0003, 0.003)
    tail = np.exp(-np.arange(int(8 * tail_s * rate_hz) + 1) / (tail_s * rate_hz))
    shape = np.zeros(width + len(tail))
    shape[:width] = 1.0
    transient = rng.uniform(0.0, 4.0)
    shape[: len(tail)] += transient * tail
    shape[width : width + len(tail)] -= transient * tail
    _add_at_random(trace, _sign(rng) * size * rng.uniform(1.0, 20.0) * shape, rng)


def _stimulus(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Stimulus artifact: two large opposite peaks within a millisecond or two."""
    half = max(int(rng.uniform(0.0001, 0.0008) * rate_hz), 1)
    shape = np.concatenate([np.ones(half), -rng.uniform(0.3, 1.0) * np.ones(half)])
    _add_at_random(trace, _sign(rng) * size * rng.uniform(3.0, 40.0) * shape, rng)


def _breakdown(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:
    """Burst of strong noise, as when a seal or a membrane breaks down for a moment."""
    n_samples = int(rng.uniform(0.02, 0.5) * rate_hz)
    noise = rng.standard_normal(n_samples)
    if rng.random() < 0.5:
        noise = np.cumsum(noise) / np.sqrt(0.002 * rate_hz)
        noise -= np.linspace(noise[0], noise[-1], n_samples)
    _add_at_random(trace, size * rng.uniform(0.3, 3.0) * np.hanning(n_samples) * noise, rng)


def _dropout(trace: FloatArray, size: float, rate_hz: float, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Stretch without signal: the converter repeats one value."""
    start = int(rng.integers(0, len(trace)))
    stop = min(start + int(rng.uniform(0.01, 0.5) * rate_hz), len(trace))
    trace[start:stop] = trace[start]


ARTIFACTS: dict[str, Artifact] = {
    "spike": _spike,
    "step": _step,
    "slow_bump": _slow_bump,
    "negative_decay": _negative_decay,
    "pop": _pop,
    "movement": _movement,
    "test_pulse": _test_pulse,
    "stimulus": _stimulus,
    "breakdown": _breakdown,
    "dropout": _dropout,
}


def add_artifact(
    trace: FloatArray, *, kind: str, size: float, sampling_rate_hz: float, rng: np.random.Generator
) -> None:
    """Add one artifact to a trace in place, at a random time.

    Parameters
    ----------
    trace : ndarray, shape (n_samples,)
    kind : str
        A key of :data:`ARTIFACTS`.
    size : float
        Amplitude of a typical MEPP, in the unit of the trace; the artifact is drawn relative to it.
    sampling_rate_hz : float
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind not in ARTIFACTS:
        raise ValueError(f"expected an artifact among {', '.join(ARTIFACTS)}, found {kind!r}.")
    ARTIFACTS[kind](trace, size, sampling_rate_hz, rng)
