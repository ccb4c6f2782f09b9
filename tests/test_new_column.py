"""A column that is added to the schema is everywhere, and files that were written before it are read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb
import pytest
import quantities as pq
from ndx_mepp import MEPPQuantity, MEPPSummary, MEPPTable

from builders.traces import RATE_HZ, recording_of, trace_of
from nwb_mepp.api.neo_objects import epoch_of, mepps_of
from nwb_mepp.core.columns import Column, added
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult, SummaryRow
from nwb_mepp.core.schema import EventColumns, SummaryColumns
from nwb_mepp.nwb import add_extension, read_events, read_results, remove_extension, write_nwb
from nwb_mepp.nwb.layout_tables import column_tables
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.batch import (
    event_columns,
    event_rows,
    read_event_rows,
    read_summary_rows,
    summary_columns,
    write_csv,
    write_json,
)

START = datetime(2026, 1, 15, 10, tzinfo=UTC)
SLOPES = [0.5, -1.25]
KINDS = ["clear", "on a slope"]

SLOPE: Column[Any] = Column("trial_slope", "{u}/s", "Slope of the rise.", since="0.3.0", optional=True)
KIND: Column[Any] = Column("trial_kind", "", "What it is.", dtype="text", since="0.3.0", optional=True)
NIGHT: Column[Any] = Column("trial_flag", "", "Out of hours.", dtype="bool", since="0.3.0", optional=True)
LIMIT: Column[Any] = Column("trial_limit", "{u}", "Least amplitude found.", since="0.3.0", optional=True)


def recording() -> Recording:
    return recording_of(trace_of(1e-3 * np.sin(np.arange(2_000) / 20.0)))


def result(*, summary: dict[str, Any] | None = None, **arrays: Any) -> ChannelResult:
    start = np.array([100, 700])
    mepps = Mepps(
        channel="Vm",
        unit="V",
        sweep=np.zeros(2, dtype=np.int64),
        start_index=start,
        peak_index=start + 10,
        stop_index=start + 50,
        start_s=start / RATE_HZ,
        peak_s=(start + 10) / RATE_HZ,
        stop_s=(start + 50) / RATE_HZ,
        **arrays,
    )
    row = SummaryRow(
        detector="template",
        channel="Vm",
        amplitude_unit="V",
        n_mepps=2,
        detector_version="1",
        polarity="positive",
        **(summary or {}),
    )
    return ChannelResult(detector="template", mepps=mepps, summary=row)


def write(path: Path, one: ChannelResult, *, extension: bool = False) -> Path:
    write_nwb(
        recording(),
        path,
        session_start=START,
        results=[one],
        truth=one.mepps,
        hand_marks=one.mepps,
        extension=extension,
    )
    return path


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files that were written before there were the columns, by their kind."""
    folder = tmp_path_factory.mktemp("older")
    kinds = {"plain": False, "typed": True}
    return {
        kind: write(folder / f"{kind}.nwb", result(), extension=typed).read_bytes()
        for kind, typed in kinds.items()
    }


@pytest.fixture
def new_columns(older: dict[str, bytes]) -> Iterator[None]:  # noqa: ARG001 - these come first
    with (
        added(EventColumns, "trial_slope", SLOPE),
        added(EventColumns, "trial_kind", KIND),
        added(SummaryColumns, "trial_flag", NIGHT),
        added(SummaryColumns, "trial_limit", LIMIT),
    ):
        yield


@pytest.fixture
def found(new_columns: None) -> ChannelResult:  # noqa: ARG001
    return result(
        trial_slope=np.array(SLOPES),
        trial_kind=np.array(KINDS),
        summary={"trial_limit": 4e-4, "trial_flag": True},
    )


def new_values(one: ChannelResult) -> list[Any]:
    mepps: Any = one.mepps
    summary: Any = one.summary
    return [mepps.trial_slope.tolist(), mepps.trial_kind.tolist(), summary.trial_limit, summary.trial_flag]


def test_csv_has_it_before_the_detector(found: ChannelResult) -> None:
    stream = io.StringIO()
    rows = list(event_rows(found.mepps, file="a.nwb", series=["Vm", "Vm"], detector="template"))
    write_csv(stream, event_columns(), rows)
    head, *lines = csv.reader(stream.getvalue().splitlines())
    assert head[-3:] == ["trial_slope", "trial_kind", "detector"]
    assert [line[-3:] for line in lines] == [
        ["0.5", "clear", "template"],
        ["-1.25", "on a slope", "template"],
    ]


def test_csv_in_the_units_of_the_lab_scales_it(found: ChannelResult) -> None:
    stream = io.StringIO()
    rows = list(event_rows(found.mepps, file="a.nwb", series=["Vm", "Vm"], detector="template"))
    write_csv(stream, event_columns(), rows, units="lab")
    assert [row["trial_slope"] for row in csv.DictReader(stream.getvalue().splitlines())] == [
        "500.0",
        "-1250.0",
    ]


