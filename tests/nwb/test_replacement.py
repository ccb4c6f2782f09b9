from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdmf.common import VectorData
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals

from builders.nwb_files import changed, objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import OutputError, ReadError, UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import AverageWaveform, ChannelResult
from nwb_mepp.nwb import (
    DETECTED_SINCE,
    is_failure,
    read_fingerprint,
    read_results,
    replace_results,
    replacement,
    validate_nwb,
    write_nwb,
)
from nwb_mepp.nwb.mepp_tables import mepp_table
from nwb_mepp.nwb.metadata import Metadata

Found = Callable[..., ChannelResult]


@pytest.fixture(scope="module")
def traces() -> dict[str, list[Trace]]:
    return {
        "Vm": [int16_trace("Vm", sweep=sweep) for sweep in range(2)],
        "Im": [int16_trace("Im", sweep=sweep, unit="A") for sweep in range(2)],
    }


@pytest.fixture(scope="module")
def found(traces: dict[str, list[Trace]]) -> Found:
    def make(channel: str, detector: str, onsets: list[tuple[int, int]], **stated: Any) -> ChannelResult:
        mepps = mepps_on(traces[channel], onsets) if onsets else Mepps.empty(channel, traces[channel][0].unit)
        return result_of(mepps, detector, **stated)

    return make


@pytest.fixture(scope="module")
def original(
    tmp_path_factory: pytest.TempPathFactory,
    traces: dict[str, list[Trace]],
    found: Found,
    session_start: datetime,
) -> bytes:
    """A file of two detectors on two channels, with corrections by hand and things unknown to NWB."""
    path = tmp_path_factory.mktemp("original") / "a.nwb"
    write_nwb(
        recording_of(*traces["Vm"], *traces["Im"]),
        path,
        session_start=session_start,
        results=[
            found(channel, detector, [(0, 10), (0, 500), (1, 20)])
            for detector, channel in (("miniunet", "Vm"), ("miniunet", "Im"), ("autoencoder", "Vm"))
        ],
        fingerprint="f",
    )
    with NWBHDF5IO(path, "r+") as io:
        nwb = io.read()
        series = {("Vm", sweep): nwb.acquisition[f"Vm_sweep_00{sweep}"] for sweep in range(2)}
        by_hand = found("Vm", "hand", [(0, 10), (1, 30)])
        nwb.add_time_intervals(mepp_table(by_hand, name="mepps_curated", series=series))
        io.write(nwb)
    with h5py.File(path, "r+") as file:
        file["general"].attrs["of another program"] = "kept"
    return path.read_bytes()


@pytest.fixture
def path(folder: Path, original: bytes) -> Path:
    (folder / "a.nwb").write_bytes(original)
    return folder / "a.nwb"


