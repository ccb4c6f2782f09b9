"""Files that users of other programs reported, built anew in ../shared/cases: each with its right value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.readers import ReadOptions, read_recording

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
PLAIN = {"sampling_rate_hz": 1e4, "unit": "mV"}


def case(name: str) -> Path:
    path = CASES / name
    if not path.exists():
        if os.environ.get("CI") == "true" and CASES.parent.exists():
            pytest.fail(f"expected the case {name} in ../shared/cases beside the project, found none")
        pytest.skip("needs ../shared/cases beside the project")
    return path


@pytest.mark.parametrize(
    ("name", "options", "mean"),
    [
        ("lc_blocks_units/lc_blocks_units.txt", {}, {("Vm", 0): -0.07, ("Vm", 1): -0.07}),
        ("lc_no_time/lc_no_time.txt", {}, {("Vm", 0): -0.07, ("Iinj", 0): -5e-11}),
        ("lc_no_time/lc_no_time.txt", {"sampling_rate_hz": 1e4}, {("Vm", 0): -0.07, ("Iinj", 0): -5e-11}),
        ("two_ch_notime/two_ch_notime.txt", {"sampling_rate_hz": 1e4}, {("Vm", 0): -0.07, ("Im", 0): -5e-11}),
        ("one_column/one_col.csv", {"sampling_rate_hz": 1e4}, {("Vm", 0): -0.07}),
        ("one_column/one_col_nohdr.txt", PLAIN, {("channel 1", 0): -0.07}),
        ("nan_text/lc_nan.txt", {}, {("Vm", 0): -0.07, ("Iinj", 0): -5e-11}),
        ("nan_csv/csv_nan.csv", {}, {("Vm", 0): -0.07}),
        ("csv_quoted/csv_quoted.csv", {}, {("Vm", 0): -0.07}),
        ("csv_semicolon/semicolon.csv", {}, {("Vm", 0): -0.07}),
        ("gain_all_channels/lc_full.txt", {"gain": {"Vm": 10}}, {("Vm", 0): -0.007, ("Iinj", 0): -5e-11}),
        ("igor_itx/wave.itx", {}, {("Vm", 0): -0.07}),
        ("mat_files/labchart_export.mat", {}, {("Vm", 0): -0.07, ("Iinj", 0): -5e-8}),
        ("mat_files/struct.mat", {}, {("Vm", 0): -0.07}),
        ("mat_files/plain.mat", {"variable": "v", **PLAIN}, {("v", 0): -0.07}),
        ("mat_files/v73.mat", {"variable": "Vm", **PLAIN}, {("Vm", 0): -0.07}),
    ],
)
def test_a_case_has_its_channels_values_and_rate(
    name: str, options: dict[str, Any], mean: dict[tuple[str, int], float]
) -> None:
    traces = read_recording(case(name), options=ReadOptions(**options)).traces
    found = {(trace.channel, trace.sweep): float(np.nanmean(trace.values())) for trace in traces}
    assert found == {key: pytest.approx(value, rel=2e-3) for key, value in mean.items()}
    assert {(trace.sampling_rate_hz, trace.n_samples) for trace in traces} == {(1e4, 20_000)}


@pytest.mark.parametrize("options", [{}, {"sampling_rate_hz": 1e4}])
def test_the_pause_of_a_recording_stays_a_pause(options: dict[str, Any]) -> None:
    traces = read_recording(case("gap_rate_override/lc_gap.txt"), options=ReadOptions(**options)).traces
    assert [(trace.start_s, trace.n_samples) for trace in traces] == [
        (0.0, 6000),
        (pytest.approx(30.6), 14_000),
    ]
