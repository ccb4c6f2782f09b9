"""Files read with h5py alone give what pynwb gives, or are left to it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.base import TimeSeriesReference
from pynwb.epoch import TimeIntervals
from pynwb.icephys import CurrentClampSeries

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import MeppError, ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.results import Curation, LeftOut
from nwb_mepp.nwb import (
    add_extension,
    contents,
    open_for_review,
    open_with_results,
    pynwb_access,
    read_events,
    read_results,
    read_tables,
    stored_file,
    write_nwb,
)
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.pynwb_access import parse_file
from nwb_mepp.nwb.schema_validation import newer_schema
from nwb_mepp.nwb.stored_file import NEWEST_RELEASE, StoredFile
from nwb_mepp.nwb.stored_objects import UnusualError

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
FILES = [
    *sorted((REPOSITORY / "extensions" / "ndx-mepp" / "back_compat").glob("*.nwb")),
    *sorted(SHARED.rglob("*.nwb") if SHARED.is_dir() else ()),
]


def _plain(value: Any) -> Any:
    """Everything that two reads can differ in: for arrays type and bytes, for traces the samples, too."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tolist() if value.dtype.kind == "U" else value.tobytes()
    if isinstance(value, Trace):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return _plain({**fields, "source": value.source.read(0, 100)})
    if dataclasses.is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mepps | Curation):
        return {name: _plain(one) for name, one in vars(value).items()}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _opened(path: Path) -> tuple[Recording, Any]:
    with open_with_results(path) as (recording, found):
        return _plain(recording), found


def _reviewed(path: Path) -> Any:
    with open_for_review(path) as file:
        found = [file.tables, file.rows, file.excluded, file.recording]
        events = [file.events(name) for name in file.tables]
        left_out = [file.found_on(channel) for channel in file.recording.channels]
        return _plain([*found, events, left_out])


READS: dict[str, Callable[[Path], Any]] = {
    "events": read_events,
    "tables": read_tables,
    "results": read_results,
    "description": _opened,
    "review": _reviewed,
    "accepted": lambda path: read_events(path, table="curated_anna", accepted_only=True),
    "truth": lambda path: read_events(path, table="mepps_truth"),
    "trials": lambda path: read_events(path, table="trials"),
}


def _answer(read: Callable[[Path], Any], path: Path) -> Any:
    try:
        return _plain(read(path))
    except MeppError as error:
        return re.sub(r"at 0x\d+", "at", f"{type(error).__name__}: {error}")


def _refuse(*_: object, **__: object) -> None:
    raise UnusualError("for this test")


def _compare(path: Path, patch: pytest.MonkeyPatch, *ways: str) -> None:
    """Read a file in some ways, by default all, as it is read and by pynwb, which parses it once for all."""
    parsed: list[Any] = []
    n_left = 0

    def parse_once(_: h5py.File, *, mode: str) -> Any:
        nonlocal n_left
        n_left += 1
        if not parsed:
            parsed.append(parse_file(kept, mode=mode))
        return parsed[0]

    with open_hdf5(path) as kept, patch.context() as outer:
        outer.setattr(pynwb_access, "parse_file", parse_once)
        for name in ways or READS:
            n_before = n_left
            found = _answer(READS[name], path)
            if n_left > n_before:
                continue  # it was left to pynwb
            with patch.context() as inner:
                inner.setattr(contents, "StoredFile", _refuse)
                assert _answer(READS[name], path) == found
            assert n_left > n_before


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory, session_start: datetime) -> bytes:
    """Two channels, sweeps, found and stated invalid times, a waveform, a truth, and a person's table."""
    path = tmp_path_factory.mktemp("annotated") / "a.nwb"
    first = [int16_trace("I/V", sweep=sweep) for sweep in range(2)]
    second = [int16_trace("Im", sweep=sweep, unit="A") for sweep in range(2)]
    mepps = mepps_on(first, [(0, 30), (0, 700), (1, 5)])
    by_hand = dataclasses.replace(
        result_of(mepps, "curated_anna", n_mepps=2),
        curation=Curation(3, status=np.array(["accepted", "rejected", "accepted"])),
    )
    write_nwb(
        recording_of(*first, *second, annotations={"protocol": "gap-free"}, invalid_times=((0.01, 0.02),)),
        path,
        session_start=session_start,
        results=[
            dataclasses.replace(result_of(mepps, "miniunet"), left_out=(LeftOut(0.0, 0.001, "clipped"),)),
            result_of(mepps_on(second, [(1, 9)]), "miniunet"),
            result_of(Mepps.empty("Im", "A"), "autoencoder"),
            by_hand,
        ],
        truth=mepps,
    )
    return path.read_bytes()


