"""Random recordings come back from the file as they were: samples, scale, times, names, to the last bit."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

from builders.traces import recording_of, trace_of
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import open_nwb, write_nwb

START = datetime(2017, 11, 16, 10, 5, tzinfo=UTC)
# Writing and checking a file takes a third of a second.
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])

DTYPES = st.sampled_from(["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<f4", ">f4", "<f8", ">f8"])


# Any step and any level that an amplifier might have, with all digits that float64 holds.
def steps(smallest: float) -> st.SearchStrategy[float]:
    return st.floats(min_value=smallest, max_value=1e3).flatmap(lambda step: st.sampled_from([step, -step]))


LEVELS = st.floats(min_value=-1e3, max_value=1e3)
RATES_HZ = st.floats(min_value=0.5, max_value=1e6)
TIMES_S = st.floats(min_value=-1e5, max_value=1e5)
# Names with what HDF5, NWB and our own comments could trip over.
NAMES = st.text(st.sampled_from("aZ0 /\\:=.;_µ通channel_number=0; sweep=1"), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name and name.strip(".")
)


def samples(
    dtype: str, shape: int | tuple[int, ...], *, limit: float | None = None
) -> st.SearchStrategy[npt.NDArray[Any]]:
    """Draw stored numbers, NaN among floating-point ones, and infinity where there is no limit."""
    kind = np.dtype(dtype)
    if limit is None or kind.kind != "f":
        return hnp.arrays(kind, shape)
    bounded = st.floats(-limit, limit, width=8 * kind.itemsize)  # type: ignore[call-overload]
    return hnp.arrays(kind, shape, elements=bounded | st.just(np.nan))


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """One to three channels; of each the same one to three sweeps, or fewer, of any length and rate."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    traces = []
    for name in names:
        unit, dtype = draw(st.sampled_from("VA")), draw(DTYPES)
        for sweep in range(draw(st.integers(1, 3))):
            stored = draw(samples(dtype, draw(st.integers(1, 50))))
            traces.append(
                trace_of(
                    stored,
                    channel=name,
                    sweep=sweep,
                    unit=unit,
                    conversion=draw(steps(1e-15)),
                    offset=draw(LEVELS),
                    rate_hz=draw(RATES_HZ),
                    start_s=draw(TIMES_S),
                )
            )
    return recording_of(*traces)


@FEW
@given(recording=recordings())
def test_a_recording_comes_back_bit_by_bit(recording: Recording) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nwb"
        write_nwb(recording, path, session_start=START)
        with open_nwb(path) as back:
            assert back.channels == recording.channels
            assert back.session_start == START
            for written, read in zip(recording.traces, back.traces, strict=True):
                for name in (
                    "channel",
                    "sweep",
                    "unit",
                    "conversion",
                    "offset",
                    "sampling_rate_hz",
                    "start_s",
                ):
                    assert getattr(read, name) == getattr(written, name), name
                stored = written.raw()
                assert read.source.dtype == stored.dtype.newbyteorder("=")
                # Bit by bit, for NaN too.
                assert read.raw().tobytes() == stored.astype(stored.dtype.newbyteorder("=")).tobytes()


@st.composite
def foreign_series(draw: st.DrawFn) -> dict[str, Any]:
    """What another program may write of a signal: one or several columns, a rate or timestamps."""
    n_samples, n_columns = draw(st.integers(2, 40)), draw(st.sampled_from([None, 1, 2, 5]))
    stated: dict[str, Any] = {
        "data": draw(
            samples(draw(DTYPES), n_samples if n_columns is None else (n_samples, n_columns), limit=1e6)
        ),
        "unit": draw(st.sampled_from(["volts", "V", "mV", "amperes", "pA", "nanoamps"])),
        "conversion": draw(steps(1e-12)),  # of a picoampere: no recording has less
        "offset": draw(LEVELS),
    }
    rate_hz, start_s = draw(st.floats(min_value=1.0, max_value=1e5)), draw(TIMES_S)
    if draw(st.booleans()):
        return stated | {"rate": rate_hz, "starting_time": start_s}
    return stated | {"timestamps": start_s + np.arange(n_samples) / rate_hz}


# What one of each unit is in volts or amperes.
SCALES = {"volts": 1.0, "V": 1.0, "mV": 1e-3, "amperes": 1.0, "pA": 1e-12, "nanoamps": 1e-9}


@FEW
@given(stated=foreign_series())
def test_the_columns_of_a_series_have_the_values_that_nwb_says(stated: dict[str, Any]) -> None:
    data = stated["data"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nwb"
        file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=START)
        file.add_acquisition(TimeSeries(name="s", **stated))
        with NWBHDF5IO(path, "w") as io:
            io.write(file)
        with open_nwb(path) as recording:
            columns = data[:, None] if data.ndim == 1 else data
            assert len(recording.traces) == columns.shape[1]
            for number, (trace, column) in enumerate(zip(recording.traces, columns.T, strict=True)):
                assert trace.channel == ("s" if columns.shape[1] == 1 else f"s_{number}")
                assert trace.unit == ("V" if stated["unit"] in ("volts", "V", "mV") else "A")
                scale = SCALES[stated["unit"]]
                with np.errstate(invalid="ignore", over="ignore"):
                    stepped = column.astype(np.float64) * stated["conversion"]
                    expected = (stepped + stated["offset"]) * scale
                    # A sum is as exact as its terms are.
                    largest = np.abs(stepped[np.isfinite(stepped)]).max(initial=abs(stated["offset"]))
                    np.testing.assert_allclose(
                        trace.values(), expected, rtol=1e-13, atol=1e-14 * largest * scale
                    )
                if "rate" in stated:
                    assert (trace.sampling_rate_hz, trace.start_s) == (
                        stated["rate"],
                        stated["starting_time"],
                    )
                else:
                    times_s = trace.start_s + np.arange(trace.n_samples) / trace.sampling_rate_hz
                    limit_s = 1e-9 + 4 * math.ulp(1e5)
                    np.testing.assert_allclose(times_s, stated["timestamps"], rtol=0, atol=limit_s)
