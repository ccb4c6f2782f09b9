"""The table that compares detectors on labeled recordings: a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from nwb_mepp.cli.console import aligned

if TYPE_CHECKING:
    from nwb_mepp.workflows.evaluate import FileScores

_LABELS = "--labels"
_FIGURES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "iou_patches": "IoU in patches",
    "iou": "IoU",
}


class LabelsAlone(TyperCommand):
    """A command whose option ``--labels`` may stand without a value: those in the recordings are meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the option an empty value where another option or nothing follows."""
        following = [*args[1:], "-"]
        completed = [
            f"{_LABELS}=" if one == _LABELS and after.startswith("-") else one
            for one, after in zip(args, following, strict=True)
        ]
        return super().parse_args(ctx, completed)


def by_detector(scores: Sequence[FileScores]) -> dict[str, list[FileScores]]:
    """Return the scores of each detector, in the order of the detectors."""
    grouped: dict[str, list[FileScores]] = {}
    for one in scores:
        grouped.setdefault(one.detector, []).append(one)
    return grouped


def comparison_text(scores: Sequence[FileScores]) -> str:
    """Return a table with a row for each detector, its recordings pooled.

    Parameters
    ----------
    scores : sequence of FileScores
        From two recordings on, intervals are given, too.
    """
    from nwb_mepp.workflows.evaluate import estimate_scores

    rows = [["detector", "recordings", "true", "found", "false", *_FIGURES.values()]]
    for name, theirs in by_detector(scores).items():
        n_matched, n_missed, n_false = (sum(int(one.counts[index]) for one in theirs) for index in range(3))
        counts = map(str, (len(theirs), n_matched + n_missed, n_matched + n_false, n_false))
        estimates = estimate_scores(theirs)
        cells = []
        for figure in _FIGURES:
            estimate = estimates.get(figure)
            if estimate is None or estimate.value != estimate.value:
                cells.append("-")
            else:
                interval = f" ({estimate.low:.3f} to {estimate.high:.3f})" if len(theirs) > 1 else ""
                cells.append(f"{estimate.value:.3f}{interval}")
        rows.append([name, *counts, *cells])
    return aligned(rows)
