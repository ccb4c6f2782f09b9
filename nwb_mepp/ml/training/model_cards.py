"""What a card says of the data that weights come from, and of what they did on data held out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.evaluation import f1, precision, recall
from nwb_mepp.ml.networks import Fitted
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording

__all__ = [
    "Story",
    "fitted_text",
    "held_out_section",
    "labeled_text",
    "limits_of",
    "recordings_section",
    "wrapped",
]

IntArray = npt.NDArray[np.int64]

_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Story:
    """Where weights come from.

    Attributes
    ----------
    text : str
        For the card.
    config : mapping
        The same as JSON, for ``training`` in the configuration.
    limits : tuple of str
        Where the weights fail besides where all of their kind do; each a line of a list.
    """

    text: str
    config: Mapping[str, object]
    limits: tuple[str, ...] = ()


def wrapped(*sentences: str) -> str:
    """Return sentences as lines of a card.

    Examples
    --------
    >>> wrapped("One.", "Two.")
    'One. Two.'
    """
    return textwrap.fill(" ".join(sentences), _WIDTH, break_long_words=False, break_on_hyphens=False)


def limits_of(*, quick: bool, labeled: bool) -> tuple[str, ...]:
    """Return what limits weights that a user has trained, as lines of a list.

    Parameters
    ----------
    quick : bool
        After a short training of a small network.
    labeled : bool
        From labeled recordings.
    """
    lines = []
    if quick:
        lines.append("- These weights come from a quick training, which shows that all works: not for use.")
    if labeled:
        lines += [
            "- What the labeled recordings do not hold (other amplitudes, shapes, noise, preparations) is",
            "  measured nowhere here. What was overlooked in labeling was learned as noise.",
            "- Probabilities were calibrated on simulated recordings, not on the labeled ones.",
        ]
    lines.append("- What follows was measured with the shipped weights 3, not with these:")
    return tuple(lines)


def labeled_text(shown: Sequence[LabeledRecording], held_out: Sequence[LabeledRecording]) -> str:
    """Return a sentence on the labeled recordings and their split.

    Parameters
    ----------
    shown, held_out : sequence of LabeledRecording
    """
    kinds = sorted({one.labels for one in (*shown, *held_out)})
    return (
        f"Labeled recordings ({', '.join(kinds)}): {_extent(shown)} to learn from, {_extent(held_out)} held "
        "out. The split is by whole recordings; the list is below."
    )


def _extent(recordings: Sequence[LabeledRecording]) -> str:
    minutes = sum(one.duration_s for one in recordings) / 60.0
    return f"{len(recordings)} ({minutes:.1f} min, {sum(one.n_mepps for one in recordings)} MEPPs)"


def fitted_text(fitted: Fitted, *, n_steps: int) -> str:
    """Return a sentence on how the training ended.

    Parameters
    ----------
    fitted : Fitted
    n_steps : int
        At most.
    """
    if not fitted.history:
        return f"All {n_steps} steps were done."
    score = dict(fitted.history)[fitted.best_step]
    ended = (
        f"It was stopped after {fitted.n_steps} steps, as F1 rose no more"
        if fitted.n_steps < n_steps
        else f"All {n_steps} steps were done"
    )
    taken = (
        "no step improved on the weights it began with, which are kept"
        if fitted.best_step == 0
        else f"the weights are those after step {fitted.best_step}"
    )
    return (
        f"{ended}; {taken}: of {len(fitted.history)} looks at the held-out recordings that one had the "
        f"highest F1, {score:.3f} (peaks within 5 ms, at the best threshold, so a little too good)."
    )


def recordings_section(
    shown: Sequence[LabeledRecording], held_out: Sequence[LabeledRecording], *, with_names: bool
) -> str:
    """Return the list of the labeled recordings.

    Parameters
    ----------
    shown, held_out : sequence of LabeledRecording
    with_names : bool
        Name the files; checksums alone identify them to whoever has them.

    Returns
    -------
    str
        Markdown.
    """
    rows = ["| recording (SHA-256) | used to | seconds | MEPPs |", "|---|---|---|---|"]
    for use, recordings in (("learn", shown), ("judge", held_out)):
        for one in recordings:
            name = f"{one.path.name} ({one.sha256})" if with_names else one.sha256
            rows.append(f"| {name} | {use} | {one.duration_s:.1f} | {one.n_mepps} |")
    return "\n## The labeled recordings\n\n" + "\n".join(rows) + "\n"


def held_out_section(counts: Mapping[str, IntArray]) -> str:
    """Return how detectors did on the labeled recordings that were held out.

    Parameters
    ----------
    counts : mapping of str to ndarray of int64, shape (n_recordings, 3)
        Matched, missed and false, by the name of the detector.

    Returns
    -------
    str
        Markdown.
    """
    rows = ["| weights | F1 | precision | recall | matched | missed | false |", "|" + "---|" * 7]
    for name, table in counts.items():
        scores = (f"{score(table):.3f}" for score in (f1, precision, recall))
        rows.append(f"| {' | '.join([name, *scores, *map(str, table.sum(axis=0))])} |")
    return (
        "\n## On the held-out recordings\n\nPeaks within 5 ms, each detector at its own threshold. Which "
        "step's weights were kept was decided on\nthese same recordings, so the first row is a little too "
        "good.\n\n" + "\n".join(rows) + "\n"
    )
