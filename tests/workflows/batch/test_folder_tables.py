"""The tables of a folder are the same whether rows come from the batch or from the files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.command_line import STATED, Call
from nwb_mepp.nwb import read_tables
from nwb_mepp.workflows.batch import folder_tables

TABLES = ("mepps.csv", "summary.csv")


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in TABLES]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that fills with the outputs that are read for the tables."""
    seen: list[Path] = []
    read: Callable[[Path], object] = read_tables

    def spy(path: Path) -> object:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(folder_tables, "read_tables", spy)
    return seen


@pytest.mark.parametrize("detectors", [("threshold",), ("threshold", "template")])
def test_rows_of_a_batch_are_those_that_its_files_give(
    call: Call, lab_file: Path, tmp_path: Path, reads: list[Path], detectors: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    words = [word for name in detectors for word in ("--detector", name)]
    command = ("run", lab_file, "-o", out, *STATED, "--no-picture", *words)
    assert call(*command).code == 0
    assert reads == []
    told = contents(out)
    # What is there already is kept, and read.
    assert call(*command).code == 0
    assert len(reads) == 1
    assert contents(out) == told


def test_an_output_that_was_changed_after_it_was_written_is_read(
    call: Call, lab_file: Path, tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    of = folder_tables.WrittenTables.of

    def another_process_writes_first(self: folder_tables.WrittenTables, output: Path) -> object:
        shutil.copy2(output, tmp_path / "copy.nwb")
        (tmp_path / "copy.nwb").replace(output)
        return of(self, output)

    monkeypatch.setattr(folder_tables.WrittenTables, "of", another_process_writes_first)
    assert call("run", lab_file, "-o", out, *STATED, "--no-picture", "--detector", "threshold").code == 0
    assert len(reads) == 1
