from __future__ import annotations

import pytest

from nwb_mepp.cli import main


def test_one_level_of_one_detector_is_a_table_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--levels-only", "--level", "10", "--recordings", "1", "--detector", "matched_filter"]
    assert main(["benchmark", *arguments]) == 0
    printed = capsys.readouterr()
    header, _, row, oracle = printed.out.splitlines()
    assert header.startswith("| level | detector | F1 (95 %) |")
    assert row.startswith("| 10 | matched_filter | ")
    assert oracle.startswith("| 10 | matched filter, true mean shape and best threshold (")
    assert printed.err == "level 10: 1 recordings\n"


def test_an_unknown_detector_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--detector", "oracle"]) == 2
    assert "--detector: expected one of " in capsys.readouterr().err
