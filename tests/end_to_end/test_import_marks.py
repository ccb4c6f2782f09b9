"""convert --events: marks made by hand, for one recording or, with {} in the name, for several."""

from __future__ import annotations

from pathlib import Path

import pytest

import nwb_mepp
from builders.command_line import Call
from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from builders.nwb_files import objects
from nwb_mepp.nwb import read_events

STATED = ("--unit", "V", "--override", "--session-start", "2026-01-15T10:00:00Z")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Two recordings with marks beside them, and one without."""
    folder = tmp_path / "lab"
    for number, n_marks in ((1, 8), (2, 3), (3, 0)):
        write_text(folder / f"run{number}.txt", mepp_trace(seed=number))
        if n_marks:
            rows = "".join(f"{onset_s}\n" for onset_s in ONSETS_S[:n_marks])
            (folder / f"run{number}.marks").write_text(f"start_time\n{rows}", encoding="utf-8")
    return folder


def test_each_recording_gets_its_own_marks_and_one_without_fails_alone(call: Call, lab: Path) -> None:
    recordings = sorted(lab.glob("*.txt"))
    called = call("convert", *recordings, "-o", lab / "out", "--events", "{}.marks", *STATED)
    assert called.code == 1
    assert "run1.txt.nwb: 8 MEPPs on Voltage (hand)" in called.err
    assert "run2.txt.nwb: 3 MEPPs on Voltage (hand)" in called.err
    assert "run3.marks, as --events '{}.marks' says, found no such file" in " ".join(called.err.split())
    assert sorted(path.name for path in (lab / "out").glob("*.nwb")) == ["run1.txt.nwb", "run2.txt.nwb"]
    listed = call("events", lab / "out" / "run2.txt.nwb", "--table", "mepps_curated")
    onsets_s = [float(line.split(",")[4]) for line in listed.out.splitlines()[1:]]
    assert onsets_s == list(ONSETS_S[:3])


def test_one_table_for_several_recordings_is_wrong_usage(call: Call, lab: Path) -> None:
    called = call("convert", *lab.glob("*.txt"), "-o", lab / "out", "--events", lab / "run1.marks", *STATED)
    assert called.code == 2
    assert "--events: expected '{}' in the name for 3 recordings, found" in called.err
    assert not (lab / "out").exists()


def test_a_channel_without_events_is_wrong_usage(call: Call, lab: Path) -> None:
    called = call("convert", lab / "run1.txt", "-o", lab / "out", "--channel", "Voltage", *STATED)
    assert called.code == 2
    assert "--channel names the channel of --events, but --events is not given" in called.err


def test_marks_become_a_type_of_the_extension_where_asked(call: Call, lab: Path) -> None:
    for number, words in enumerate(((), ("--extension",))):
        output = lab / f"out{number}"
        assert (
            call("convert", lab / "run1.txt", "-o", output, "--events", "{}.marks", *STATED, *words).code == 0
        )
    plain, typed = (objects(lab / f"out{number}" / "run1.txt.nwb") for number in range(2))
    kinds = [str(one["intervals/mepps_curated"][0]["neurodata_type"]).strip("'") for one in (plain, typed)]
    assert kinds == ["TimeIntervals", "MEPPTable"]
    listed = [
        call("events", lab / f"out{number}" / "run1.txt.nwb", "--table", "mepps_curated").out.splitlines()
        for number in range(2)
    ]
    assert len(listed[0]) == 9
    # All but the path of the file is the same.
    assert [row.split(",")[1:] for row in listed[0]] == [row.split(",")[1:] for row in listed[1]]


@pytest.mark.parametrize(
    ("folder", "marks", "expected_s"),
    [
        ("events_thousands", "thousands_silent.txt", [12.3456, 15.2001, 18.0502]),
        ("events_clock", "clock_silent.txt", [12.346, 15.200, 18.050]),
    ],
)
def test_marks_with_thousands_or_clock_times_are_where_they_were_made(
    folder: str, marks: str, expected_s: list[float], shared_cases: Path, tmp_path: Path
) -> None:
    case, output = shared_cases / folder, tmp_path / "a.nwb"
    nwb_mepp.convert(case / "long.csv", output, events=case / marks, session_start="2022-01-01T00:00:00Z")
    (table,) = read_events(output, table="mepps_curated")
    assert table.mepps.peak_s == pytest.approx(expected_s, abs=1e-9)


@pytest.mark.parametrize("name", ["own_comma.csv", "own_lab.csv"])
def test_our_own_tables_are_given_back(name: str, shared_cases: Path, tmp_path: Path) -> None:
    case, output = shared_cases / "own_tables_back", tmp_path / "a.nwb"
    nwb_mepp.convert(case / "sixty.csv", output, events=case / name, session_start="2022-01-01T00:00:00Z")
    (table,) = read_events(output, table="mepps_curated")
    assert len(table.mepps) == 60
    assert table.mepps.start_s[:3] == pytest.approx([0.6221, 1.8401, 2.5560], abs=1e-9)
    assert table.mepps.amplitude[0] == pytest.approx(0.53153997567984e-3, rel=1e-11)
