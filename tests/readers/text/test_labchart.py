"""Text in columns separated by tabs, as exported from LabChart."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers import ReadOptions, inspect, read_recording

RUSSIAN = "Время, s\tКанал 1, V"  # noqa: RUF001 - Cyrillic is meant


def rows(n: int = 50, *, decimal: str = ",", rate: float = 10_000.0, start: float = 0.0) -> list[str]:
    """Lines whose value is minus the number of the row over 8192."""
    return [f"{start + k / rate:.4f}\t{-k / 8192:.13f}".replace(".", decimal) for k in range(n)]


def write(path: Path, lines: list[str], *, encoding: str = "cp1251", newline: str = "\r\n") -> Path:
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.txt"


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("decimal", [",", "."])
def test_numbers_are_read_as_printed_in_every_encoding(path: Path, encoding: str, decimal: str) -> None:
    write(path, [RUSSIAN, *rows(decimal=decimal)], encoding=encoding)
    recording = read_recording(path)
    (trace,) = recording.traces
    assert (trace.channel, trace.unit, trace.sampling_rate_hz, trace.start_s) == (
        "Канал 1",
        "V",
        10_000.0,
        0.0,
    )
    np.testing.assert_array_equal(trace.values(), -np.arange(50) / 8192)
    assert recording.source.reader == "labchart"
    assert recording.notes == ()


@settings(max_examples=30)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40), decimal=st.sampled_from([",", "."]))
def test_any_number_comes_back_to_the_last_bit(
    values: list[float], decimal: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [f"{k / 1000:.3f}\t{value!r}".replace(".", decimal) for k, value in enumerate(values)]
    path = write(tmp_path_factory.mktemp("text") / "run.txt", ["t, s\tVm, V", *lines])
    np.testing.assert_array_equal(read_recording(path).traces[0].raw(), values)


@pytest.mark.parametrize(
    ("header", "channel", "unit", "conversion"),
    [
        ("Time (s)\tVm (mV)", "Vm", "V", 1e-3),
        ("Time [s]\tIm [pA]", "Im", "A", 1e-12),
        ("Zeit, s\tKanal für Vm, mV", "Kanal für Vm", "V", 1e-3),
        ("Durée / s\tVm / µV", "Vm", "V", 1e-6),
        ("time_s\tVm_mV", "Vm", "V", 1e-3),
        ('"Time (s)"\t"Channel 1 (V)"', "Channel 1", "V", 1.0),
    ],
)
def test_names_and_units_come_from_the_titles(
    path: Path, header: str, channel: str, unit: str, conversion: float
) -> None:
    write(path, [header, *rows()], encoding="cp1252")
    (trace,) = read_recording(path).traces
    assert (trace.channel, trace.unit, trace.conversion) == (channel, unit, conversion)


@pytest.mark.parametrize(
    ("unit", "per_second"), [("s", 1.0), ("ms", 1000.0), ("min", 1 / 60), ("мс", 1000.0)]
)
def test_the_time_may_be_in_seconds_milliseconds_or_minutes(path: Path, unit: str, per_second: float) -> None:
    lines = [f"{(2 + k / 100) * per_second:.9f}\t0,5" for k in range(100)]
    write(path, [f"Время, {unit}\tVm, V", *[line.replace(".", ",") for line in lines]])
    (trace,) = read_recording(path).traces
    assert trace.sampling_rate_hz == pytest.approx(100.0, rel=1e-12)
    assert trace.start_s == pytest.approx(2.0, abs=1e-6)


def test_several_channels_are_read_and_equal_names_made_unique(path: Path) -> None:
    lines = [f"{k / 1000:.3f}\t{k}\t{10 * k}\t{100 * k}" for k in range(20)]
    write(path, ["Time (s)\tVm (mV)\tVm (mV)\tIm (nA)", *lines])
    recording = read_recording(path)
    assert recording.channels == ("Vm", "Vm #2", "Im")
    assert [trace.values()[3] for trace in recording.traces] == pytest.approx(
        [3e-3, 30e-3, 300e-9], rel=1e-15
    )


def test_the_gain_divides_the_numbers(path: Path) -> None:
    write(path, [RUSSIAN, *rows()])
    recording = read_recording(path, options=ReadOptions(gain=10))
    np.testing.assert_allclose(recording.traces[0].values(), -np.arange(50) / 81920, rtol=1e-15)
    assert recording.source.settings == {"gain": "10"}


def test_the_rate_given_by_the_user_replaces_that_of_the_times(path: Path) -> None:
    write(path, [RUSSIAN, *rows()])
    recording = read_recording(path, options=ReadOptions(sampling_rate_hz=5000.0))
    assert recording.traces[0].sampling_rate_hz == 5000.0


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("0,0020\tabc", r"0,0020\\tabc"),
        ("0,0020\t", "an empty cell"),
        ("0,0020\tinf", "inf"),
        ("0,0020\t1,5\t2,5", r"1,5\\t2,5"),
        ("0,0020\t1,234.5", r"1,234\.5"),
        ("0,0020\t1.2345,5", r"1\.2345,5"),
        ("0,0020\t12.345", r"12\.345"),
        ("0,0020\t12V", "12V"),
        ("0,0020\t25.02.2010", r"25\.02\.2010"),
        ("NaN\t1,5", "none"),
        ("0,0020\t1,2,3", "1,2,3"),
        ("0,0020 0,5", "0,0020 0,5"),
        ("0,0020\t" + "1" * 80 + "x", r"1{50}\.\.\.'"),
    ],
)
def test_the_error_gives_the_number_of_a_bad_line(path: Path, bad: str, found: str) -> None:
    lines = rows()
    lines[20] = bad
    write(path, [RUSSIAN, *lines])
    with pytest.raises(
        ReadError, match=rf"run\.txt, line 22: expected .*found .*{found}.*(correct|complete) the line"
    ):
        read_recording(path)


def test_a_bad_line_far_into_a_long_file_has_the_right_number(path: Path) -> None:
    lines = rows(80_000)
    lines[70_000] = "7,0000\tnone"
    write(path, [RUSSIAN, *lines])
    with pytest.raises(ReadError, match="line 70002: expected 2 finite numbers separated by tabs"):
        read_recording(path)


def test_mixed_decimal_points_and_commas_are_refused(path: Path) -> None:
    lines = rows()
    lines[30] = lines[30].replace(",", ".")
    write(path, [RUSSIAN, *lines])
    with pytest.raises(ReadError, match="line 32: expected the decimal mark ',' throughout"):
        read_recording(path)
    lines = rows(decimal=".")
    lines[30] = lines[30].replace(".", ",")
    write(path, [RUSSIAN, *lines])
    with pytest.raises(ReadError, match=r"line 32: expected the decimal mark '\.' throughout"):
        read_recording(path)


@pytest.mark.parametrize(("first", "last"), [(20, 21), (20, 40)])
def test_the_error_gives_the_line_of_a_gap_in_the_times(path: Path, first: int, last: int) -> None:
    lines = rows()
    write(path, [RUSSIAN, *lines[:first], *lines[last:]])
    with pytest.raises(ReadError, match=r"line 22: expected evenly spaced times, but the time step is"):
        read_recording(path)


def test_an_unknown_unit_is_refused(path: Path) -> None:
    write(path, ["Time (s)\tVoltage", *rows()])
    with pytest.raises(ReadError, match=r"no known unit for 'Voltage' \(unit ''\); pass `unit='UNIT'`"):
        read_recording(path)
    assert read_recording(path, options=ReadOptions(unit={"Voltage": "mV"})).traces[0].conversion == 1e-3


def test_the_error_for_an_unknown_channel_lists_all_channels(path: Path) -> None:
    write(path, [RUSSIAN, *rows()])
    with pytest.raises(UsageError, match="has no channel 'Vm'; its channels are 'Канал 1'"):
        read_recording(path, options=ReadOptions(unit={"Vm": "mV"}))


def test_a_time_without_a_unit_is_refused(path: Path) -> None:
    write(path, ["Zeit\tVm, mV", *rows()])
    with pytest.raises(ReadError, match=r"expected the unit of time .* in the title of column 1"):
        read_recording(path)
    recording = read_recording(path, options=ReadOptions(sampling_rate_hz=1000.0))
    assert recording.traces[0].sampling_rate_hz == 1000.0


def test_numbers_without_any_header_need_unit_and_rate(path: Path) -> None:
    write(path, rows())
    with pytest.raises(ReadError, match="expected the unit of time"):
        read_recording(path)
    recording = read_recording(path, options=ReadOptions(sampling_rate_hz=1e4, unit={"": "V"}))
    assert recording.channels == ("channel 1",)


def test_titles_that_do_not_match_the_columns_are_refused(path: Path) -> None:
    write(path, ["Time (s)\tVm (mV)\tIm (nA)", *rows()])
    with pytest.raises(ReadError, match="expected a title for each of the 2 columns, found 3"):
        read_recording(path)


def test_text_in_another_format_is_refused(path: Path) -> None:
    path.write_text("Notes of the day\nThe second fiber was better.\n")
    with pytest.raises(ReadError, match="is not a recording in text form: expected columns of numbers"):
        read_recording(path)
    with pytest.raises(ReadError, match="expected columns of numbers separated by tabs"):
        read_recording(path, options=ReadOptions(reader="labchart"))


def labchart_heading(day: str, *, interval: str = "0,0001 s") -> list[str]:
    return [
        f"Interval=\t{interval}",
        f"ExcelDateTime=\t{day}\t25.02.2010 15:16:54",
        "TimeFormat=\tStartOfBlock",
        "ChannelTitle=\tVm\tIm",
        "Range=\t200,0 mV\t10,00 nA",
    ]


def block(n: int = 30, *, value: int = 0) -> list[str]:
    return [f"{k / 10_000:.4f}\t{value + k}\t{-k}".replace(".", ",") for k in range(n)]


def test_the_heading_of_labchart_gives_names_units_and_start(path: Path) -> None:
    # Day 40234.5 of Excel is noon of 2010-02-25.
    write(path, [*labchart_heading("4,02345000000000e+004"), *block()])
    recording = read_recording(path)
    assert recording.channels == ("Vm", "Im")
    assert [(trace.unit, trace.conversion) for trace in recording.traces] == [("V", 1e-3), ("A", 1e-9)]
    assert recording.session_start == datetime(2010, 2, 25, 12)
    assert recording.annotations["TimeFormat"] == "StartOfBlock"


def test_a_date_without_decimals_gives_no_start(path: Path) -> None:
    write(path, [*labchart_heading("4,0234e+004"), *block()])
    assert read_recording(path).session_start is None


def test_each_block_of_labchart_is_a_sweep_with_its_own_time(path: Path) -> None:
    first = [*labchart_heading("40234,500000000000"), *block()]
    second = [*labchart_heading("40234,500115740741"), *block(value=100)]  # 10 s are 1/8640 of a day
    write(path, [*first, *second])
    recording = read_recording(path)
    assert [(trace.channel, trace.sweep) for trace in recording.traces] == [
        ("Vm", 0),
        ("Vm", 1),
        ("Im", 0),
        ("Im", 1),
    ]
    assert [trace.start_s for trace in recording.sweeps("Vm")] == [0.0, 10.0]
    assert [trace.raw()[0] for trace in recording.sweeps("Vm")] == [0.0, 100.0]
    assert recording.sweep_times_stated


def test_blocks_without_dates_are_placed_end_to_end(path: Path) -> None:
    heading = [line for line in labchart_heading("") if not line.startswith("Excel")]
    write(path, [*heading, *block(), *heading, *block()])
    recording = read_recording(path)
    assert not recording.sweep_times_stated
    assert recording.sweeps("Vm")[1].start_s == pytest.approx(0.003, abs=1e-12)


def test_blocks_with_increasing_times_keep_them(path: Path) -> None:
    heading = [line for line in labchart_heading("") if not line.startswith("Excel")]
    later = [f"{5 + k / 10_000:.4f}\t{k}\t{-k}".replace(".", ",") for k in range(30)]
    write(path, [*heading, *block(), *heading, *later])
    assert [trace.start_s for trace in read_recording(path).sweeps("Vm")] == [0.0, 5.0]


def test_a_heading_that_contradicts_the_times_is_refused(path: Path) -> None:
    write(path, [*labchart_heading("40234,5", interval="0,001 s"), *block()])
    with pytest.raises(ReadError, match=r"states an interval of 0.001 s, but its times are 0.0001 s apart"):
        read_recording(path)
    assert read_recording(path, options=ReadOptions(sampling_rate_hz=1000.0)).traces[0].n_samples == 30


def test_comments_are_events_at_the_samples_on_their_lines(path: Path) -> None:
    lines = rows()
    lines[10] += "\t#* fiber 2"
    write(path, ["# exported by hand", RUSSIAN, *lines[:30], "# a remark", "", *lines[30:], ""])
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.traces[0].values(), -np.arange(50) / 8192)
    (comments,) = recording.ancillary.events
    assert comments.labels == ("fiber 2", "a remark")
    times_s = recording.traces[0].start_s + np.array([10, 30]) / recording.traces[0].sampling_rate_hz
    np.testing.assert_array_equal(comments.times_s, times_s)
    assert recording.notes == ()


def test_a_comment_after_the_last_sample_is_an_event_at_that_sample(path: Path) -> None:
    write(path, [RUSSIAN, *rows(), "# the end", ""])
    recording = read_recording(path)
    (comments,) = recording.ancillary.events
    trace = recording.traces[0]
    np.testing.assert_allclose(comments.times_s, [trace.start_s + 49 / trace.sampling_rate_hz])


def test_a_last_line_without_line_break_is_noted(path: Path) -> None:
    write(path, [RUSSIAN, *rows(), ""])
    assert read_recording(path).notes == ()
    content = path.read_bytes()
    path.write_bytes(content.rstrip(b"\r\n")[:-1])
    assert read_recording(path).notes == (
        "The last line has no line break; if the file was cut off there, its last number may be wrong.",
    )


def test_a_bad_line_after_comments_keeps_its_number(path: Path) -> None:
    lines = rows()
    lines[40] = "0,0040\tx"
    write(path, [RUSSIAN, *lines[:30], "# a remark", "", *lines[30:]])
    with pytest.raises(ReadError, match="line 44: expected 2 finite numbers"):
        read_recording(path)


def test_a_gap_after_comments_keeps_its_line_number(path: Path) -> None:
    lines = rows()
    write(path, [RUSSIAN, *lines[:30], "# a remark", "", *lines[30:40], *lines[45:]])
    with pytest.raises(ReadError, match="line 44: expected evenly spaced times"):
        read_recording(path)


def test_trailing_tabs_are_not_columns(path: Path) -> None:
    write(path, [RUSSIAN + "\t", *[line + "\t" for line in rows()]])
    np.testing.assert_array_equal(read_recording(path).traces[0].values(), -np.arange(50) / 8192)


def test_this_format_has_no_labels(path: Path) -> None:
    write(path, [RUSSIAN, *rows()])
    assert inspect(path).channels[0].n_labels is None
