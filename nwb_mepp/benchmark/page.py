"""The whole benchmark as one page: every detector in it, the bad figures too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from nwb_mepp._version import __version__
from nwb_mepp.benchmark.real import run_winchester
from nwb_mepp.benchmark.reference import run_reference
from nwb_mepp.benchmark.robustness import run_event_free, run_variants
from nwb_mepp.benchmark.tables import false_alarm_table, level_table, real_table, variant_table
from nwb_mepp.detectors import get_detector
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM

__all__ = ["BenchmarkPlan", "benchmark_page"]

_PAGE = """# Benchmark

Made by `{command}` on {date} with nwb-mepp {package}, NumPy {numpy}, SciPy {scipy}. Seeds from
{seed} on, which training and calibration refuse. Detectors run as a user runs them, with their
default thresholds; what they have found is measured, and peaks are matched one to one within 5 ms.
Intervals of confidence are 95 % bootstrap intervals over recordings.

{detectors}

## Reference recordings

{n_recordings} recordings of 60 s at each level (mean amplitude over the SD of white and 1/f noise):
10 kHz, 0.5, 1 or 3 MEPPs a second, bursts, hum, drift and artefacts, as
`nwb_mepp/simulation/reference.py` defines them. IoU is the mean over recordings. Errors are medians
over matched MEPPs; in brackets the interquartile range.

{levels}

## Recordings without MEPPs

{n_robust} recordings of 60 s for each condition, noise as at level 6.

{alarms}

## Other conditions

{n_robust} recordings of 60 s at level 6 for each condition.

{variants}
"""

_REAL = """
## Real recordings

Currents marked by five people (Group A: what at least three of them marked, with
`--min-amplitude-sd 4`) and simulated currents in real noise (Train1 to Train4), from Winchester et
al.; onsets matched within 2 ms after one common shift. No weights have seen them.

{real}
"""


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """What the benchmark runs.

    Attributes
    ----------
    detectors : tuple of str
    levels : tuple of float
    n_recordings, n_robust : int
        At each level, and for each other condition.
    winchester : Path or None
        Folder of the real recordings.
    """

    detectors: tuple[str, ...]
    levels: tuple[float, ...]
    n_recordings: int
    n_robust: int
    winchester: Path | None = None


def benchmark_page(plan: BenchmarkPlan, *, command: str, on_part: Callable[[str], None] | None = None) -> str:
    """Run the benchmark and return its page.

    Parameters
    ----------
    plan : BenchmarkPlan
    command : str
        How it was called, for the page.
    on_part : callable, optional
        Called with a few words before each part.

    Returns
    -------
    str
        Markdown.
    """
    tell = on_part or (lambda _: None)
    levels = []
    for level in plan.levels:
        tell(f"level {level:g}: {plan.n_recordings} recordings")
        levels.append(run_reference(level=level, detectors=plan.detectors, n_recordings=plan.n_recordings))
    robust = {"detectors": plan.detectors, "n_recordings": plan.n_robust, "on_condition": tell}
    page = _PAGE.format(
        command=command,
        date=date.today().isoformat(),
        package=__version__,
        numpy=version("numpy"),
        scipy=version("scipy"),
        seed=BENCHMARK_SEEDS_FROM,
        detectors=_describe(plan.detectors),
        n_recordings=plan.n_recordings,
        levels=level_table(levels),
        n_robust=plan.n_robust,
        alarms=false_alarm_table(run_event_free(**robust)),  # type: ignore[arg-type]
        variants=variant_table(run_variants(**robust)),  # type: ignore[arg-type]
    )
    if plan.winchester is not None:
        tell("real recordings")
        page += _REAL.format(real=real_table(run_winchester(plan.winchester, detectors=plan.detectors)))
    return page


def _describe(detectors: Sequence[str]) -> str:
    """Name the versions that were run, weights included."""
    lines = []
    for name in detectors:
        one = get_detector(name)
        weights = f", weights SHA-256 `{one.weights_sha256}`" if one.weights_sha256 else ""
        lines.append(f"- `{name}` {one.version}, threshold {one.default_threshold:g}{weights}")
    return "\n".join(lines)
