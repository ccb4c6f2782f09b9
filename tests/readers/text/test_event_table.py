"""Tables of events of many programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers import EventTimes
from nwb_mepp.readers import read_event_table as read_at_any_rate

DATA = Path(__file__).resolve().parents[3] / "data"


def write(path: Path, *lines: str, encoding: str = "cp1251") -> Path:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def read_event_table(path: Path, *, sampling_rate_hz: float = 10_000.0, **how: Any) -> EventTimes | None:
    return read_at_any_rate(path, sampling_rate_hz=sampling_rate_hz, **how)


def test_onset_and_end_are_calculated_from_the_peak(tmp_path: Path) -> None:
    path = write(
        tmp_path / "run07.txt",
        "2\tTime (ms)\tAmplitude\tRise (ms)\tDecay (ms)\tArea",
        "1\t1\u00a0184,5\t106,8\u0412\u00a0\t1,5\t3,5\t12,0",
        "2\t2000,25 ms\t55,1\t2,25\t1e1\t9",
    )
    events = read_event_table(path)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, [1.1845, 2.00025])
    np.testing.assert_allclose(events.start_s, [1.183, 1.998])
    np.testing.assert_allclose(events.stop_s, [1.188, 2.01025])


def test_an_event_that_rides_on_another_ends_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.txt",
        "3\tTime (ms)\tRise (ms)\tDecay (ms)",
        "1\t108.0\t2\t4",  # not in order of time
        "2\t105.0\t1\t7",
        "3\t300.0\t1\t7",
    )
    events = read_event_table(path)
    assert events is not None
    np.testing.assert_allclose(events.start_s, [0.104, 0.106, 0.299])
    np.testing.assert_allclose(events.stop_s, [0.106, 0.112, 0.307])


def test_without_rise_and_decay_only_the_peaks_are_known(tmp_path: Path) -> None:
    events = read_event_table(write(tmp_path / "a.txt", "1\tTime (ms)\tAmplitude", "1\t12,5\t0,4"))
    assert events is not None
    np.testing.assert_allclose(events.peak_s, [0.0125])
    assert np.isnan(events.start_s).all()
    assert np.isnan(events.stop_s).all()


def test_the_table_of_the_example_recording_agrees_with_its_ground_truth() -> None:
    events = read_event_table(DATA / "truth" / "mepps_events.txt")
    truth = np.genfromtxt(DATA / "truth" / "mepps.csv", delimiter=",", names=True)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, truth["peak_time"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(events.start_s, truth["start_time"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(events.stop_s, truth["stop_time"], rtol=0, atol=1e-6)


def test_a_table_in_another_format_gives_none(tmp_path: Path) -> None:
    for lines in (("when,amplitude", "1,2"), ("Time_ms,Amplitude,labels", "1,2,0"), ("Time_ms,Vm", "1,2")):
        assert read_event_table(write(tmp_path / "a.csv", *lines)) is None


def test_a_cell_that_is_not_a_number_is_refused_with_its_line(tmp_path: Path) -> None:
    for cell in ("soon", "12,5 s", "12,5x", "1.2.3", "10:30", "0:00:61"):
        path = write(tmp_path / "a.txt", "1\tTime (ms)\tRise (ms)", "1\t12,5\t1", f"2\t{cell}\t1")
        with pytest.raises(
            ReadError, match=rf"a.txt, line 3: expected a number under 'Time .ms.', found '{re.escape(cell)}'"
        ):
            read_event_table(path)
    with pytest.raises(ReadError, match=r"line 2: expected a number under 'Rise .ms.', found ''"):
        read_event_table(write(tmp_path / "b.txt", "1\tTime (ms)\tRise (ms)", "1\t12,5"))


PEAKS_S = [12.3456, 15.2001, 18.0502]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("mini, point", ["3\tTime (ms)\tAmplitude", "1\t12345.6\t0.5", "2\t15200.1\t0.5", "3\t18050.2\t0.5"]),
        (
            "mini, groups",
            ["3\tTime (ms)\tAmplitude", "1\t12,345.60\t0.5", "2\t15,200.1\t1", "3\t18,050.2\t1"],
        ),
        (
            "mini, groups",
            ["3\tTime (ms)\tAmplitude", "1\t12.345,60\t0,5", "2\t15.200,1\t1", "3\t18 050,2\t1"],
        ),
        (
            "mini, clock",
            ["3\tTime (ms)\tAmplitude", "1\t0:00:12.3456\t0.5", "2\t0:15.2001\t1", "3\t00:00:18.0502\t1"],
        ),
        ("mini, csv", ["3,Time (ms),Amplitude", "1,12345.6,0.5", "2,15200.1,0.5", "3,18050.2,0.5"]),
        (
            "mini, csv",
            [
                '"3","Time (ms)","Amplitude"',
                '"1","12,345.6","0.5"',
                '"2","15,200.1","0.5"',
                '"3","18,050.2","0.5"',
            ],
        ),
        ("mini, semicolon", ["3;Time (ms);Amplitude", "1;12345,6;0,5", "2;15200,1;0,5", "3;18050,2;0,5"]),
        (
            "clampfit",
            [
                "ATF\t1.0",
                "0\t3",
                '"Trace"\t"Time of Peak (ms)"\t"Time to Peak (ms)"',
                "1\t12345.6\t2",
                "1\t15200.1\t2",
                "1\t18050.2\tNot found",
            ],
        ),
        ("easy", ["Record,Event Time (s),Amplitude (pA)", "1,12.3456,20", "1,15.2001,20", "1,18.0502,20"]),
        (
            "simplyfire",
            [
                "t,amp,amp_unit,t_start,peak_coord_x",
                "12.3,1,pA,,12.3456",
                "15.2,1,pA,,15.2001",
                "18.1,1,pA,,18.0502",
            ],
        ),
        ("own", ["peak_time", "12.3456", "15.2001", "18.0502"]),
        (
            "own, lab",
            ["peak_time_ms;amplitude;amplitude_unit", "12345,6;0,5;mV", "15200,1;0,5;mV", "18050,2;0,5;mV"],
        ),
    ],
)
def test_the_times_of_peaks_in_tables_of_every_program(name: str, lines: list[str], tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "cp1251"):
        events = read_event_table(write(tmp_path / "a.txt", *lines, "", encoding=encoding))
        assert events is not None
        np.testing.assert_allclose(events.peak_s, PEAKS_S, rtol=0, atol=1e-9)
        assert events.from_session_start == name.startswith("own")
        assert np.isnan(events.amplitude).all() or name == "own, lab"
        np.testing.assert_allclose(events.amplitude, 5e-4) if name == "own, lab" else None


def test_tables_of_onsets_give_onsets(tmp_path: Path) -> None:
    for lines in (
        ["Time of event onset,Inter-event interval", "12345.6,", "15200.1,2854.5"],
        [",event_0,event_1", "location,123456.0,152001.0", "score,0.9,0.8", "amplitude,-20,-30"],
        ["location;score", "123456;0,9", "152001;0,8"],
    ):
        events = read_event_table(write(tmp_path / "a.csv", *lines))
        assert events is not None
        np.testing.assert_allclose(events.start_s, PEAKS_S[:2])
        assert np.isnan(events.peak_s).all()


def test_samples_are_counted_at_the_rate_of_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",event_0,event_1", "location,100.0,300.0", "score,0.9,0.8")
    events = read_event_table(path, sampling_rate_hz=50_000.0)
    assert events is not None
    np.testing.assert_allclose(events.start_s, [0.002, 0.006])


def test_onset_and_end_of_clampfit_end_at_the_next_onset(tmp_path: Path) -> None:
    titles = "Trace\tEvent Start Time (ms)\tEvent End Time (ms)\tTime of Peak (ms)\tPeak Amp (pA)"
    events = read_event_table(
        write(tmp_path / "a.atf", "ATF 1.0", "0 5", titles, "1\t10\t20\t11\t-5", "1\t15\t30\tNot found\t-5")
    )
    assert events is not None
    np.testing.assert_allclose(events.start_s, [0.010, 0.015])
    np.testing.assert_allclose(events.stop_s, [0.015, 0.030])
    np.testing.assert_allclose(events.peak_s, [0.011, np.nan])


@pytest.mark.parametrize(
    ("column", "title"),
    [("Latency (ms)", "Latency (ms)"), ("latency [ms]", "Latency (ms)"), ("Latency=ms", "Latency")],
)
def test_any_other_table_is_read_by_the_title_of_its_column(column: str, title: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"n,{title}", "1,12345.6", "2,15200.1")
    assert read_event_table(path) is None
    events = read_event_table(path, column=column)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, PEAKS_S[:2])
    with pytest.raises(UsageError, match=r"expected a column with the title 'x \(s\)' in a.csv, found none"):
        read_event_table(path, column="x (s)")
    with pytest.raises(
        UsageError, match=r"ends in a unit of time, .* found 'Latency'; .* `event_column='Latency=ms'`"
    ):
        read_event_table(path, column="Latency")


OWN = "file,channel,peak_time,amplitude,amplitude_unit,detector"


def test_of_our_own_table_of_several_files_and_channels_ours_are_taken(tmp_path: Path) -> None:
    rows = [
        "d/a.abf.nwb,Vm,1,0.5,mV,miniunet",
        "d/a.abf.nwb,Im,2,5,pA,miniunet",
        "d/b.abf.nwb,Vm,3,0.5,mV,miniunet",
    ]
    path = write(tmp_path / "mepps.csv", OWN, *rows)
    events = read_event_table(path, recording="a.abf", channel="Im")
    assert events is not None
    assert (events.peak_s.tolist(), events.amplitude.tolist()) == ([2.0], [5e-12])
    with pytest.raises(
        ReadError, match=r"rows of one file in .*, found those of several \(d/a.abf.nwb, d/b.abf.nwb\)"
    ):
        read_event_table(path, recording="c.abf", channel="Vm")
    path = write(tmp_path / "mepps.csv", OWN, rows[0], rows[0].replace("miniunet", "template"))
    with pytest.raises(ReadError, match=r"rows of one detector .*\(miniunet, template\)"):
        read_event_table(path, recording="a.abf", channel="Vm")


def test_an_amplitude_without_sense_is_refused(tmp_path: Path) -> None:
    for cell, unit in (("x", "mV"), ("1", "quux")):
        path = write(tmp_path / "a.csv", OWN, f"a,Vm,1,{cell},{unit},hand")
        with pytest.raises(
            ReadError, match=f"line 2: expected a number and its unit .* found '{cell}' and '{unit}'"
        ):
            read_event_table(path)


def test_a_time_that_could_be_two_numbers_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "2\tTime (ms)\tAmplitude", "1\t12,345\t5", "2\t15,200\t5")
    with pytest.raises(ReadError, match="line 2: expected numbers that can mean one thing, found '12,345'"):
        read_event_table(path)
    path = write(tmp_path / "a.txt", "2\tTime (ms)\tAmplitude", "1\t12,345\t0.5", "2\t15,200\t5")
    events = read_event_table(path)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, [12.345, 15.2])


def test_a_row_without_a_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected peak_time, or else start_time, in every row of"):
        read_event_table(write(tmp_path / "a.csv", "peak_time,amplitude", ",0.5"))


@settings(max_examples=30)
@given(
    times_ms=st.lists(st.integers(1, 10**7), min_size=2, max_size=20, unique=True),
    dialect=st.sampled_from(
        [("\t", ",", "."), ("\t", ".", ","), (";", ",", "."), (";", ",", " "), ("\t", ".", "'")]
    ),
)
def test_times_come_back_whatever_marks_a_spreadsheet_puts_into_them(
    times_ms: list[int], dialect: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    separator, mark, group = dialect
    cells = [
        f"{time / 100:,.2f}".replace(",", "?").replace(".", mark).replace("?", group) for time in times_ms
    ]
    lines = [separator.join(["1", cell, f"0{mark}5"]) for cell in cells]
    path = write(
        tmp_path_factory.mktemp("t") / "a.txt", separator.join(["n", "Time (ms)", "Amplitude"]), *lines
    )
    events = read_event_table(path)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, np.sort(times_ms) / 1e5, rtol=1e-12)
