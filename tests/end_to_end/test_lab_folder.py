"""A folder of a lab: files of two kinds, some bad, some foreign, and what is true of each in one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyabf.abfWriter import writeABF1

import nwb_mepp
from builders.command_line import Call
from builders.known_mepps import mepp_trace

RATE_HZ = 10_000
N_ABF, N_LABCHART = 13, 11
GAIN = 10  # of the amplifier before the LabChart recorder
STATED = ("--timezone", "UTC", "--jobs", "2")


def write_labchart(path: Path, values_mv: np.ndarray) -> None:
    heading = [
        f"Interval=\t{1 / RATE_HZ} s",
        "ExcelDateTime=\t4.5000000000000000e+004\t01/15/2026 10:00:00.0",
    ]
    heading += ["TimeFormat=\tStartOfBlock", "ChannelTitle=\tVm", "Range=\t1.000 V", "UnitName=\tmV"]
    rows = (f"{number / RATE_HZ:.4f}\t{value:.4f}" for number, value in enumerate(values_mv))
    path.write_text("\r\n".join([*heading, *rows]) + "\r\n", encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty files: ABF in mV, LabChart text behind a x10 amplifier, two bad ones, four foreign ones."""
    folder = tmp_path_factory.mktemp("lab") / "two kinds"
    for name in ("rig 1", "rig 2"):
        (folder / name).mkdir(parents=True)
    traces_mv = [1e3 * mepp_trace(duration_s=1.6, onsets_s=(0.4, 0.8, 1.3), seed=n) for n in range(N_ABF)]
    for number, values_mv in enumerate(traces_mv):
        writeABF1(values_mv[np.newaxis], str(folder / "rig 1" / f"a{number}.abf"), RATE_HZ, units="mV")
    for number in range(N_LABCHART):
        write_labchart(folder / "rig 2" / f"t{number}.txt", GAIN * traces_mv[number])
    whole = (folder / "rig 1" / "a0.abf").read_bytes()
    (folder / "rig 1" / "cut.abf").write_bytes(whole[: len(whole) // 2])
    text = (folder / "rig 2" / "t0.txt").read_text(encoding="utf-8")
    (folder / "rig 2" / "broken.txt").write_text(text.replace("0.5000\t", "0.5000\tx"), encoding="utf-8")
    for name in ("one.adicht", "two.adicht", "notes.docx", "Thumbs.db"):
        (folder / name).write_bytes(b"PK\x03\x04" + bytes(100))
    assert sum(path.is_file() for path in folder.rglob("*")) == 30
    return folder


def table(path: Path, *, gain: bool) -> Path:
    start = "2026-01-15T10:00:00"  # which the headers of these ABF files lack
    rows = [f"rig 1/a{number}.abf,{'' if gain else 'x'},wild type,{start}" for number in range(N_ABF)]
    rows += [f"rig 2/t{number}.txt,{GAIN if gain else 'x'},knock-out," for number in range(N_LABCHART)]
    titles = f"file,{'gain' if gain else 'remark'},group,session_start"
    path.write_text("\n".join([titles, *rows]) + "\n", encoding="utf-8")
    return path


def test_one_table_of_sessions_gives_right_millivolts_in_all(call: Call, lab: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sessions = table(tmp_path / "s.csv", gain=True)
    detecting = ("--detector", "threshold", "--no-picture")
    called = call("run", lab, "-o", out, "--sessions", sessions, *detecting, *STATED)
    assert called.code == 1  # two files are bad
    assert "24 done, 2 failed," in called.err
    assert "stands out" not in called.err
    assert "skipped 2 .adicht: " in called.err
    found = nwb_mepp.to_dataframe(out, summary=True)
    assert len(found) == N_ABF + N_LABCHART
    assert found["baseline_mean"].to_numpy() == pytest.approx(-70e-3, abs=0.2e-3)
    assert found["amplitude_mean"].to_numpy() == pytest.approx(1e-3, rel=0.3)
    assert found["group"].value_counts().to_dict() == {"wild type": N_ABF, "knock-out": N_LABCHART}
    assert (found["n_mepps"] >= 3).all()


def test_without_gains_a_line_names_the_odd_ones(call: Call, lab: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sessions = table(tmp_path / "s.csv", gain=False)
    called = call("convert", lab, "-o", out, "--sessions", sessions, *STATED)
    odd = [line for line in called.err.splitlines() if "stands out" in line]
    for number in range(N_LABCHART):
        (line,) = [one for one in odd if f"t{number}.txt" in one]
        assert "its baseline is -700 mV, 10 times that of most files (about 70 mV): is there a gain" in line
    assert not any(".abf" in line for line in odd)
