"""Turning the contents of a file into a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.cli.options import as_typed
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.recording import ArraySource, Recording
from nwb_mepp.readers import FileContents, RawTrace, ReadOptions
from nwb_mepp.readers.interpretation import interpret


def raw_trace(channel: str = "Vm", *, n: int = 10, **changes: Any) -> RawTrace:
    fields: dict[str, Any] = {
        "channel": channel,
        "sweep": 0,
        "source": ArraySource(np.arange(n, dtype=np.int16)),
        "unit_label": "mV",
        "gain": 0.5,
        "offset": -1.0,
        "sampling_rate_hz": 100.0,
    }
    return RawTrace(**(fields | changes))


def read(*traces: RawTrace, tmp_path: Path, options: ReadOptions | None = None, **changes: Any) -> Recording:
    path = tmp_path / "run.abf"
    path.write_bytes(b"content")
    contents = FileContents(reader_version="1", format="test", traces=traces, files=(path,), **changes)
    return interpret(contents, path, reader="test", options=options or ReadOptions())


def test_gain_offset_and_unit_become_conversion_and_offset(tmp_path: Path) -> None:
    (trace,) = read(raw_trace(), tmp_path=tmp_path).traces
    assert (trace.conversion, trace.offset) == (0.5e-3, -1e-3)
    np.testing.assert_allclose(trace.values(), (np.arange(10) * 0.5 - 1) * 1e-3, rtol=1e-12)


def test_the_gain_of_the_amplifier_divides_conversion_and_offset(tmp_path: Path) -> None:
    (trace,) = read(raw_trace(), tmp_path=tmp_path, options=ReadOptions(gain=10)).traces
    assert (trace.conversion, trace.offset) == pytest.approx((0.5e-4, -1e-4), rel=1e-15)


def test_a_gain_for_one_channel_leaves_the_others(tmp_path: Path) -> None:
    current = raw_trace("Im", unit_label="nA")
    for stated in ({"Vm": 10.0}, {"Vm": 10.0, "": 1.0}, {"": 10.0, "Im": 1.0}):
        recording = read(raw_trace(), current, tmp_path=tmp_path, options=ReadOptions(gain=stated))
        conversions = [trace.conversion for trace in recording.traces]
        assert conversions == pytest.approx([0.5e-4, 0.5e-9], rel=1e-15)


def test_one_gain_for_voltage_and_current_is_refused(tmp_path: Path) -> None:
    traces = (raw_trace("IN 0"), raw_trace("Im", unit_label="nA"))
    with pytest.raises(
        UsageError, match=r"\('IN 0' in V, 'Im' in A\); .* with `gain={'IN 0': 10}`"
    ) as caught:
        read(*traces, tmp_path=tmp_path, options=ReadOptions(gain=10))
    assert '--gain "IN 0=10"' in as_typed(str(caught.value))
    both = read(raw_trace(), raw_trace("Vref"), tmp_path=tmp_path, options=ReadOptions(gain=10))
    assert [trace.conversion for trace in both.traces] == pytest.approx([0.5e-4] * 2)
    with pytest.raises(UsageError, match=r"`gain`: run\.abf has no channel 'x'; its channels are 'IN 0'"):
        read(*traces, tmp_path=tmp_path, options=ReadOptions(gain={"x": 10}))


def test_sweeps_of_a_channel_may_differ_in_unit_but_not_in_its_kind(tmp_path: Path) -> None:
    second = raw_trace(unit_label="V", sweep=1, start_s=1.0)
    recording = read(raw_trace(), second, tmp_path=tmp_path)
    assert [trace.conversion for trace in recording.traces] == [0.5e-3, 0.5]
    stated = read(raw_trace(), second, tmp_path=tmp_path, options=ReadOptions(unit="uV"))
    assert [trace.conversion for trace in stated.traces] == [0.5e-6, 0.5e-6]
    with pytest.raises(
        ReadError, match="expected one kind of unit in all sweeps of channel 'Vm', found V and 'pA'"
    ):
        read(raw_trace(), raw_trace(unit_label="pA", sweep=1), tmp_path=tmp_path)


def test_a_negative_zero_in_the_header_becomes_zero(tmp_path: Path) -> None:
    (trace,) = read(raw_trace(offset=-0.0), tmp_path=tmp_path).traces
    assert str(trace.offset) == "0.0"


def test_a_unit_that_is_not_electrical_is_kept(tmp_path: Path) -> None:
    recording = read(raw_trace(), raw_trace("T", unit_label="degC"), tmp_path=tmp_path)
    assert [trace.unit for trace in recording.traces] == ["V", "degC"]
    assert recording.traces[1].conversion == 0.5


def test_a_unit_for_one_channel_leaves_the_others(tmp_path: Path) -> None:
    options = ReadOptions(unit={"Im": "nA", "": "uV"})
    recording = read(raw_trace(), raw_trace("Im"), tmp_path=tmp_path, options=options)
    assert [(trace.unit, trace.conversion) for trace in recording.traces] == [("V", 0.5e-6), ("A", 0.5e-9)]


def test_all_channels_without_a_unit_are_listed_in_one_error(tmp_path: Path) -> None:
    traces = [raw_trace(f"ch{k}", unit_label="foo") for k in range(7)]
    with pytest.raises(
        ReadError, match=r"found no known unit for 'ch0' \(unit 'foo'\), .* 'ch4' .* and 2 more"
    ):
        read(*traces, tmp_path=tmp_path)


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        (None, "none"),
        (0.0, "0 Hz"),
        (-5.0, "-5 Hz"),
        (np.nan, "nan Hz"),
        (1.7e38, r"1\.7e\+38 Hz"),
        (4.3e-37, "4.3e-37 Hz"),
    ],
)
def test_a_missing_or_impossible_rate_is_refused(rate: float | None, found: str, tmp_path: Path) -> None:
    with pytest.raises(
        ReadError,
        match=rf"a sampling rate from 0.01 Hz to 100 MHz for channel 'Vm', found {found}; pass "
        "`sampling_rate_hz=HZ`",
    ):
        read(raw_trace(sampling_rate_hz=rate), tmp_path=tmp_path)
    options = ReadOptions(sampling_rate_hz=1000.0)
    assert (
        read(raw_trace(sampling_rate_hz=rate), tmp_path=tmp_path, options=options).traces[0].sampling_rate_hz
        == 1000.0
    )


@pytest.mark.parametrize("start_s", [np.nan, -np.inf, 1e30])
def test_a_start_that_cannot_be_is_refused(start_s: float, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="starts within 1000 years of the session start for channel 'Vm'"):
        read(raw_trace(start_s=start_s), tmp_path=tmp_path)


class Endless(ArraySource):
    """As many samples as a damaged header claims."""

    def __len__(self) -> int:
        return 10**9


def test_a_sweep_of_ten_years_is_refused(tmp_path: Path) -> None:
    sweep = raw_trace(source=Endless(np.zeros(1)), sampling_rate_hz=1.0)
    with pytest.raises(ReadError, match=r"a sweep of at most 10 years .* a duration of 1e\+09 s"):
        read(sweep, tmp_path=tmp_path)


def test_the_slowest_and_the_fastest_rate_are_taken(tmp_path: Path) -> None:
    rates = [0.01, 100e6]
    traces = [raw_trace(f"ch{rate:g}", sampling_rate_hz=rate) for rate in rates]
    assert [trace.sampling_rate_hz for trace in read(*traces, tmp_path=tmp_path).traces] == rates


@pytest.mark.parametrize(
    ("gain", "offset"),
    [(0.0, 0.0), (np.inf, 0.0), (np.nan, 0.0), (1.0, np.nan), (1e30, 0.0), (1e-38, 0.0), (1.0, 1e30)],
)
def test_a_scale_that_gives_no_values_is_refused(gain: float, offset: float, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected a scale factor from 1e-24 to 1e12 and an offset of"):
        read(raw_trace(gain=gain, offset=offset), tmp_path=tmp_path)


def test_a_file_without_a_signal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="the reader 'test' found no continuous signal"):
        read(tmp_path=tmp_path)
    with pytest.raises(ReadError, match="found only signals without samples"):
        read(raw_trace(n=0), tmp_path=tmp_path)


def test_an_empty_sweep_among_others_is_left_out_with_a_note(tmp_path: Path) -> None:
    recording = read(raw_trace(), raw_trace(sweep=1, n=0, start_s=1.0), tmp_path=tmp_path)
    assert len(recording.traces) == 1
    assert recording.notes == ("Left out because they have no samples: 'Vm' in sweep 1.",)


def test_traces_are_ordered_by_channel_then_sweep(tmp_path: Path) -> None:
    traces = [raw_trace(name, sweep=sweep, start_s=sweep) for sweep in (0, 1) for name in ("b", "a")]
    recording = read(*traces, tmp_path=tmp_path)
    assert [(trace.channel, trace.sweep) for trace in recording.traces] == [
        ("b", 0),
        ("b", 1),
        ("a", 0),
        ("a", 1),
    ]


def test_channels_of_a_sweep_keep_their_relative_timing(tmp_path: Path) -> None:
    traces = [
        raw_trace(name, sweep=sweep, sampling_rate_hz=rate, n=10, start_s=start)
        for sweep in (0, 1)
        for name, rate, start in (("fast", 1000.0, 0.0), ("slow", 100.0, 0.005))
    ]
    recording = read(*traces, tmp_path=tmp_path)
    # The slow channel ends at 0.105 s, so there the second sweep begins.
    assert [trace.start_s for trace in recording.sweeps("fast")] == pytest.approx([0.0, 0.105])
    assert [trace.start_s for trace in recording.sweeps("slow")] == pytest.approx([0.005, 0.11])


def test_labels_follow_the_rate_that_the_user_states(tmp_path: Path) -> None:
    labels = {("Vm", 0): np.array([[2, 4]])}
    options = ReadOptions(sampling_rate_hz=10.0)
    recording = read(raw_trace(start_s=1.0), tmp_path=tmp_path, options=options, labels=labels)
    np.testing.assert_allclose(recording.labels[("Vm", 0)], [[1.2, 1.4]])


def test_the_source_records_how_it_was_read(tmp_path: Path) -> None:
    recording = read(raw_trace(), tmp_path=tmp_path, options=ReadOptions(unit={"Vm": "V"}, gain=2.0))
    assert recording.source.name == "run.abf"
    assert recording.source.settings == {"unit": "Vm=V", "gain": "2.0"}
    # printf content | sha256sum
    assert recording.source.sha256 == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
