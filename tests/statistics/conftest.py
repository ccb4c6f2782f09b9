"""Traces and MEPP tables for the tests of the statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.segments import Segment

RATE_HZ = 1000.0

SegmentMaker = Callable[..., Segment]
MeppsMaker = Callable[..., Mepps]


@pytest.fixture
def make_segment() -> SegmentMaker:
    """Make a segment that is a whole sweep."""

    def make(
        values: npt.ArrayLike, *, sweep: int = 0, start_s: float = 0.0, rate_hz: float = RATE_HZ
    ) -> Segment:
        trace = Trace(
            channel="Vm",
            sweep=sweep,
            source=ArraySource(values),
            unit="V",
            conversion=1.0,
            offset=0.0,
            sampling_rate_hz=rate_hz,
            start_s=start_s,
        )
        return Segment(trace=trace, start=0, stop=trace.n_samples)

    return make


@pytest.fixture
def make_mepps() -> MeppsMaker:
    """Make a table from onsets in seconds within each sweep."""

    def make(
        *onsets_s: Sequence[float], amplitude: npt.ArrayLike = 1.0, probability: npt.ArrayLike = 0.9
    ) -> Mepps:
        start = np.concatenate([np.round(np.asarray(t, float) * RATE_HZ).astype(np.int64) for t in onsets_s])
        n_mepps = len(start)
        columns: dict[str, npt.NDArray[np.generic]] = {
            name: np.full(n_mepps, np.nan) for name in Mepps.array_names()
        }
        columns |= {
            "sweep": np.repeat(np.arange(len(onsets_s)), [len(t) for t in onsets_s]),
            "start_index": start,
            "stop_index": start + 4,
            "peak_index": start + 1,
            "overlapped": np.zeros(n_mepps, dtype=bool),
            "amplitude": np.broadcast_to(np.asarray(amplitude, float), n_mepps),
            "probability": np.broadcast_to(np.asarray(probability, float), n_mepps),
        }
        return Mepps(channel="Vm", unit="V", **columns)  # type: ignore[arg-type]

    return make
