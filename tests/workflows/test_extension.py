from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from builders.nwb_files import objects
from nwb_mepp.core.errors import OutputError
from nwb_mepp.workflows import retype_file

PROJECT = Path(__file__).resolve().parents[2]
EARLIER = PROJECT / "extensions" / "ndx-mepp" / "back_compat" / "0.2.0.nwb"


def test_a_file_of_an_earlier_version_is_turned_plain_and_typed_again(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    shutil.copy(EARLIER, path)
    plain = retype_file(path, extension=False)
    assert set(plain.tables) == {"mepps_miniunet", "mepp_detections"}
    assert [name for name, found in objects(path).items() if "ndx-mepp" in f"{name} {found}"] == []
    assert retype_file(path, extension=True).tables == ("mepps_miniunet", "mepp_detections")
    before, after = objects(EARLIER), objects(path)
    detectors = {name for name in before if "mepp_detector" in name}
    schema = {name for name in before | after if name.startswith("specifications/ndx-mepp/")}
    # A detector that is stated anew is a new object, which says the same; the schema is that of today.
    assert {name: found for name, found in after.items() if name not in detectors | schema} == {
        name: found for name, found in before.items() if name not in detectors | schema
    }
    for name in detectors:
        old, new = before[name][0], after[name][0]
        assert {key for key in old if old[key] != new[key]} == {"object_id"}


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path: Path) -> None:
    out = tmp_path / "out.nwb"
    out.write_text("Dear diary")
    with pytest.raises(OutputError, match=r"out.nwb is there already; give `overwrite=True`"):
        retype_file(EARLIER, extension=False, output=out)
    retype_file(EARLIER, extension=False, output=out, overwrite=True)
    assert objects(out)["intervals/mepps_miniunet"][0]["neurodata_type"] == "'TimeIntervals'"
