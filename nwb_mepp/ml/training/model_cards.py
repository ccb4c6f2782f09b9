"""Text of the model cards: the data that weights come from, their limits, and held-out scores."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nwb_mepp.evaluation import f1, precision, recall
from nwb_mepp.ml.networks import Fitted
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.own_recordings import MIN_OWN_MEPPS
from nwb_mepp.ml.training.recorded_noise import RecordedNoise
from nwb_mepp.workflows.evaluate import FileScores

__all__ = [
    "FILTERS",
    "Origin",
    "fitted_text",
    "held_out_section",
    "labeled_text",
    "limits_of",
    "noise_section",
    "recordings_section",
    "wrapped",
]

_WIDTH = 100

# What `nwb_mepp/simulation/distribution.py` draws, in words.
FILTERS = (
    "Of these, 45 % pass a low-pass filter, MEPPs and noise together: Bessel of 4 or 8 poles, Butterworth"
    " of 2, 4 or 8 or a moving average (half of these zero-phase), RC or Gaussian, 70 % with a cutoff of 400 "
    "Hz to 3 kHz and the others of 150 Hz to 10 kHz; half of the filtered ones have converter steps of "
    "0.01 to 1.6 SD of the filtered noise. Some pass a notch filter (6 %) or AC coupling (8 %), come from"
    " a converter of 1.5 to 4.5 kHz whose samples were held or joined by lines (8 %), have noise that "
    "grows (8 %) or pulses (5 %), or a random telegraph (8 %)."
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where weights come from.

    Attributes
    ----------
    text : str
        Text for the card.
    config : mapping
        The same as JSON, for ``training`` in the configuration.
    limits : tuple of str
        Where these weights fail, in addition to the limits of all of their kind; each a line of a list.
    complete : bool
        Whether text and configuration state the plan of the training already.
    """

    text: str
    config: Mapping[str, object]
    limits: tuple[str, ...] = ()
    complete: bool = False


def wrapped(*sentences: str) -> str:
    """Return sentences as lines of a card.

    Examples
    --------
    >>> wrapped("One.", "Two.")
    'One. Two.'
    """
    return textwrap.fill(" ".join(sentences), _WIDTH, break_long_words=False, break_on_hyphens=False)


def limits_of(*, quick: bool, labeled: bool = False, calibrated: bool = False) -> tuple[str, ...]:
    """Return the limits of weights that a user has trained, as lines of a list.

    Parameters
    ----------
    quick : bool
        Whether the training was a short one of a small network.
    labeled : bool
        Whether there were labeled recordings.
    calibrated : bool
        Whether those that were held out decided on probabilities and threshold.
    """
    lines = []
    if quick:
        lines.append(
            "- These weights come from a quick training, which only shows that everything works: not for use."
        )
    if labeled:
        lines += [
            "- Nothing here was measured on conditions that the labeled recordings lack (other amplitudes,",
            "  shapes, noise, preparations). MEPPs that were overlooked in labeling were learned as noise.",
        ]
    if labeled and not calibrated:
        lines.append(
            "- Probabilities and threshold come from simulated recordings, as fewer than "
            f"{MIN_OWN_MEPPS} MEPPs were held out."
        )
    lines.append("- The following was measured with the shipped weights 3, not with these:")
    return tuple(lines)


def labeled_text(training: Sequence[LabeledRecording], held_out: Sequence[LabeledRecording]) -> str:
    """Return a sentence on the labeled recordings and their split.

    Parameters
    ----------
    training, held_out : sequence of LabeledRecording
    """
    kinds = sorted({one.labels for one in (*training, *held_out)})
    return (
        f"Labeled recordings ({', '.join(kinds)}): {_extent(training)} for training, {_extent(held_out)} "
        "held out. Recordings were held out whole; they are listed below."
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
        Largest number of steps.
    """
    if not fitted.history:
        return f"All {n_steps} steps were done."
    score = dict(fitted.history)[fitted.best_step]
    ended = (
        f"Training stopped after {fitted.n_steps} steps because F1 no longer improved"
        if fitted.n_steps < n_steps
        else f"All {n_steps} steps were done"
    )
    taken = (
        "no step improved on the initial weights, which were kept"
        if fitted.best_step == 0
        else f"the weights are those after step {fitted.best_step}"
    )
    return (
        f"{ended}; {taken}: of {len(fitted.history)} validations on the held-out recordings, that one had "
        f"the highest F1, {score:.3f} (peaks within 5 ms, at the best threshold, so slightly optimistic)."
    )


def recordings_section(
    training: Sequence[LabeledRecording], held_out: Sequence[LabeledRecording], *, with_names: bool
) -> str:
    """Return the list of the labeled recordings.

    Parameters
    ----------
    training, held_out : sequence of LabeledRecording
    with_names : bool
        Name the files; without names, checksums identify them to those who have them.

    Returns
    -------
    str
        Markdown.
    """
    rows = ["| recording (SHA-256) | used for | seconds | MEPPs |", "|---|---|---|---|"]
    for use, recordings in (("training", training), ("validation", held_out)):
        for one in recordings:
            name = f"{one.path.name} ({one.sha256})" if with_names else one.sha256
            rows.append(f"| {name} | {use} | {one.duration_s:.1f} | {one.n_mepps} |")
    return "\n## The labeled recordings\n\n" + "\n".join(rows) + "\n"


def noise_section(noise: Sequence[RecordedNoise], *, with_names: bool) -> str:
    """Return the list of the recordings whose noise the calibration used.

    Parameters
    ----------
    noise : sequence of RecordedNoise
    with_names : bool
        As for :func:`recordings_section`.

    Returns
    -------
    str
        Markdown.
    """
    rows = ["| recording (SHA-256) | seconds used | sampling rate (Hz) |", "|---|---|---|"]
    for one in noise:
        name = f"{one.path.name} ({one.sha256})" if with_names else one.sha256
        rows.append(f"| {name} | {one.duration_s:.1f} | {one.sampling_rate_hz:g} |")
    return "\n## The real noise of the calibration\n\n" + "\n".join(rows) + "\n"


def held_out_section(comparison: Sequence[FileScores]) -> str:
    """Return the scores of new and shipped weights on the held-out labeled recordings.

    Parameters
    ----------
    comparison : sequence of FileScores

    Returns
    -------
    str
        Markdown.
    """
    rows = ["| weights | F1 | precision | recall | matched | missed | false |", "|" + "---|" * 7]
    for name in dict.fromkeys(one.detector for one in comparison):
        table = np.array([one.counts for one in comparison if one.detector == name])
        scores = (f"{score(table):.3f}" for score in (f1, precision, recall))
        rows.append(f"| {' | '.join([name, *scores, *map(str, table.sum(axis=0))])} |")
    return (
        "\n## On the held-out recordings\n\nPeaks (onsets, where the labels have no peaks) within 5 ms, each "
        "detector at its own threshold. Which\nstep's weights were kept, and the threshold, were decided on "
        "these same recordings, so the first row is a\nlittle too good.\n\n" + "\n".join(rows) + "\n"
    )
