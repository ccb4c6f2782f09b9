"""Columns are defined once; what is not given is absent; what contradicts itself is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from nwb_mepp.core.columns import Column, Columns, added
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.core.schema import CurationColumns, EventColumns, LinkedSamples, ListingColumns, SummaryColumns

ROW: dict[str, Any] = {
    "sweep": np.array([0]),
    "start_index": np.array([100]),
    "stop_index": np.array([150]),
    "peak_index": np.array([110]),
    "start_s": np.array([0.01]),
    "stop_s": np.array([0.015]),
}
STATED: dict[str, Any] = {"detector": "template", "channel": "Vm", "amplitude_unit": "V", "n_mepps": 0}


def mepps(**changes: Any) -> Mepps:
    return Mepps(channel="Vm", unit="V", **(ROW | changes))


def test_the_class_gives_the_column_and_an_object_its_value() -> None:
    assert Mepps.peak_s.name == "peak_time"
    assert Mepps.peak_s is EventColumns.peak_s
    assert mepps(peak_s=np.array([0.011])).peak_s.tolist() == [0.011]
    assert SummaryRow.rate_hz.unit == "Hz"
    assert SummaryRow(**STATED, rate_hz=0.5).rate_hz == 0.5


@pytest.mark.parametrize(
    "table", [EventColumns, SummaryColumns, CurationColumns, ListingColumns, LinkedSamples]
)
def test_no_two_columns_share_a_name_and_each_says_what_it_is(table: type[Columns]) -> None:
    columns = table.columns()
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.description.endswith(".") for column in columns)


def test_what_is_not_given_is_absent() -> None:
    one = mepps(amplitude=np.array([1e-3]))
    assert one.amplitude.tolist() == [1e-3]
    assert np.isnan([one.area, one.peak_s, one.anomaly]).all()
    assert one.overlapped.tolist() == [False]
    row = SummaryRow(**STATED)
    assert np.isnan([row.rate_hz, row.threshold]).all()
    assert (row.n_mepps, row.settings) == (0, "")


def test_what_every_row_states_must_be_given() -> None:
    without = {name: array for name, array in ROW.items() if name != "stop_s"}
    with pytest.raises(TypeError, match="expected 'stop_s', which every Mepps states, found none"):
        Mepps(channel="Vm", unit="V", **without)
    with pytest.raises(TypeError, match="expected 'channel', which every SummaryRow states, found none"):
        SummaryRow(detector="template")


def test_what_is_no_column_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected columns of Mepps \(sweep, .*\), found 'peak_time'"):
        mepps(peak_time=np.array([0.011]))


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected area of shape \(1,\), found \(2,\)"):
        mepps(area=np.zeros(2))


def test_tables_and_rows_cannot_be_changed_but_replaced() -> None:
    one, row = mepps(), SummaryRow(**STATED)
    with pytest.raises(AttributeError, match=r"Mepps cannot be changed; use replace\(area=\.\.\.\)"):
        one.area = np.zeros(1)  # type: ignore[misc]
    with pytest.raises(AttributeError, match="SummaryRow cannot be changed"):
        del row.rate_hz
    assert one.replace(area=np.zeros(1)).area.tolist() == [0.0]
    assert (row.replace(n_mepps=3).n_mepps, row.n_mepps) == (3, 0)


def test_rows_are_equal_by_their_values() -> None:
    values = {column.attribute: 1.5 for column in SummaryRow.columns()}
    row = SummaryRow(**values)
    assert row == SummaryRow(**values)
    assert hash(row) == hash(SummaryRow(**values))
    assert row != row.replace(threshold=2.0)
    assert row != 1.5


def test_tables_and_rows_pass_between_processes() -> None:
    back = pickle.loads(pickle.dumps(mepps(area=np.array([2e-6]))))
    assert (back.channel, back.area.tolist(), back.overlapped.tolist()) == ("Vm", [2e-6], [False])
    row = SummaryRow(**dict.fromkeys((column.attribute for column in SummaryRow.columns()), 1.5))
    assert pickle.loads(pickle.dumps(row)) == row


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"unit": "s", "dtype": "text"}, "column 'x': expected float64 for a unit, found text"),
        ({"dtype": "int64"}, "column 'x': no integer stands for 'absent'; expected given=True"),
        ({"since": "0.3.0"}, "column 'x': files written before 0.3.0 lack it; expected optional=True"),
    ],
)
def test_a_column_that_contradicts_itself_is_refused(stated: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Column("x", **stated)


def test_a_column_is_added_for_a_while() -> None:
    before = mepps()
    with added(EventColumns, "note_text", Column("note", dtype="text", since="0.3.0", optional=True)):
        assert mepps().note_text.tolist() == [""]  # type: ignore[attr-defined]
        noted = mepps(note_text=np.array(["clear"]))
        joined = Mepps.concatenate([mepps(), noted])
        assert joined.note_text.tolist() == ["", "clear"]  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match="this Mepps was built before it had the column 'note_text'"):
            _ = before.note_text  # type: ignore[attr-defined]
    assert "note_text" not in Mepps.array_names()


@pytest.mark.parametrize(("attribute", "name"), [("area", "x"), ("x", "peak_time")])
def test_a_column_that_is_there_cannot_be_added(attribute: str, name: str) -> None:
    with (
        pytest.raises(ValueError, match=f"expected a new column, found that EventColumns has '{attribute}'"),
        added(EventColumns, attribute, Column(name)),
    ):
        pass