@pytest.fixture
def path(folder: Path, annotated: bytes) -> Path:
    (folder / "a.nwb").write_bytes(annotated)
    return folder / "a.nwb"


@pytest.mark.parametrize("form", ["plain", "typed"])
def test_our_files_are_read_as_by_pynwb(path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if form == "typed":
        add_extension(path)
    _compare(path, monkeypatch)
    with open_hdf5(path) as handle:
        file = StoredFile(handle)
        assert sorted(file.acquisition) == ["I_V_sweep_000", "I_V_sweep_001", "Im_sweep_000", "Im_sweep_001"]


@pytest.mark.parametrize("clamp", [None, "izero"])
def test_our_files_need_no_pynwb(
    folder: Path,
    session_start: datetime,
    full_metadata: Metadata,
    clamp: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traces = [int16_trace(sweep=sweep) for sweep in range(2)]
    write_nwb(
        recording_of(*traces),
        folder / "a.nwb",
        session_start=session_start,
        metadata=full_metadata,
        clamp=clamp,
        results=[result_of(mepps_on(traces, [(0, 30), (1, 7)]), "miniunet")],
    )
    monkeypatch.setattr("nwb_mepp.nwb.pynwb_access.parse_file", lambda *_, **__: pytest.fail("left to pynwb"))
    (table,) = read_tables(folder / "a.nwb").events
    assert table.series == ("Vm_sweep_000", "Vm_sweep_001")
    assert len(_opened(folder / "a.nwb")[1]) == 1
    assert "mepps_miniunet" in _reviewed(folder / "a.nwb")[0][0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_other_files_are_read_as_by_pynwb(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _compare(path, monkeypatch)


def _foreign(path: Path) -> None:
    """Series and a table as another program may write them: timestamps, other units, text, no sweeps."""
    file = NWBFile("Of another program.", "i", datetime(2026, 1, 15, 10, tzinfo=UTC), session_id="7")
    times_s = np.arange(1000) / 10_000
    file.add_acquisition(TimeSeries(name="Vm", data=np.arange(1000.0), unit="mV", timestamps=times_s))
    file.add_acquisition(TimeSeries(name="lick", data=np.arange(10), unit="n.a.", rate=10.0))
    file.add_acquisition(
        TimeSeries(name="gap", data=np.arange(3), unit="V", timestamps=np.array([0.0, 1.0, 5.0]))
    )
    electrode = file.create_icephys_electrode(
        name="pipette", description="d", device=file.create_device(name="amplifier")
    )
    for sweep in range(2):
        file.add_acquisition(
            CurrentClampSeries(
                name=f"s{sweep}",
                data=np.arange(500, dtype=np.int16),
                conversion=1e-6,
                starting_time=float(sweep),
                rate=5000.0,
                electrode=electrode,
                sweep_number=np.uint32(sweep),
            )
        )
    file.add_stimulus(TimeSeries(name="command", data=np.arange(10.0), unit="A", rate=1000.0))
    file.add_trial(start_time=0.25, stop_time=0.5)
    table = TimeIntervals(name="mepps_mine", description="Of another program.")
    table.add_column(name="amplitude", description="a")
    for start_s in (0.01, 0.02):
        table.add_row(
            start_time=start_s,
            stop_time=start_s + 0.001,
            timeseries=[TimeSeriesReference(int(start_s * 10_000), 10, file.acquisition["Vm"])],
            amplitude=1,
        )
    file.add_time_intervals(table)
    with NWBHDF5IO(path, "w") as io:
        io.write(file)


def test_a_file_of_another_program_is_read_as_by_pynwb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _foreign(folder / "a.nwb")
    _compare(folder / "a.nwb", monkeypatch)
    named = [_answer(lambda path: read_events(path, table="mine"), folder / "a.nwb")]
    monkeypatch.setattr(contents, "StoredFile", _refuse)
    named.append(_answer(lambda path: read_events(path, table="mine"), folder / "a.nwb"))
    assert named[0] == named[1]
    assert named[0][0]["mepps"]["unit"] == "'V'"


TABLE = "intervals/mepps_miniunet_I_V"
SERIES = "acquisition/I_V_sweep_000"
SUMMARY = "processing/icephys/mepp_detections"


def _set(place: str, attribute: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[place].attrs[attribute] = value

    return change


def _drop(place: str, attribute: str | None = None) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if attribute is None:
            del file[place]
        else:
            del file[place].attrs[attribute]

    return change


def _replace(place: str, make: Callable[[Any], Any]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        attributes, values = dict(file[place].attrs), make(file[place][()])
        del file[place]
        file[place] = values
        file[place].attrs.update(attributes)

    return change


def _link(place: str, link: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[place] = file[link] if isinstance(link, str) else link

    return change


def _columns(file: h5py.File) -> None:
    file[TABLE].attrs["colnames"] = [one for one in file[TABLE].attrs["colnames"] if one != "anomaly"]
    del file[f"{TABLE}/anomaly"]


CHANGES: dict[str, Callable[[h5py.File], None]] = {
    "an optional column is missing": _columns,
    "a column is missing that is listed": _drop(f"{TABLE}/area"),
    "a column is not listed": _link(f"{TABLE}/more", np.arange(3)),
    "a column has integers": _replace(f"{TABLE}/amplitude", lambda values: (values * 1e6).astype(np.int32)),
    "a column is shorter": _replace(f"{TABLE}/amplitude", lambda values: values[:2]),
    "a column of the summary is missing": _drop(f"{SUMMARY}/noise_sd"),
    "an index beyond the references": _replace(f"{TABLE}/timeseries_index", lambda values: values + 5),
    "no conversion": _drop(f"{SERIES}/data", "conversion"),
    "no unit": _drop(f"{SERIES}/data", "unit"),
    "another unit": _set(f"{SERIES}/data", "unit", "mV"),
    "no rate": _drop(f"{SERIES}/starting_time", "rate"),
    "a rate of zero": _set(f"{SERIES}/starting_time", "rate", 0.0),
    "no comments": _drop(SERIES, "comments"),
    "no identifier of a series": _drop(SERIES, "object_id"),
    "no samples": _drop(f"{SERIES}/data"),
    "samples are text": _replace(f"{SERIES}/data", lambda _: np.array(["a"], dtype=object)),
    "no id in a table": _drop(f"{TABLE}/id"),
    "a series has gone": _drop(SERIES),
    "a soft link to a series": _link("acquisition/second", h5py.SoftLink(f"/{SERIES}")),
    "a link that leads nowhere": _link(
        "acquisition/second", h5py.ExternalLink("gone.nwb", "/acquisition/Vm")
    ),
    "a second name of a series": _link("acquisition/second", SERIES),
    "samples are a soft link": lambda file: (
        file.move(f"{SERIES}/data", "scratch_data"),
        _link(f"{SERIES}/data", h5py.SoftLink("/scratch_data"))(file),
    )[1],
    "a dataset among the series": _link("acquisition/more", np.arange(3)),
    "an unknown type": _set("processing/icephys/source_files", "neurodata_type", "Unknown"),
    "no session start": _drop("session_start_time"),
    "a session start without time zone": _replace("session_start_time", lambda _: "2017-11-16T10:05:00"),
    "an older schema": _set("/", "nwb_version", "2.2.5"),
    "a schema that is too old": _set("/", "nwb_version", "2.0b"),
    "a newer schema": _set("/", "nwb_version", "2.99.0"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_file_is_read_as_by_pynwb(
    path: Path, change: Callable[[h5py.File], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
        is_there = SERIES in file
    # Of a table that refers to what is not there, pynwb raises an error of its own.
    _compare(path, monkeypatch, "description", *(["review"] if is_there else []))


def test_a_review_of_a_table_whose_series_has_gone_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[SERIES]
    with pytest.raises(ReadError, match="of /acquisition, found a series that is no longer in the file"):
        _reviewed(path)


def test_a_review_of_a_table_whose_series_has_been_replaced_names_the_file(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.copy(SERIES, "acquisition/another")
        file["acquisition/another"].attrs["object_id"] = "11111111-1111-4111-8111-111111111111"
        del file[SERIES]
    with pytest.raises(ReadError, match=rf"^{re.escape(str(path))}: expected row 0 of table 'mepps_"):
        _reviewed(path)


def test_the_newest_known_schema_is_one_that_pynwb_knows(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["nwb_version"] = f"2.{NEWEST_RELEASE[1]}.0"
        assert newer_schema(file) is None, f"pynwb {pynwb.__version__} is older than what is read without it"
    assert stored_file.OLDEST_RELEASE < NEWEST_RELEASE
