"""The benchmark's figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nwb_mepp.benchmark.real import RealScores
from nwb_mepp.benchmark.reference import ORACLE, LevelScores, RecordingScores
from nwb_mepp.benchmark.robustness import FalseAlarms, Variant
from nwb_mepp.evaluation import Estimate, bootstrap, f1, paired_bootstrap, precision, recall

__all__ = ["false_alarm_table", "level_table", "markdown", "real_table", "variant_table"]

_HEADER = (
    "level",
    "detector",
    "F1 (95 %)",
    "precision",
    "recall",
    "F1 minus oracle's (95 %)",
    "IoU",
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

    Errors are medians over the matched MEPPs, with the interquartile range of peak and onset errors
    behind them. The oracle is a matched filter that knows what no detector knows: the true mean shape, and
    the threshold that is best for the level.

    Parameters
    ----------
    levels : iterable of LevelScores

    Returns
    -------
    str
        Markdown; a row for each level and detector.
    """
    rows = []
    for scores in levels:
        for detector, recordings in scores.by_detector.items():
            rows.append([f"{scores.level:g}", detector, *_detector_cells(scores, detector, recordings)])
        counts = scores.oracle_counts
        cells = [_interval(_f1(counts)), f"{precision(counts):.3f}", f"{recall(counts):.3f}"]
        name = f"{ORACLE} ({scores.oracle_threshold:g} SD)"
        rows.append([f"{scores.level:g}", name, *cells, *[""] * (len(_HEADER) - 5)])
    return markdown(_HEADER, rows)


def false_alarm_table(alarms: Iterable[FalseAlarms]) -> str:
    """Return the table of what is found where nothing is, as Markdown."""
    rows = [
        [one.condition, one.detector, f"{one.per_minute:.2f}", f"{one.worst_per_minute:.0f}"]
        for one in alarms
    ]
    return markdown(["condition", "detector", "false positives a minute", "in the worst minute"], rows)


def variant_table(variants: Sequence[Variant]) -> str:
    """Return the table of F1 at level 6 under other conditions, as Markdown; the first is the yardstick."""
    plain = {one.detector: one.f1 for one in variants if one.condition == variants[0].condition}
    rows = [
        [one.condition, one.detector, f"{one.f1:.3f}", f"{one.f1 - plain[one.detector]:+.3f}"]
        for one in variants
    ]
    return markdown(["condition", "detector", "F1", "change"], rows)


def real_table(scores: Iterable[RealScores]) -> str:
    """Return the table of the real recordings, as Markdown."""
    rows = [
        [
            one.recording,
            one.detector,
            f"{f1(one.counts):.3f}",
            f"{precision(one.counts):.3f}",
            f"{recall(one.counts):.3f}",
            f"{1e3 * one.shift_s:+.1f}",
        ]
        for one in scores
    ]
    return markdown(["recording", "detector", "F1", "precision", "recall", "shift, ms"], rows)


def _detector_cells(scores: LevelScores, detector: str, recordings: Sequence[RecordingScores]) -> list[str]:
    counts = scores.counts(detector)
    difference = paired_bootstrap(counts, scores.oracle_counts, statistic=f1, rng=np.random.default_rng(0))
    iou = np.array([one.iou for one in recordings])
    peak_ms, onset_ms = (
        1e3 * np.concatenate([getattr(one, name) for one in recordings])
        for name in ("peak_error_s", "onset_error_s")
    )
    amplitude, decay = (
        np.concatenate([getattr(one, name) for one in recordings])
        for name in ("amplitude_error", "decay_error")
    )
    return [
        _interval(_f1(counts)),
        f"{precision(counts):.3f}",
        f"{recall(counts):.3f}",
        _interval(difference, sign="+"),
        f"{np.nanmean(iou):.3f}",
        _spread(peak_ms),
        _spread(onset_ms),
        f"{100 * np.nanmedian(amplitude):+.1f} %",
        f"{100 * np.nanmedian(decay):+.1f} %",
    ]


def _f1(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Estimate:
    return bootstrap(counts, statistic=f1, rng=np.random.default_rng(0))


def _interval(estimate: Estimate, *, sign: str = "") -> str:
    return f"{estimate.value:{sign}.3f} ({estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"


def _spread(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    low, middle, high = np.percentile(values, [25.0, 50.0, 75.0])
    return f"{middle:+.2f} ({high - low:.2f})"
