"""A file is checked against the schema that it holds, as pynwb does it, without parsing a schema twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import h5py
import pynwb
import pytest

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.nwb import write_nwb
from nwb_mepp.nwb.schema_validation import schema_errors


@pytest.fixture(scope="module", params=[False, True], ids=["core", "extension"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, session_start: datetime
) -> Path:
    path = tmp_path_factory.mktemp("written") / "a.nwb"
    write_nwb(
        recording_of(int16_trace()),
        path,
        session_start=session_start,
        results=[result_of(mepps_on([int16_trace()], [(0, 10)]), "miniunet")],
        extension=request.param,
    )
    return path


@pytest.fixture
def path(written: Path, folder: Path) -> Path:
    return shutil.copyfile(written, folder / "a.nwb")


def without_unit_and_description(file: h5py.File) -> None:
    del file["acquisition/Vm/data"].attrs["unit"]
    del file["intervals/mepps_miniunet/peak_time"].attrs["description"]


def without_schema(file: h5py.File) -> None:
    del file["specifications"]
    del file.attrs[".specloc"]


@pytest.mark.parametrize(("change", "n_errors"), [(without_unit_and_description, 2), (without_schema, 0)])
def test_the_errors_are_those_that_pynwb_finds(
    path: Path, change: Callable[[h5py.File], None], n_errors: int
) -> None:
    assert schema_errors(path) == []
    with h5py.File(path, "r+") as file:
        change(file)
    errors = pynwb.validate(path=str(path))
    assert schema_errors(path) == sorted(f"{error.location or '/'}: {error.reason}" for error in errors)
    assert len(errors) == n_errors


@pytest.mark.parametrize("written", [True], indirect=True)
def test_a_schema_of_the_same_version_but_other_content_is_another(path: Path) -> None:
    assert schema_errors(path) == []
    with h5py.File(path, "r+") as file:
        (held,) = file["specifications/ndx-mepp"].values()
        (name,) = set(held) - {"namespace"}
        stated = json.loads(held[name].asstr()[()])
        (table,) = [one for one in stated["groups"] if one["neurodata_type_def"] == "MEPPTable"]
        table.setdefault("attributes", []).append({"name": "new", "dtype": "text", "doc": "Required."})
        held[name][()] = json.dumps(stated)
    assert schema_errors(path) == ["intervals/mepps_miniunet: argument missing"]
