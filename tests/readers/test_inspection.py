"""What `info` shows, even for files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.readers import ReadOptions, inspect


def test_a_real_recording_is_described(shared_data: Path) -> None:
    info = inspect(shared_data / "formats" / "File_axon_3.abf")
    assert (info.reader, info.format, info.problems) == ("axon", "Axon ABF 1.83", ())
    stim, vm = info.channels
    assert (stim.name, stim.unit_label, stim.unit, vm.name, vm.unit_label, vm.unit) == (
        *("stim", "V", "V"),
        *("VmRK", "mV", "V"),
    )
    assert vm.n_samples == (20_644,) * 5
    assert vm.durations_s == pytest.approx((1.0322,) * 5)
    assert -0.09 < vm.minimum < vm.median < vm.maximum < 0.03
    assert info.sweep_times_stated


def test_a_missing_unit_is_a_problem_but_the_rest_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(
        "Time_ms,Voltage,labels\n" + "".join(f"{k / 10:.1f},{k},{int(k > 7)}\n" for k in range(10))
    )
    info = inspect(path)
    assert info.reader == "labeled-text"
    assert len(info.problems) == 1
    assert "pass `unit=" in info.problems[0]
    (channel,) = info.channels
    assert (channel.unit, channel.minimum, channel.maximum, channel.median) == (None, 0.0, 9.0, 4.5)
    assert channel.n_labels == 1
    read = inspect(path, options=ReadOptions(unit={"": "mV"}))
    assert read.problems == ()
    assert (read.channels[0].unit, read.channels[0].maximum) == ("V", pytest.approx(9e-3))


def test_for_a_file_that_cannot_be_opened_only_the_problem_is_shown(tmp_path: Path) -> None:
    info = inspect(tmp_path / "nothing.abf")
    assert (info.reader, info.channels) == (None, ())
    assert info.problems == (
        f"{tmp_path / 'nothing.abf'}: expected a recording, found no such file or folder; check the path.",
    )


def test_long_recordings_are_sampled_over_their_whole_length(tmp_path: Path) -> None:
    samples = np.zeros(2_000_000, dtype="<i2")
    samples[0], samples[-1] = -3, 5
    path = tmp_path / "run.raw"
    samples.tofile(path)
    options = ReadOptions(
        reader="rawbinarysignal", dtype="<i2", n_channels=1, sampling_rate_hz=1e4, unit={"": "V"}
    )
    (channel,) = inspect(path, options=options).channels
    assert (channel.minimum, channel.median, channel.maximum) == (-3.0, 0.0, 5.0)
    assert channel.durations_s == (200.0,)


def test_the_range_ignores_numbers_that_are_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "run.raw"
    np.array([1.0, np.nan, 3.0, np.inf], dtype="<f4").tofile(path)
    options = ReadOptions(
        reader="rawbinarysignal", dtype="<f4", n_channels=1, sampling_rate_hz=1e4, unit={"": "V"}
    )
    (channel,) = inspect(path, options=options).channels
    assert (channel.minimum, channel.maximum) == (1.0, 3.0)
    np.array([np.nan, np.nan], dtype="<f4").tofile(path)
    assert np.isnan(inspect(path, options=options).channels[0].median)


def test_ancillary_data_are_named(shared_data: Path) -> None:
    found = inspect(shared_data / "formats" / "File_micromed_1.TRC")
    assert found.ancillary == "events (Trigger)"
    assert inspect(shared_data / "formats" / "File_axon_7.abf").ancillary == "commands (Cmd 0, Cmd 1)"
    assert inspect(shared_data / "recordings" / "winchester" / "GroupA.abf").ancillary == ""
