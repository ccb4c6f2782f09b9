"""Many numbers at once are what they are one by one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.text import rows
from nwb_mepp.readers.text.layout import sniff_layout
from nwb_mepp.readers.text.plain_decimals import plain_numbers

DIGITS = st.text("0123456789", max_size=17)
CELL = st.builds(
    lambda sign, whole, decimals: f"{sign}{whole}{decimals and '.' + decimals}",
    st.sampled_from(["", "-"]),
    DIGITS.filter(lambda text: len(text) < 10),
    DIGITS,
).filter(lambda cell: any(map(str.isdigit, cell)))


def _is_exact(cell: str) -> bool:
    whole, _, decimals = cell.removeprefix("-").partition(".")
    return len(whole) <= 8 and len(decimals) <= 11 and int(whole + decimals) < 2**53


@settings(max_examples=300)
@given(
    table=st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)
    ),
    separator=st.sampled_from("\t;"),
    mark=st.sampled_from(".,"),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_each_number_is_the_one_next_to_its_decimals(
    table: list[list[str]], separator: str, mark: str, line_end: str
) -> None:
    text = "".join(separator.join(row).replace(".", mark) + line_end for row in table)
    found = plain_numbers(text.encode(), separator=separator, mark=mark, n_columns=len(table[0]))
    assert found is not None or not all(_is_exact(cell) for row in table for cell in row)
    if found is not None:
        expected = np.array([[float(Decimal(cell)) for cell in row] for row in table])
        np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))  # the sign of zero, too


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"1\t2",  # no line feed
        b"1\t2\t3\n4\n",  # as many cells as two lines of two have
        b"1\t\n2\t3\n",
        b"\n1\t2\n",
        b"1\t2\r\n3\t4\n",
        b"1\r\t2\n",
        b"1\t2e3\n",
        b"1\tNaN\n",
        b"1\t+2\n",
        b"1\t2 \n",
        b"1\t1.2.3\n",
        b"1.5.\t2\n",
        b"1\t-\n",
        b"1\t.\n",
        b"1\t--2\n",
        b"1\t1,5\n",
        b"1\t12:30\n",
        b"1\t2#3\n",
        b"1\t9007199254740993\n",  # 2**53 + 1
        b"1\t123456789\n",
        "1\t٣\n".encode(),
    ],
)
def test_anything_else_is_left_to_who_reads_cell_by_cell(text: bytes) -> None:
    assert plain_numbers(text, separator="\t", mark=".", n_columns=2) is None


def _tables(path: Path) -> list[Any]:
    layout = sniff_layout(path)
    assert layout is not None
    try:
        tables = rows.read_tables(path, layout)
    except ReadError as error:
        return [str(error)]
    return [
        (
            one.header,
            [column.tobytes() for column in one.columns],
            None if one.empty is None else one.empty.tolist(),
            one.comments,
            one.clocks,
            [one.line_of(row) for row in range(len(one.columns[0]))],
        )
        for one in tables
    ]


ROW = st.sampled_from(
    [
        *["{time}\t-70.{time}"] * 12,
        "{time}\t-70.25\t",
        "{time}\t-70.25\t#* drug",
        "#1 alone",
        "{time}\tNaN",
        "{time}\t",
        "{time}\t-7.1e1",
        "{time}\t-70,25",
        "{time}\t1.234,5",
        "",
        "{time}",
        "{time}\t1\t2",
        "{time}\tabc",
        "Interval=\t0.1 s\n0\t-70.5",
        "Time (s)\tVm (mV)\n0\t-70.5",
        "12:00:00.{time}\t-70.5",
        "{time}\t\u221270.5",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(ROW, min_size=1, max_size=25),
    heading=st.sampled_from(
        ["", "Time (s)\tVm (mV)\n", "Interval=\t0.1 s\nChannelTitle=\tVm\n", "1\tVm (mV)\n"]
    ),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    ends=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    piece=st.integers(20, 200),
)
def test_pieces_of_plain_numbers_change_nothing(
    lines: list[str],
    heading: str,
    line_end: str,
    ends: bool,
    encoding: str,
    piece: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbered = [line.format(time=number) for number, line in enumerate(lines)]
    text = heading + "0\t-70.5\n1\t-70.5\n2\t-70.5\n" + "\n".join(numbered) + ("\n" if ends else "")
    path = tmp_path / "run.txt"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_is_plain", lambda *_: False)
        expected = _tables(path)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_PIECE_BYTES", piece)
        assert _tables(path) == expected


def test_plain_lines_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.txt"
    path.write_text("Time (s)\tVm (mV)\n" + "".join(f"{n / 10:.1f}\t-70.5\n" for n in range(1000)))
    monkeypatch.setattr(rows, "_PIECE_BYTES", 1000)
    looked_at: list[str] = []
    real = rows._Assembler.add
    monkeypatch.setattr(
        rows._Assembler,
        "add",
        lambda self, lines, **where: (looked_at.extend(lines), real(self, lines, **where))[1],
    )
    (table,) = rows.read_tables(path, sniff_layout(path) or pytest.fail("no layout"))
    assert len(table.columns[1]) == 1000
    assert len(looked_at) < 100, "only the piece with the title has to be looked at"
