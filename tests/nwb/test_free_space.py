from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.nwb_files import objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.nwb import read_results, replace_results, replacement, schema_validation, write_nwb
from nwb_mepp.nwb.free_space import reclaim_space

# What pynwb says about links that lead nowhere.
pytestmark = pytest.mark.filterwarnings("ignore:Path to Group altered/broken")
ONSETS = [(0, 20 * number) for number in range(50)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, session_start: datetime) -> Path:
    """A file with a table, and with things unknown to NWB."""
    path = tmp_path_factory.mktemp("written") / "a.nwb"
    traces = [int16_trace(n_samples=2_000)]
    results = [result_of(mepps_on(traces, ONSETS))]
    write_nwb(recording_of(*traces), path, session_start=session_start, results=results)
    with h5py.File(path, "r+") as file:
        foreign = file.create_group("foreign", track_order=True)
        for name in ("z", "a"):
            foreign.create_dataset(
                name, data=np.arange(500), compression="gzip", chunks=(100,), maxshape=(None,), shuffle=True
            )
        foreign["same"] = foreign["z"]
        foreign["soft"] = h5py.SoftLink("/acquisition")
        foreign["dangling"] = h5py.SoftLink("/nowhere")
        foreign["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
        foreign["references"] = np.array([file["acquisition"].ref, foreign.ref], dtype=h5py.ref_dtype)
        foreign["text"] = "µ" * 300
        foreign.attrs["fixed"] = np.bytes_(b"latin")
        foreign.attrs["empty"] = h5py.Empty("f8")
        foreign.attrs["texts"] = ["a", "ä"]
        foreign.attrs["reference"] = foreign["a"].ref
        foreign.attrs["none"] = np.array([h5py.Reference()], dtype=h5py.ref_dtype)
        foreign["z"].attrs["matrix"] = np.eye(2, dtype=np.float32)
    return path


@pytest.fixture
def path(written: Path, folder: Path) -> Path:
    return shutil.copyfile(written, folder / "a.nwb")


def waste(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["filler"] = np.random.default_rng(0).integers(0, 255, 400_000).astype(np.uint8)
        file["kept"] = 1
    with h5py.File(path, "r+") as file:
        del file["filler"]


def test_everything_stays_and_the_space_is_gone(path: Path) -> None:
    waste(path)
    before, size = objects(path), path.stat().st_size
    assert reclaim_space(path)
    assert objects(path) == before
    assert path.stat().st_size < size - 400_000
    assert list(path.parent.iterdir()) == [path]
    with h5py.File(path) as file:
        foreign = file["foreign"]
        assert list(foreign)[:2] == ["z", "a"]
        assert foreign["same"] == foreign["z"]
        assert foreign.get("elsewhere", getlink=True).filename == "other.h5"
        assert foreign.get("dangling", getlink=True).path == "/nowhere"
        assert file[foreign["references"][1]] == foreign
        assert h5py.h5a.open(foreign.id, b"fixed").get_type().get_size() == 5
        assert isinstance(foreign.attrs["empty"], h5py.Empty)
    assert schema_validation.schema_errors(path) == []
    assert len(read_results(path)[0].mepps) == len(ONSETS)


def test_a_dense_file_stays_as_it_is(path: Path) -> None:
    reclaim_space(path)
    content = path.read_bytes()
    assert not reclaim_space(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["named type", "region", "reference to nothing"])
def test_what_cannot_be_copied_is_left_alone(path: Path, kind: str) -> None:
    waste(path)
    with h5py.File(path, "r+") as file:
        if kind == "named type":
            file["type"] = np.dtype("f8")
        elif kind == "reference to nothing":
            file["gone"] = 1
            file.attrs["gone"] = file["gone"].ref
            del file["gone"]
        else:
            file.attrs["region"] = file["foreign/z"].regionref[:3]
    content = path.read_bytes()
    assert not reclaim_space(path)
    assert path.read_bytes() == content


def test_twelve_reruns_let_a_file_grow_by_no_more_than_the_bound(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is valid is looked at once, at the end.
    monkeypatch.setattr(replacement, "schema_errors", lambda _: [])
    trace = int16_trace(n_samples=2_000)
    sizes = []
    for number in range(12):
        replace_results(path, [result_of(mepps_on([trace], [(0, 20 * k + number) for k in range(50)]))])
        sizes.append(path.stat().st_size)
    assert max(sizes) < 1.2 * min(sizes)
    assert len(read_results(path)[0].mepps) == 50
    assert schema_validation.schema_errors(path) == []
