"""One function opens whatever can be opened."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("words", "options", "named"),
    [
        (["--unit", "mV"], {"unit": "mV"}, "unit"),
        (["--gain", "10"], {"gain": 10.0}, "gain"),
        (["--sampling-rate", "5000"], {"sampling_rate_hz": 5e3}, "sampling_rate_hz"),
        (["--reader", "axon"], {"reader": "axon"}, "reader"),
    ],
)
def test_how_to_read_a_lab_file_is_refused_for_nwb(
    nwb: Path, words: list[str], options: dict[str, object], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        UsageError, match=rf"A\.NWB is an NWB file, .*; leave out `{named}`, or correct the file"
    ):
        nwb_mepp.read(nwb, **options)  # type: ignore[arg-type]
    with (
        pytest.raises(UsageError, match=f"leave out `{named}`"),
        open_recording(nwb, options=ReadOptions(**options)),  # type: ignore[arg-type]
    ):
        pass
    assert main(["info", str(nwb), *words]) == 2
    assert f"leave out {words[0]}, or correct the file" in capsys.readouterr().err
