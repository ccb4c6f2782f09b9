"""Files that name other files, and objects with two names: annotated with links kept, or refused."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

from builders.nwb_files import objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import AverageWaveform, ChannelResult, LeftOut
from nwb_mepp.nwb import (
    Finding,
    add_results,
    is_failure,
    open_nwb,
    read_events,
    read_results,
    replace_results,
    validate_nwb,
    write_nwb,
)
from nwb_mepp.nwb.extension import add_extension, remove_extension

FOUND = replace(
    result_of(mepps_on([int16_trace()], [(0, 8), (0, 300)])),
    left_out=(LeftOut(0.1, 0.12, "clipped"),),
    waveform=AverageWaveform(time_s=np.array([0.0, 1e-4]), values=np.array([0.0, 1e-3]), n_mepps=2),
)
RESULT = result_of(mepps_on([int16_trace()], [(0, 8)]))
SAMPLES = np.arange(2_000, dtype=np.int16)


@pytest.fixture
def empty(session_start: datetime) -> NWBFile:
    return NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)


@pytest.fixture
def raw(folder: Path, session_start: datetime) -> Path:
    file = NWBFile(session_description="Raw.", identifier="r", session_start_time=session_start)
    file.add_acquisition(TimeSeries(name="Vm", data=SAMPLES, unit="volts", rate=10_000.0))
    with NWBHDF5IO(folder / "raw.nwb", "w") as io:
        io.write(file)
    return folder / "raw.nwb"


@pytest.fixture
def data_link(raw: Path, empty: NWBFile) -> Path:
    """A file whose samples pynwb has linked to another one."""
    path = raw.with_name("link.nwb")
    with NWBHDF5IO(raw, "r") as source, NWBHDF5IO(path, "w") as io:
        data = source.read().acquisition["Vm"].data
        empty.add_acquisition(TimeSeries(name="Vm", data=data, unit="volts", rate=10_000.0))
        io.write(empty, link_data=True)
    return path


def linking(raw: Path, file: NWBFile, *, results: Sequence[ChannelResult] = ()) -> Path:
    """Write a file whose series pynwb has linked to another one."""
    path = raw.with_name("whole.nwb")
    with NWBHDF5IO(raw, "r") as source:
        for series in source.read().acquisition.values():
            file.add_acquisition(series)
        if results:
            add_results(file, results)
        with NWBHDF5IO(path, "w", manager=source.manager) as io:
            io.write(file)
    return path


@pytest.fixture
def whole(raw: Path, empty: NWBFile) -> Path:
    return linking(raw, empty)


@pytest.fixture
def virtual(raw: Path) -> Path:
    """A file with a virtual dataset of another one."""
    path = raw.with_name("virtual.nwb")
    shutil.copy(raw, path)
    with h5py.File(path, "r+") as file:
        attributes = dict(file["acquisition/Vm/data"].attrs)
        del file["acquisition/Vm/data"]
        layout = h5py.VirtualLayout(SAMPLES.shape, SAMPLES.dtype)
        layout[:] = h5py.VirtualSource("raw.nwb", "acquisition/Vm/data", SAMPLES.shape)
        file["acquisition/Vm"].create_virtual_dataset("data", layout).attrs.update(attributes)
    return path


def samples_of(path: Path) -> list[int]:
    with open_nwb(path) as recording:
        return list(recording.traces[0].raw())


def link_of(path: Path, place: str) -> tuple[Any, ...]:
    with h5py.File(path) as file:
        link = file.get(place, getlink=True)
        return type(link), getattr(link, "filename", None), getattr(link, "path", None)


def test_samples_that_are_linked_stay_linked(data_link: Path, raw: Path) -> None:
    raw.chmod(0o444)
    before, other = objects(data_link), raw.read_bytes()
    link = link_of(data_link, "acquisition/Vm/data")
    assert link == (h5py.ExternalLink, "raw.nwb", "/acquisition/Vm/data")
    for _ in range(2):
        replace_results(data_link, [RESULT])
        assert link_of(data_link, "acquisition/Vm/data") == link
    after = objects(data_link)
    assert {name: after[name] for name in before} == before
    assert samples_of(data_link) == SAMPLES.tolist()
    assert read_results(data_link)[0].mepps.start_index.tolist() == [8]
    assert raw.read_bytes() == other


def failures(path: Path) -> list[Finding]:
    return [one for one in validate_nwb(path) if is_failure(one)]


def columns_of(path: Path, table: str) -> dict[str, list[Any]]:
    """Return what says where the MEPPs of a table are, from the file itself."""
    with h5py.File(path) as file:
        group = file["intervals"][table]
        assert "timeseries" not in group
        return {
            "series": group["series"].asstr()[:].tolist(),
            "idx_start": group["idx_start"][:].tolist(),
            "count": group["count"][:].tolist(),
        }


def test_a_series_that_is_linked_stays_linked_and_its_mepps_name_its_path(whole: Path, raw: Path) -> None:
    raw.chmod(0o444)
    other, changed_ns = raw.read_bytes(), raw.stat().st_mtime_ns
    found_before = failures(whole)
    before, link = objects(whole), (h5py.ExternalLink, "raw.nwb", "/acquisition/Vm")
    for result in (RESULT, FOUND):
        assert link_of(whole, "acquisition/Vm") == link
        replace_results(whole, [result])
    assert link_of(whole, "acquisition/Vm") == link
    after = objects(whole)
    assert {name: after[name] for name in before} == before
    assert columns_of(whole, "mepps_miniunet") == {
        "series": ["/acquisition/Vm"] * 2,
        "idx_start": [8, 300],
        "count": [50, 50],
    }
    assert samples_of(whole) == SAMPLES.tolist()
    assert failures(whole) == found_before
    assert (raw.read_bytes(), raw.stat().st_mtime_ns) == (other, changed_ns)


def test_what_was_found_on_a_linked_series_is_read_back(whole: Path) -> None:
    replace_results(whole, [FOUND])
    (back,) = read_results(whole)
    assert repr(back.summary) == repr(FOUND.summary)  # NaN equals NaN in words only
    for column in Mepps.columns():
        expected = getattr(FOUND.mepps, column.attribute)
        np.testing.assert_array_equal(getattr(back.mepps, column.attribute), expected)
    assert back.left_out == (LeftOut(0.1, 0.12, "clipped"),)
    assert back.waveform is not None
    assert back.waveform.values.tolist() == [0.0, 1e-3]
    assert [events.series for events in read_events(whole)] == [("Vm", "Vm")]


def test_sweeps_that_are_linked_are_told_apart(folder: Path, empty: NWBFile, session_start: datetime) -> None:
    traces = [int16_trace(sweep=0), int16_trace(sweep=1)]
    write_nwb(recording_of(*traces), folder / "raw.nwb", session_start=session_start)
    path = linking(folder / "raw.nwb", empty)
    replace_results(path, [result_of(mepps_on(traces, [(0, 8), (1, 20)]))])
    assert columns_of(path, "mepps_miniunet") == {
        "series": ["/acquisition/Vm_sweep_000", "/acquisition/Vm_sweep_001"],
        "idx_start": [8, 20],
        "count": [50, 50],
    }
    (back,) = read_results(path)
    assert back.mepps.sweep.tolist() == [0, 1]
    assert back.mepps.peak_index.tolist() == [18, 30]


def test_a_linked_series_beside_one_of_the_file_changes_nothing_for_that(whole: Path) -> None:
    with h5py.File(whole, "r+") as file:
        file.copy(file["acquisition/Vm"], file["acquisition"], "Own")
        file["acquisition/Own"].attrs["object_id"] = str(UUID(int=1))
    own = int16_trace("Own")
    replace_results(whole, [FOUND, result_of(mepps_on([own], [(0, 5)]))])
    assert columns_of(whole, "mepps_miniunet_Vm")["idx_start"] == [8, 300]
    with h5py.File(whole) as file:
        assert "series" not in file["intervals/mepps_miniunet_Own"]
        reference = file["intervals/mepps_miniunet_Own/timeseries"][0]
        assert (file[reference["timeseries"]].name, reference["idx_start"]) == ("/acquisition/Own", 5)
    assert [one.mepps.channel for one in read_results(whole)] == ["Vm", "Own"]


def test_tables_on_a_linked_series_have_types_of_the_extension_too(whole: Path, raw: Path) -> None:
    other, found_before = raw.read_bytes(), failures(whole)
    replace_results(whole, [FOUND], extension=True)
    with h5py.File(whole) as file:
        assert file["intervals/mepps_miniunet"].attrs["neurodata_type"] == "MEPPTable"
    assert columns_of(whole, "mepps_miniunet")["idx_start"] == [8, 300]
    assert read_results(whole)[0].mepps.start_index.tolist() == [8, 300]
    remove_extension(whole)
    add_extension(whole)
    assert link_of(whole, "acquisition/Vm")[0] is h5py.ExternalLink
    assert read_results(whole)[0].mepps.start_index.tolist() == [8, 300]
    assert failures(whole) == found_before
    assert raw.read_bytes() == other


@pytest.mark.parametrize("needed", [False, True])
def test_a_module_that_is_linked_stays_linked(
    folder: Path, empty: NWBFile, session_start: datetime, needed: bool
) -> None:
    """Also where another object of the file leads into it."""
    file = NWBFile(session_description="Raw.", identifier="r", session_start_time=session_start)
    module = file.create_processing_module(name="filtered", description="d")
    module.add(TimeSeries(name="Vm", data=SAMPLES, unit="volts", rate=10_000.0))
    raw, path = folder / "raw.nwb", folder / "module.nwb"
    for one, place in ((file, raw), (empty, path)):
        with NWBHDF5IO(place, "w") as io:
            io.write(one)
    with h5py.File(path, "r+") as handle:
        handle["processing/filtered"] = h5py.ExternalLink("raw.nwb", "/processing/filtered")
        if needed:
            handle["scratch/Vm"] = h5py.SoftLink("/processing/filtered/Vm")
    other, channel = raw.read_bytes(), "processing/filtered/Vm"
    for _ in range(2):
        replace_results(path, [result_of(mepps_on([int16_trace(channel)], [(0, 8)]))])
    assert link_of(path, "processing/filtered") == (h5py.ExternalLink, "raw.nwb", "/processing/filtered")
    assert columns_of(path, f"mepps_miniunet_{channel.replace('/', '_')}")["series"] == [f"/{channel}"]
    assert read_results(path)[0].mepps.channel == channel
    assert raw.read_bytes() == other


def test_times_that_are_linked_stay_linked(raw: Path, session_start: datetime, empty: NWBFile) -> None:
    """Directly, and through a series that is a link."""
    file = NWBFile(session_description="Raw.", identifier="r", session_start_time=session_start)
    times_s = np.arange(len(SAMPLES)) / 10_000.0
    file.add_acquisition(TimeSeries(name="Im", data=SAMPLES, unit="amperes", timestamps=times_s))
    with NWBHDF5IO(raw, "w") as io:
        io.write(file)
    for name in ("direct", "through"):
        empty.add_acquisition(TimeSeries(name=name, data=SAMPLES, unit="volts", timestamps=times_s))
    path, other = linking(raw, empty), raw.read_bytes()
    links = {"direct": h5py.ExternalLink("raw.nwb", "/acquisition/Im/timestamps")}
    links["through"] = h5py.SoftLink("/acquisition/Im/timestamps")
    with h5py.File(path, "r+") as handle:
        for name, link in links.items():
            del handle[f"acquisition/{name}/timestamps"]
            handle[f"acquisition/{name}/timestamps"] = link
    replace_results(path, [result_of(mepps_on([int16_trace(name)], [(0, 8)])) for name in links])
    with h5py.File(path) as handle:
        for name, link in links.items():
            kept = handle.get(f"acquisition/{name}/timestamps", getlink=True)
            assert (type(kept), kept.path) == (type(link), link.path)
    assert [one.mepps.channel for one in read_results(path)] == ["direct", "through"]
    assert raw.read_bytes() == other


def test_results_are_added_in_memory_to_a_file_that_links_a_series(raw: Path, empty: NWBFile) -> None:
    path = linking(raw, empty, results=[FOUND])
    assert link_of(path, "acquisition/Vm") == (h5py.ExternalLink, "raw.nwb", "/acquisition/Vm")
    assert columns_of(path, "mepps_miniunet")["idx_start"] == [8, 300]
    assert read_results(path)[0].mepps.start_index.tolist() == [8, 300]


def test_a_link_of_another_name_than_its_series_is_refused(whole: Path) -> None:
    with h5py.File(whole, "r+") as file:
        file.move("acquisition/Vm", "acquisition/membrane")
    before = whole.read_bytes()
    with pytest.raises(OutputError, match=r"expected a link /acquisition/Vm in .*whole\.nwb, .*; rename the"):
        replace_results(whole, [RESULT])
    assert whole.read_bytes() == before


@pytest.mark.parametrize("place", ["intervals", "processing", "processing/icephys"])
def test_tables_are_not_written_into_another_file(raw: Path, empty: NWBFile, place: str) -> None:
    path = linking(raw, empty)
    replace_results(raw, [RESULT])
    with h5py.File(path, "r+") as file:
        if place in file:
            del file[place]
        file[place] = h5py.ExternalLink("raw.nwb", f"/{place}")
    before, other = path.read_bytes(), raw.read_bytes()
    with pytest.raises(
        OutputError, match=rf"expected /{place} in .* found a link to 'raw\.nwb', which is never"
    ):
        replace_results(path, [result_of(FOUND.mepps, "template")])
    assert (path.read_bytes(), raw.read_bytes()) == (before, other)


@pytest.mark.parametrize(
    ("kind", "place"), [("data_link", "Vm/data"), ("virtual", "Vm/data"), ("whole", "Vm")]
)
def test_samples_named_relative_to_the_file_are_not_written_elsewhere(
    kind: str, place: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(kind)
    elsewhere = path.parent / "elsewhere" / path.name
    with pytest.raises(
        OutputError, match=rf"/acquisition/{place} lies in 'raw\.nwb' beside it, which would not"
    ):
        replace_results(path, [RESULT], out=elsewhere)
    assert not elsewhere.parent.exists()
    beside = path.with_name("out.nwb")
    replace_results(path, [RESULT], out=beside)
    assert samples_of(beside) == SAMPLES.tolist()
    with pytest.raises(OutputError, match="would not be found from"):
        add_extension(beside, out=elsewhere)


def test_an_absolute_link_may_be_written_elsewhere(data_link: Path, raw: Path) -> None:
    with h5py.File(data_link, "r+") as file:
        del file["acquisition/Vm/data"]
        file["acquisition/Vm/data"] = h5py.ExternalLink(str(raw.resolve()), "/acquisition/Vm/data")
    elsewhere = data_link.parent / "elsewhere" / "a.nwb"
    replace_results(data_link, [RESULT], out=elsewhere)
    assert samples_of(elsewhere) == SAMPLES.tolist()


def test_a_second_name_in_a_foreign_group_stays(raw: Path) -> None:
    groups = ("scratch_of_mine", "general/of_mine")
    with h5py.File(raw, "r+") as file:
        for group in groups:
            file.create_group(group)["same"] = file["acquisition/Vm"]
            file[f"{group}/samples"] = file["acquisition/Vm/data"]
    before = objects(raw)
    for _ in range(2):
        replace_results(raw, [RESULT])
    after = objects(raw)
    assert {name: after[name] for name in before} == before
    with h5py.File(raw) as file:
        assert all(file[f"{group}/same"] == file["acquisition/Vm"] for group in groups)
        assert all(file[f"{group}/samples"] == file["acquisition/Vm/data"] for group in groups)
    assert read_results(raw)[0].mepps.start_index.tolist() == [8]
    add_extension(raw)
    remove_extension(raw)
    with h5py.File(raw) as file:
        assert all(file[f"{group}/same"] == file["acquisition/Vm"] for group in groups)


def test_a_second_name_that_pynwb_takes_for_the_first_is_refused(raw: Path) -> None:
    with h5py.File(raw, "r+") as file:
        file.create_group("a_first")["same"] = file["acquisition/Vm"]
    with open_nwb(raw) as recording:
        assert recording.channels == ("same",)
    before = raw.read_bytes()
    with pytest.raises(OutputError, match="found only a second name of it in a group that NWB does not know"):
        replace_results(raw, [result_of(mepps_on([int16_trace("same")], [(0, 8)]))])
    assert raw.read_bytes() == before
