"""The benchmark's figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from nwb_mepp.evaluation import Estimate, bootstrap, f1, paired_bootstrap, precision, recall
from nwb_mepp.ml.benchmark.detector_runs import AnyDetector
from nwb_mepp.ml.benchmark.reference_levels import LevelScores, run_reference
from nwb_mepp.simulation import LEVELS

__all__ = [
    "by_level_table",
    "curve_table",
    "difference_cell",
    "f1_cell",
    "interval",
    "level_table",
    "markdown",
    "overlap_table",
    "reference_table",
    "way",
    "way_cell",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ORACLE = "*oracle*"
CEILING = "*ceiling*"

_HEADER = (
    "level",
    "detector",
    "F1 (95 %)",
    "precision",
    "recall",
    "F1 minus oracle's (95 %)",
    "IoU",
    "IoU in patches",
    "peak error, ms",
    "onset error, ms",
    "amplitude error",
    "decay error",
)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    Examples
    --------
    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    texts = ["| " + " | ".join(line) + " |" for line in lines]
    texts[1] = texts[1].replace(" ", "")
    return "\n".join(texts)


def level_table(levels: Iterable[LevelScores]) -> str:
    """Return the table of the reference recordings.

    Errors are medians over the matched MEPPs, with the interquartile range behind them.

    Parameters
    ----------
    levels : iterable of LevelScores

    Returns
    -------
    str
        Markdown; a row for each level and detector, and for oracle and ceiling with their thresholds.
    """
    rows = []
    for scores in levels:
        level = f"{scores.level:g}"
        rows += [[level, name, *_detector_cells(scores, name)] for name in scores.by_detector]
        oracle, ceiling = scores.oracle_counts, scores.ceiling_counts
        cells = [*_count_cells(oracle), "", "", ""]
        rows.append([level, f"{ORACLE} ({scores.oracle_threshold:g} SD)", *cells, *[""] * 4])
        ious = [f"{value:.3f}" for value in np.nanmean(scores.ceiling_ious, axis=0)]
        cells = [*_count_cells(ceiling), interval(_difference(ceiling, oracle), sign="+"), *ious]
        rows.append([level, f"{CEILING} ({scores.ceiling_threshold:g} SD)", *cells, *[""] * 4])
    return markdown(_HEADER, rows)


def reference_table(
    detectors: Sequence[AnyDetector], *, levels: Sequence[float] = LEVELS, n_recordings: int = 40
) -> str:
    """Run detectors over the reference recordings and return the table of what they reach.

    Parameters
    ----------
    detectors : sequence of str or Detector
        Registered names, or detectors such as one with weights that were trained just now.
    levels : sequence of float
        Mean amplitudes over the SD of the noise.
    n_recordings : int, default 40
        Of 60 s each, at every level, with seeds that training refuses.

    Returns
    -------
    str
        Markdown, as :func:`level_table` gives it.

    Raises
    ------
    UsageError
        If a name is not registered.
    """
    return level_table(
        [run_reference(level=level, detectors=detectors, n_recordings=n_recordings) for level in levels]
    )


def by_level_table(
    levels: Sequence[LevelScores], cell: Callable[[LevelScores, str], str], *, without: str | None = None
) -> str:
    """Return a table with a row for each detector and a column for each level.

    Parameters
    ----------
    levels : sequence of LevelScores
    cell : callable (scores, detector) -> str
    without : str, optional
        A detector that is left out.
    """
    names = [name for name in levels[0].by_detector if name != without] if levels else []
    rows = [[name, *(cell(scores, name) for scores in levels)] for name in names]
    return markdown(["detector", *(f"level {scores.level:g}" for scores in levels)], rows)


def f1_cell(scores: LevelScores, detector: str) -> str:
    """Return F1 with its interval."""
    return interval(_f1(scores.counts(detector)))


def difference_cell(scores: LevelScores, detector: str, *, other: str) -> str:
    """Return the F1 of a detector minus another's on the same recordings, with its interval."""
    return interval(_difference(scores.counts(detector), scores.counts(other)), sign="+")


