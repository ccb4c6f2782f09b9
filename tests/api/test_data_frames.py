"""MEPPs and summaries as data frames."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import nwb_mepp
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import read_events


def test_a_file_has_a_row_a_mepp_with_the_columns_of_the_table(annotated: Path) -> None:
    frame = nwb_mepp.to_dataframe(annotated)
    (table,) = read_events(annotated)
    np.testing.assert_array_equal(frame["amplitude"], table.mepps.amplitude)
    np.testing.assert_array_equal(frame["area"], table.mepps.area)
    with (annotated.parent / "mepps.csv").open() as stream:
        assert list(frame.columns) == next(csv.reader(stream))
    assert (frame["overlapped"].dtype, frame["sweep"].dtype) == (bool, np.int64)
    assert set(frame["file"]) == {annotated.name}


def test_a_summary_has_a_row_a_detector_and_channel(annotated: Path) -> None:
    frame = nwb_mepp.to_dataframe(annotated, summary=True)
    assert frame["n_mepps"].tolist() == [len(nwb_mepp.to_dataframe(annotated))]
    assert frame["channel"].tolist() == ["Voltage"]


def test_a_folder_has_all_files_and_what_its_table_of_sessions_said(annotated: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.nwb", "deep/a.nwb"):
        shutil.copy(annotated, tmp_path / name)
    (tmp_path / "summary.csv").write_text("file,channel,group\ndeep/a.nwb,Vm,'=wild type\n")
    frame = nwb_mepp.to_dataframe(tmp_path)
    assert list(dict.fromkeys(frame["file"])) == ["b.nwb", "deep/a.nwb"]
    assert dict(zip(frame["file"], frame["group"], strict=True)) == {"b.nwb": "", "deep/a.nwb": "=wild type"}


def test_a_file_without_mepps_gives_a_frame_with_columns(tmp_path: Path, lab_file: Path) -> None:
    nwb_mepp.convert(lab_file, tmp_path / "a.nwb", unit="V", session_start="2026-01-15T10:00:00+00:00")
    frame = nwb_mepp.to_dataframe(tmp_path / "a.nwb")
    assert (len(frame), frame["amplitude"].dtype) == (0, np.float64)


def test_a_folder_without_nwb_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected an NWB file in this folder, found none"):
        nwb_mepp.to_dataframe(tmp_path)
