"""Four times as long a trace takes hardly more memory: nothing as long as the trace is held."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nwb_mepp.conditioning import ChannelNoise, survey, whiten
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors import Autoencoder, MiniUnet, clear_deflections, find_clear_deflections

RATE_HZ = 10_000.0
TILE_S = 15.0
BLOCK_S = 5.0


class Repeated:
    """A stretch again and again, which takes no memory of its own, and how many samples were read."""

    def __init__(self, stretch: np.ndarray, n_samples: int) -> None:
        self._stretch, self._n_samples = stretch, n_samples

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._stretch.dtype

    def __len__(self) -> int:
        return self._n_samples

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._stretch[np.arange(start, stop) % len(self._stretch)]


class SmallNetwork:
    """Gives what lies above 3 SD, or all but that, instead of a network."""

    n_samples = 4096 + 2 * 512

    def __init__(self, output: Callable[[np.ndarray], np.ndarray]) -> None:
        self._output = output

    def run(self, block: np.ndarray) -> np.ndarray:
        return np.asarray(self._output(block), dtype=np.float32)


def segment_of(duration_s: float) -> Segment:
    """Return noise of 0.1 mV with a MEPP of 1 mV every half second."""
    values = np.random.default_rng(8).normal(0.0, 10.0, round(TILE_S * RATE_HZ))
    since = np.arange(len(values)) % round(0.5 * RATE_HZ)
    values += 300.0 * np.expm1(-since / 5.0) * -np.exp(-since / 30.0)
    n_samples = round(duration_s * RATE_HZ)
    trace = Trace(
        channel="Vm",
        sweep=0,
        source=Repeated(values.astype(np.int16), n_samples),
        unit="V",
        conversion=1e-5,
        offset=-0.07,
        sampling_rate_hz=RATE_HZ,
        start_s=0.0,
    )
    return Segment(trace=trace, start=0, stop=n_samples)


def miniunet(segments: list[Segment], noise: ChannelNoise) -> int:
    detector = MiniUnet(runtime=SmallNetwork(lambda block: np.clip((block - 3.0) / 4.0, 0.0, 1.0)))
    (found,) = detector.find(segments, noise=noise, threshold=0.0, block_s=BLOCK_S)
    return len(found)


def autoencoder(segments: list[Segment], noise: ChannelNoise) -> int:
    detector = Autoencoder(runtime=SmallNetwork(lambda block: np.clip(block, -3.0, 3.0)))
    (found,) = detector.find(segments, noise=noise, threshold=0.5, block_s=BLOCK_S)
    return len(found)


def judge(segments: list[Segment], noise: ChannelNoise) -> int:
    detector = Autoencoder(runtime=SmallNetwork(lambda block: np.clip(block, -3.0, 3.0)))
    start = np.arange(0, segments[0].n_samples, round(0.5 * RATE_HZ))
    mepps = Mepps(
        channel="Vm",
        unit="V",
        sweep=np.zeros(len(start), dtype=np.int64),
        start_index=start,
        peak_index=start + 10,
        stop_index=start + 50,
        start_s=start / RATE_HZ,
        stop_s=(start + 50) / RATE_HZ,
        amplitude=np.full(len(start), 1e-3),
    )
    return int(np.isfinite(detector.judge(segments, noise=noise, mepps=mepps, block_s=BLOCK_S)).sum())


def clear(segments: list[Segment], noise: ChannelNoise) -> int:
    (found,) = find_clear_deflections(segments, noise=noise)
    return len(found)


@pytest.mark.parametrize("work", [miniunet, autoencoder, judge, clear])
def test_a_longer_trace_takes_no_more_memory(
    work: Callable[[list[Segment], ChannelNoise], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is kept of short traces is bounded by this.
    monkeypatch.setattr(sys.modules["nwb_mepp.conditioning.survey"], "_MAX_KEPT_BYTES", 1 << 18)
    monkeypatch.setattr(clear_deflections, "_BLOCK_S", BLOCK_S)
    peaks, counts = [], []
    for duration_s in (30.0, 120.0):
        segments = [segment_of(duration_s)]
        noise = survey(segments, polarity="positive")
        for rate_hz in (5_000.0, 10_000.0):  # the filters are made from up to seven minutes, and kept
            whiten(segments, noise=noise, sampling_rate_hz=rate_hz)
        tracemalloc.start()
        counts.append(work(segments, noise))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert counts[1] > 3.9 * counts[0] > 3.9 * 50
    # One array of single precision as long as the trace at 5 kHz would add 1.8 MB.
    assert peaks[1] - peaks[0] < 1e6


def test_what_is_kept_of_a_trace_comes_in_parts_as_well() -> None:
    segments = [segment_of(12.0)]
    (trace,) = whiten(segments, noise=survey(segments), sampling_rate_hz=RATE_HZ, block_s=BLOCK_S)
    detector = Autoencoder(runtime=SmallNetwork(lambda block: np.clip(block, -3.0, 3.0)))
    parts = list(detector.reconstruct(trace))
    assert [len(error) for _, error in parts] == [trace.tile, trace.tile, 120_000 - 2 * trace.tile]
    assert all(white.base is parts[0][0].base is not None for white, _ in parts)
