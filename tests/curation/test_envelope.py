"""No sample is lost in an envelope, at whatever length of its stretches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.curation.clock import Clock
from nwb_mepp.curation.envelope import Envelope


def traces_of(*lengths: int, seed: int = 1) -> list[Trace]:
    rng = np.random.default_rng(seed)
    return [
        Trace(
            channel="Vm",
            sweep=sweep,
            source=ArraySource(rng.integers(-30_000, 30_000, length).astype(np.int16)),
            unit="V",
            conversion=1e-6,
            offset=-70e-3,
            sampling_rate_hz=10_000.0,
            start_s=100.0 * sweep,
        )
        for sweep, length in enumerate(lengths)
    ]


def built(traces: list[Trace]) -> Envelope:
    envelope = Envelope(traces, identity="of a test")
    while not envelope.build(traces):
        pass
    return envelope


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 90_000), min_size=1, max_size=3),
    st.integers(0, 2),
    st.floats(0, 0.9),
    st.floats(0.1, 1),
    st.integers(1, 300),
)
def test_every_stretch_holds_the_least_and_the_largest_of_its_samples(
    lengths: list[int], number: int, from_share: float, share: float, n_columns: int
) -> None:
    traces = traces_of(*lengths)
    envelope, number = built(traces), number % len(traces)
    n_samples = traces[number].n_samples
    start = int(from_share * n_samples)
    stop = min(start + max(int(share * n_samples), 1), n_samples)
    first, extremes = envelope.columns(number, start, stop, n_columns=n_columns)
    inside = traces[number].values(start, stop)
    assert extremes[:, 0].min() <= np.float32(inside.min())
    assert extremes[:, 1].max() >= np.float32(inside.max())
    assert len(first) >= min(n_columns, (stop - start) // 64)
    assert first[0] <= start
    ends = np.append(first[1:], n_samples)
    for begin, end, (low, high) in zip(first[1:-1], ends[1:-1], extremes[1:-1], strict=False):
        values = traces[number].values(int(begin), int(end)).astype(np.float32)
        assert (low, high) == (values.min(), values.max())


def test_it_is_built_once_and_then_read_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("nwb_mepp.curation.envelope._SMALL", 0)
    traces = traces_of(3_000_000, 500_000)
    before = built(traces)
    again = Envelope(traces, identity="of a test")
    assert again.fraction == 1.0
    for one, other in zip(
        before.columns(0, 0, 3_000_000, n_columns=500),
        again.columns(0, 0, 3_000_000, n_columns=500),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    other_samples = Envelope(traces_of(3_000_000, 500_000, seed=2), identity="of a test")
    assert other_samples.fraction == 0.0
    assert not other_samples.build(traces)
    assert 0.0 < other_samples.fraction < 1.0
    other_samples.close()
    (kept,) = (tmp_path / "nwb-mepp" / "envelopes").iterdir()
    assert sorted(file.name for file in kept.iterdir()) == ["0.npy", "1.npy", "2.npy", "3.npy"]


def test_what_is_not_a_number_hides_nothing() -> None:
    values = np.full(1000, np.nan)
    values[500] = 1e-3
    trace = Trace(
        channel="Vm",
        sweep=0,
        source=ArraySource(values),
        unit="V",
        conversion=1.0,
        offset=0.0,
        sampling_rate_hz=1e4,
        start_s=0.0,
    )
    _, extremes = built([trace]).columns(0, 0, 1000, n_columns=1)
    assert np.nanmax(extremes) == np.float32(1e-3)


def test_the_axis_lays_sweeps_end_to_end_and_says_when_they_were() -> None:
    clock = Clock(traces_of(20_000, 10_000))
    assert clock.duration_s == 3.0
    assert clock.borders() == [(0.0, 0.0), (2.0, 100.0)]
    assert [clock.time_of(x_s) for x_s in (0.5, 2.5, 9.0)] == [0.5, 100.5, 101.0]
    assert [clock.x_of_time(time_s) for time_s in (0.5, 50.0, 100.25, 999.0)] == [0.5, 2.0, 2.25, 3.0]
    assert [tuple(part) for part in clock.parts(1.5, 2.25)] == [(0, 15_000, 20_000, 1.5), (1, 0, 2500, 2.0)]
    assert (clock.place(2.1), clock.x(1, 1000)) == ((1, 1000), 2.1)
    with pytest.raises(UsageError, match=r"expected a place between 0 and 3 s of the recording, found -1 s"):
        clock.place(-1.0)
