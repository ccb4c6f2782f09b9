"""The results of the benchmark as one page, with every detector and every figure."""

from __future__ import annotations

import platform
import textwrap
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.version import __version__
from nwb_mepp.ml.benchmark.conditions import PLAIN, SILENCE, level_condition
from nwb_mepp.ml.benchmark.detector_runs import load_detectors
from nwb_mepp.ml.benchmark.filtered import filtered_silence, filtered_table
from nwb_mepp.ml.benchmark.measurements import BenchmarkPlan, BenchmarkResults
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
    gap_cell,
    level_table,
    overlap_table,
)
from nwb_mepp.plots import draw_curves

__all__ = ["FILTERS_HEADING", "benchmark_page", "filters_section", "with_filters", "write_benchmark"]

_WIDTH = 105
FILTERS_HEADING = "## Recordings as amplifiers filter them\n"

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
        The command line, for the page.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    picture = Path("img") / f"{path.stem}.svg"
    panels = results.panels()
    if panels:
        draw_curves(panels, path.parent / picture, title="F1 as recordings differ")
    page = benchmark_page(results, command=command, picture=picture if panels else None)
    with complete_or_absent(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def benchmark_page(results: BenchmarkResults, *, command: str, picture: Path | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    results : BenchmarkResults
    command : str
        The command line, for the page.
    picture : Path, optional
        Path of the picture of the curves, relative to the page.

    Returns
    -------
    str
        Markdown.
    """
    plan = results.plan
    parts = [
        _HEAD.format(command=command, date=datetime.now(UTC).date().isoformat(), versions=_versions()),
        _identities(plan),
        _seeds(plan),
    ]
    if "levels" in plan.parts:
        parts += _level_parts(results)
    if "silence" in plan.parts:
        alarms = count_false_alarms(results.outcomes)
        parts += [_SILENCE.format(n=_recordings(plan.n_silent)), false_alarm_table(alarms)]
    if "curves" in plan.parts:
        parts += [
            _UNCHANGED.format(n=_recordings(plan.n_varied)),
            invariant_table(results.outcomes),
            _CURVES.format(n=_recordings(plan.n_varied)),
            *([_PICTURE.format(path=picture.as_posix())] if picture else []),
            *_curve_tables(results),
        ]
    if "filters" in plan.parts:
        parts.append(filters_section(results))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def filters_section(results: BenchmarkResults) -> str:
    """Return the section on recordings as amplifiers filter them, with its date and its detectors.

    It can be measured alone, for a page whose other parts are older.

    Parameters
    ----------
    results : BenchmarkResults
        With the part ``"filters"``.

    Returns
    -------
    str
        Markdown, beginning with ``FILTERS_HEADING``.
    """
    plan, outcomes = results.plan, results.outcomes
    date = datetime.now(UTC).date().isoformat()
    parts = [
        FILTERS_HEADING,
        _MEASURED.format(date=date),
        _identities(plan),
        _FILTERS.format(n=_recordings(plan.n_filtered)),
        filtered_table(outcomes),
        _FILTERED_SILENCE.format(n=_recordings(plan.n_filtered)),
        false_alarm_table(count_false_alarms(outcomes, conditions=filtered_silence())),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def with_filters(page: str, section: str, *, before: str) -> str:
    r"""Return a page with its section on filters replaced, or put before another heading.

    Parameters
    ----------
    page, section : str
        Markdown; the section begins with ``FILTERS_HEADING``.
    before : str
        The heading before which a page without such a section gets it; at the end if it is missing.

    Examples
    --------
    >>> page = with_filters("# Page\n\n## Last\n", FILTERS_HEADING + "\nOld.\n", before="## Last\n")
    >>> print(with_filters(page, FILTERS_HEADING + "\nNew.\n", before="## Last\n"))
    # Page
    <BLANKLINE>
    ## Recordings as amplifiers filter them
    <BLANKLINE>
    New.
    <BLANKLINE>
    ## Last
    <BLANKLINE>
    """
    head, found, rest = page.partition(FILTERS_HEADING)
    if found:
        _, heading, after = rest.partition("\n## ")
        return f"{head}{section}{heading}{after}"
    head, found, rest = page.partition(before)
    return f"{head.rstrip()}\n\n{section}" + (f"\n{found}{rest}" if found else "")


def _level_parts(results: BenchmarkResults) -> list[str]:
    plan, levels, reference = results.plan, results.levels(), results.plan.detectors[0]
    return [
        _LEVELS.format(n=_recordings(plan.n_recordings)),
        by_level_table(levels, f1_cell),
        _GAP,
        by_level_table(levels, gap_cell),
        _DIFFERENCES.format(detector=reference),
        by_level_table(levels, partial(difference_cell, other=reference), without=reference),
        _DETAILS,
        level_table(levels),
        _BORDERS,
        overlap_table(levels),
    ]


def _identities(plan: BenchmarkPlan) -> str:
    loaded = load_detectors(plan.detectors, weights=plan.weights)
    return "\n".join(f"- {identity(one)}" for one in loaded.values())


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


def _seeds(plan: BenchmarkPlan) -> str:
    """Return a sentence with the first and last seed of each part that was run."""
    numbers = plan.conditions().items()
    silent, others = (
        [number for condition, number in numbers if condition.seeds_from == first]
        for first in (SILENCE[0].seeds_from, PLAIN.seeds_from)
    )
    ranges = [
        (level_condition(6.0).seeds_from, plan.n_recordings if "levels" in plan.parts else 0, "the levels"),
        (SILENCE[0].seeds_from, max(silent, default=0), "recordings without MEPPs"),
        (PLAIN.seeds_from, max(others, default=0), "everything else"),
    ]
    words = ", ".join(f"{first} to {first + n - 1} for {what}" for first, n, what in ranges if n)
    return textwrap.fill(f"Seeds, which training and calibration refuse: {words}.", _WIDTH)


_HEAD = """
# Benchmark

Made by `{command}` on {date}
with {versions}.

Detectors run as a user runs them, with their default thresholds. The events that they find are measured,
and peaks are matched one to one within 5 ms: as many pairs as possible, and of these pairings the one
with the smallest differences in time. Confidence intervals are 95 % percentile bootstrap intervals over
recordings; for differences, recordings are resampled in pairs. The detectors:
"""

_LEVELS = """
## Reference recordings

{n} of 60 s at each level (mean amplitude over the SD of white and 1/f noise): 10 kHz, 0.5, 1 or 3 MEPPs
per second, bursts, hum, drift and artifacts, as defined in `nwb_mepp/simulation/reference.py`. F1:
"""

_GAP = """
The *oracle* is a matched filter that is given the true mean shape and the best threshold for the level.
The *ceiling* is a matched filter that knows the exact shape of every MEPP, on the same MEPPs and noise
without hum, drift, artifacts and overlap, also at the best threshold for the level.
`nwb_mepp/ml/benchmark/bounds.py` defines both. The fraction of the gap between oracle and ceiling that a
detector closes, (F1 - oracle) / (ceiling - oracle):
"""

_DIFFERENCES = """
F1 minus that of `{detector}` on the same recordings:
"""

_DETAILS = """
Every detector, the oracle and the ceiling, these two with their thresholds. IoU is the intersection over
union of true and found intervals, computed on the samples of each recording and averaged over recordings;
"in patches" counts only those patches of 10 ms (100 samples) on a fixed grid that hold a true peak.
Errors are medians over matched MEPPs, with the interquartile range in brackets; those of amplitude and
decay are relative to the truth. Interval borders of the ceiling are not measured but drawn at random, as
uncertain as the noise makes them.
"""

_BORDERS = """
How precisely intervals can be known: IoU (whole recordings / patches) if every MEPP were found and
nothing else. In the first row this package measures intervals from the true positions. The second row is
the best that a fit of onset, rise, decay and amplitude can do in that noise when it starts from the truth
(Cramér-Rao bound, with the spread of shapes among MEPPs as prior knowledge), without hum, drift and
artifacts.
"""

_SILENCE = """
## Recordings without MEPPs

{n} of 60 s of each kind, with noise as at level 6. The confidence interval is the exact one of a Poisson
rate.
"""

_UNCHANGED = """
## What must make no difference

{n} of 60 s at level 6, recorded in other ways: the same MEPPs in the same noise.
"""

_CURVES = """
## One property after another

F1 at level 6 when one property differs; {n} of 60 s at each value. For the sampling rates, the same
recordings are simulated at 50 kHz and stored at each rate.
"""

_PICTURE = "![F1 of the detectors as a function of one property at a time]({path})"

_MEASURED = """
Measured on {date}, with these detectors:
"""

_FILTERS = """
F1 (precision/recall) when MEPPs, noise, hum, drift and artifacts pass a filter together, when the converter
is slow or coarse, or when the noise is not steady: {n} of 60 s of each kind.
They are at level 6, the two last kinds at level 3. The level is that before the filter, so the first row is
what each detector reaches without one. The truth is that of the filtered MEPPs.
`nwb_mepp/ml/benchmark/filtered.py` defines the recordings; 16 bits are those of a range of ±100 mV.
"""

_FILTERED_SILENCE = """
{n} without MEPPs, with noise, hum, drift and artifacts as at level 6, behind some of these filters:
"""
