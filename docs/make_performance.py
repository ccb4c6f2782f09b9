"""Measure what docs/performance.md says, and write it there.

    python docs/make_performance.py [--before CHECKOUT] [--repeats 5] [--profile]

Each kind of work is done several times in processes of their own, on one thread. With ``--before``, a
checkout of another version does the same in turn, so that both meet the same machine. ``--profile`` prints
instead where the time of the analysis goes. It takes minutes, and its seconds are those of the machine, so no
test runs it.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("performance.md")
MARK = "<!-- What follows is written by docs/make_performance.py. -->\n"
START = "2026-01-15T10:00:00+00:00"
PACKAGES = ("numpy", "scipy", "ai-edge-litert", "h5py", "hdmf", "pynwb", "neo")

HUM = "hum_amplitudes=(1e-4, 3e-5, 4e-5), hum_phase_drift=0.02, drift_per_sqrt_s=2e-4, step=5e-6"
#: Simulated recordings that are analyzed: their number, and what the scenario of each is.
ANALYZED = {
    "one minute, 1 MEPP/s": (1, "duration_s=60, step=5e-6"),
    "the same with hum and drift": (1, f"duration_s=60, {HUM}"),
    "one minute with hum, 20 MEPPs/s": (1, f"duration_s=60, rate_hz=20, {HUM}"),
    "12 s at 20 kHz, 80 MEPPs/s": (1, "duration_s=12, rate_hz=80, sampling_rate_hz=20e3"),
    "12 sweeps of 3 s with hum, 3 MEPPs/s": (12, f"duration_s=3, rate_hz=3, {HUM}"),
}
# What an analysis needs once a process, such as imports and the networks, is not counted.
ANALYZE = """
import sys, time
from dataclasses import replace
from nwb_mepp.core.recording import Recording, SourceFile
from nwb_mepp.simulation import Scenario, simulate_recording
from nwb_mepp.workflows import DetectionSettings, analyze

def analyzed(n_sweeps, **scenario):
    made = [simulate_recording(Scenario(**scenario), seed=seed).trace() for seed in range(n_sweeps)]
    traces = tuple(replace(one, sweep=i, start_s=5.0 * i) for i, one in enumerate(made))
    source = SourceFile(name="simulated", sha256="", reader="", reader_version="")
    analyze(Recording(traces=traces, source=source, session_start=None), settings=DetectionSettings())

analyzed(1, duration_s=2)
"""
TIMED = """
began = time.process_time()
analyzed({n_sweeps}, {scenario})
print(time.process_time() - began)
"""
PROFILED = """
import cProfile, pstats
profile = cProfile.Profile(time.process_time)
profile.runcall(analyzed, {n_sweeps}, {scenario})
pstats.Stats(profile).sort_stats("cumulative").print_stats("nwb_mepp", 40)
pstats.Stats(profile).sort_stats("tottime").print_stats(25)
"""
COMMAND = """
import sys, time
from nwb_mepp.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
print(time.process_time(), file=sys.stderr)
sys.exit(code)
"""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as Markdown; the first is the header."""
    header, *body = rows
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def environment() -> dict[str, str]:
    """Return the environment of a process that uses one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def seconds_of(code: str, arguments: Sequence[str], *, checkout: Path) -> float:
    """Run code in a process of its own; it prints last how many seconds of the processor it took."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
        # Code that is given as text imports from where it runs before anything that is installed.
        cwd=checkout,
    )
    return float((done.stderr.strip() or done.stdout).split()[-1])


def commands(folder: Path) -> dict[str, list[str]]:
    """Return command lines that read what lies in the project, and an annotated file made of it."""
    recording = PROJECT / "data" / "simulated.abf"
    stated = ["--session-start", START, "--clamp", "izero", "--metadata", f"{PROJECT / 'data/metadata.yaml'}"]
    out = ["--output", str(folder / "out"), "--overwrite"]
    run = ["run", str(recording), *stated, *out]
    seconds_of(COMMAND, run, checkout=PROJECT)
    annotated = str(folder / "out" / "simulated.abf.nwb")
    return {
        "`run` of data/simulated.abf": run,
        "`convert` of the same": ["convert", str(recording), *stated, *out],
        "`events` of one file": ["events", annotated],
        "`summary` of one file": ["summary", annotated],
        "`info` of one file": ["info", annotated],
        "`--help`": ["--help"],
    }


def measured(
    works: Mapping[str, tuple[str, Sequence[str]]], checkouts: Sequence[Path], *, repeats: int
) -> list[list[str]]:
    """Return for each work its least seconds with each checkout, and the last over the first."""
    rows = []
    for name, (code, arguments) in works.items():
        times: list[list[float]] = [[] for _ in checkouts]
        for _ in range(repeats):
            for own, checkout in zip(times, checkouts, strict=True):
                own.append(seconds_of(code, arguments, checkout=checkout))
        sys.stderr.write(f"{name}: {times}\n")
        # Other work on the machine only adds to the seconds, by what it throws out of the caches.
        least = list(map(min, times))
        ratio = [f"{least[0] / least[-1]:.2f}"] if len(least) > 1 else []
        spread = statistics.median(times[-1]) / least[-1] - 1.0
        rows.append([name, *(f"{one:.2f}" for one in least), *ratio, f"{100 * spread:.0f} %"])
    return rows


def commit(checkout: Path) -> str:
    """Return the commit of a checkout, as short as it is unique; its name where there is none."""
    asked = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    inside = (checkout / ".git").exists()
    return asked.stdout.strip() if inside and asked.returncode == 0 else checkout.name


def circumstances(*, repeats: int) -> str:
    """Return what the measurements were made with, and how often."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2] for line in info.read_text().splitlines() if "model name" in line]
        cpu = models[0].strip() if models else cpu
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    said = f"Measured on {cpu}, one thread; Python {platform.python_version()}, {versions}; runs: {repeats}."
    return textwrap.fill(said, 110) + "\n"


def main() -> None:
    """Measure and write the page, or print a profile."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="folder of another version, as git archive gives it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="print where the time of the analysis goes")
    options = parser.parse_args()
    if options.profile:
        for name, (n_sweeps, scenario) in ANALYZED.items():
            sys.stdout.write(f"\n{name}\n")
            sys.stdout.flush()
            code = ANALYZE + PROFILED.format(n_sweeps=n_sweeps, scenario=scenario)
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code], check=True, env=environment(), cwd=PROJECT
            )
        return
    checkouts = [one.resolve() for one in (options.before, PROJECT) if one is not None]
    analyses = {
        name: (ANALYZE + TIMED.format(n_sweeps=n_sweeps, scenario=scenario), ())
        for name, (n_sweeps, scenario) in ANALYZED.items()
    }
    heads = [f"{commit(one)}, CPU s" for one in checkouts]
    header = [*heads, *(["faster by"] if len(checkouts) > 1 else []), "median over least"]
    with tempfile.TemporaryDirectory() as name:
        lines = {name: (COMMAND, words) for name, words in commands(Path(name)).items()}
        of_analyses = measured(analyses, checkouts, repeats=options.repeats)
        of_commands = measured(lines, checkouts, repeats=options.repeats)
    said, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    parts = [
        circumstances(repeats=options.repeats),
        "## Analysis, in a process that has done one before\n",
        table([["recording", *header], *of_analyses]),
        "## Commands, whole processes\n",
        table([["command", *header], *of_commands]),
    ]
    PAGE.write_text(said + MARK + "\n" + "\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
