"""A table with a row a file says what is known of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.workflows import WriteOptions
from nwb_mepp.workflows.batch import Job, Plan, read_sessions

COMMON = WriteOptions(timezone="Europe/Berlin", session_start_from="mtime", clamp="current")


def table(tmp_path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = tmp_path / "sessions.csv"
    path.write_text(text, encoding=encoding)
    return path


def plan(*names: str) -> Plan:
    jobs = tuple(Job(path=Path(name), output=Path("out", name), write_options=COMMON) for name in names)
    return Plan(folder=Path("out"), jobs=jobs)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_row_completes_its_file_and_leaves_the_others(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    text = "file,session_start,subject,metadata\nrun1.abf,2026-01-15T10:00:00Z, mouse-1 ,m/one.yaml\n\n"
    path = table(tmp_path, text.replace(",", separator), encoding=encoding)
    first, second = read_sessions(path).complete(plan("day1/run1.abf", "day1/run2.abf")).jobs
    assert first.write_options == WriteOptions(
        timezone="Europe/Berlin",
        session_start="2026-01-15T10:00:00Z",
        session_start_from=None,  # the row states the start in another way
        subject="mouse-1",
        metadata=tmp_path / "m" / "one.yaml",
        clamp="current",
    )
    assert second.write_options == COMMON


def test_an_empty_cell_states_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, "file,timezone,subject\nrun1.abf,,\n")
    assert read_sessions(path).complete(plan("run1.abf")).jobs[0].write_options == COMMON


def test_more_of_the_path_tells_files_of_one_name_apart(tmp_path: Path) -> None:
    path = table(tmp_path, "file,subject\nday2/run1.abf,b\nday1/run1.abf,a\n")
    jobs = read_sessions(path).complete(plan("day1/run1.abf", "day2/run1.abf")).jobs
    assert [job.write_options.subject for job in jobs] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,amplitude\n", r"expected the columns file, session_start, .* found 'amplitude', which is a"),
        ("file,group,group\n", r"found 'group' twice"),
        ("file,group,\n", r"found a column without a name"),
        ("subject\nx\n", r"found no column 'file'"),
        ("", r"found no column 'file'"),
        ("file,subject\nrun1.abf\n", r"sessions\.csv line 2: expected 2 cells, found 1"),
        ("file,subject\n,x\n", r"line 2: expected a file of its own in each row, found none"),
        ("file,subject\nrun1.abf,x\nrun1.abf,y\n", r"line 3: .* found 'run1\.abf' twice"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_sessions(table(tmp_path, text))


def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"`sessions`: expected a table, found that .*none\.csv cannot be read"
    ):
        read_sessions(tmp_path / "none.csv")
    (tmp_path / "old.csv").write_bytes("file,subject\nrun1.abf,мышь".encode("cp1251"))
    with pytest.raises(UsageError, match="to be text in UTF-8, found other bytes"):
        read_sessions(tmp_path / "old.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,subject\nrun1.abf,x\n", r"'run1\.abf' to be for one file of the batch, found .* and .*"),
        (
            "file,subject\nrun2.abf,x\nday1/run2.abf,y\n",
            r"expected one row for day1.run2\.abf, found 'run2\.abf' and 'day1/run2\.abf'",
        ),
    ],
)
def test_a_row_for_several_files_is_refused(tmp_path: Path, text: str, message: str) -> None:
    sessions = read_sessions(table(tmp_path, text))
    with pytest.raises(UsageError, match=message):
        sessions.complete(plan("day1/run1.abf", "day2/run1.abf", "day1/run2.abf"))


def test_rows_for_other_files_are_ignored_with_a_note(tmp_path: Path) -> None:
    path = table(tmp_path, "file,subject\nrun1.abf,a\n" + "".join(f"old{n}.abf,b\n" for n in range(7)))
    completed = read_sessions(path).complete(plan("run1.abf"))
    assert [job.write_options.subject for job in completed.jobs] == ["a"]
    assert completed.notes == (
        f"{path}: rows for files that are not in this run are ignored: old0.abf, old1.abf, old2.abf, "
        "old3.abf, old4.abf and 2 more.",
    )


def test_a_row_states_what_options_do(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "file;gain;unit;channel;reader;polarity;clamp;sampling_rate;exclude;group;stated_units\n"
        "run1.abf;10,5;Vm=mV, Im=pA;Vm;axon;negative;current;2e4;0:5 10:12;WT;mV\n",
    )
    (job,) = read_sessions(path).complete(plan("run1.abf")).jobs
    assert job.reading == {
        "gain": 10.5,
        "unit": {"Vm": "mV", "Im": "pA"},
        "reader": "axon",
        "sampling_rate_hz": 20_000.0,
    }
    assert job.detecting == {"channels": ["Vm"], "polarity": "negative", "exclude": ["0:5", "10:12"]}
    assert job.write_options.clamp == "current"
    assert job.columns == {"group": "WT"}


def test_a_file_can_be_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, "file,exclude\nrun1.abf,yes\n")
    completed = read_sessions(path).complete(plan("run1.abf", "run2.abf"))
    assert [job.path.name for job in completed.jobs] == ["run2.abf"]
    assert [(one.path.name, one.reason) for one in completed.skipped] == [
        ("run1.abf", "sessions.csv excludes it")
    ]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("gain", "ten", r"row of 'run1\.abf': expected a number for gain, found 'ten'"),
        ("unit", "bananas", r"row of 'run1\.abf': `unit`: expected a unit"),
        ("polarity", "up", r"row of 'run1\.abf': `polarity`"),
        ("exclude", "later", r"row of 'run1\.abf': `exclude`"),
    ],
)
def test_a_value_that_is_not_possible_is_refused(
    column: str, value: str, message: str, tmp_path: Path
) -> None:
    sessions = read_sessions(table(tmp_path, f"file,{column}\nrun1.abf,{value}\n"))
    with pytest.raises(UsageError, match=message):
        sessions.complete(plan("run1.abf"))
