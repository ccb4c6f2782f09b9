from __future__ import annotations

import os
from pathlib import Path

import pytest

from nwb_mepp.cli import benchmark, main
from nwb_mepp.detectors import detector_names

ONE_LEVEL = ["--levels-only", "--level", "10", "--recordings", "1", "--detector", "threshold", "--jobs", "1"]


def test_one_level_of_one_detector_is_a_table_on_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["benchmark", *ONE_LEVEL, "--keep", str(tmp_path / "kept")]) == 0
    printed = capsys.readouterr()
    header, _, row, oracle, ceiling = printed.out.splitlines()
    assert header.startswith("| level | detector | F1 (95 %) |")
    assert row.startswith("| 10 | threshold | ")
    assert oracle.startswith("| 10 | *oracle* (")
    assert ceiling.startswith("| 10 | *ceiling* (")
    assert printed.err == ""
    # What is kept gives the same table again.
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["level-10-000.json"]
    assert main(["benchmark", *ONE_LEVEL, "--keep", str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out == printed.out


def test_a_quick_benchmark_runs_every_detector_and_every_condition_in_few_recordings() -> None:
    quick, full = (benchmark._plan(None, None, None, quick=one) for one in (True, False))
    assert set(quick.detectors) == set(full.detectors) == set(detector_names())
    assert quick.detectors[0] == "miniunet"
    names = {condition.name for condition in full.conditions()}
    left_out = names - {condition.name for condition in quick.conditions()}
    assert left_out == {"level-2", "level-4", "level-10"}
    # A recording takes all detectors some four seconds of one core: 90 of them take two cores three minutes.
    assert sum(quick.conditions().values()) <= 90
    assert min(full.n_recordings, full.n_silent) == 40


def test_a_part_is_run_alone_with_given_weights_on_as_many_recordings_of_each_kind_as_asked_for() -> None:
    plan = benchmark._plan(["miniunet"], None, 3, quick=False, parts=("filters",), weights=["miniunet@3"])
    conditions = plan.conditions()
    assert set(conditions.values()) == {3}
    assert {condition.name.partition("-")[0] for condition in conditions} == {"filtered"}
    ((name, folder),) = plan.weights
    assert (name, folder.name) == ("miniunet", "3")
    every = benchmark._plan(None, None, 3, quick=False)
    assert (every.n_recordings, every.n_filtered) == (3, 12)
    assert set(conditions) < set(every.conditions())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--levels-only", "--only", "levels"], "--levels-only is a table of one part, so --only cannot"),
        (["--only", "speed"], "'speed' is not one of 'levels', 'silence', 'curves', 'filters'"),
        (
            ["--detector", "threshold", "--weights", "miniunet@3"],
            "expected weights of a detector that is run (threshold), found",
        ),
        (["--detector", "oracle"], "--detector: expected one of "),
        (["--level", "0"], "--level: expected a finite number above 0, found 0."),
        (["--level", "6", "--level", "6"], "--level: expected each level once, found one twice."),
        (["--levels-only", "-o", "page.md"], "--levels-only prints a table, not a page, so -o cannot be"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_a_folder_where_no_page_can_be_written_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert main(["benchmark", "-o", str(tmp_path / "file" / "page.md")]) == 1
    assert "expected to write" in capsys.readouterr().err
    assert main(["benchmark", "-o", os.devnull]) == 2
    assert "-o: expected a page ending in .md, found" in capsys.readouterr().err