def test_only_the_table_the_summary_and_the_fingerprint_change(path: Path, found: Found) -> None:
    with h5py.File(path, "r+") as file:
        file["acquisition"].create_dataset(
            "of another program", data=np.arange(5), compression="gzip", chunks=(2,)
        )
    path.chmod(0o640)
    before = objects(path)
    replace_results(path, [found("Vm", "miniunet", [(1, 5), (1, 800)], threshold=0.9)])
    after = objects(path)
    assert changed(before, after) == {
        "intervals/mepps_miniunet_Vm",
        "processing/icephys/mepp_detections",
        "processing/icephys/source_files",
    }
    fingerprint = "processing/icephys/source_files/fingerprint"
    assert {name for name in after if "source_files" in name and after[name] != before[name]} == {fingerprint}
    assert after["acquisition/of another program"] == before["acquisition/of another program"]
    assert list(path.parent.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.fixture(scope="module")
def rerun(tmp_path_factory: pytest.TempPathFactory, original: bytes, found: Found) -> list[Path]:
    """The file after no, one and two reruns."""
    paths = [tmp_path_factory.mktemp("rerun") / f"{number}.nwb" for number in range(3)]
    paths[0].write_bytes(original)
    for number in range(2):
        shutil.copyfile(paths[number], paths[number + 1])
        replace_results(paths[number + 1], [found("Vm", "miniunet", [(0, 10 + number), (1, 300)])])
    return paths


def test_the_fingerprint_says_that_the_file_was_changed_however_often(rerun: list[Path]) -> None:
    changed_mark = "f" + DETECTED_SINCE
    assert [read_fingerprint(path) for path in rerun] == ["f", changed_mark, changed_mark]


def test_the_row_keeps_its_place_and_the_others_stay(path: Path, found: Found) -> None:
    before = read_results(path)
    new = found("Im", "miniunet", [(1, 5)], threshold=0.9)
    replace_results(path, [new, found("Vm", "threshold", [(0, 1)])])
    after = read_results(path)
    assert [(one.detector, one.mepps.channel, len(one.mepps)) for one in after] == [
        ("miniunet", "Vm", 3),
        ("miniunet", "Im", 1),
        ("autoencoder", "Vm", 3),
        ("threshold", "Vm", 1),
    ]
    assert repr(after[1].summary) == repr(new.summary)
    assert repr(after[0].summary) == repr(before[0].summary)


def test_reruns_leave_one_table_and_one_row(rerun: list[Path]) -> None:
    assert objects(rerun[2]).keys() == objects(rerun[0]).keys()
    results = read_results(rerun[2])
    assert [len(one.mepps) for one in results] == [2, 3, 3]
    assert results[0].mepps.start_index.tolist() == [11, 300]


def test_a_rerun_that_finds_nothing_drops_the_table(path: Path, found: Found) -> None:
    replace_results(path, [found("Vm", "miniunet", [])])
    with h5py.File(path) as file:
        assert "mepps_miniunet_Vm" not in file["intervals"]
    assert [one.summary.n_mepps for one in read_results(path)] == [0, 3, 3]
    replace_results(path, [found("Vm", "miniunet", [(0, 4)])])
    assert [one.summary.n_mepps for one in read_results(path)] == [1, 3, 3]


def test_another_file_can_take_the_result(path: Path, found: Found, original: bytes) -> None:
    out = path.parent / "out.nwb"
    replace_results(path, [found("Vm", "miniunet", [(0, 4)])], out=out)
    assert path.read_bytes() == original
    assert len(read_results(out)[0].mepps) == 1


def test_a_failure_leaves_the_file_as_it_was(
    path: Path, found: Found, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(replacement, "add_mepp_tables", fail)
    with pytest.raises(RuntimeError, match="broken"):
        replace_results(path, [found("Vm", "miniunet", [(0, 4)])])
    assert path.read_bytes() == original
    assert list(path.parent.iterdir()) == [path]


def test_what_would_become_invalid_is_refused(
    path: Path, found: Found, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacement, "schema_errors", lambda one: [] if one == path else ["/: no good"])
    with pytest.raises(OutputError, match="/: no good"):
        replace_results(path, [found("Vm", "miniunet", [(0, 4)])])
    assert path.read_bytes() == original


def test_faults_that_were_there_before_are_not_refused(
    path: Path, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacement, "schema_errors", lambda _: ["/: old fault"])
    replace_results(path, [found("Vm", "miniunet", [(0, 4)])])
    assert len(read_results(path)[0].mepps) == 1


def test_a_channel_that_is_not_there_is_answered_with_those_that_are(path: Path, found: Found) -> None:
    other = found("Vm", "miniunet", [])
    stray = ChannelResult(detector="miniunet", mepps=Mepps.empty("V2", "V"), summary=other.summary)
    with pytest.raises(
        ValueError, match="expected the summary of each result to be of its detector and channel"
    ):
        replace_results(path, [stray])
    stray = replace(stray, summary=other.summary.replace(channel="V2"))
    with pytest.raises(UsageError, match=r"expected a channel of the file \(Vm, Im\), found 'V2'"):
        replace_results(path, [stray])


def test_without_results_there_is_nothing_to_do(path: Path) -> None:
    with pytest.raises(UsageError, match="expected at least one result to put into the file, found none"):
        replace_results(path, [])


def test_a_missing_file_is_named(folder: Path, found: Found) -> None:
    with pytest.raises(ReadError, match="found nothing at"):
        replace_results(folder / "none.nwb", [found("Vm", "miniunet", [])])


@pytest.fixture
def elsewhere(folder: Path, session_start: datetime) -> Callable[..., Path]:
    """A file of another program with one channel Vm."""

    def make(*, module: bool = False, table: str | None = None) -> Path:
        file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
        file.add_acquisition(TimeSeries(name="Vm", data=np.zeros(2_000), unit="volts", rate=10_000.0))
        if module:
            own = file.create_processing_module(name="icephys", description="Of another program.")
            own.add(TimeSeries(name="filtered", data=np.zeros(5), unit="volts", rate=1.0))
        if table:
            times = [
                VectorData(name=name, description="d", data=[1.0]) for name in ("start_time", "stop_time")
            ]
            file.add_time_intervals(TimeIntervals(name=table, description="d", columns=times))
        with NWBHDF5IO(folder / "e.nwb", "w") as io:
            io.write(file)
        return folder / "e.nwb"

    return make


@pytest.mark.parametrize("module", [False, True])
def test_a_file_of_another_program_can_be_annotated(elsewhere: Callable[..., Path], module: bool) -> None:
    path = elsewhere(module=module, table="trials_of_mine")
    before = objects(path)
    replace_results(path, [result_of(mepps_on([int16_trace()], [(0, 8)]))])
    after = objects(path)
    assert {name: after[name] for name in before} == before
    assert {"intervals/mepps_miniunet", "processing/icephys/mepp_detections"} <= after.keys()
    (back,) = read_results(path)
    assert back.mepps.start_index.tolist() == [8]
    pynwb_errors = [finding for finding in validate_nwb(path) if finding.source == "pynwb"]
    assert pynwb_errors == []


def test_a_table_of_another_program_is_not_overwritten(elsewhere: Callable[..., Path]) -> None:
    path = elsewhere(table="mepps_miniunet")
    with pytest.raises(
        OutputError, match=r"the table 'mepps_miniunet' in /intervals of .* was not written by nwb-mepp"
    ):
        replace_results(path, [result_of(mepps_on([int16_trace()], [(0, 7)]))])


def test_an_annotated_file_is_as_clean_as_a_written_one(
    folder: Path,
    traces: dict[str, list[Trace]],
    found: Found,
    full_metadata: Metadata,
    session_start: datetime,
) -> None:
    write_nwb(
        recording_of(*traces["Vm"], *traces["Im"]),
        folder / "a.nwb",
        session_start=session_start,
        metadata=full_metadata,
        clamp="current",
    )
    replace_results(folder / "a.nwb", [found("Im", "miniunet", [(0, 4), (1, 9)])])
    assert [finding for finding in validate_nwb(folder / "a.nwb") if is_failure(finding)] == []


def test_an_averaged_waveform_is_written_read_and_replaced_with_its_table(path: Path, found: Found) -> None:
    def waveform(n_mepps: int) -> AverageWaveform:
        time_s = np.arange(-5, 20) / 10e3
        return AverageWaveform(time_s=time_s, values=-1e-3 * np.exp(-(time_s**2)) / n_mepps, n_mepps=n_mepps)

    for n_mepps in (7, 12):
        new = replace(found("Vm", "miniunet", [(0, 10), (1, 300)]), waveform=waveform(n_mepps))
        replace_results(path, [new])
        first, *others = read_results(path)
        assert first.waveform is not None
        assert first.waveform.n_mepps == n_mepps
        np.testing.assert_array_equal(first.waveform.time_s, waveform(n_mepps).time_s)
        np.testing.assert_array_equal(first.waveform.values, waveform(n_mepps).values)
        assert all(one.waveform is None for one in others)
    with h5py.File(path) as file:
        mean = file["processing/icephys/mepp_waveform_miniunet_Vm/mean"]
        assert mean.attrs["description"].endswith("Unit: V.")
    replace_results(path, [found("Vm", "miniunet", [(0, 10)])])
    with h5py.File(path) as file:
        assert "mepp_waveform_miniunet_Vm" not in file["processing/icephys"]
