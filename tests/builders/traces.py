"""Traces, segments and recordings in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import WhitenedTrace, survey, whiten
from nwb_mepp.core.recording import ArraySource, Recording, SampleSource, SourceFile, Trace
from nwb_mepp.core.segments import Segment, cut_segments

FloatArray = npt.NDArray[np.float64]

RATE_HZ = 10_000.0
NOISE_SD = 0.05e-3


def white_noise(n_samples: int, *, seed: int = 0) -> FloatArray:
    """Return Gaussian white noise of SD ``NOISE_SD``."""
    return NOISE_SD * np.random.default_rng(seed).standard_normal(n_samples)


def trace_of(
    values: npt.ArrayLike | SampleSource,
    *,
    channel: str = "Vm",
    sweep: int = 0,
    unit: str = "V",
    conversion: float = 1.0,
    offset: float = 0.0,
    rate_hz: float = RATE_HZ,
    start_s: float = 0.0,
) -> Trace:
    """Return a trace of stored numbers, or of a source of them."""
    return Trace(
        channel=channel,
        sweep=sweep,
        source=values if hasattr(values, "read") else ArraySource(values),
        unit=unit,
        conversion=conversion,
        offset=offset,
        sampling_rate_hz=rate_hz,
        start_s=start_s,
    )


def int16_trace(channel: str = "Vm", *, sweep: int = 0, n_samples: int = 2_000, **trace: Any) -> Trace:
    """Return a trace as an amplifier stores it; no two channels or sweeps hold the same numbers."""
    random = np.random.default_rng(sum(channel.encode()) + sweep)
    samples = random.integers(-20_000, 20_000, n_samples).astype(np.int16)
    # A third of a microvolt: no float32, and no float64 with few digits, equals it.
    scale = {"conversion": 1e-6 / 3, "offset": -0.07, "start_s": sweep * 0.5}
    return trace_of(samples, channel=channel, sweep=sweep, **(scale | trace))


def segment_of(values: npt.ArrayLike, **trace: Any) -> Segment:
    """Return a whole trace as one segment."""
    whole = trace_of(values, **trace)
    return Segment(trace=whole, start=0, stop=whole.n_samples)


def segments_of(
    values: npt.ArrayLike, *, excluded: Sequence[tuple[float, float]] = (), **trace: Any
) -> list[Segment]:
    """Return the segments of a trace."""
    return list(cut_segments([trace_of(values, **trace)], excluded=excluded))


def whitened_of(values: npt.ArrayLike, *, block_s: float = 60.0, **trace: Any) -> list[WhitenedTrace]:
    """Return the segments of a trace, whitened by what a survey learns of them; MEPPs point up."""
    segments = segments_of(values, **trace)
    return whiten(segments, noise=survey(segments, polarity="positive"), block_s=block_s)


def recording_of(*traces: Trace, **fields: Any) -> Recording:
    """Return traces as if read from an ABF file; without any, what an amplifier stored of one channel."""
    source = SourceFile(
        name="fiber.abf",
        sha256="0" * 64,
        reader="axon",
        reader_version="neo 0.14.6",
        settings={"unit": "mV"},
    )
    return Recording(traces=traces or (int16_trace(),), **({"source": source} | fields))
