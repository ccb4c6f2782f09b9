from __future__ import annotations

import numpy as np
import pytest
from hdmf.common import VectorData, VectorIndex
from hypothesis import given, settings
from hypothesis import strategies as st
from pynwb import TimeSeries
from pynwb.base import TimeSeriesReference, TimeSeriesReferenceVectorData
from pynwb.epoch import TimeIntervals

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.nwb.invalid_times import invalid_times_table
from nwb_mepp.nwb.mepp_rows import read_mepps
from nwb_mepp.nwb.mepp_tables import mepp_table


def series_of(*traces: Trace) -> dict[tuple[str, int], TimeSeries]:
    return {
        (one.channel, one.sweep): TimeSeries(
            name=f"{one.channel} {one.sweep}",
            data=one.raw(),
            unit="volts",
            starting_time=one.start_s,
            rate=one.sampling_rate_hz,
        )
        for one in traces
    }


def test_the_columns_are_those_of_the_contract_in_order() -> None:
    one = int16_trace(unit="A")
    table = mepp_table(result_of(mepps_on([one], [(0, 100)])), name="mepps_x", series=series_of(one))
    # The columns of the first version that stays readable; later ones follow.
    assert table.colnames[:13] == (
        "start_time", "stop_time", "timeseries", "peak_time", "amplitude", "rise_10_90", "half_width",
        "decay_tau", "area", "baseline", "probability", "overlapped", "anomaly",
    )  # fmt: skip
    assert table["start_time"].description.endswith("Unit: s.")
    assert table["amplitude"].description.endswith("Unit: A.")
    assert table["area"].description.endswith("Unit: A s.")
    assert "Unit" not in table["probability"].description
    assert table.description == (
        "MEPPs found by detector miniunet (version 1) on channel Vm; one row each, pooled over sweeps, "
        "sorted by onset."
    )


@settings(max_examples=25)
@given(
    start_s=st.floats(0, 1e5),
    rate_hz=st.floats(2_000, 50_000),
    onsets=st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True),
)
def test_references_are_the_sample_numbers_themselves_at_any_rate_and_start(
    start_s: float, rate_hz: float, onsets: list[int]
) -> None:
    one = int16_trace(start_s=start_s, rate_hz=rate_hz, n_samples=10)
    found = mepps_on([one], [(0, onset) for onset in sorted(onsets)])
    series = series_of(one)
    table = mepp_table(result_of(found), name="mepps_x", series=series)
    assert [reference.idx_start for (reference,) in table["timeseries"][:]] == sorted(onsets)
    ((back, _, _),) = read_mepps(table, traces={series["Vm", 0].object_id: [one]})
    for name in Mepps.array_names():
        expected = getattr(found, name)
        assert getattr(back, name).dtype == expected.dtype, name
        np.testing.assert_array_equal(getattr(back, name), expected, err_msg=name)


def test_mepps_of_several_sweeps_refer_each_to_its_own() -> None:
    traces = [int16_trace(sweep=sweep) for sweep in range(3)]
    series = series_of(*traces)
    found = mepps_on(traces, [(0, 500), (1, 3), (2, 7), (2, 700)])
    table = mepp_table(result_of(found), name="mepps_x", series=series)
    assert [reference.timeseries.name for (reference,) in table["timeseries"][:]] == [
        "Vm 0",
        "Vm 1",
        "Vm 2",
        "Vm 2",
    ]
    by_object = {series["Vm", sweep].object_id: [traces[sweep]] for sweep in range(3)}
    ((back, names, _),) = read_mepps(table, traces=by_object)
    assert back.sweep.tolist() == [0, 1, 2, 2]
    assert names == ("Vm 0", "Vm 1", "Vm 2", "Vm 2")


def test_mepps_that_are_not_sorted_are_a_defect() -> None:
    one = int16_trace()
    with pytest.raises(ValueError, match="expected MEPPs sorted by onset"):
        mepp_table(result_of(mepps_on([one], [(0, 9), (0, 3)])), name="x", series=series_of(one))


