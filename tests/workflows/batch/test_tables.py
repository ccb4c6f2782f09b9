"""Tables of MEPPs and summaries: the columns that others rely on, exact numbers, units of the lab."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.tables import mepps_of
from nwb_mepp.core.columns import Column
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.workflows.batch import (
    event_columns,
    event_rows,
    in_units,
    summary_columns,
    unit_of,
    write_csv,
    write_json,
)
from nwb_mepp.workflows.batch import tables as tables_module

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def two_mepps(unit: str = "V", **changes: Any) -> Mepps:
    """Two MEPPs of round numbers."""
    columns = {
        "sweep": [0, 3],
        "start_index": [10, 20],
        "stop_index": [15, 25],
        "peak_index": [12, 22],
        "start_s": [0.1, 0.2],
        "stop_s": [0.105, 0.205],
        "peak_s": [0.102, 0.202],
        "amplitude": [0.5e-3, 0.25e-3],
        "rise_10_90_s": [0.5e-3, 1e-3],
        "half_width_s": [2e-3, 4e-3],
        "decay_tau_s": [3e-3, math.nan],
        "area": [2e-6, 1e-6],
        "baseline": [-0.07, -0.0625],
        "probability": [math.nan, 0.75],
        "overlapped": [False, True],
        "anomaly": [1.25, math.nan],
    }
    return mepps_of(unit=unit, **(columns | changes))


def rows(table: Mepps) -> list[Any]:
    return list(event_rows(table, file="run07.nwb", series=["Vm_0", "Vm_3"], detector="miniunet"))


def as_csv(table: Mepps, **options: Any) -> list[str]:
    stream = io.StringIO()
    write_csv(stream, event_columns(), rows(table), **options)
    return stream.getvalue().splitlines()


# What the first version promised, in this order; later columns stand before the detector.
PROMISED = (
    "file,channel,sweep,series,start_time,stop_time,peak_time,amplitude,amplitude_unit,rise_10_90,half_width,"
    "decay_tau,area,baseline,probability,overlapped,anomaly,detector"
)


def promised(line: str, separator: str = ",") -> str:
    """Return the promised columns of a line."""
    *first, last = line.split(separator)
    return separator.join([*first[: PROMISED.count(",")], last])


def test_events_have_the_columns_that_were_promised() -> None:
    assert [promised(line) for line in as_csv(two_mepps())] == [
        PROMISED,
        "run07.nwb,Vm,0,Vm_0,0.1,0.105,0.102,0.0005,V,0.0005,0.002,0.003,2e-06,-0.07,,false,1.25,miniunet",
        "run07.nwb,Vm,3,Vm_3,0.2,0.205,0.202,0.00025,V,0.001,0.004,,1e-06,-0.0625,0.75,true,,miniunet",
    ]


def test_how_many_rows_are_made_at_a_time_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = rows(two_mepps())
    assert [(row["series"], row["start_time"]) for row in at_once] == [("Vm_0", 0.1), ("Vm_3", 0.2)]
    monkeypatch.setattr(tables_module, "_ROWS_AT_A_TIME", 1)
    assert [str(row) for row in rows(two_mepps())] == [str(row) for row in at_once]


def test_in_the_units_of_the_lab_times_are_in_ms_and_their_headings_say_so() -> None:
    assert [promised(line) for line in as_csv(two_mepps(), units="lab")[:2]] == [
        "file,channel,sweep,series,start_time_ms,stop_time_ms,peak_time_ms,amplitude,amplitude_unit,rise_10_90_ms,"
        "half_width_ms,decay_tau_ms,area,baseline,probability,overlapped,anomaly,detector",
        "run07.nwb,Vm,0,Vm_0,100.0,105.0,102.0,0.5,mV,0.5,2.0,3.0,2.0,-70.0,,false,1.25,miniunet",
    ]


def test_a_current_in_the_units_of_the_lab_is_in_pa() -> None:
    table = two_mepps("A", amplitude=[-20e-12, -30e-12], area=[-40e-15, 0.0], baseline=[-61e-12, 0.0])
    _, first, _ = csv.DictReader(as_csv(table, units="lab")), *csv.DictReader(as_csv(table, units="lab"))
    assert (first["amplitude"], first["amplitude_unit"]) == ("-20.0", "pA")
    assert (first["area"], first["baseline"]) == ("-40.0", "-61.0")


def test_a_decimal_comma_comes_with_semicolons() -> None:
    assert promised(as_csv(two_mepps(), decimal="comma")[1], ";") == (
        "run07.nwb;Vm;0;Vm_0;0,1;0,105;0,102;0,0005;V;0,0005;0,002;0,003;2e-06;-0,07;;false;1,25;miniunet"
    )


@given(NUMBERS, NUMBERS)
def test_numbers_in_si_units_are_read_back_exactly(first: float, second: float) -> None:
    lines = as_csv(two_mepps(amplitude=[first, second]))
    assert [float(row["amplitude"]) for row in csv.DictReader(lines)] == [first, second]


def test_json_has_the_same_keys_and_null_where_nothing_is_known() -> None:
    stream = io.StringIO()
    write_json(stream, event_columns(), rows(two_mepps()))
    first, second = json.loads(stream.getvalue(), parse_constant=pytest.fail)
    assert list(first) == [column.name for column in event_columns()]
    assert (first["probability"], second["decay_tau"]) == (None, None)
    assert (first["overlapped"], second["overlapped"]) == (False, True)
    assert (second["sweep"], second["amplitude"]) == (3, 0.25e-3)


def test_json_without_rows_is_an_empty_list() -> None:
    stream = io.StringIO()
    write_json(stream, event_columns(), [])
    assert json.loads(stream.getvalue()) == []


def test_text_that_holds_separators_is_quoted() -> None:
    stream = io.StringIO()
    row = {"file": 'a,"b".nwb', "n": 1}
    write_csv(stream, [Column("file"), Column("n")], [row])
    assert list(csv.reader(stream.getvalue().splitlines())) == [["file", "n"], ['a,"b".nwb', "1"]]


def test_units_of_summaries_follow_the_channel() -> None:
    columns = {column.name: column for column in summary_columns()}

    def units(name: str) -> tuple[str, str]:
        column = columns[name]
        return (
            unit_of(column, amplitude_unit="A", units="si"),
            unit_of(column, amplitude_unit="A", units="lab"),
        )

    assert units("amplitude_mean") == ("A", "pA")
    assert units("interval_mean") == ("s", "ms")
    assert units("analyzed_s") == ("s", "s")
    assert units("baseline_drift") == ("A/s", "pA/s")
    assert units("rate_hz") == ("Hz", "Hz")
    assert units("n_mepps") == ("", "")


def test_a_summary_in_the_units_of_the_lab_converts_what_has_such_a_unit() -> None:
    row = {column.name: 0.5 for column in summary_columns()} | {"amplitude_unit": "V", "n_mepps": 7}
    shown = in_units(row, summary_columns(), units="lab")
    assert shown["amplitude_unit"] == "mV"
    assert (shown["noise_sd"], shown["baseline_drift"], shown["interval_mean_ms"]) == (500.0, 500.0, 500.0)
    assert (shown["analyzed_s"], shown["rate_hz"], shown["amplitude_cv"], shown["n_mepps"]) == (
        0.5,
        0.5,
        0.5,
        7,
    )
