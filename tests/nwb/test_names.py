from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.traces import int16_trace
from nwb_mepp.core.errors import OutputError
from nwb_mepp.nwb.names import channel_stems, safe_name, series_name, table_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IN 0", "IN 0"),
        ("I/V", "I_V"),
        ("a:b\\c", "a_b_c"),
        (" Vm\n", "Vm_"),
        (".", "channel"),
        ("", "channel"),
    ],
)
def test_what_hdf5_and_nwbinspector_forbid_becomes_an_underscore(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_channels_whose_safe_names_coincide_are_numbered() -> None:
    assert channel_stems([int16_trace("I/V"), int16_trace("I:V"), int16_trace("I_V")]) == {
        "I/V": "I_V",
        "I:V": "I_V_2",
        "I_V": "I_V_3",
    }


def test_a_channel_named_like_a_sweep_of_another_gets_a_name_of_its_own() -> None:
    stems = channel_stems(
        [int16_trace("Vm", sweep=0), int16_trace("Vm", sweep=1), int16_trace("Vm_sweep_000")]
    )
    assert stems == {"Vm": "Vm", "Vm_sweep_000": "Vm_sweep_000_2"}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.text("aV/:=_ .2", max_size=4), st.integers(0, 3)), min_size=1, max_size=8, unique=True
    )
)
def test_no_two_series_share_a_name_whatever_the_channels_are_called(pairs: list[tuple[str, int]]) -> None:
    traces = [int16_trace(channel, sweep=sweep) for channel, sweep in pairs]
    stems = channel_stems(traces)
    n_sweeps = {one.channel: sum(other.channel == one.channel for other in traces) for one in traces}
    names = [
        series_name(stems[one.channel], sweep=one.sweep, n_sweeps=n_sweeps[one.channel]) for one in traces
    ]
    assert len(set(names)) == len(traces)
    assert not any(character in name for name in names for character in "/:=")
    assert all(name.strip(".") for name in names)


def test_a_table_is_named_after_its_channel_only_where_there_are_several() -> None:
    assert table_name("threshold", "I/V", stems={"I/V": "I_V"}) == "mepps_threshold"
    assert table_name("threshold", "I/V", stems={"I/V": "I_V", "Vm": "Vm"}) == "mepps_threshold_I_V"


def test_no_detector_may_take_the_name_of_the_table_of_corrections() -> None:
    reserved = "'mepps_curated' is reserved for corrections by hand; register the detector 'curated' under"
    with pytest.raises(OutputError, match=reserved):
        table_name("curated", "Vm", stems={"Vm": "Vm"})


def test_no_detector_may_take_the_name_of_the_truth() -> None:
    with pytest.raises(OutputError, match="the table 'mepps_truth' is reserved for the ground truth of a"):
        table_name("truth", "Vm", stems={"Vm": "Vm"})