def way_cell(scores: LevelScores, detector: str) -> str:
    """Return how far a detector is on the way from the oracle to the ceiling, with its interval."""
    estimate = way(scores, detector)
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def way(scores: LevelScores, detector: str) -> Estimate:
    """Return the fraction of the way from the oracle's F1 to the ceiling's that a detector has gone.

    Parameters
    ----------
    scores : LevelScores
    detector : str

    Returns
    -------
    Estimate
        Below 0 for a detector worse than the oracle. All three are resampled together.
    """
    together = np.stack([scores.counts(detector), scores.oracle_counts, scores.ceiling_counts], axis=1)

    def fraction(rows: npt.NDArray[np.generic]) -> float:
        own, oracle, ceiling = (f1(rows[:, which]) for which in range(3))
        return (own - oracle) / (ceiling - oracle) if ceiling > oracle else np.nan

    return bootstrap(together, statistic=fraction, rng=np.random.default_rng(0))


def overlap_table(levels: Sequence[LevelScores]) -> str:
    """Return the table of how precisely intervals can be known when every MEPP is, as Markdown."""
    rows = []
    for words, name in (
        ("measured as ever, from the true places on", "measured_iou"),
        ("as well as the noise allows", "border_iou"),
    ):
        pairs = [
            [
                np.nanmean([getattr(one, field) for one in scores.bounds])
                for field in (name, f"{name}_patches")
            ]
            for scores in levels
        ]
        rows.append([words, *(f"{whole:.3f} / {patches:.3f}" for whole, patches in pairs)])
    return markdown(["intervals of all MEPPs", *(f"level {scores.level:g}" for scores in levels)], rows)


def curve_table(words: str, columns: Sequence[tuple[str, dict[str, float]]]) -> str:
    """Return the table of one curve: F1 of each detector at each point, as Markdown.

    Parameters
    ----------
    words : str
        What is varied.
    columns : sequence of (str, dict of str to float)
        Value of the property as text, and F1 by detector.
    """
    rows = [[name, *(f"{scores[name]:.3f}" for _, scores in columns)] for name in columns[0][1]]
    return markdown([words, *(text for text, _ in columns)], rows)


def interval(estimate: Estimate, *, sign: str = "") -> str:
    """Return a figure with its interval of confidence as text.

    Examples
    --------
    >>> interval(Estimate(value=0.5, low=0.4, high=0.625))
    '0.500 (0.400 to 0.625)'
    """
    return f"{estimate.value:{sign}.3f} ({estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"


def _detector_cells(scores: LevelScores, detector: str) -> list[str]:
    recordings = scores.by_detector[detector]
    counts = scores.counts(detector)
    ious = np.array([(one.iou, one.iou_patches) for one in recordings])
    errors = {
        name: np.concatenate([getattr(one, name) for one in recordings])
        for name in ("peak_error_s", "onset_error_s", "amplitude_error", "decay_error")
    }
    return [
        *_count_cells(counts),
        interval(_difference(counts, scores.oracle_counts), sign="+"),
        *(f"{value:.3f}" for value in np.nanmean(ious, axis=0)),
        _spread(1e3 * errors["peak_error_s"], "{:+.2f} ({:.2f})"),
        _spread(1e3 * errors["onset_error_s"], "{:+.2f} ({:.2f})"),
        _spread(100.0 * errors["amplitude_error"], "{:+.1f} % ({:.1f})"),
        _spread(100.0 * errors["decay_error"], "{:+.1f} % ({:.1f})"),
    ]


def _count_cells(counts: IntArray) -> list[str]:
    return [interval(_f1(counts)), f"{precision(counts):.3f}", f"{recall(counts):.3f}"]


def _f1(counts: IntArray) -> Estimate:
    return bootstrap(counts, statistic=f1, rng=np.random.default_rng(0))


def _difference(counts: IntArray, others: IntArray) -> Estimate:
    return paired_bootstrap(counts, others, statistic=f1, rng=np.random.default_rng(0))


def _spread(values: FloatArray, shape: str) -> str:
    """Return median and interquartile range of the errors that are known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return "-"
    low, middle, high = np.percentile(known, [25.0, 50.0, 75.0])
    return shape.format(middle, high - low)
