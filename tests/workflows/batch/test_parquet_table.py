"""The MEPPs of a folder as Parquet."""

from __future__ import annotations

import csv
import math
import shutil
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from builders.command_line import STATED, Call
from nwb_mepp.core.columns import Column
from nwb_mepp.core.errors import MissingDependencyError, OutputError
from nwb_mepp.workflows.batch import parquet_table as module
from nwb_mepp.workflows.batch.parquet_table import require_pyarrow, with_parquet
from nwb_mepp.workflows.batch.tables import Row, event_columns

COLUMNS = (*event_columns(), Column("animal", dtype="text", description="From the table of sessions."))


def rows_of(n: int) -> list[Row]:
    texts = {
        "file": "cell\udcff.nwb",
        "channel": "=1+1",
        "animal": "m1",
        "kind": "mepp",
        "amplitude_unit": "V",
    }
    absent = {one.name: one.absent for one in COLUMNS}
    return [
        {**absent, **texts, "sweep": row, "overlapped": True, "start_time": 0.1 * row} for row in range(n)
    ]


def test_rows_pass_on_and_come_back_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GROUP_ROWS", 3)
    rows = rows_of(7)
    assert list(with_parquet(rows, COLUMNS, tmp_path)) == rows
    file = pq.ParquetFile(tmp_path / "mepps.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [3, 3, 1]
    table = file.read()
    assert table.column_names == [one.name for one in COLUMNS]
    assert table["start_time"].to_pylist() == [0.1 * row for row in range(7)]
    assert table["sweep"].to_pylist() == list(range(7))
    assert (table["overlapped"][0].as_py(), table["animal"][0].as_py()) == (True, "m1")
    assert (table["file"][0].as_py(), table["channel"][0].as_py()) == ("cell\\udcff.nwb", "=1+1")
    assert math.isnan(table["half_width"][0].as_py())
    frame = pd.read_parquet(tmp_path / "mepps.parquet")
    assert frame["start_time"].tolist() == [0.1 * row for row in range(7)]
    assert str(frame["amplitude"].dtype) == "float64"


def test_fields_state_units_and_descriptions(tmp_path: Path) -> None:
    list(with_parquet([], COLUMNS, tmp_path))
    schema = pq.read_schema(tmp_path / "mepps.parquet")
    found = {name: schema.field(name).metadata for name in ("start_time", "amplitude", "area", "kind")}
    assert [one.get(b"unit") for one in found.values()] == [b"s", b"V or A", b"(V or A) s", None]
    assert found["amplitude"][b"description"].startswith(b"Peak minus baseline")
    assert {str(schema.field(name).type) for name in ("sweep", "overlapped", "kind")} == {
        "int64",
        "bool",
        "string",
    }


def test_a_file_of_someone_else_stays(tmp_path: Path) -> None:
    (tmp_path / "mepps.parquet").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"expected .*mepps\.parquet to be free or written by nwb-mepp"):
        list(with_parquet(rows_of(1), COLUMNS, tmp_path))
    assert (tmp_path / "mepps.parquet").read_bytes() == b"mine"


def test_rows_that_end_early_leave_nothing(tmp_path: Path) -> None:
    rows = with_parquet(rows_of(2), COLUMNS, tmp_path)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_nothing_is_begun(
    lab_file: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(
        MissingDependencyError, match=r"pip install 'nwb-mepp\[parquet\]', or leave the tables"
    ):
        require_pyarrow()
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED, "--tables", "parquet")
    assert called.code != 0
    assert "expected the package pyarrow" in called.err
    assert not list(tmp_path.glob("out/**/*.nwb"))


def test_a_run_writes_it_in_si_units_and_a_later_one_brings_it_up_to_date(
    annotated: Path, lab_file: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(annotated.parent, out)
    again = ("run", lab_file, "-o", out, *STATED, "--no-picture")
    assert call(*again, "--tables", "parquet").code == 0
    found = pd.read_parquet(out / "mepps.parquet")
    with (out / "mepps.csv").open() as stream:
        expected = [float(row["amplitude"]) for row in csv.DictReader(stream)]
    assert found["amplitude"].tolist() == expected
    assert len(expected) > 0
    shutil.copy(annotated, out / "second.nwb")
    assert call(*again, "--units", "lab").code == 0
    assert pd.read_parquet(out / "mepps.parquet")["amplitude"].tolist() == expected * 2
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    called = call(*again)
    assert called.code == 1
    assert f"{out / 'mepps.parquet'}: the CSV tables are there, but not this: expected the" in called.err
