"""Large inputs through the command line as a user calls it: time, memory, and progress on a terminal."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.faults.children import BUG, MEMORY_BYTES
from tests.faults.injection import VARIABLE
from tests.faults.records import LOST, SURVIVED, Record
from tests.faults.scenarios import QUICK, START

__all__ = ["LOADS", "load_trial"]

# Longer silence on a terminal than this looks like a hang.
SILENCE_S = 10.0
LIMIT_S = 1800.0
ALL_OF_THEM = ("--override", "--no-picture")


@dataclass(frozen=True)
class Measured:
    """What a call took."""

    code: int
    said: str
    seconds: float
    peak_bytes: int
    silence_s: float


def measured(arguments: list[str], work: Path) -> Measured:
    """Call the command line on a terminal of its own, and watch it."""
    ours, theirs = os.openpty()
    output = work / "stdout"
    environment = {name: value for name, value in os.environ.items() if name not in {"LD_PRELOAD", VARIABLE}}
    began_s = last_s = time.monotonic()
    peak, silence_s, said = 0, 0.0, b""
    with output.open("wb") as stream:
        command = [sys.executable, "-m", "nwb_mepp", *arguments]
        called = subprocess.Popen(command, stdin=theirs, stdout=stream, stderr=theirs, env=environment)
    os.close(theirs)
    while True:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                said = (said + os.read(ours, 1 << 16))[-1_000_000:]
            except OSError:  # how Linux tells that the other end is closed
                break
            last_s = time.monotonic()
        silence_s = max(silence_s, time.monotonic() - last_s)
        peak = max(peak, *map(_resident, _tree(called.pid)))
        if time.monotonic() - began_s > LIMIT_S:
            called.kill()
    os.close(ours)
    code = called.wait()
    return Measured(code, said.decode(errors="replace"), time.monotonic() - began_s, peak, silence_s)


def _tree(pid: int) -> list[int]:
    pids = [pid]
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        for one in told.split():
            pids += _tree(int(one))
    return pids


def _resident(pid: int) -> int:
    from nwb_mepp._utils.limits import resident_bytes

    return resident_bytes(pid)


def _simulated(work: Path, *options: str) -> Path:
    folder = work / "simulated"
    command = [sys.executable, "-m", "nwb_mepp", "simulate", "-o", str(folder), "--format", "abf", *options]
    subprocess.run(command, check=True, capture_output=True)
    for truth in folder.glob("*.truth.csv"):
        truth.unlink()
    return folder


def _files(work: Path) -> list[str]:
    folder = _simulated(work, "--recordings", "300", "--duration", "2")
    return ["run", str(folder), "-o", str(work / "out"), *START, *QUICK, *ALL_OF_THEM, "--jobs", "2"]


def _channels(work: Path) -> list[str]:
    raw = work / "channels.raw"
    names = [word for number in range(200) for word in ("--channel", f"ch{number}")]
    np.random.default_rng(1).normal(0.0, 100.0, (50_000, 200)).astype("<i2").tofile(raw)
    stated = ("--reader", "rawbinarysignal", "--dtype", "int16", "--n-channels", "200", "--unit", "uV")
    return [
        "run",
        str(raw),
        "-o",
        str(work / "out"),
        *START,
        *QUICK,
        "--no-picture",
        *names,
        *stated,
        "--sampling-rate",
        "10000",
    ]


def _sweeps(work: Path) -> list[str]:
    from pyabf.abfWriter import writeABF1

    abf = work / "sweeps.abf"
    samples = np.random.default_rng(2).normal(-70.0, 0.1, (5000, 3000))
    writeABF1(samples, str(abf), 5_000.0, units="mV")
    return ["run", str(abf), "-o", str(work / "out"), *START, *QUICK, "--no-picture"]


def _mepps(work: Path) -> list[str]:
    folder = _simulated(work, "--duration", "600", "--rate", "100")
    return ["run", str(folder), "-o", str(work / "out"), *START]


def _foreign(work: Path) -> list[str]:
    folder = _simulated(work, "--recordings", "3", "--duration", "2")
    for number in range(50_000):
        place = folder / f"{number // 100:03}" / f"notes_{number}.log"
        place.parent.mkdir(exist_ok=True)
        place.touch()
    return ["run", str(folder), "-o", str(work / "out"), *START, *QUICK, *ALL_OF_THEM]


def _outputs(work: Path) -> list[str]:
    folder, out = _simulated(work, "--recordings", "2", "--duration", "1"), work / "out"
    common = ["-o", str(out), *START, *QUICK, "--no-picture"]
    first, second = sorted(map(str, folder.glob("*.abf")))
    command = [sys.executable, "-m", "nwb_mepp", "run", first, *common]
    subprocess.run(command, check=True, capture_output=True)
    (written,) = out.glob("*.nwb")
    for number in range(1000):
        shutil.copyfile(written, out / f"copy_{number:03}.nwb")
    return ["run", second, *common]


LOADS: tuple[tuple[str, Callable[[Path], list[str]]], ...] = (
    ("300 files, two at a time", _files),
    ("200 channels of 5 s", _channels),
    ("5,000 sweeps of 0.6 s", _sweeps),
    ("100 MEPPs a second for 10 minutes, all defaults", _mepps),
    ("3 recordings among 50,000 foreign files", _foreign),
    ("tables of a folder of 1,001 outputs, written anew after one more", _outputs),
)


def load_trial(number: int, work: Path) -> Record:
    """Make an input and call the command line on it."""
    kind, make = LOADS[number]
    folder = work / f"load-{number}"
    folder.mkdir()
    found = measured(make(folder), folder)
    n_outputs = len(list((folder / "out").rglob("*.nwb")))
    shutil.rmtree(folder)
    problem = "" if found.code == 0 else f"exit code {found.code}: {found.said[-500:]}"
    problem = problem or next((one for one in BUG if one in found.said), "")
    if found.peak_bytes > MEMORY_BYTES:
        problem = problem or "more than 1 GB of memory"
    if found.silence_s > SILENCE_S:
        problem = problem or f"no progress for {found.silence_s:.0f} s"
    figures = (
        f"{found.seconds:.0f} s, at most {found.peak_bytes / 1e6:.0f} MB in one process, at most "
        f"{found.silence_s:.1f} s without progress, {n_outputs} output{'' if n_outputs == 1 else 's'}"
    )
    outcome = LOST if problem else SURVIVED
    return Record(
        part="load", kind=kind, number=number, outcome=outcome, detail=problem, figures=figures,
        seconds=round(found.seconds, 1),
    )  # fmt: skip
