"""Inputs of the benchmarks, made once, and what is measured with which version."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.works import SIMULATIONS, Inputs, Work, works

PROJECT = Path(__file__).resolve().parents[1]
START = "2026-01-15T10:00:00+00:00"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of ``docs/make_performance.py``."""
    group = parser.getgroup("nwb-mepp")
    group.addoption("--checkout", type=Path, default=PROJECT, help="folder of the version that is measured")
    group.addoption(
        "--scale", type=float, default=1.0, help="how much shorter inputs are, to try a benchmark"
    )
    group.addoption("--long", action="store_true", help="also recordings of 4 h and 24 h")
    group.addoption("--miniml", type=Path, default=PROJECT / "build" / "miniml", help="environment of miniML")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each work."""
    if "work" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption
    checkout = option("--checkout").resolve()
    chosen = [
        one
        for one in works(inputs_of(option("--scale"), checkout))
        if (option("--long") or not one.is_long) and (checkout == PROJECT or not (one.peer or one.is_new))
    ]
    metafunc.parametrize("work", chosen, ids=lambda one: one.name, indirect=True)


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Work:
    """Return a work whose inputs are there."""
    chosen: Work = request.param
    scale, checkout = (request.config.getoption(name) for name in ("--scale", "--checkout"))
    for argument in chosen.arguments:
        make(Path(argument), scale=scale, checkout=checkout.resolve())
    return chosen


@pytest.fixture
def interpreter(work: Work, pytestconfig: pytest.Config) -> Path:
    """Return the Python that has what a work needs; skip where there is none."""
    if work.peer == "miniML":
        folder = pytestconfig.getoption("--miniml")
        python = Path(folder) / "bin" / "python"
        if not python.exists():
            pytest.skip(
                f"expected miniML (`pip install miniml-detect`) in an environment of its own, found none in "
                f"{folder}; name another one with --miniml"
            )
        return python
    if missing := [name for name in work.needs if importlib.util.find_spec(name) is None]:
        pytest.skip(f"expected {missing[0]}, which is not installed")
    return Path(sys.executable)


def inputs_of(scale: float, checkout: Path = PROJECT) -> Inputs:
    """Return the paths of the inputs; :func:`make` makes them, what a version wrote with that version."""
    folder = PROJECT / "build" / "benchmarks" / f"scale-{scale:g}"
    return Inputs(
        minute=str(folder / "60_s.abf"),
        ten_minutes=str(folder / "600_s.abf"),
        hour=str(folder / "3600_s.abf"),
        four_hours=str(folder / "240_min.raw"),
        day=str(folder / "1440_min.raw"),
        annotated=str(folder / f"by_{checkout.name}" / "60_s.abf.nwb"),
        many=str(folder / "40_files"),
        text=str(folder / "600000_rows.txt"),
        signals=str(folder / "signals"),
        metadata=str(PROJECT / "data" / "metadata.yaml"),
        out=str(folder / "out"),
        scale=scale,
    )


def make(path: Path, *, scale: float, checkout: Path) -> None:
    """Make an input if it is one and not there."""
    if not path.is_absolute() or path.exists() or "benchmarks" not in path.parts:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == "out":  # that is what a work writes
        return
    seconds = path.name.partition("_s.abf")[0]
    if path.suffix == ".abf":
        _simulate(path.parent / f"{path.name}.made", seconds=int(seconds) * scale)
        made = next((path.parent / f"{path.name}.made").glob("*.abf"))
        with made.open(
            "r+b"
        ) as stream:  # the day and the second at which it began, without which NeuroConv ends
            stream.seek(20)
            stream.write(struct.pack("<ii", 20260115, 36_000))
        made.rename(path)
    elif path.suffix == ".raw":
        _repeat_minute(path, n_times=max(1, round(int(path.name.partition("_")[0]) * scale)))
    elif path.name == "40_files":
        _simulate(path, seconds=30 * scale, n_recordings=max(2, round(40 * scale)))
    elif path.suffix == ".nwb":
        source = path.parent.parent / path.name.removesuffix(".nwb")
        make(source, scale=scale, checkout=checkout)
        words = ("-o", path.parent, "--session-start", START, "--override", "--no-picture")
        _command("run", source, *words, checkout=checkout)
    elif path.suffix == ".txt":
        _write_labchart(path, n_rows=round(600_000 * scale))
    elif path.suffix == ".npy":
        from nwb_mepp.simulation import Scenario, simulate_recording

        scenario = dict(SIMULATIONS[path.stem].scenario)
        scenario["duration_s"] = max(2.0, scenario["duration_s"] * scale)
        np.save(path, simulate_recording(Scenario(**scenario), seed=0).trace().values())


def _repeat_minute(path: Path, *, n_times: int) -> None:
    from nwb_mepp.simulation import Scenario, simulate_recording

    minute = simulate_recording(Scenario(), seed=0).trace().values()
    samples = np.round(minute / 1e-5).astype("<i2").tobytes()
    with path.open("wb") as stream:
        stream.writelines(samples for _ in range(n_times))


def _simulate(folder: Path, *, seconds: float, n_recordings: int = 1) -> None:
    stated = ("--format", "abf", "--session-start", START, "--rate", "1")
    counts = ("--duration", max(2.0, seconds), "--recordings", n_recordings)
    _command("simulate", "-o", folder, *stated, *counts)


def _command(*words: object, checkout: Path = PROJECT) -> None:
    subprocess.run([sys.executable, "-m", "nwb_mepp", *map(str, words)], check=True, cwd=checkout)


def _write_labchart(path: Path, *, n_rows: int) -> None:
    """Write what LabChart exports: times and voltages in mV, 21 bytes a row."""
    values = np.random.default_rng(0).normal(-70.0, 0.05, n_rows)
    header = (
        "Interval=\t0.0001 s",
        "ExcelDateTime=\t4.6037416666666665e+04\t2026-01-15 10:00:00",
        "TimeFormat=\tStartOfBlock",
        "DateFormat=\t",
        "ChannelTitle=\tVm",
        "Range=\t100 mV",
        "UnitName=\tmV",
        "TopValue=\t100.000",
        "BottomValue=\t-100.000",
    )
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in header)
        stream.writelines(f"{1e-4 * row:.4f}\t{value:.8f}\n" for row, value in enumerate(values))
