from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import ndx_mepp
import numpy as np
import pytest
from ndx_mepp import MEPPSummary, MEPPTable
from pynwb import NWBHDF5IO, NWBFile

from builders.nwb_files import objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import (
    add_extension,
    extension,
    is_failure,
    read_events,
    read_results,
    remove_extension,
    replace_results,
    validate_nwb,
    write_nwb,
)
from nwb_mepp.nwb.mepp_tables import mepp_table
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.typed_tables import add_types, forget_types, remove_types

Found = Callable[..., ChannelResult]


@pytest.fixture(scope="module")
def found() -> Found:
    def make(detector: str, onsets: list[int], **stated: Any) -> ChannelResult:
        mepps = mepps_on([int16_trace()], [(0, onset) for onset in onsets])
        return result_of(mepps if onsets else Mepps.empty("Vm", "V"), detector, **stated)

    return make


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, found: Found, session_start: datetime) -> bytes:
    """A plain file of two detectors, with corrections, the truth, and things unknown to NWB."""
    path = tmp_path_factory.mktemp("original") / "a.nwb"
    write_nwb(
        recording_of(int16_trace()),
        path,
        session_start=session_start,
        results=[found("miniunet", [10, 500]), found("template", [20])],
        truth=found("", [15, 505]).mepps,
        fingerprint="f",
    )
    with NWBHDF5IO(path, "r+") as io:
        file = io.read()
        by_hand = mepp_table(
            found("hand", [10, 30]), name="mepps_curated", series={("Vm", 0): file.acquisition["Vm"]}
        )
        by_hand.add_column(name="status", description="What a person decided.", data=["accepted", "rejected"])
        by_hand.add_column(name="remark", description="Of the person.", data=["clear", "on a slope"])
        file.add_time_intervals(by_hand)
        io.write(file)
    with h5py.File(path, "r+") as handle:
        handle["general"].create_dataset("by another program", data=np.arange(5), compression="gzip")
        handle["general"].attrs["of another program"] = "kept"
        forget_types(handle)
    return path.read_bytes()


@pytest.fixture(scope="module")
def typed_original(tmp_path_factory: pytest.TempPathFactory, original: bytes) -> bytes:
    """The same file with the extension."""
    path = tmp_path_factory.mktemp("typed") / "a.nwb"
    path.write_bytes(original)
    add_extension(path)
    return path.read_bytes()


@pytest.fixture
def path(folder: Path, original: bytes) -> Path:
    (folder / "a.nwb").write_bytes(original)
    return folder / "a.nwb"


@pytest.fixture
def typed_path(folder: Path, typed_original: bytes) -> Path:
    (folder / "typed.nwb").write_bytes(typed_original)
    return folder / "typed.nwb"


def test_there_and_back_gives_the_file_as_it_was(path: Path) -> None:
    with h5py.File(path, "r+") as handle:
        handle["acquisition"].create_dataset("of another program", data=np.arange(5), compression="gzip")
    before = objects(path)
    done = add_extension(path)
    assert done.notes == ()
    assert set(done.tables) == {
        *(f"mepps_{name}" for name in ("curated", "miniunet", "template", "truth")),
        "mepp_detections",
    }
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert {type(table) for table in file.intervals.values()} == {MEPPTable}
        assert type(file.processing["icephys"]["mepp_detections"]) is MEPPSummary
        assert file.intervals["mepps_curated"].detector is None
        assert list(file.intervals["mepps_curated"]["remark"][:]) == ["clear", "on a slope"]
    assert set(remove_extension(path).tables) == set(done.tables)
    assert objects(path) == before
    assert list(path.parent.iterdir()) == [path]


def test_everything_else_stays_as_it_is(path: Path, typed_path: Path) -> None:
    before, after = objects(path), objects(typed_path)
    kinds = {"'neurodata_type'", "'namespace'", "'unit'"}
    for name, old in before.items():
        new = after[name]
        differing = {key for key in old[0].keys() | new[0].keys() if old[0].get(key) != new[0].get(key)}
        assert {repr(key) for key in differing} <= kinds, name
        if len(old) > 2:
            assert new[1:] == old[1:], name
    added = {name for name in after.keys() - before.keys() if not name.startswith("specifications/ndx-mepp")}
    assert added == {
        "processing/icephys/mepp_detector_miniunet",
        "processing/icephys/mepp_detector_template",
    }


def test_corrections_and_events_read_alike(path: Path, typed_path: Path) -> None:
    def events(path: Path, table: str | None, **options: bool) -> list[Any]:
        return [
            (
                one.name,
                one.detector,
                one.series,
                [repr(getattr(one.mepps, name)) for name in Mepps.array_names()],
            )
            for one in read_events(path, table=table, **options)
        ]

    def everything(path: Path) -> list[Any]:
        marked = events(path, "mepps_curated", accepted_only=True)
        return [events(path, None), events(path, "mepps_truth"), marked]

    found = everything(path)
    assert [len(tables) for tables in found] == [2, 1, 1]
    assert everything(typed_path) == found


def test_numbers_are_kept_to_the_bit(folder: Path, found: Found, session_start: datetime) -> None:
    # Not a number in two ways, negative zero, the smallest and the largest that there are.
    bits = [0x7FF8000000000000, 0xFFF8000000000ABC, 0x8000000000000000, 0x1, 0xFFEFFFFFFFFFFFFF]
    numbers = np.array(bits, dtype=np.uint64).view(np.float64)
    result = found("miniunet", [10, 200, 400, 600, 800])
    result.mepps.amplitude[:] = numbers
    write_nwb(recording_of(int16_trace()), folder / "a.nwb", session_start=session_start, results=[result])
    for change in (add_types, remove_types):
        change(folder / "a.nwb")
        (back,) = read_results(folder / "a.nwb")
        assert back.mepps.amplitude.view(np.uint64).tolist() == bits