def test_a_sample_number_that_nwb_cannot_hold_is_refused() -> None:
    one = int16_trace()
    found = result_of(mepps_on([one], [(0, 2**31 - 50)]))
    with pytest.raises(
        OutputError, match=r"expected MEPPs before sample 2147483647, .* found one at 2147483648"
    ):
        mepp_table(found, name="x", series=series_of(one))


def hand_made(series: list[TimeSeries], *, references: bool = True, indexed: bool = True) -> TimeIntervals:
    """A table as a person's program might write it: two rows of times, no measures."""
    times = [
        VectorData(name=name, description="Time.", data=np.array([0.01, 0.05]) + later)
        for name, later in (("start_time", 0.0), ("stop_time", 0.01))
    ]
    if not references:
        return TimeIntervals(name="marks", description="By hand.", columns=times)
    column = TimeSeriesReferenceVectorData(
        name="timeseries",
        description="Where.",
        data=[TimeSeriesReference(100 + 400 * row, 100, one) for row, one in enumerate(series)],
    )
    if not indexed:
        return TimeIntervals(name="marks", description="By hand.", columns=[*times, column])
    ends = VectorIndex(
        name="timeseries_index", data=np.linspace(len(series) // 2, len(series), 2).astype(int), target=column
    )
    return TimeIntervals(name="marks", description="By hand.", columns=[*times, column, ends])


def test_a_table_without_measures_can_be_read() -> None:
    first, second = int16_trace("V1"), int16_trace("V2", unit="A")
    series = series_of(first, second)
    tables = read_mepps(
        hand_made(list(series.values())),
        traces={series["V1", 0].object_id: [first], series["V2", 0].object_id: [second]},
    )
    assert [(found.channel, found.unit, len(found)) for found, _, _ in tables] == [
        ("V1", "V", 1),
        ("V2", "A", 1),
    ]
    found = tables[1][0]
    assert (found.start_index[0], found.stop_index[0], found.peak_index[0]) == (500, 600, 500)
    assert np.isnan(found.amplitude[0])
    assert not found.overlapped[0]


def test_references_without_an_index_are_one_a_row() -> None:
    one = int16_trace()
    (series,) = series_of(one).values()
    ((found, _, rows),) = read_mepps(
        hand_made([series, series], indexed=False), traces={series.object_id: [one]}
    )
    assert (found.start_index.tolist(), found.stop_index.tolist(), rows.tolist()) == (
        [100, 500],
        [200, 600],
        [0, 1],
    )


def test_the_channel_says_which_column_of_a_series_is_meant() -> None:
    columns = [int16_trace("E_0"), int16_trace("E_1")]
    (series,) = series_of(int16_trace()).values()
    table = hand_made([series, series])
    ((found, _, _),) = read_mepps(table, traces={series.object_id: columns}, channel="E_1")
    assert found.channel == "E_1"
    with pytest.raises(
        ReadError, match="expected row 0 of table 'marks' to refer to one channel in volts or amperes"
    ):
        read_mepps(table, traces={series.object_id: columns})


def test_rows_that_refer_to_several_series_are_not_mepps() -> None:
    one = int16_trace()
    (series,) = series_of(one).values()
    with pytest.raises(ReadError, match="found Vm 0, Vm 0; this table cannot be read as MEPPs"):
        read_mepps(hand_made([series] * 4), traces={series.object_id: [one]})


def test_a_table_that_does_not_refer_to_samples_is_not_a_table_of_mepps() -> None:
    with pytest.raises(ReadError, match="expected table 'marks' to refer to the samples of its rows"):
        read_mepps(hand_made([], references=False), traces={})


def test_without_stretches_there_is_no_table_of_invalid_times() -> None:
    assert invalid_times_table([]) is None
    assert invalid_times_table([(2.0, 2.0)]) is None


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=10))
def test_invalid_times_cover_the_same_moments_in_ascending_order(stretches: list[tuple[int, int]]) -> None:
    pairs = [(float(start), float(start + length)) for start, length in stretches]
    table = invalid_times_table(pairs)
    written = [] if table is None else list(zip(table["start_time"][:], table["stop_time"][:], strict=True))
    moments = np.arange(40) + 0.5
    for moment in moments:
        assert any(a < moment < b for a, b in pairs) == any(a < moment < b for a, b in written)
    starts = [start for start, _ in written]
    assert starts == sorted(set(starts))