def test_json_of_events_and_summary_has_it(found: ChannelResult, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nwb", found)
    stream = io.StringIO()
    write_json(stream, event_columns(), read_event_rows(path, file="a.nwb"))
    assert [(row["trial_slope"], row["trial_kind"]) for row in json.loads(stream.getvalue())] == [
        (0.5, "clear"),
        (-1.25, "on a slope"),
    ]
    stream = io.StringIO()
    write_json(stream, summary_columns(), read_summary_rows(path, file="a.nwb"))
    (row,) = json.loads(stream.getvalue())
    assert (row["trial_limit"], row["trial_flag"]) == (4e-4, True)


def test_plain_nwb_tables_have_it_and_give_it_back(found: ChannelResult, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nwb", found)
    with h5py.File(path) as file:
        for name in ("mepps_template", "mepps_truth", "mepps_curated"):
            column = file[f"intervals/{name}/trial_slope"]
            assert column[:].tolist() == SLOPES
            assert column.attrs["description"] == "Slope of the rise. Unit: V/s."
            assert file[f"intervals/{name}/trial_kind"].asstr()[:].tolist() == KINDS
        limit = file["processing/icephys/mepp_detections/trial_limit"]
        assert limit.attrs["description"] == "Least amplitude found. Unit: amplitude_unit."
    (back,) = read_results(path)
    assert new_values(back) == [SLOPES, KINDS, 4e-4, True]
    for table in ("mepps_truth", "mepps_curated"):
        (events,) = read_events(path, table=table)
        assert events.mepps.trial_slope.tolist() == SLOPES  # type: ignore[attr-defined]


def test_typed_tables_have_it_although_the_installed_specification_does_not_know_it(
    found: ChannelResult, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.nwb", found, extension=True)
    assert pynwb.validate(path=str(path)) == []
    with pynwb.NWBHDF5IO(path, "r") as nwb:
        file = nwb.read()
        table, summary = file.intervals["mepps_template"], file.processing["icephys"]["mepp_detections"]
        assert (type(table), type(summary)) == (MEPPTable, MEPPSummary)
        assert type(table["trial_slope"]) is MEPPQuantity
        assert (table["trial_slope"].unit, table["trial_slope"][:].tolist()) == ("V/s", SLOPES)
        assert table["trial_kind"][:].tolist() == KINDS
        assert (summary["trial_limit"].unit, summary["trial_limit"][:].tolist()) == ("amplitude_unit", [4e-4])
    (back,) = read_results(path)
    assert new_values(back) == [SLOPES, KINDS, 4e-4, True]
    remove_extension(path)
    (back,) = read_results(path)
    assert new_values(back) == [SLOPES, KINDS, 4e-4, True]


def test_a_neo_epoch_has_it_with_its_unit_and_gives_it_back(found: ChannelResult) -> None:
    epoch = epoch_of(found, recording(), settings=DetectionSettings())
    slopes = epoch.array_annotations["trial_slope"]
    assert slopes.rescale(pq.mV / pq.ms).magnitude.tolist() == SLOPES
    assert epoch.array_annotations["trial_kind"].tolist() == KINDS
    assert epoch.annotations["trial_limit"] == 4e-4
    back: Any = mepps_of(epoch, rate_hz=RATE_HZ, origin_s=0.0)
    assert back.trial_slope.tolist() == SLOPES
    assert back.trial_kind.tolist() == KINDS


def test_the_page_of_the_columns_has_it_and_says_which_files_lack_it(new_columns: None) -> None:  # noqa: ARG001
    tables = column_tables()
    later = "Not in files written before ndx-mepp 0.3.0."
    assert f"| `trial_slope` | float64 | (V or A)/s | Slope of the rise. {later} |" in tables["mepps"]
    assert (
        f"| `trial_limit` | float64 | V or A | Least amplitude found. {later} |" in tables["mepp_detections"]
    )


@pytest.mark.parametrize("kind", ["plain", "typed"])
def test_a_file_without_it_is_read_as_before(
    older: dict[str, bytes],
    new_columns: None,  # noqa: ARG001
    tmp_path: Path,
    kind: str,
) -> None:
    path = tmp_path / "a.nwb"
    path.write_bytes(older[kind])
    (back,) = read_results(path)
    assert back.mepps.start_s.tolist() == [0.01, 0.07]
    assert np.isnan([*back.mepps.trial_slope, back.summary.trial_limit]).all()  # type: ignore[attr-defined]
    assert new_values(back)[1::2] == [["", ""], False]
    change = add_extension if kind == "plain" else remove_extension
    done = change(path)
    assert set(done.tables) == {"mepps_template", "mepps_truth", "mepps_curated", "mepp_detections"}
    assert done.notes == ()
    (again,) = read_results(path)
    assert repr(again) == repr(back)


def test_an_epoch_without_it_is_taken(new_columns: None) -> None:  # noqa: ARG001
    epoch = epoch_of(result(), recording(), settings=DetectionSettings())
    del epoch.array_annotations["trial_slope"]
    back: Any = mepps_of(epoch, rate_hz=RATE_HZ, origin_s=0.0)
    assert np.isnan(back.trial_slope).all()
