"""Random recordings come back from the file as they went in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.nwb import open_nwb, write_nwb
from nwb_mepp.recording import ArraySource, Recording, SourceFile, Trace

SOURCE = SourceFile(name="run.abf", sha256="0" * 64, reader="axon", reader_version="neo 0")
DTYPES = ("int16", "uint16", "int32", "float32", "float64")
scales = st.floats(1e-12, 1e3)
signed_scales = st.one_of(scales, scales.map(lambda scale: -scale))


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Draw channels of their own unit, type, scale and rate, in sweeps that follow each other."""
    n_sweeps = draw(st.integers(1, 3))
    traces = []
    for channel in range(draw(st.integers(1, 3))):
        dtype = draw(st.sampled_from(DTYPES))
        stated = {
            "unit": draw(st.sampled_from(["V", "A"])),
            "conversion": draw(signed_scales),
            "offset": draw(st.floats(-1.0, 1.0)),
            "sampling_rate_hz": draw(st.floats(1.0, 1e6)),
        }
        for sweep in range(n_sweeps):
            n_samples = draw(st.integers(1, 300))
            seed = draw(st.integers(0, 2**32 - 1))
            numbers = np.random.default_rng(seed).integers(0, 32_000, n_samples).astype(dtype)
            start_s = 1e4 * sweep + draw(st.floats(0.0, 1e3))
            source = ArraySource(numbers)
            traces.append(
                Trace(channel=f"ch/{channel}", sweep=sweep, source=source, start_s=start_s, **stated)
            )
    return Recording(traces=tuple(traces), source=SOURCE)


@settings(max_examples=8, deadline=None)
@given(recording=recordings())
def test_a_random_recording_comes_back_as_it_went_in(
    recording: Recording, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("trip") / "a.nwb"
    write_nwb(recording, path, session_start=datetime(2026, 1, 15, 10, tzinfo=UTC))
    with open_nwb(path) as found:
        assert found.channels == recording.channels
        assert len(found.traces) == len(recording.traces)
        for one, other in zip(found.traces, recording.traces, strict=True):
            assert (one.channel, one.sweep, one.unit) == (other.channel, other.sweep, other.unit)
            assert (one.conversion, one.offset) == (other.conversion, other.offset)
            assert (one.sampling_rate_hz, one.start_s) == (other.sampling_rate_hz, other.start_s)
            assert one.raw().dtype == other.raw().dtype
            np.testing.assert_array_equal(one.raw(), other.raw())
            np.testing.assert_array_equal(one.values(), other.values())
