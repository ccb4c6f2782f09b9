from __future__ import annotations

import csv
import io
import json

import pytest

from nwb_mepp.core.safe_text import csv_cell, from_csv_cell, json_text, storable, visible

NAMES = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1+1",
    "'=1",
    "''+1",
    "'Vm'",
    "a\nb\r\tc",
    "\t=1",
    "\x1b[2J\x1b]0;title\x07",
    "Vm\0",
    "C:\\x1bc\\u00ff",
    "\\x5cx1b",
    "bad\udcff.abf",
    "\u202egnp.exe",
    "\x9b31m",
    "Spannung µV 膜電位",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_is_harmless_and_gives_the_name_back(name: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow([csv_cell(name)])
    ((cell,),) = csv.reader([stream.getvalue()])
    assert cell[:1] not in {"=", "+", "-", "@", "\uff1d"}
    assert cell.isprintable()
    assert from_csv_cell(cell) == name
    cell.encode()


@pytest.mark.parametrize("name", NAMES)
def test_shown_text_holds_no_control_characters(name: str) -> None:
    assert visible(name).isprintable()


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_the_name_back(name: str) -> None:
    text = json_text([name])
    assert text.isprintable()
    text.encode()
    assert json.loads(text) == [name]


def test_harmless_text_stays() -> None:
    name = "Spannung µV 膜電位 'x' (=1) C:\\data"
    assert visible(name) == csv_cell(name) == storable(name) == name
    assert visible("a\nb", keep="\n") == "a\nb"
