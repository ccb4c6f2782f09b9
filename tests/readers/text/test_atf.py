"""Axon Text Format: what pyabf returns, and errors that it does not notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import MissingDependencyError, ReadError
from nwb_mepp.core.recording import Recording
from nwb_mepp.readers import ReadOptions, read_recording

HEADER = [
    "ATF\t1.0",
    "3\t3",
    '"AcquisitionMode=Episodic Stimulation"',
    '"SweepStartTimesMS=250.0,1250.0"',
    '"Signals="\t"Vm"\t"Vm"',
    '"Time (s)"\t"Trace #1 (mV)"\t"Trace #2 (mV)"',
]
ROWS = ["0\t-70.5\t-71", "0.0001\t-70\t-71.5", "0.0002\t-69.5\t-72"]


def write(
    path: Path, *, header: list[str] | None = None, rows: list[str] | None = None, end: str = "\n"
) -> Path:
    path.write_text("\n".join([*(header or HEADER), *(rows or ROWS)]) + end)
    return path


def read(path: Path, **options: object) -> Recording:
    return read_recording(path, options=ReadOptions(**options))  # type: ignore[arg-type]


def replaced(old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in HEADER]


def test_sweeps_have_their_times_samples_and_units(tmp_path: Path) -> None:
    recording = read(write(tmp_path / "run.atf"))
    assert recording.channels == ("Vm",)
    first, second = recording.sweeps("Vm")
    assert (first.start_s, second.start_s) == (0.25, 1.25)
    assert first.sampling_rate_hz == pytest.approx(10_000.0, rel=1e-6)
    np.testing.assert_allclose(first.values(), [-70.5e-3, -70e-3, -69.5e-3])
    np.testing.assert_allclose(second.values(), [-71e-3, -71.5e-3, -72e-3])
    assert recording.annotations == {"AcquisitionMode": "Episodic Stimulation"}
    assert recording.source.reader_version.startswith("pyabf ")


@pytest.mark.parametrize("stated", ["0,1000", "0.000,1000.000"])
def test_sweep_times_are_parsed_with_and_without_decimals(stated: str, tmp_path: Path) -> None:
    header = replaced("250.0,1250.0", stated)
    starts = [trace.start_s for trace in read(write(tmp_path / "run.atf", header=header)).traces]
    assert starts == [0.0, 1.0]


@pytest.mark.parametrize("stated", ["", "0", "now,then"])
def test_without_a_time_for_each_sweep_they_are_placed_end_to_end(stated: str, tmp_path: Path) -> None:
    recording = read(write(tmp_path / "run.atf", header=replaced("250.0,1250.0", stated)))
    assert not recording.sweep_times_stated
    assert [trace.start_s for trace in recording.traces] == pytest.approx([0.0, 3e-4])


def test_a_channel_keeps_its_name_and_unit_among_several(tmp_path: Path) -> None:
    header = replaced('"Vm"\t"Vm"', '"Vm"\t"Im"')
    header[-1] = '"Time (ms)"\t"Trace #1 (mV)"\t"Trace #1 (pA)"'
    recording = read(write(tmp_path / "run.atf", header=header))
    assert [(t.channel, t.unit, t.sampling_rate_hz) for t in recording.traces] == [
        ("Vm", "V", pytest.approx(1e7, rel=1e-6)),
        ("Im", "A", pytest.approx(1e7, rel=1e-6)),
    ]


def test_a_last_line_without_line_break_is_left_out_with_a_note(tmp_path: Path) -> None:
    recording = read(write(tmp_path / "run.atf", end=""))
    assert [trace.n_samples for trace in recording.traces] == [2, 2]
    assert recording.notes == (
        "Left out: the last line, which has no line break; the file may have been cut off there.",
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": ["0\t-70,5\t-71,0", "0,0001\t-70,0\t-71,5"]}, "columns of numbers with decimal points"),
        ({"rows": ["0\t-70,5\t-71", "1e-4\t-70,0\t-71"]}, "expected a number with a decimal point"),
        (
            {"rows": ["0\t1\t2", "0.0001\t1"]},
            r"the reader 'atf' cannot read it; .* pyabf reports: ValueError",
        ),
        ({"rows": ["0\t1\t2", "0.0001\tx\t2"]}, r"found something else in row 2 of the samples, column 2"),
        ({"rows": ["0\t1\t2"]}, "the reader 'atf' cannot read it"),
        ({"header": HEADER[:3]}, "the reader 'atf' cannot read it"),
        (
            {"header": [*HEADER[:5], '"Time (s)"\t"Trace #1 (mV)"']},
            "found 2 columns of 3 numbers, 1 titles and 1 signals",
        ),
        ({"header": replaced("Time (s)", "Time")}, r"expected the unit of time .*, found 'Time'; pass `sam"),
        (
            {"rows": ["0\t1\t2", "0.0001\t1\t2", "0.0002\t1\t2", "0.0007\t1\t2", "0.0008\t1\t2"]},
            "expected evenly spaced times in row .*; export the recording in one segment",
        ),
    ],
)
def test_the_error_names_what_is_wrong(changes: dict[str, list[str]], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=sentence):
        read(write(tmp_path / "run.atf", **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("title", "gap_s"), [("Time", 0.0032), ("Time (s)", 0.0032)])
def test_with_a_stated_rate_a_gap_in_the_times_begins_a_sweep(
    title: str, gap_s: float, tmp_path: Path
) -> None:
    rows = [f"{(k if k < 20 else k + 12) / 1e4:.4f}\t1\t2" for k in range(40)]
    header = [line for line in replaced("Time (s)", title) if "SweepStart" not in line]
    path = write(tmp_path / "run.atf", header=[header[0], "2\t3", *header[2:]], rows=rows)
    recording = read(path, sampling_rate_hz=1e4)
    assert {trace.sampling_rate_hz for trace in recording.traces} == {1e4}
    assert [trace.n_samples for trace in recording.traces] == [20] * 4
    assert recording.traces[1].start_s - recording.traces[0].start_s in (
        pytest.approx(gap_s),
        pytest.approx(0.002),
    )
    assert "The times have 1 gap; what lies between is read as sweeps." in recording.notes


def test_a_file_without_header_lines_is_read_by_its_titles(tmp_path: Path) -> None:
    lines = ["ATF\t1.0", "0\t3", '"Time (ms)"\t"Trace #1 (mV)"\t"Trace #2 (mV)"']
    rows = [f"{k / 10:.1f}\t{-70 - k}\t{-71 - k}" for k in range(20)]
    recording = read(write(tmp_path / "run.atf", header=lines, rows=rows))
    assert [(trace.sweep, trace.sampling_rate_hz) for trace in recording.traces] == [(0, 1e4), (1, 1e4)]
    np.testing.assert_allclose(recording.traces[1].values() * 1e3, -71.0 - np.arange(20))
    lines[-1] = '"Time (ms)"\t"Vm (mV)"\t"Im (pA)"'
    assert read(write(tmp_path / "run.atf", header=lines, rows=rows)).channels == ("Vm", "Im")


def test_a_column_of_comments_gives_events(tmp_path: Path) -> None:
    header = [*HEADER[:5], HEADER[5] + '\t"Comment"']
    header[1] = "3\t4"
    rows = [f"{k / 1e4:.4f}\t{-70 - k}\t{-71 - k}\t" + ("drug" if k == 3 else "") for k in range(20)]
    recording = read(write(tmp_path / "run.atf", header=header, rows=rows))
    assert [(t.channel, t.sweep, t.start_s) for t in recording.traces] == [("Vm", 0, 0.25), ("Vm", 1, 1.25)]
    assert recording.ancillary.events[0].labels == ("drug",)
    assert recording.annotations == {"AcquisitionMode": "Episodic Stimulation"}


def test_without_pyabf_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nwb_mepp.readers.interface.find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"'atf' needs the package pyabf, .*nwb-mepp\[formats\]"):
        read(write(tmp_path / "run.atf"))


def test_registering_the_reader_does_not_import_pyabf() -> None:
    program = (
        "import sys; from nwb_mepp.readers import reader_table; reader_table(); "
        "sys.exit('pyabf' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
