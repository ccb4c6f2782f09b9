"""The command that tells what is in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.command_line import Call
from builders.known_mepps import DURATION_S, write_text
from nwb_mepp.nwb import read_results


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
    (detection,) = described["detections"]
    assert (detection["detector"], detection["channel"], detection["n_mepps"]) == (
        "matched_filter",
        "Voltage",
        8,
    )
    (row,) = read_results(annotated)
    assert detection["noise_sd"] == row.summary.noise_sd
    assert detection["hum_hz"] is None
    assert described["session_start"].startswith("2026-01-15T10:00:00")
    assert "matched_filter" in call("info", annotated).out


def test_a_survey_tells_what_the_noise_is_like(call: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    time_s = np.arange(100_000) / 10_000.0
    # A converter that steps by a quarter of the SD of the noise, and hum of twice that SD.
    volts = -0.07 + 50e-6 * rng.standard_normal(len(time_s)) + 100e-6 * np.sqrt(2) * np.sin(314.16 * time_s)
    path = write_text(tmp_path / "a.txt", np.round(volts / 12.5e-6) * 12.5e-6)
    (found,) = json.loads(call("info", path, "--unit", "V", "--survey", "--format", "json").out)["survey"]
    assert found["noise_sd"] == pytest.approx(50e-6, rel=0.05)
    assert found["bandwidth_hz"] == 5000.0
    assert found["converter_step"] == pytest.approx(12.5e-6, rel=0.02)
    assert found["hum_hz"] == pytest.approx(50.0, abs=0.05)
    assert found["noise_growth"] == pytest.approx(1.0, abs=0.1)
    assert found["analyzed_s"] == pytest.approx(10.0)
    assert "converter_step" in call("info", path, "--unit", "V", "--survey").out


def test_a_channel_that_cannot_be_surveyed_is_told_beside_the_rest(call: Call, tmp_path: Path) -> None:
    path = write_text(tmp_path / "flat.txt", np.full(50_000, -0.07))
    called = call("info", path, "--unit", "V", "--survey", "--format", "json")
    assert json.loads(called.out)["survey"] == []
    assert called.code == 0
    assert "expected a signal, found the constant -0.07 V" in called.err