@pytest.mark.parametrize("extension", [False, True])
@pytest.mark.parametrize("typed", [False, True])
def test_detecting_again_replaces_its_own_whichever_kind_is_there(
    path: Path, typed_path: Path, found: Found, typed: bool, extension: bool
) -> None:
    path = typed_path if typed else path
    before = objects(path)
    replace_results(path, [found("miniunet", [7, 70, 700], threshold=0.9)], extension=extension)
    after = objects(path)
    kind, detector = after["intervals/mepps_miniunet"][0], "processing/icephys/mepp_detector_miniunet"
    assert kind["neurodata_type"] == ("'MEPPTable'" if extension else "'TimeIntervals'")
    assert (detector in after) is extension
    if extension:
        assert after[detector][0]["threshold"] == "np.float64(0.9)"
    # The summary is of all detectors: it is typed once one of them is.
    summary = after["processing/icephys/mepp_detections"][0]["neurodata_type"]
    assert summary == ("'MEPPSummary'" if typed or extension else "'DynamicTable'")
    kept = (
        "intervals/mepps_template",
        "intervals/mepps_curated",
        "acquisition",
        "processing/icephys/mepp_detector_t",
    )
    for name in {one for one in before.keys() | after.keys() if one.startswith(kept)}:
        assert after[name] == before[name], name
    assert [(one.detector, len(one.mepps)) for one in read_results(path)] == [
        ("miniunet", 3),
        ("template", 1),
    ]
    assert ("specifications/ndx-mepp" in after) is (typed or extension)


def test_a_typed_rerun_that_finds_nothing_keeps_the_statement_of_its_detector(
    path: Path, found: Found
) -> None:
    replace_results(path, [found("miniunet", [])], extension=True)
    after = objects(path)
    assert "intervals/mepps_miniunet" not in after
    assert "processing/icephys/mepp_detector_miniunet" in after
    assert "processing/icephys/mepp_detector_template" not in after


def test_an_object_of_another_program_is_not_taken_for_a_detector(path: Path, found: Found) -> None:
    with h5py.File(path, "r+") as handle:
        handle.copy("processing/icephys/source_files", "processing/icephys/mepp_detector_miniunet")
    before = path.read_bytes()
    wanted = (
        "expected nothing but a MEPPDetector at /processing/icephys/mepp_detector_miniunet, found an object"
    )
    with pytest.raises(OutputError, match=wanted):
        add_extension(path)
    assert path.read_bytes() == before
    replace_results(path, [found("miniunet", [7])])
    assert "processing/icephys/mepp_detector_miniunet" in objects(path)


def test_the_specification_of_this_version_stands_beside_that_of_another(
    typed_path: Path, found: Found
) -> None:
    with h5py.File(typed_path, "r+") as handle:
        versions = handle["specifications/ndx-mepp"]
        versions.move(ndx_mepp.__version__, "0.0.1")
        stated = versions["0.0.1/namespace"].asstr()[()]
        versions["0.0.1/namespace"][()] = stated.replace(f'"{ndx_mepp.__version__}"', '"0.0.1"')
    replace_results(typed_path, [found("miniunet", [7])], extension=True)
    with h5py.File(typed_path) as handle:
        assert set(handle["specifications/ndx-mepp"]) == {"0.0.1", ndx_mepp.__version__}


def test_a_file_without_specifications_gets_that_of_the_extension(path: Path) -> None:
    with h5py.File(path, "r+") as handle:
        del handle["specifications"]
        del handle.attrs[".specloc"]
    add_extension(path)
    with h5py.File(path) as handle:
        assert {"core", "ndx-mepp"} <= set(handle[handle.attrs[".specloc"]])
    assert len(read_results(path)) == 2


def test_a_typed_file_with_full_metadata_is_clean(
    folder: Path, found: Found, full_metadata: Metadata, session_start: datetime
) -> None:
    path = folder / "clean.nwb"
    write_nwb(
        recording_of(int16_trace()),
        path,
        session_start=session_start,
        metadata=full_metadata,
        clamp="current",
        results=[found("miniunet", [10, 500]), found("template", [])],
        extension=True,
    )
    for dandi in (False, True):
        assert [finding for finding in validate_nwb(path, dandi=dandi) if is_failure(finding)] == []
    remove_extension(path)
    assert [finding for finding in validate_nwb(path) if is_failure(finding)] == []


def test_another_file_can_take_the_result(path: Path, original: bytes) -> None:
    out = path.parent / "out.nwb"
    add_extension(path, out=out)
    assert path.read_bytes() == original
    assert objects(out)["intervals/mepps_template"][0]["neurodata_type"] == "'MEPPTable'"


def test_what_would_become_invalid_is_refused(
    path: Path, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extension, "schema_errors", lambda one: [] if one == path else ["/: no good"])
    with pytest.raises(OutputError, match="/: no good"):
        add_extension(path)
    assert path.read_bytes() == original
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("change", [add_extension, remove_extension])
def test_a_file_without_mepps_is_refused(
    folder: Path, session_start: datetime, change: Callable[[Path], Any]
) -> None:
    path = folder / "empty.nwb"
    with NWBHDF5IO(path, "w") as io:
        io.write(NWBFile(session_description="None.", identifier="i", session_start_time=session_start))
    with pytest.raises(
        ReadError, match=r"expected tables of MEPPs in .*empty.nwb, found none; 'nwb-mepp detect'"
    ):
        change(path)
    with pytest.raises(ReadError, match="found nothing at"):
        change(folder / "none.nwb")
