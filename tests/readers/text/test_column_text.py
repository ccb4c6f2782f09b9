"""Text in columns as different programs and countries write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import Recording
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording

N_ROWS = 60
HEADING = ["Interval=\t0.0001 s", "ChannelTitle=\tVm\tIinj", "Range=\t100 mV\t10 nA", "UnitName=\tmV\tnA"]


def read(
    path: Path, lines: list[str], *, encoding: str = "utf-8", end: str = "\n", **options: object
) -> Recording:
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return read_recording(path, options=ReadOptions(**options))  # type: ignore[arg-type]


def vm_mv(recording: Recording, sweep: int = 0) -> np.ndarray:
    return recording.sweeps("Vm")[sweep].values() * 1e3


def rows(separator: str = ",", *, mark: str = ".", n: int = N_ROWS, quoted: bool = False) -> list[str]:
    """Time in 0.1 ms and, in the second column, -70.5 mV plus the number of the row in µV."""
    cells = [[f"{k / 1e4:.4f}", f"{-70.5 + k / 1000:.3f}"] for k in range(n)]
    cells = [[f'"{cell}"' if quoted else cell for cell in row] for row in cells]
    return [separator.join(row).replace(".", mark) for row in cells]


EXPECTED = -70.5 + np.arange(N_ROWS) / 1000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("separator", "mark", "quoted"),
    [
        (",", ".", False),
        (",", ".", True),
        (",", ",", True),
        (";", ".", False),
        (";", ",", False),
        (";", ",", True),
        ("\t", ",", False),
        ("\t", ".", True),
        (" ", ".", False),
        ("   ", ",", False),
        (", ", ".", False),
    ],
)
def test_every_dialect_gives_the_same_samples(
    tmp_path: Path, separator: str, mark: str, quoted: bool, encoding: str, end: str
) -> None:
    titles = separator.join(f'"{title}"' if quoted else title for title in ("Time_s", "Vm_mV"))
    lines = [titles, *rows(separator, mark=mark, quoted=quoted)]
    recording = read(tmp_path / "a.csv", lines, encoding=encoding, end=end)
    (trace,) = recording.traces
    assert (trace.channel, trace.unit, trace.sampling_rate_hz, trace.start_s) == ("Vm", "V", 1e4, 0.0)
    np.testing.assert_allclose(vm_mv(recording), EXPECTED, rtol=1e-12)
    assert recording.notes == ()
    assert find_recordings([tmp_path]) == [tmp_path / "a.csv"]


@settings(max_examples=40)
@given(
    values=st.lists(st.floats(-1e7, 1e7), min_size=4, max_size=40),
    dialect=st.sampled_from([(",", "."), (";", ","), (";", "."), ("\t", ","), (" ", "."), (" ", ",")]),
)
def test_any_number_comes_back_to_the_last_bit(
    values: list[float], dialect: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    separator, mark = dialect
    lines = [
        f"{k / 1000:.3f}{separator}{value!r}".replace(".", mark)
        if mark != "."
        else f"{k / 1000:.3f}{separator}{value!r}"
        for k, value in enumerate(values)
    ]
    recording = read(tmp_path_factory.mktemp("text") / "a.csv", [f"Time_s{separator}Voltage_mV", *lines])
    np.testing.assert_array_equal(recording.traces[0].raw(), values)


@pytest.mark.parametrize(
    "header",
    [
        ["Time (s),Vm (mV)"],
        ["Time,Vm", "s,mV"],
        ["Time,Vm", "(s),[mV]"],
        ["# Time_s,Vm_mV"],
        ["a recording of today", "", "Time [s],Vm [mV]"],
        ["ms is not the unit", "sec,Vm_mV"],
    ],
)
def test_titles_and_units_stand_where_programs_write_them(tmp_path: Path, header: list[str]) -> None:
    recording = read(tmp_path / "a.csv", [*header, *rows()])
    assert recording.channels == ("Vm",)
    np.testing.assert_allclose(vm_mv(recording), EXPECTED, rtol=1e-12)


def test_titles_of_two_words_are_told_apart_where_spaces_separate(tmp_path: Path) -> None:
    for title in ("Time (s)   Vm (mV)", "Time (s) Vm (mV)"):
        recording = read(tmp_path / "a.txt", [title, *rows("  ")])
        np.testing.assert_allclose(vm_mv(recording), EXPECTED, rtol=1e-12)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8"])
def test_microvolts_in_any_encoding_are_microvolts(tmp_path: Path, encoding: str) -> None:
    recording = read(tmp_path / "a.txt", ["Zeit (s)\tVm (µV)", *rows("\t", mark=",")], encoding=encoding)
    np.testing.assert_allclose(vm_mv(recording), EXPECTED / 1e3, rtol=1e-12)


@pytest.mark.parametrize("written", ["NaN", "nan", "-nan(ind)", "1.#QNAN", "-1.#IND", "#N/A", "NA"])
def test_a_sample_that_does_not_exist_is_nan(tmp_path: Path, written: str) -> None:
    for separator, title in (("\t", "Time_s\tVm_mV"), (",", "Time_s,Vm_mV")):
        lines = rows(separator)
        lines[20] = lines[20].split(separator)[0] + separator + written
        recording = read(tmp_path / "a.txt", [title, *lines])
        assert np.flatnonzero(np.isnan(vm_mv(recording))).tolist() == [20]
        assert recording.traces[0].n_samples == N_ROWS
        assert recording.ancillary.events == ()


# ---------------------------------------------------------------------------------- which column is the time


def test_the_interval_of_a_heading_replaces_a_column_of_times(tmp_path: Path) -> None:
    lines = [f"{-70 - k / 1000:.3f}\t{-0.05 + k / 1e5:.5f}" for k in range(N_ROWS)]
    for options in ({}, {"sampling_rate_hz": 1e4}):
        recording = read(tmp_path / "a.txt", [*HEADING, *lines], **options)
        assert [(t.channel, t.unit, t.sampling_rate_hz, t.start_s) for t in recording.traces] == [
            ("Vm", "V", 1e4, 0.0),
            ("Iinj", "A", 1e4, 0.0),
        ]
        np.testing.assert_allclose(vm_mv(recording), -70 - np.arange(N_ROWS) / 1000)
    assert find_recordings([tmp_path]) == [tmp_path / "a.txt"]


@pytest.mark.parametrize("separator", ["\t", ",", ";", " "])
def test_a_title_with_an_electrical_unit_is_a_channel_even_where_it_rises(
    tmp_path: Path, separator: str
) -> None:
    titles = separator.join(["Vm_mV", "Im_pA"])
    lines = [f"{k}{separator}{-k}" for k in range(N_ROWS)]
    with pytest.raises(
        ReadError, match=r"expected a column of times, .* found none; state .* `sampling_rate_hz=HZ`"
    ):
        read(tmp_path / "a.txt", [titles, *lines])
    recording = read(tmp_path / "a.txt", [titles, *lines], sampling_rate_hz=1e4)
    assert recording.channels == ("Vm", "Im")
    np.testing.assert_allclose(vm_mv(recording), np.arange(N_ROWS))


@pytest.mark.parametrize("header", [[], ["Vm (mV)"]])
@pytest.mark.parametrize("mark", [".", ","])
def test_one_column_is_a_channel(tmp_path: Path, header: list[str], mark: str) -> None:
    lines = [f"{-70.5 + k / 100:.2f}".replace(".", mark) for k in range(N_ROWS)]
    if mark == "," and not header:
        with pytest.raises(
            ReadError, match="commas that could separate numbers as well as decimals, '-70,50'"
        ):
            read(tmp_path / "a.txt", lines, sampling_rate_hz=1e4)
        return
    recording = read(tmp_path / "a.txt", [*header, *lines], sampling_rate_hz=1e4, unit="mV")
    (trace,) = recording.traces
    np.testing.assert_allclose(trace.values() * 1e3, -70.5 + np.arange(N_ROWS) / 100)
    assert find_recordings([tmp_path / "a.txt"]) == [tmp_path / "a.txt"]


def test_sweeps_side_by_side_are_sweeps_of_a_channel(tmp_path: Path) -> None:
    titles = "Time (ms)\tVm sweep 1 (mV)\tVm sweep 2 (mV)\tIm sweep 1 (pA)\tIm sweep 2 (pA)"
    lines = [f"{k / 10:.1f}\t{k}\t{10 * k}\t{-k}\t{-10 * k}" for k in range(N_ROWS)]
    recording = read(tmp_path / "a.txt", [titles, *lines])
    assert recording.channels == ("Vm", "Im")
    assert [trace.start_s for trace in recording.sweeps("Im")] == pytest.approx([0.0, 0.006])
    np.testing.assert_allclose(vm_mv(recording, 1), 10 * np.arange(N_ROWS))
    (first, second) = read(
        tmp_path / "a.txt",
        ["Time_s,Trace #1 (mV),Trace #2 (mV)", *rows()[:0], *[f"{k / 1e4:.4f},{k},{-k}" for k in range(9)]],
    ).traces
    assert (first.channel, first.sweep, second.channel, second.sweep) == ("channel 1", 0, "channel 1", 1)


def test_numbered_channels_stay_channels(tmp_path: Path) -> None:
    lines = [f"{k / 1e4:.4f},{k},{-k}" for k in range(9)]
    assert read(tmp_path / "a.csv", ["Time_s,Channel 1 (mV),Channel 2 (mV)", *lines]).channels == (
        "Channel 1",
        "Channel 2",
    )


def test_row_numbers_before_the_time_are_passed_over(tmp_path: Path) -> None:
    lines = rows()
    for header in ('"","Time (s)","Vm (mV)"', ",Time_s,Vm_mV", "Sample,Time_s,Vm_mV"):
        numbered = [header, *[f'"{k}",{line}' for k, line in enumerate(lines, start=1)]]
        np.testing.assert_allclose(vm_mv(read(tmp_path / "a.csv", numbered)), EXPECTED)
    named = ['"Time_s" "Vm_mV"', *[f'"{k}" {line}' for k, line in enumerate(rows(" "), start=1)]]
    np.testing.assert_allclose(vm_mv(read(tmp_path / "a.txt", named)), EXPECTED)


def test_a_second_column_of_times_is_refused(tmp_path: Path) -> None:
    lines = [f"{k / 10:.1f},{k / 1e4:.4f},{k}" for k in range(9)]
    with pytest.raises(ReadError, match=r"expected one column of times, .*found another .*'Time \(s\)'"):
        read(tmp_path / "a.csv", ["Time (ms),Time (s),Vm (mV)", *lines])


def test_clock_times_are_seconds_and_go_on_after_midnight(tmp_path: Path) -> None:
    lines = [f"23:59:59.{k:04d}\t{k}" for k in range(9_980, 10_000)] + [
        f"0:00:00.{k:04d}\t{k}" for k in range(20)
    ]
    recording = read(tmp_path / "a.txt", ["Time\tVm (mV)", *lines])
    (trace,) = recording.traces
    assert (trace.sampling_rate_hz, trace.n_samples) == (1e4, 40)
    assert trace.start_s == pytest.approx(86_399.998)
    lines = [f"25.02.2010\t0:00:{k / 1e4:07.4f}\t{k}".replace(".0", ",0", 0) for k in range(20)]
    recording = read(tmp_path / "a.txt", ["Date\tTime (h:mm:ss)\tVm (mV)", *lines])
    assert (recording.channels, recording.traces[0].start_s) == (("Vm",), 0.0)


def test_times_of_the_day_count_from_the_start_that_the_heading_states(tmp_path: Path) -> None:
    # Day 40234.5 of Excel is noon.
    heading = [*HEADING, "ExcelDateTime=\t40234.500000000000", "TimeFormat=\tTimeOfDay"]
    recording = read(tmp_path / "a.txt", [*heading, *[f"12:00:00.{k:04d}\t{k}\t{-k}" for k in range(50, 90)]])
    assert recording.traces[0].start_s == pytest.approx(0.005)


# --------------------------------------------------------------------------------------------------- numbers


def test_marks_for_thousands_are_read_where_they_can_mean_one_thing(tmp_path: Path) -> None:
    for mark, group in ((",", "."), (".", ","), (",", "\u00a0"), (".", "'")):
        lines = [f"{k / 10:.1f}\t{1000 * k + 0.25:,.2f}" for k in range(9_990, 10_020)]
        lines = [line.replace(",", "?").replace(".", mark).replace("?", group) for line in lines]
        recording = read(tmp_path / "a.txt", ["Time_ms\tVm_mV", *lines])
        np.testing.assert_allclose(vm_mv(recording), 1000 * np.arange(9_990, 10_020) + 0.25)


def test_a_number_that_could_be_two_is_refused_with_its_cell(tmp_path: Path) -> None:
    lines = [f"{k}\t{k},345" for k in range(1, 30)]
    with pytest.raises(
        ReadError, match=r"line 2: expected numbers that can mean one thing, found '1,345' in"
    ):
        read(tmp_path / "a.txt", ["Time_ms\tVm_mV", *lines])


def test_a_first_line_that_is_no_row_of_numbers_is_not_taken_for_a_title(tmp_path: Path) -> None:
    with pytest.raises(
        ReadError, match=r"line 2: expected 2 finite numbers separated by commas, found '0\.0000,x'"
    ):
        read(tmp_path / "a.csv", ["Time_s,Vm_mV", "0.0000,x", *rows()[1:]])


# ---------------------------------------------------------------------------------------------------- blocks


def test_each_block_has_its_own_units_titles_and_interval(tmp_path: Path) -> None:
    def block(interval: str, titles: str, units: str, values: list[str]) -> list[str]:
        heading = [f"Interval=\t{interval}", f"ChannelTitle=\t{titles}", f"UnitName=\t{units}"]
        return [*heading, *values]

    first = block("0.1 ms", "Vm", "mV", [f"{k / 1e4:.4f}\t{-70 - k}" for k in range(20)])
    second = block(
        "0.2 ms", "Vm\tIm", "V\tpA", [f"{1 + k / 5e3:.4f}\t{-0.07 - k / 1e3}\t{k}" for k in range(30)]
    )
    third = block("0.1 ms", "Vm", "pA", [f"{2 + k / 1e4:.4f}\t{k}" for k in range(10)])
    recording = read(tmp_path / "a.txt", [*first, *second, *third])
    assert [(t.channel, t.sweep, t.unit, t.sampling_rate_hz, t.n_samples) for t in recording.traces] == [
        ("Vm", 0, "V", 1e4, 20),
        ("Vm", 1, "V", 5e3, 30),
        ("Im", 1, "A", 5e3, 30),
        ("Vm (A)", 2, "A", 1e4, 10),
    ]
    np.testing.assert_allclose(vm_mv(recording), -70 - np.arange(20))
    np.testing.assert_allclose(vm_mv(recording, 1), -70 - np.arange(30))
    assert recording.notes == ("Blocks of 'Vm' in A, not in V, are read as 'Vm (A)'.",)


def test_a_block_takes_its_unit_from_its_own_range(tmp_path: Path) -> None:
    first = [
        "Interval=\t0.1 ms",
        "ChannelTitle=\tVm",
        "UnitName=\tmV",
        *[f"{k / 1e4:.4f}\t{k}" for k in range(9)],
    ]
    second = [
        "Interval=\t0.1 ms",
        "ChannelTitle=\tVm",
        "Range=\t0.1 V",
        *[f"{1 + k / 1e4:.4f}\t{k}" for k in range(9)],
    ]
    third = ["Interval=\t0.1 ms", *[f"{2 + k / 1e4:.4f}\t{k}" for k in range(9)]]
    recording = read(tmp_path / "a.txt", [*first, *second, *third])
    assert [vm_mv(recording, sweep)[1] for sweep in range(3)] == pytest.approx([1.0, 1000.0, 1000.0])


def test_repeated_titles_begin_a_block_with_their_own_units(tmp_path: Path) -> None:
    lines = ["Time_s,Vm_mV", *rows(n=9), "", "Time_s,Vm (V)", *rows(n=9)]
    recording = read(tmp_path / "a.csv", lines)
    assert [vm_mv(recording, sweep)[0] for sweep in range(2)] == pytest.approx([-70.5, -70_500.0])


def test_an_empty_unit_of_the_first_channel_does_not_shift_the_others(tmp_path: Path) -> None:
    heading = ["Interval=\t0.1 ms", "ChannelTitle=\tTrigger\tVm", "UnitName=\t\tmV"]
    lines = [f"{k / 1e4:.4f}\t{k}\t{-k}" for k in range(9)]
    with pytest.raises(ReadError, match=r"no known unit for 'Trigger' \(unit ''\)"):
        read(tmp_path / "a.txt", [*heading, *lines])


def test_a_heading_for_more_channels_than_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a column for each of the 2 channels in the heading, found 1"):
        read(
            tmp_path / "a.txt",
            [
                *HEADING[:2],
                *HEADING[2:],
                *rows("\t")[:0],
                *[f"{k}" + "\t" for k in range(0)],
                *["-70.1 "] * 9,
            ],
        )


def test_a_slower_channel_leaves_cells_empty(tmp_path: Path) -> None:
    lines = [f"{k / 1e4:.4f}\t{k}\t{k // 4 if k % 4 == 0 else ''}" for k in range(40)]
    for options in ({}, {"sampling_rate_hz": 1e4}):
        fast, slow = read(tmp_path / "a.txt", [*HEADING, *lines], **options).traces
        assert (fast.sampling_rate_hz, slow.sampling_rate_hz, slow.n_samples) == (1e4, 2500.0, 10)
        np.testing.assert_allclose(slow.raw(), np.arange(10))
    with pytest.raises(
        ReadError, match=r"line 9: expected a number in column 3, found an empty cell; complete"
    ):
        read(
            tmp_path / "a.txt",
            [
                *HEADING,
                *[
                    line if k != 4 else line[:-1]
                    for k, line in enumerate([f"{k / 1e4:.4f}\t{k}\t1" for k in range(20)])
                ],
            ],
        )


def test_a_column_of_comments_gives_events(tmp_path: Path) -> None:
    lines = [f"{line},{'drug, on' if k == 7 else ''}" for k, line in enumerate(rows())]
    lines[7] = rows()[7] + ',"drug, on"'
    recording = read(tmp_path / "a.csv", ["Time_s,Vm_mV,Comment", *lines])
    np.testing.assert_allclose(vm_mv(recording), EXPECTED)
    (comments,) = recording.ancillary.events
    assert comments.labels == ("drug, on",)
    np.testing.assert_allclose(comments.times_s, [7e-4])
    lines[0], lines[7] = rows()[0] + ",start", rows()[7]
    recording = read(tmp_path / "a.csv", ["Time_s,Vm_mV,Comment", *lines])
    assert recording.ancillary.events[0].labels == ("start",)
    assert recording.traces[0].n_samples == N_ROWS


# ------------------------------------------------------------------------------------------------------ gaps


def with_gap(first: int = 30, missing: int = 300) -> list[str]:
    return [f"{(k if k < first else k + missing) / 1e4:.4f}\t{k}\t{-k}" for k in range(N_ROWS)]


@pytest.mark.parametrize("missing", [1, 2, 300, 1_000_000])
@pytest.mark.parametrize("stated", [True, False])
def test_a_gap_ends_a_sweep_whether_heading_or_user_states_the_rate(
    tmp_path: Path, missing: int, stated: bool
) -> None:
    options = {"sampling_rate_hz": 1e4} if stated else {}
    recording = read(tmp_path / "a.txt", [*HEADING, *with_gap(missing=missing)], **options)
    sweeps = recording.sweeps("Vm")
    assert [trace.n_samples for trace in sweeps] == [30, 30]
    assert [trace.start_s for trace in sweeps] == pytest.approx([0.0, 0.003 + missing / 1e4])
    assert "The times have 1 gap; what lies between is read as sweeps." in recording.notes


def test_without_a_stated_rate_a_gap_is_refused_and_the_option_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"line 32: .* interrupted, .* pass `sampling_rate_hz=HZ`"):
        read(tmp_path / "a.txt", ["Time_s\tVm_mV\tIm_nA", *with_gap()])
    titles = "Time_s\tVm_mV\tIm_nA"
    recording = read(tmp_path / "a.txt", [titles, *with_gap()], sampling_rate_hz=1e4)
    assert [trace.start_s for trace in recording.sweeps("Vm")] == pytest.approx([0.0, 0.033])


def test_a_stated_rate_other_than_that_of_the_times_stretches_gaps_with_it(tmp_path: Path) -> None:
    recording = read(tmp_path / "a.txt", ["Time\tVm_mV\tIm_nA", *with_gap()], sampling_rate_hz=5e3)
    assert [trace.start_s for trace in recording.sweeps("Vm")] == pytest.approx([0.0, 0.066])


def test_times_that_start_again_begin_a_sweep(tmp_path: Path) -> None:
    lines = ["Time_s\tVm_mV", *rows("\t"), *rows("\t")]
    recording = read(tmp_path / "a.txt", lines, sampling_rate_hz=1e4)
    assert [trace.start_s for trace in recording.sweeps("Vm")] == pytest.approx([0.0, 0.006])
    with pytest.raises(
        ReadError, match="line 62: expected evenly spaced times, but the time does not increase"
    ):
        read(tmp_path / "a.txt", lines)


def test_jitter_and_coarse_decimals_are_no_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    jittered = np.arange(5000) / 1e4 + rng.uniform(-4e-5, 4e-5, 5000)
    coarse = np.round(np.arange(5000) / 1e4, 3)
    for times in (jittered, coarse):
        lines = [
            f"{time:.6f}\t{k}" if times is jittered else f"{time:.3f}\t{k}" for k, time in enumerate(times)
        ]
        recording = read(tmp_path / "a.txt", ["Time_s\tVm_mV", *lines], sampling_rate_hz=1e4)
        assert [trace.n_samples for trace in recording.traces] == [5000]
        later = [
            line if k < 2000 else f"{float(line.split()[0]) + 2:.6f}\t{k}" for k, line in enumerate(lines)
        ]
        recording = read(tmp_path / "a.txt", ["Time_s\tVm_mV", *later], sampling_rate_hz=1e4)
        assert [trace.n_samples for trace in recording.traces] == [2000, 3000]


def test_labels_follow_their_stretch(tmp_path: Path) -> None:
    lines = [f"{(k if k < 30 else k + 300) / 1e4:.4f},{k},{int(25 <= k < 35)}" for k in range(N_ROWS)]
    recording = read(tmp_path / "a.csv", ["Time_s,Vm_mV,labels", *lines], sampling_rate_hz=1e4)
    np.testing.assert_allclose(recording.labels[("Vm", 0)], [[0.0025, 0.003]])
    np.testing.assert_allclose(recording.labels[("Vm", 1)], [[0.033, 0.0335]])
