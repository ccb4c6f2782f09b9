"""Measure what docs/performance.md says, and write it there.

    python docs/make_performance.py [--before CHECKOUT] [--repeats 5] [--long] [--miniml ENVIRONMENT]
    python docs/make_performance.py --profile

The works are those of ``benchmarks``: each is done several times in processes of their own. With
``--before``, a checkout of another version does the same in turn, so that both meet the same machine; other
programs do theirs beside. ``--profile`` prints instead where the time of the analysis goes. It takes long,
and its seconds are those of the machine, so no test runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks.conftest import inputs_of, make  # noqa: E402
from benchmarks.works import ANALYSES, PROFILED, Aim, Work, analysis, signal, works  # noqa: E402

PAGE = Path(__file__).with_name("performance.md")
MARK = "<!-- What follows is written by docs/make_performance.py. -->\n"
PACKAGES = (
    "numpy",
    "scipy",
    "ai-edge-litert",
    "h5py",
    "hdmf",
    "pynwb",
    "neo",
    "neuroconv",
    "pandas",
    "polars",
)
UNITS = {"wall_s": "s", "cpu_s": "CPU s", "peak_mb": "MB"}
HEADINGS = {
    "analysis": "Analysis, in a process that has done one before",
    "commands": "Commands, whole processes",
    "batches": "Batches of 40 files of 30 s",
    "text": "Text, in a process that has read it before",
    "memory": "Memory at its peak",
}

# What is done again and again, as pytest -k understands it: the others take minutes.
ONLY_SHORT = "not files and not memory"

# Costs of each work by its name, the least or median of the runs.
Costs = Mapping[str, Mapping[str, float]]


def measured(options: argparse.Namespace) -> list[Costs]:
    """Return the costs with each checkout, this one last; other programs are among those of this one."""
    checkouts = [one.resolve() for one in (options.before, PROJECT) if one is not None]
    found: list[dict[str, list[dict[str, float]]]] = [defaultdict(list) for _ in checkouts]
    for number in range(options.repeats):
        for costs, checkout in zip(found, checkouts, strict=True):
            for one in session(checkout, options, choice=ONLY_SHORT if number else ""):
                costs[one["work"]].append(one)
    return [{name: summed_up(runs) for name, runs in costs.items()} for costs in found]


def session(checkout: Path, options: argparse.Namespace, *, choice: str) -> list[dict[str, Any]]:
    """Do every work that is chosen once with a checkout; return what pytest-benchmark noted of each."""
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder) / "benchmarks.json"
        stated = ["--checkout", str(checkout), "--scale", str(options.scale), "--miniml", str(options.miniml)]
        stated += ["--long"] if options.long else []
        stated += ["-k", " and ".join(f"({one})" for one in (options.only, choice) if one)]
        command = [sys.executable, "-m", "pytest", "-q", "benchmarks", f"--benchmark-json={noted}"]
        done = subprocess.run([*command, *stated], cwd=PROJECT, check=False)
        if not noted.exists():
            raise SystemExit(f"nothing was measured (exit code {done.returncode})")
        content = json.loads(noted.read_text(encoding="utf-8"))
    return [one["extra_info"] for one in content["benchmarks"]]


def summed_up(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the median of each measure, and how far several runs are apart."""
    summary = {measure: statistics.median(one[measure] for one in runs) for measure in UNITS}
    walls = [one["wall_s"] for one in runs]
    if len(walls) > 1:
        summary["spread"] = (max(walls) - min(walls)) / summary["wall_s"]
    return summary


def verdict(work: Work, costs: Costs) -> tuple[str, str]:
    """Return what was asked of a work, and whether it is reached."""
    aim = work.aim
    if aim is None:
        return "", ""
    unit = UNITS[aim.measure]
    asked = f"{aim.limit:.2g} of {aim.over}" if aim.over else f"{aim.limit:.3g} {unit}"
    found = part_of(aim, work, costs)
    if found is None:
        return asked, "not measured"
    return asked, "yes" if found <= aim.limit else f"no: {found:.3g}"


