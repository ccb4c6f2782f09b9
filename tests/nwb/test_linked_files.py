"""Files that name other files, and objects with two names: annotated with links kept, or refused."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

from builders.nwb_files import objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace
from nwb_mepp.core.errors import OutputError
from nwb_mepp.nwb import open_nwb, read_results, replace_results
from nwb_mepp.nwb.extension import add_extension, remove_extension

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


def test_a_series_that_is_linked_is_refused_with_the_file_that_holds_it(raw: Path, empty: NWBFile) -> None:
    path = raw.with_name("whole.nwb")
    with NWBHDF5IO(raw, "r") as source:
        empty.add_acquisition(source.read().acquisition["Vm"])
        with NWBHDF5IO(path, "w", manager=source.manager) as io:
            io.write(empty, link_data=True)
    assert link_of(path, "acquisition/Vm") == (h5py.ExternalLink, "raw.nwb", "/acquisition/Vm")
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"found a link to .*raw\.nwb; .* so detect in that one"):
        replace_results(path, [RESULT])
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["data_link", "virtual"])
def test_samples_named_relative_to_the_file_are_not_written_elsewhere(
    kind: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(kind)
    elsewhere = path.parent / "elsewhere" / path.name
    with pytest.raises(
        OutputError, match=r"/acquisition/Vm/data lies in 'raw\.nwb' beside it, which would not"
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


@pytest.mark.parametrize("group", ["scratch_of_mine", "general/of_mine"])
def test_a_second_name_in_a_foreign_group_stays(raw: Path, group: str) -> None:
    with h5py.File(raw, "r+") as file:
        file.create_group(group)["same"] = file["acquisition/Vm"]
        file[f"{group}/samples"] = file["acquisition/Vm/data"]
    before = objects(raw)
    for _ in range(2):
        replace_results(raw, [RESULT])
    after = objects(raw)
    assert {name: after[name] for name in before} == before
    with h5py.File(raw) as file:
        assert file[f"{group}/same"] == file["acquisition/Vm"]
        assert file[f"{group}/samples"] == file["acquisition/Vm/data"]
    assert read_results(raw)[0].mepps.start_index.tolist() == [8]
    add_extension(raw)
    remove_extension(raw)
    with h5py.File(raw) as file:
        assert file[f"{group}/same"] == file["acquisition/Vm"]


def test_a_second_name_that_pynwb_takes_for_the_first_is_refused(raw: Path) -> None:
    with h5py.File(raw, "r+") as file:
        file.create_group("a_first")["same"] = file["acquisition/Vm"]
    with open_nwb(raw) as recording:
        assert recording.channels == ("same",)
    before = raw.read_bytes()
    with pytest.raises(OutputError, match="found only a second name of it in a group that NWB does not know"):
        replace_results(raw, [result_of(mepps_on([int16_trace("same")], [(0, 8)]))])
    assert raw.read_bytes() == before
