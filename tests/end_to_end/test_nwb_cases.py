"""NWB files of other programs that users reported, built anew in ../shared/cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, detect_file

MINIUNET = DetectionSettings(detectors=("miniunet",))


@pytest.mark.parametrize("name", ["unit_unknown", "no_unit_attr"])
def test_the_unit_can_be_stated(shared_cases: Path, tmp_path: Path, name: str) -> None:
    path = shared_cases / "nwb_unit_unknown" / f"{name}.nwb"
    options = ReadOptions(unit={"Vm": "V"})
    detect_file(path, output=tmp_path / "out.nwb", settings=MINIUNET, read_options=options)
    (result,) = read_results(tmp_path / "out.nwb")
    assert result.summary.n_mepps == 19
    assert "19 of 19 events recur every 1 s" in result.summary.warnings


def test_the_sweeps_of_an_electrode_give_one_table(shared_cases: Path, tmp_path: Path) -> None:
    path = shared_cases / "nwb_sweeps_as_series" / "mies_like.nwb"
    detect_file(path, output=tmp_path / "out.nwb", settings=MINIUNET)
    (result,) = read_results(tmp_path / "out.nwb")
    assert result.mepps.channel == "electrode_0"
    assert np.unique(result.mepps.sweep).tolist() == [0, 1, 2, 3]
    assert result.summary.analyzed_s == pytest.approx(20.0)


def test_a_zarr_store_is_named(shared_cases: Path) -> None:
    with pytest.raises(ReadError, match=r"found an NWB Zarr store, which is not read: .*hdmf-zarr"):
        detect_file(shared_cases / "nwb_zarr" / "z.nwb.zarr", settings=MINIUNET)
