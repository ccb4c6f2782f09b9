"""Text in columns separated by commas, with or without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, read_recording

VOLTS = ReadOptions(unit={"": "V"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.csv"


def write(path: Path, header: str, lines: list[str]) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def labeled(labels: list[str], *, start_ms: float = 0.0, index: bool = False) -> list[str]:
    prefix = [f"{k}," if index else "" for k in range(len(labels))]
    return [
        f"{before}{start_ms + k / 10:.1f},{k / 8192!r},{label}"
        for k, (before, label) in enumerate(zip(prefix, labels, strict=True))
    ]


@pytest.mark.parametrize(("one", "zero"), [("1", "0"), ("1.0", "0.0")])
@pytest.mark.parametrize("index", [False, True])
def test_runs_of_ones_become_intervals_with_exclusive_stops(
    path: Path, one: str, zero: str, index: bool
) -> None:
    labels = [one if 3 <= k < 7 or k >= 18 else zero for k in range(20)]
    write(
        path, ("," if index else "") + "Time_ms,Voltage,labels", labeled(labels, start_ms=1000, index=index)
    )
    recording = read_recording(path, options=VOLTS)
    (trace,) = recording.traces
    assert (trace.channel, trace.sampling_rate_hz, trace.start_s) == ("Voltage", 10_000.0, 1.0)
    np.testing.assert_array_equal(trace.values(), np.arange(20) / 8192)
    np.testing.assert_allclose(
        recording.labels[("Voltage", 0)], [[1.0003, 1.0007], [1.0018, 1.0020]], rtol=1e-12
    )
    assert recording.source.reader == "labeled-text"


def test_labels_that_are_all_zero_give_no_intervals(path: Path) -> None:
    write(path, "Time_ms,Voltage,labels", labeled(["0"] * 10))
    assert read_recording(path, options=VOLTS).labels[("Voltage", 0)].shape == (0, 2)


def test_a_file_without_labels_is_read_too(path: Path) -> None:
    write(path, "Time_ms,Voltage", [f"{k / 10:.1f},{k}" for k in range(10)])
    recording = read_recording(path, options=ReadOptions(unit={"": "mV"}))
    assert recording.labels == {}
    np.testing.assert_allclose(recording.traces[0].values(), np.arange(10) * 1e-3, rtol=1e-15)


def test_a_missing_unit_is_refused(path: Path) -> None:
    write(path, "Time_ms,Voltage,labels", labeled(["0"] * 10))
    with pytest.raises(ReadError, match=r"no known unit for 'Voltage' \(unit ''\); pass `unit='UNIT'`"):
        read_recording(path)


def test_a_unit_in_the_title_is_used(path: Path) -> None:
    write(path, "Time_ms,Vm_mV,labels", labeled(["0"] * 10))
    assert read_recording(path).traces[0].conversion == 1e-3


def test_several_channels_share_the_labels(path: Path) -> None:
    write(path, "Time_ms,Vm_mV,Im_pA,label", [f"{k / 10:.1f},{k},{-k},{int(k == 4)}" for k in range(10)])
    recording = read_recording(path)
    assert recording.channels == ("Vm", "Im")
    for channel in recording.channels:
        np.testing.assert_allclose(recording.labels[(channel, 0)], [[0.0004, 0.0005]], rtol=1e-12)


def test_a_label_other_than_0_or_1_is_refused_with_its_line(path: Path) -> None:
    write(path, "Time_ms,Voltage,labels", labeled(["0", "1", "2", "0"]))
    with pytest.raises(ReadError, match=r"run\.csv, line 4: expected a label of 0 or 1, found 2"):
        read_recording(path, options=VOLTS)


@pytest.mark.parametrize("bad", ["0.5,,0", "0.5,nan,nan", "0.5,0,1,0", "0,5,0", "0.5;1;0", "0.5,x,1"])
def test_the_error_gives_the_number_of_a_bad_line(path: Path, bad: str) -> None:
    lines = labeled(["0"] * 10)
    lines[5] = bad
    write(path, "Time_ms,Voltage,labels", lines)
    with pytest.raises(ReadError, match="line 7: expected "):
        read_recording(path, options=VOLTS)


def test_decimal_commas_in_comma_separated_text_are_refused(path: Path) -> None:
    write(path, "Time_ms,Voltage,labels", [f"0,{k},0,5,0" for k in range(10)])
    with pytest.raises(ReadError, match="expected a title for each of the 5 columns, found 3"):
        read_recording(path, options=VOLTS)


def test_a_blank_line_is_skipped(path: Path) -> None:
    lines = labeled(["0"] * 10)
    write(path, "Time_ms,Voltage,labels", [*lines[:4], "", *lines[4:], ""])
    assert read_recording(path, options=VOLTS).traces[0].n_samples == 10


def test_a_table_without_a_time_is_refused(path: Path) -> None:
    write(path, "a,b", ["1,2", "2,3", "4,6"])
    with pytest.raises(ReadError, match=r"expected a column of times, .* found none; state the rate"):
        read_recording(path)
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(ReadError, match="expected columns separated by commas, semicolons or spaces"):
        read_recording(path, options=ReadOptions(reader="labeled-text"))


def test_a_table_of_events_is_refused(path: Path) -> None:
    write(path, "time_s,votes", ["0.056,2", "0.18732,2", "0.2,5", "0.9,1"])
    with pytest.raises(ReadError, match="expected evenly spaced times"):
        read_recording(path)
