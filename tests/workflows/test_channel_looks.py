"""A first glance at each channel."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.core.recording import ArraySource, Recording, SourceFile, Trace
from nwb_mepp.workflows.channel_looks import look_at


def recording(samples: np.ndarray, *, unit: str = "V") -> Recording:
    trace = Trace(
        channel="Vm",
        sweep=0,
        source=ArraySource(samples),
        unit=unit,
        conversion=1e-3,
        offset=0.0,
        sampling_rate_hz=10_000.0,
        start_s=0.0,
    )
    return Recording(traces=(trace,), source=SourceFile(name="a", sha256="", reader="", reader_version=""))


def test_baseline_and_noise_are_seen() -> None:
    (look,) = look_at(recording(-70 + np.random.default_rng(1).normal(0, 0.5, 60_000)))
    assert (look.channel, look.unit, look.sampling_rate_hz) == ("Vm", "V", 10_000.0)
    assert look.median == pytest.approx(-70e-3, abs=1e-4)
    assert look.noise_sd == pytest.approx(0.5e-3, rel=0.05)


def test_what_is_not_finite_is_passed_over() -> None:
    samples = np.where(np.arange(1000) % 10 == 0, np.nan, -70.0)
    assert look_at(recording(samples))[0].median == pytest.approx(-70e-3)
    assert look_at(recording(np.full(1000, np.nan))) == ()


def test_other_channels_are_not_looked_at() -> None:
    assert look_at(recording(np.zeros(100), unit="degC")) == ()
    assert look_at(recording(np.zeros(1))) == ()