def part_of(aim: Aim, work: Work, costs: Costs) -> float | None:
    """Return what is compared with the limit."""
    if work.name not in costs or (aim.over and aim.over not in costs):
        return None
    own = costs[work.name][aim.measure]
    return own / costs[aim.over][aim.measure] if aim.over else own


def rows(of_group: Sequence[Work], costs: Sequence[Costs], heads: Sequence[str]) -> list[list[str]]:
    """Return the rows of a table; the first is the header."""
    now = costs[-1]
    found = [["work", *heads, *(["faster by"] if len(costs) > 1 else []), "spread", "asked", "reached"]]
    for work in of_group:
        if work.name not in now:
            continue
        cells = [cell(one.get(work.name), work) for one in costs]
        before = costs[0].get(work.name)
        measure = "peak_mb" if work.group == "memory" else "wall_s"
        ratio = (
            [f"{before[measure] / now[work.name][measure]:.2f}" if before else ""] if len(costs) > 1 else []
        )
        spread = f"{100 * now[work.name]['spread']:.0f} %" if "spread" in now[work.name] else ""
        found.append([work.name, *cells, *ratio, spread, *verdict(work, now)])
    return found


def cell(cost: Mapping[str, float] | None, work: Work) -> str:
    """Return what a work took."""
    if cost is None:
        return ""
    if work.group == "memory":
        return f"{cost['peak_mb']:.0f} MB, {cost['wall_s']:.1f} s"
    if work.group == "batches":  # whose processes are not all children of the command
        return f"{cost['wall_s']:.3g} s"
    return f"{cost['wall_s']:.3g} s, {cost['cpu_s']:.3g} CPU s"


def table(cells: Sequence[Sequence[str]]) -> str:
    """Return rows as Markdown; the first is the header."""
    header, *body = cells
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(one)} |" for one in lines) + "\n"


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
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    said = (
        f"Measured on {cpu} with {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"{', '.join(found)}; medians of {repeats} runs in turn, of batches and memory one run. "
        "Seconds of the clock, and of the processor "
        "in all threads and processes; the spread is the range of the former over their median."
    )
    return textwrap.fill(said, 110) + "\n"


def profile(scale: float) -> None:
    """Print where the time of each analysis goes."""
    for name, (simulation, _, _) in ANALYSES.items():
        sys.stdout.write(f"\n{name}\n")
        sys.stdout.flush()
        path, rate_hz = signal(simulation, inputs_of(scale))
        make(Path(path), scale=scale, checkout=PROJECT)
        command = [sys.executable, "-W", "ignore", "-c", analysis(name, code=PROFILED), path, rate_hz]
        subprocess.run(command, check=True, cwd=PROJECT)


def main() -> None:
    """Measure and write the page, or print a profile."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--before", type=Path, help="folder with another version, as pip install --no-deps --target gives it"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--long", action="store_true", help="also recordings of 4 h and 24 h, of this version alone"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="how much shorter inputs are, to try it")
    parser.add_argument("--only", help="works to measure, as pytest -k understands it")
    parser.add_argument("--miniml", type=Path, default=PROJECT / "build" / "miniml")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose measurements are renewed")
    parser.add_argument("--profile", action="store_true", help="print where the time of the analysis goes")
    options = parser.parse_args()
    if options.profile:
        profile(options.scale)
        return
    costs = measured(options)
    checkouts = [one.resolve() for one in (options.before, PROJECT) if one is not None]
    heads = [commit(one) for one in checkouts]
    known = list(works(inputs_of(options.scale)))
    parts = [circumstances(repeats=options.repeats)]
    for group, heading in HEADINGS.items():
        cells = rows([one for one in known if one.group == group], costs, heads)
        if len(cells) > 1:
            parts += [f"## {heading}\n", table(cells)]
    said, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    options.page.write_text(said + MARK + "\n" + "\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
