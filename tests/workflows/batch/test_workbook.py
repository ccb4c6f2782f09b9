"""The tables of a folder as a workbook."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import openpyxl
import pytest

from builders.command_line import STATED, Call
from nwb_mepp.core.errors import MissingDependencyError, OutputError
from nwb_mepp.workflows.batch import workbook as module
from nwb_mepp.workflows.batch.tables import Units, event_columns, summary_columns, write_csv
from nwb_mepp.workflows.batch.workbook import write_workbook

FORMULA = '=HYPERLINK("http://example.org")'


def write_tables(folder: Path, *, units: Units = "si", n_mepps: int = 2, amplitude_units: str = "V") -> None:
    """Write tables with one summary a unit and as many MEPPs."""
    texts = {"file": "cell\x1b.nwb", "channel": FORMULA, "series": "Vm", "detector": "@mine", "kind": "mepp"}
    numbers = {"sweep": 3, "overlapped": True, "amplitude": 0.5e-3, "half_width": 0.002}
    numbers["start_time"] = 0.1 + 0.2
    for name, columns, n_rows in (
        ("mepps.csv", event_columns(), n_mepps),
        ("summary.csv", summary_columns(), 1),
    ):
        rows = [
            {**{one.name: one.absent for one in columns}, **texts, **numbers, "amplitude_unit": unit}
            for unit in amplitude_units
            for _ in range(n_rows)
        ]
        with (folder / name).open("w", newline="") as stream:
            write_csv(stream, columns, rows, units=units)


def sheets(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(folder / "mepps.xlsx")
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_cells_are_numbers_truth_and_text_and_headings_state_units(tmp_path: Path) -> None:
    write_tables(tmp_path)
    assert write_workbook(tmp_path) == tmp_path / "mepps.xlsx"
    found = sheets(tmp_path)
    assert {name: len(rows) for name, rows in found.items()} == {"mepps": 3, "summary": 2}
    row = dict(zip(found["mepps"][0], found["mepps"][1], strict=True))
    assert row["amplitude (V)"] == 0.5e-3
    assert row["start_time (s)"] == pytest.approx(0.1 + 0.2, rel=1e-15)
    assert (row["sweep"], row["overlapped"], row["area (V s)"]) == (3, True, None)
    assert row["file"] == "cell\\x1b.nwb"
    with (tmp_path / "mepps.csv").open() as stream:
        headings = next(csv.reader(stream))
    assert [str(title).partition(" (")[0] for title in found["mepps"][0]] == headings


def test_text_is_never_a_formula(tmp_path: Path) -> None:
    write_tables(tmp_path)
    write_workbook(tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "mepps.xlsx")["mepps"]
    cells = {cell.value: cell for cell in next(sheet.iter_rows(min_row=2, max_row=2))}
    for text in (FORMULA, "@mine"):
        assert (cells[text].data_type, cells[text].quotePrefix) == ("s", True)
    assert not cells["mepp"].quotePrefix


@pytest.mark.parametrize(
    ("amplitude_units", "title"), [("A", "amplitude (pA)"), ("VA", "amplitude (mV or pA)")]
)
def test_units_of_the_lab_and_decimal_commas(amplitude_units: str, title: str, tmp_path: Path) -> None:
    write_tables(tmp_path, units="lab", amplitude_units=amplitude_units)
    for table in tmp_path.glob("*.csv"):
        rows = list(csv.reader(table.read_text().splitlines()))
        with table.open("w", newline="") as stream:
            lines = [[cell.replace(".", ",") if cell[:1].isdigit() else cell for cell in row] for row in rows]
            csv.writer(stream, delimiter=";").writerows(lines)
    write_workbook(tmp_path, units="lab", decimal="comma")
    found = sheets(tmp_path)["mepps"]
    row = dict(zip(found[0], found[-1], strict=True))
    assert row[title] == pytest.approx(0.5e9)  # amperes are the last
    assert row["half_width (ms)"] == 2.0


def test_what_a_sheet_cannot_hold_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path, n_mepps=5)
    monkeypatch.setattr(module, "_MAX_ROWS", 3)
    write_workbook(tmp_path)
    found = sheets(tmp_path)
    assert {name: len(rows) for name, rows in found.items()} == {
        "mepps": 3,
        "mepps 2": 3,
        "mepps 3": 2,
        "summary": 2,
    }
    assert found["mepps 3"][0] == found["mepps"][0]


def test_a_workbook_of_someone_else_stays(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "mepps.xlsx").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"expected .*mepps\.xlsx to be free or written by nwb-mepp"):
        write_workbook(tmp_path)
    assert (tmp_path / "mepps.xlsx").read_bytes() == b"mine"


def test_without_openpyxl_nothing_is_begun(
    lab_file: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nwb-mepp\[xlsx\]', or leave the tables"):
        module.require_openpyxl()
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED, "--tables", "xlsx")
    assert called.code != 0
    assert "expected the package openpyxl" in called.err
    assert not list(tmp_path.glob("out/**/*.nwb"))


def test_a_run_writes_the_workbook_and_a_later_one_brings_it_up_to_date(
    annotated: Path, lab_file: Path, tmp_path: Path, call: Call
) -> None:
    out = tmp_path / "out"
    shutil.copytree(annotated.parent, out)
    assert not (out / "mepps.xlsx").exists()
    again = ("run", lab_file, "-o", out, *STATED, "--no-picture")
    assert call(*again, "--tables", "xlsx", "--units", "lab").code == 0
    titles, *rows = sheets(out)["mepps"]
    assert "amplitude (mV)" in titles
    shutil.copy(annotated, out / "second.nwb")
    assert call(*again).code == 0
    titles, *more = sheets(out)["mepps"]
    assert "amplitude (V)" in titles
    assert len(more) == 2 * len(rows) > 0


def test_an_earlier_workbook_that_cannot_be_brought_up_to_date_costs_no_other_table(
    annotated: Path, lab_file: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(annotated.parent, out)
    again = ("run", lab_file, "-o", out, *STATED, "--no-picture")
    assert call(*again, "--tables", "xlsx").code == 0
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (out / "mepps.csv").unlink()
    called = call(*again)
    assert called.code == 1
    assert f"{out / 'mepps.xlsx'}: the CSV tables are there, but not this: expected the package" in called.err
    assert (out / "mepps.csv").exists()
