"""The command that tells what is in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders.command_line import Call
from builders.known_mepps import DURATION_S


def test_info_describes_a_lab_file(call: Call, lab_file: Path) -> None:
    described = json.loads(call("info", lab_file, "--unit", "V", "--format", "json").out)
    (channel,) = described["channels"]
    assert channel["channel"] == "Voltage"
    assert channel["unit"] == "V"
    assert channel["sampling_rate_hz"] == pytest.approx(10_000.0)
    assert channel["duration_s"] == pytest.approx(DURATION_S)
    assert channel["median"] == pytest.approx(-0.07, abs=1e-3)
    text = call("info", lab_file, "--unit", "V").out
    assert "session_start" in text
    assert "not stated" in text


def test_info_names_the_problem_and_shows_the_rest(call: Call, lab_file: Path) -> None:
    called = call("info", lab_file)
    assert called.code == 1
    assert "Voltage" in called.out
    assert "pass --unit UNIT" in called.err


def test_info_describes_an_nwb_file(call: Call, annotated: Path) -> None:
    described = json.loads(call("info", annotated, "--format", "json").out)
    assert described["detections"] == [{"detector": "matched_filter", "channel": "Voltage", "n_mepps": 8}]
    assert described["session_start"].startswith("2026-01-15T10:00:00")
    assert "matched_filter" in call("info", annotated).out
