"""MATLAB files of LabChart, Spike2 and WinWCP, and plain variables."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.readers import ReadOptions, read_recording


def read(path: Path, variables: dict[str, Any], **options: Any) -> Recording:
    savemat(path, variables)
    return read_recording(path, options=ReadOptions(**options))


def labchart(**changes: Any) -> dict[str, Any]:
    """Two channels in two blocks; the second channel was not recorded in the second block."""
    variables = {
        "data": np.arange(1.0, 101.0)[None, :],
        "datastart": np.array([[1, 61], [41, -1]]),
        "dataend": np.array([[40, 100], [60, -1]]),
        "samplerate": np.array([[1e4, 1e4], [5e3, 0]]),
        "titles": np.array(["Vm  ", "Iinj"]),
        "unittext": np.array(["mV", "nA", "V "]),
        "unittextmap": np.array([[1, 3], [2, -1]]),
        # 738522 is the first of January 2022.
        "blocktimes": np.array([[738522.5, 738522.5 + 30 / 86_400]]),
        "tickrate": np.array([[1e4, 1e4]]),
        "com": np.array([[-1.0, 2, 20, 1, 1]]),
        "comtext": np.array(["drug"]),
    }
    return variables | changes


def test_an_export_of_labchart_describes_itself(tmp_path: Path) -> None:
    recording = read(tmp_path / "a.mat", labchart())
    assert [(t.channel, t.sweep, t.unit, t.conversion, t.sampling_rate_hz) for t in recording.traces] == [
        ("Vm", 0, "V", 1e-3, 1e4),
        ("Vm", 1, "V", 1.0, 1e4),
        ("Iinj", 0, "A", 1e-9, 5e3),
    ]
    assert [trace.start_s for trace in recording.sweeps("Vm")] == pytest.approx([0.0, 30.0])
    np.testing.assert_array_equal(recording.traces[1].raw(), np.arange(61, 101))
    assert recording.session_start == datetime(2022, 1, 1, 12)
    (comments,) = recording.ancillary.events
    assert (comments.labels, comments.times_s.tolist()) == (("drug",), [pytest.approx(30.002)])


def test_integers_of_labchart_are_scaled(tmp_path: Path) -> None:
    scales = {"scaleunits": np.full((2, 2), 0.5), "scaleoffset": np.full((2, 2), -1.0)}
    variables = labchart(data=np.arange(1, 101, dtype=np.int16)[None, :], **scales)
    trace = read(tmp_path / "a.mat", variables).traces[0]
    assert trace.source.dtype == np.int16
    np.testing.assert_allclose(trace.values() * 1e3, (np.arange(1, 41) - 1) * 0.5)


def test_the_simple_export_of_labchart_is_read(tmp_path: Path) -> None:
    times = np.arange(50) / 1e4
    variables = {
        "data_block1": np.array([times, -times]),
        "ticktimes_block1": times[None, :],
        "titles_block1": np.array(["Vm", "Im"]),
        "units_block1": np.array(["mV", "pA"]),
    }
    recording = read(tmp_path / "a.mat", variables)
    assert [(t.channel, t.unit, t.sampling_rate_hz) for t in recording.traces] == [
        ("Vm", "V", 1e4),
        ("Im", "A", 1e4),
    ]
    with pytest.raises(ReadError, match="expected evenly spaced times, but the time step"):
        read(tmp_path / "a.mat", variables | {"ticktimes_block1": np.append(times[:-1], 1.0)[None, :]})


def spike2(values: Any, **changes: Any) -> dict[str, Any]:
    fields = {"title": "Vm", "units": "mV", "interval": 1e-4, "scale": 2.0, "offset": 1.0, "start": 3.0}
    return fields | {"values": values} | changes


def test_channels_of_spike2_have_their_rate_start_and_scale(tmp_path: Path) -> None:
    variables = {
        "V1_Ch1": spike2(np.arange(20.0)[:, None]),
        "V1_Ch2": spike2(np.arange(20, dtype=np.int16)[:, None], title="Im", units="pA"),
        "V1_Ch3": {"title": "stimulus", "times": np.array([[1.0]])},
    }
    recording = read(tmp_path / "a.mat", variables)
    first, second = recording.traces
    assert (first.channel, first.sampling_rate_hz, first.start_s) == ("Vm", 1e4, 3.0)
    np.testing.assert_allclose(first.values(), np.arange(20) * 1e-3)
    np.testing.assert_allclose(second.values(), (np.arange(20) * 2.0 / 6553.6 + 1.0) * 1e-12)
    with pytest.raises(ReadError, match="expected a number in the field 'interval' of a channel of Spike2"):
        read(tmp_path / "a.mat", {"c": spike2(np.arange(9.0), interval=0.0)})


def test_records_of_winwcp_are_sweeps(tmp_path: Path) -> None:
    times = np.arange(30)[:, None] / 1e4
    variables = {"T1": times, "Y1": np.hstack([times, -times]), "T2": times, "Y2": np.hstack([times, times])}
    recording = read(tmp_path / "a.mat", variables, unit="nA")
    assert recording.channels == ("channel 1", "channel 2")
    assert [trace.start_s for trace in recording.sweeps("channel 2")] == pytest.approx([0.0, 0.003])
    with pytest.raises(ReadError, match=r"expected a row of Y1 for each of 30 times in T1, found 29"):
        read(tmp_path / "a.mat", {"T1": times, "Y1": times[:-1]}, unit="nA")


@pytest.mark.parametrize("shape", [(1, 200), (200, 1)])
def test_a_plain_vector_is_named_by_the_user(tmp_path: Path, shape: tuple[int, int]) -> None:
    variables = {"v": np.arange(200.0).reshape(shape), "fs": 1e4, "s": {"v": np.arange(200.0)}}
    with pytest.raises(
        ReadError, match=r"the variables v, fs, s; .* `variable='v'` and `sampling_rate_hz=HZ`"
    ):
        read(tmp_path / "a.mat", variables)
    for name in ("v", "s.v"):
        recording = read(tmp_path / "a.mat", variables, variable=name, sampling_rate_hz=1e4, unit="mV")
        assert recording.channels == (name,)
        np.testing.assert_allclose(recording.traces[0].raw(), np.arange(200))
    assert recording.source.settings["variable"] == "s.v"
    with pytest.raises(ReadError, match="expected a sampling rate"):
        read(tmp_path / "a.mat", variables, variable="v", unit="mV")
    for name, found in (("w", "no such variable"), ("s", "no numbers"), ("s.w", "no such variable")):
        with pytest.raises(
            UsageError, match=f"`variable`: expected numbers in '{name}' of a.mat, found {found}"
        ):
            read(tmp_path / "a.mat", variables, variable=name)


def test_the_columns_of_a_matrix_are_channels(tmp_path: Path) -> None:
    recording = read(
        tmp_path / "a.mat", {"m": np.arange(40).reshape(20, 2)}, variable="m", unit="V", sampling_rate_hz=1e4
    )
    assert recording.channels == ("m 1", "m 2")
    assert recording.notes == ("m holds 2 channels of 20 samples.",)
    np.testing.assert_array_equal(recording.traces[1].raw(), np.arange(1, 40, 2))


def test_version_7_3_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["Vm"] = np.arange(200.0)[None, :]
        group = file.create_group("c1")
        group["values"], group["interval"] = np.arange(20.0)[None, :], np.array([[1e-4]])
        for name, text in (("title", "Vm"), ("units", "mV")):
            group[name] = np.array([[ord(one)] for one in text], dtype=np.uint16)
            group[name].attrs["MATLAB_class"] = np.bytes_("char")
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + path.read_bytes()[512:])
    recording = read_recording(path)
    assert [(t.channel, t.unit, t.sampling_rate_hz) for t in recording.traces] == [("Vm", "V", 1e4)]
    stated = ReadOptions(variable="Vm", sampling_rate_hz=1e4, unit="mV")
    assert read_recording(path, options=stated).traces[0].n_samples == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataend": np.array([[400, 100], [60, -1]])}, "is truncated: expected 400 samples, found 100"),
        (
            {"samplerate": np.array([[1e4, 1e4]])},
            "expected datastart, dataend and samplerate for each channel",
        ),
        ({"data": "text"}, "expected numbers in the variable 'data' of an export of LabChart, found none"),
    ],
)
def test_a_damaged_export_of_labchart_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        read(tmp_path / "a.mat", labchart(**changes))


def test_files_without_samples_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ReadError, match="expected a MATLAB file with samples, found only x; save the samples"
    ):
        read(tmp_path / "a.mat", {"x": 1.0})
    whole = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "b.mat").write_bytes(whole[: len(whole) // 2 + 70] + b"\xff" * 9)
    with pytest.raises(ReadError, match=r"b\.mat"):
        read_recording(tmp_path / "b.mat")
    with pytest.raises(ReadError, match="expected a MATLAB file, found one that cannot be read"):
        read_recording(tmp_path / "b.mat", options=ReadOptions(reader="matlab"))


def test_a_variable_of_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time_s,Vm_mV\n0,1\n0.1,2\n0.2,3\n")
    with pytest.raises(
        UsageError, match=r"`variable`: expected a MATLAB file, found a\.csv, which the reader"
    ):
        read_recording(tmp_path / "a.csv", options=ReadOptions(variable="v"))
