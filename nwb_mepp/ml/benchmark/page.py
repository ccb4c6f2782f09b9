"""The whole benchmark as one page: every detector in it, the bad figures too."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.version import __version__
from nwb_mepp.ml.benchmark.conditions import PLAIN, SILENCE, level_condition
from nwb_mepp.ml.benchmark.detector_runs import load_detectors
from nwb_mepp.ml.benchmark.measurements import BenchmarkPlan, BenchmarkResults
from nwb_mepp.ml.benchmark.reach import reach_table
from nwb_mepp.ml.benchmark.result_cache import identity
from nwb_mepp.ml.benchmark.robustness import (
    count_false_alarms,
    false_alarm_table,
    invariant_table,
    measured_curves,
)
from nwb_mepp.ml.benchmark.tables import (
    by_level_table,
    curve_table,
    difference_cell,
    f1_cell,
    level_table,
    overlap_table,
    real_table,
    way_cell,
)
from nwb_mepp.plots import draw_curves

__all__ = ["benchmark_page", "write_benchmark"]

_PACKAGES = {
    "NumPy": "numpy",
    "SciPy": "scipy",
    "LiteRT": "ai-edge-litert",
    "Neo": "neo",
}


def write_benchmark(results: BenchmarkResults, path: Path, *, command: str) -> None:
    """Write the page, and its picture into the folder ``img`` beside it.

    Parameters
    ----------
    results : BenchmarkResults
    path : Path
    command : str
        How the benchmark was called, for the page.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    picture = Path("img") / f"{path.stem}.svg"
    draw_curves(results.panels(), path.parent / picture, title="F1 as recordings differ")
    page = benchmark_page(results, command=command, picture=picture)
    with complete_or_absent(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def benchmark_page(results: BenchmarkResults, *, command: str, picture: Path | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    results : BenchmarkResults
    command : str
        How the benchmark was called.
    picture : Path, optional
        Where the curves are drawn, relative to the page.

    Returns
    -------
    str
        Markdown.
    """
    plan, levels = results.plan, results.levels()
    subject = plan.detectors[0]
    parts = [
        _HEAD.format(command=command, date=datetime.now(UTC).date().isoformat(), versions=_versions()),
        "\n".join(f"- {identity(one)}" for one in load_detectors(plan.detectors).values()),
        _SEEDS.format(**_seeds(plan)),
        _REACH.format(detector=subject),
        reach_table(subject, levels=levels, outcomes=results.outcomes, real=results.real),
        _LEVELS.format(n=_recordings(plan.n_recordings)),
        by_level_table(levels, f1_cell),
        _WAY,
        by_level_table(levels, way_cell),
        _DIFFERENCES.format(detector=subject),
        by_level_table(levels, partial(difference_cell, other=subject), without=subject),
        _DETAILS,
        level_table(levels),
        _BORDERS,
        overlap_table(levels),
        _SILENCE.format(n=_recordings(plan.n_silent)),
        false_alarm_table(count_false_alarms(results.outcomes)),
        _UNCHANGED.format(n=_recordings(plan.n_varied)),
        invariant_table(results.outcomes),
        _CURVES.format(n=_recordings(plan.n_varied)),
        *(
            [f"![F1 of the detectors as one property after another varies]({picture.as_posix()})"]
            if picture
            else []
        ),
        *_curve_tables(results),
        *([_REAL, real_table(results.real)] if results.real else []),
        _CONVERSION,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _curve_tables(results: BenchmarkResults) -> list[str]:
    return [
        curve_table(curve.words, [(f"{value:g}", scores) for value, scores in points])
        for curve, points in measured_curves(results.outcomes)
    ]


def _recordings(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _versions() -> str:
    stated = [f"nwb-mepp {__version__}", f"Python {platform.python_version()}"]
    for name, package in _PACKAGES.items():
        try:
            stated.append(f"{name} {version(package)}")
        except PackageNotFoundError:  # LiteRT, where TensorFlow runs the networks
            continue
    return ", ".join(stated)


def _seeds(plan: BenchmarkPlan) -> dict[str, int]:
    """Return first and last seed of each part."""
    levels = level_condition(6.0).seeds_from
    return {
        "levels_from": levels,
        "levels_to": levels + plan.n_recordings - 1,
        "silence_from": SILENCE[0].seeds_from,
        "silence_to": SILENCE[0].seeds_from + plan.n_silent - 1,
        "curves_from": PLAIN.seeds_from,
        "curves_to": PLAIN.seeds_from + plan.n_varied - 1,
    }


_HEAD = """
# Benchmark

Made by `{command}` on {date} with {versions}.

Detectors run as a user runs them, with their default thresholds; what they have found is measured, and
peaks are matched one to one within 5 ms, as many as possible and then as near as possible. Intervals of
confidence are 95 % bootstrap intervals over recordings, those of differences paired. All detectors are
here, and all figures, the bad ones too:
"""

_SEEDS = """
Seeds, which training and calibration refuse: {levels_from} to {levels_to} for the levels, {silence_from}
to {silence_to} for silence, {curves_from} to {curves_to} for everything else.
"""

_REACH = """
## What is asked, and what `{detector}` reached

"Not certain" stands where the interval of confidence leaves it open. What oracle and ceiling know is said
below the first table of the next section.
"""

_LEVELS = """
## Reference recordings

{n} of 60 s at each level (mean amplitude over the SD of white and 1/f noise): 10 kHz, 0.5, 1
or 3 MEPPs a second, bursts, hum, drift and artifacts, as `nwb_mepp/simulation/reference.py` defines
them. F1:
"""

_WAY = """
The *oracle* is a matched filter that is given the true mean shape and the threshold that is best for the
level. The *ceiling* is a matched filter that knows the exact shape of every MEPP, on the same MEPPs and
noise without hum, drift, artifacts and overlap, at the threshold that is best for the level;
`nwb_mepp/benchmark/bounds.py` says exactly what both know. Fraction of the way from the one to the
other, (F1 - oracle) / (ceiling - oracle):
"""

_DIFFERENCES = """
F1 minus that of `{detector}` on the same recordings:
"""

_DETAILS = """
Every detector, the oracle and the ceiling with their thresholds. IoU is intersection over union of true
and found intervals, samples pooled within a recording, mean over recordings; in patches, only those
patches of 10 ms (100 samples) on a fixed grid count that hold a true peak. Errors are medians over
matched MEPPs, in brackets the interquartile range; those of amplitude and decay are relative to the
truth. Borders and errors of the ceiling are drawn, not measured: as uncertain as the noise makes them.
"""

_BORDERS = """
How precisely intervals can be known: IoU (whole recordings / patches) if every MEPP were found and
nothing else. The first row is what this package measures when it is told the true places; the second
what a fit of onset, rise, decay and amplitude that starts from the truth can do at best in that noise
(Cramér-Rao bound, with the spread of shapes among MEPPs as prior knowledge), without hum, drift and
artifacts.
"""

_SILENCE = """
## Recordings without MEPPs

{n} of 60 s of each kind, noise as at level 6. The interval is the exact one of a Poisson
rate.
"""

_UNCHANGED = """
## What must make no difference

{n} of 60 s at level 6, recorded in other ways: the same MEPPs in the same noise. F1 is to move by less
than 0.01.
"""

_PICTURE = "![F1 of the detectors as one property after another varies]({path})"

_CURVES = """
## One property after another

F1 at level 6 where one property differs; {n} of 60 s at each value. The sampling rates are those at which
the same recordings, taken at 50 kHz, are stored.
"""

_REAL = """
## Real recordings

Currents marked by five people (GroupA: what at least three of them marked, with `--min-amplitude-sd 4`)
and simulated currents in real noise (Train1 to Train4), from Winchester et al.; onsets are matched
within 2 ms after one common shift. No weights have seen them.
"""

_CONVERSION = """
## Conversion

Sizes, seconds and memory of conversions to NWB, beside those of NeuroConv on the same recordings, are
measured by `docs/make_storage.py`; `docs/storage.md` says what they mean.
"""
