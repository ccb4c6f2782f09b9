"""Recordings and results made by hand, for everything that writes and reads NWB files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import ArraySource, Recording, SourceFile, Trace
from nwb_mepp.core.results import ChannelResult, SummaryRow
from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject

START = datetime(2017, 11, 16, 10, 5, tzinfo=UTC)
# A third of a microvolt: no float32, and no float64 with few digits, equals it.
CONVERSION = 1e-6 / 3
RATE_HZ = 10_000.0


def trace(channel: str = "Vm", *, sweep: int = 0, n_samples: int = 2_000, **other: Any) -> Trace:
    seed = sum(channel.encode()) + sweep
    samples = np.random.default_rng(seed).integers(-20_000, 20_000, n_samples).astype(np.int16)
    stated: dict[str, Any] = {
        "source": ArraySource(samples),
        "unit": "V",
        "conversion": CONVERSION,
        "offset": -0.07,
        "sampling_rate_hz": RATE_HZ,
        "start_s": sweep * 0.5,
    }
    return Trace(channel=channel, sweep=sweep, **(stated | other))


def recording(*traces: Trace, **other: Any) -> Recording:
    source = SourceFile(
        name="fiber.abf",
        sha256="0" * 64,
        reader="axon",
        reader_version="neo 0.14.6",
        settings={"unit": "mV"},
    )
    return Recording(traces=traces or (trace(),), **({"source": source} | other))


def mepps(traces: Sequence[Trace], onsets: Sequence[tuple[int, int]]) -> Mepps:
    """MEPPs of 50 samples with the peak at the tenth, at (sweep, first sample), with made-up measures."""
    of_sweep = {one.sweep: one for one in traces}
    sweep = np.array([number for number, _ in onsets], dtype=np.int64)
    start = np.array([first for _, first in onsets], dtype=np.int64)
    begin_s = np.array([of_sweep[number].start_s for number, _ in onsets])
    rate_hz = np.array([of_sweep[number].sampling_rate_hz for number, _ in onsets])
    random = np.random.default_rng(len(onsets))
    made_up = {
        name: random.normal(size=len(onsets))
        for name in ("amplitude", "rise_10_90_s", "half_width_s", "area", "baseline", "probability")
    }
    return Mepps(
        channel=traces[0].channel,
        unit=traces[0].unit,
        sweep=sweep,
        start_index=start,
        stop_index=start + 50,
        peak_index=start + 10,
        start_s=begin_s + start / rate_hz,
        stop_s=begin_s + (start + 50) / rate_hz,
        peak_s=begin_s + (start + 10) / rate_hz,
        decay_tau_s=np.where(np.arange(len(onsets)) % 2, np.nan, 0.004),
        overlapped=np.arange(len(onsets)) % 3 == 0,
        **made_up,
    )


def result(found: Mepps, detector: str = "miniunet", **stated: Any) -> ChannelResult:
    values: dict[str, Any] = {
        "detector": detector,
        "channel": found.channel,
        "amplitude_unit": found.unit,
        "n_mepps": len(found),
        "analyzed_s": 1 / 3,
        "threshold": 0.5,
        "polarity": "positive",
        "detector_version": "1",
        "settings": "block_s=60.0; exclude=1:2",
    }
    return ChannelResult(detector=detector, mepps=found, summary=SummaryRow(**(values | stated)))


@pytest.fixture
def full_metadata() -> Metadata:
    """Everything that nwbinspector asks for."""
    return Metadata(
        session=Session(
            session_id="fiber-3",
            session_description="Spontaneous activity of one fiber.",
            experiment_description="MEPPs at rest.",
            experimenter=("Last, First",),
            institution="University of Example",
            keywords=("neuromuscular junction",),
        ),
        subject=Subject(
            subject_id="mouse-12",
            species="Mus musculus",
            sex="F",
            age="P90D",
            weight="25 g",
            description="Housed in groups.",
        ),
        devices=(Device(name="amplifier", description="Two-electrode amplifier.", manufacturer="Axon"),),
        electrodes=(
            Electrode(
                name="electrode",
                device="amplifier",
                description="Sharp glass electrode.",
                cell_id="fiber-3",
                location="Diaphragm",
            ),
        ),
    )


@pytest.fixture(scope="session")
def make_trace() -> Callable[..., Trace]:
    return trace


@pytest.fixture(scope="session")
def make_recording() -> Callable[..., Recording]:
    return recording


@pytest.fixture(scope="session")
def make_mepps() -> Callable[..., Mepps]:
    return mepps


@pytest.fixture(scope="session")
def make_result() -> Callable[..., ChannelResult]:
    return result


@pytest.fixture(scope="session")
def session_start() -> datetime:
    return START


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose content a test may list: nothing but what it wrote."""
    place = tmp_path / "out"
    place.mkdir()
    return place
