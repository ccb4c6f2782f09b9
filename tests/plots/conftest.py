"""A recording with known MEPPs, and the result of looking at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.results import ChannelResult, SummaryRow

RATE_HZ = 10_000.0

Drawn = tuple[list[Trace], ChannelResult]


@pytest.fixture
def make_trace() -> Callable[..., Trace]:
    def make(values: Sequence[float], *, sweep: int = 0, start_s: float = 0.0, unit: str = "V") -> Trace:
        return Trace(
            channel="Vm",
            sweep=sweep,
            source=ArraySource(np.asarray(values, dtype=np.float64)),
            unit=unit,
            conversion=1.0,
            offset=0.0,
            sampling_rate_hz=RATE_HZ,
            start_s=start_s,
        )

    return make


@pytest.fixture
def make_mepps() -> Callable[..., Mepps]:
    """Make a table from onsets in seconds from the session start and the start of each one's sweep."""

    def make(
        onset_s: Sequence[float],
        *,
        sweep: int | Sequence[int] = 0,
        sweep_start_s: float | Sequence[float] = 0.0,
        amplitude: float | Sequence[float] = 0.5e-3,
        baseline: float = -70e-3,
        unit: str = "V",
    ) -> Mepps:
        onsets_s = np.asarray(onset_s, dtype=np.float64)
        n_mepps = len(onsets_s)
        start = np.round((onsets_s - sweep_start_s) * RATE_HZ).astype(np.int64)
        full = {
            "sweep": np.broadcast_to(np.asarray(sweep, dtype=np.int64), n_mepps).copy(),
            "start_index": start,
            "peak_index": start + 8,
            "stop_index": start + 37,
            "start_s": onsets_s,
            "peak_s": onsets_s + 8 / RATE_HZ,
            "stop_s": onsets_s + 37 / RATE_HZ,
            "amplitude": np.broadcast_to(np.asarray(amplitude, dtype=np.float64), n_mepps).copy(),
            "rise_10_90_s": np.full(n_mepps, 0.43e-3),
            "half_width_s": np.full(n_mepps, 2.7e-3),
            "decay_tau_s": np.full(n_mepps, 2.5e-3),
            "area": np.full(n_mepps, 1e-6),
            "baseline": np.full(n_mepps, baseline),
            "probability": np.full(n_mepps, 0.9),
            "overlapped": np.zeros(n_mepps, dtype=bool),
        }
        return Mepps(channel="Vm", unit=unit, **full)

    return make


@pytest.fixture
def make_result() -> Callable[..., ChannelResult]:
    def make(mepps: Mepps, *, analyzed_s: float = 60.0, noise_sd: float = 5e-5) -> ChannelResult:
        size = mepps.amplitude if len(mepps) else np.array([np.nan])
        summary = SummaryRow(
            detector="matched_filter",
            channel=mepps.channel,
            amplitude_unit=mepps.unit,
            n_mepps=len(mepps),
            analyzed_s=analyzed_s,
            rate_hz=len(mepps) / analyzed_s,
            rate_hz_low=0.5 * len(mepps) / analyzed_s,
            rate_hz_high=2.0 * len(mepps) / analyzed_s,
            amplitude_mean=float(size.mean()),
            amplitude_median=float(np.median(size)),
            amplitude_cv=0.3 if len(mepps) > 1 else np.nan,
            noise_sd=noise_sd,
            baseline_mean=-70e-3,
            baseline_drift=0.0,
            false_discovery_rate=0.1,
            detector_version="1",
            weights_sha256="",
            threshold=4.0,
            polarity="positive",
            package_version="0.1.0",
            settings="",
        )
        return ChannelResult(detector="matched_filter", mepps=mepps, summary=summary)

    return make
