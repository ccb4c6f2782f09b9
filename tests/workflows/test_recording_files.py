"""One function opens whatever can be opened."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import nwb_mepp
from nwb_mepp.cli import main
from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows.recording_files import is_nwb, open_recording

ABF = Path(__file__).resolve().parents[2] / "data" / "simulated.abf"


@pytest.fixture(scope="module")
def nwb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "A.NWB"
    nwb_mepp.convert(ABF, path, session_start="2026-01-15T10:00:00Z")
    return path


def test_a_file_is_known_by_its_suffix_in_letters_of_any_case(nwb: Path, tmp_path: Path) -> None:
    lab = tmp_path / "A.Abf"
    shutil.copy(ABF, lab)
    assert (is_nwb(nwb), is_nwb("b.nwb"), is_nwb(lab)) == (True, True, False)
    for path in (nwb, lab):
        with open_recording(path) as recording:
            assert recording.channels == ("Vm",)
        assert nwb_mepp.read(path).segments[0].analogsignals[0].shape == (100_000, 1)
        assert main(["info", str(path)]) == 0


def test_how_to_read_a_lab_file_is_refused_for_nwb(nwb: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"A\.NWB is an NWB file; leave out `reader`, which says how"):
        nwb_mepp.read(nwb, reader="axon")
    with pytest.raises(UsageError, match="`reader`"), open_recording(nwb, options=ReadOptions(reader="axon")):
        pass
    assert main(["info", str(nwb), "--reader", "axon"]) == 2
    assert "leave out --reader, which says how to read a lab file" in capsys.readouterr().err


def test_unit_gain_and_rate_of_an_nwb_file_can_be_stated(
    nwb: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = nwb_mepp.read(nwb).segments[0].analogsignals[0]
    stated = nwb_mepp.read(nwb, unit="mV", gain={"Vm": 10.0}, sampling_rate_hz=5e3)
    (signal,) = stated.segments[0].analogsignals
    assert float(signal.sampling_rate.rescale("Hz")) == 5e3
    assert float(signal[7, 0].rescale("V")) == pytest.approx(float(plain[7, 0].rescale("V")) * 1e-4)
    words = ["--unit", "mV", "--gain", "Vm=10", "--sampling-rate", "5000", "--format", "json"]
    assert main(["info", str(nwb), *words]) == 0
    (channel,) = json.loads(capsys.readouterr().out)["channels"]
    assert (channel["unit"], channel["sampling_rate_hz"], channel["duration_s"]) == ("V", 5e3, 20.0)


def test_a_zarr_store_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "z.nwb.zarr"
    store.mkdir()
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    for words in (["info", str(store)], ["detect", str(store)], ["events", str(tmp_path)]):
        assert main(words) == 1
        assert "found an NWB Zarr store, which is not read" in capsys.readouterr().err
