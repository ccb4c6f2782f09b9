"""Training and held-out examples of a network, from simulation and from labeled recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training.autoencoder import AutoencoderPlan
from nwb_mepp.ml.training.examples import Example, ExampleSet, Kind
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.miniunet import TrainingPlan, draw_batch
from nwb_mepp.ml.training.settings import VALIDATION_SEEDS_FROM

__all__ = [
    "Split",
    "cut_example",
    "held_out_examples",
    "share_without_mepps",
    "stretches_without_mepps",
    "training_examples",
]

# Labeled recordings are cut into parts of 20 s, so that each second is drawn as often as any other.
_PART_S = 20.0
# Margins around a MEPP that do not count as noise; the decay continues after its end.
_BEFORE_S = 2e-3
_AFTER_S = 20e-3
_N_COUNTED_STEPS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Labeled recordings for training and held out.

    Attributes
    ----------
    training, held_out : sequence of LabeledRecording
        Both empty if a network is trained on simulation alone.
    """

    training: Sequence[LabeledRecording] = ()
    held_out: Sequence[LabeledRecording] = ()


def training_examples(
    plan: TrainingPlan | AutoencoderPlan,
    split: Split,
    *,
    kept: ExampleSet,
    n_jobs: int = 1,
    on_example: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Example]:
    """Return the examples that a network is trained on.

    Parameters
    ----------
    plan : TrainingPlan or AutoencoderPlan
    split : Split
    kept : ExampleSet
        The simulated ones, at the sampling rate of the network.
    n_jobs : int, default 1
        Number of recordings simulated at a time.
    on_example : callable, optional
        ``on_example(done, total)`` for each simulated recording.

    Returns
    -------
    list of Example
        Each longer than a crop.

    Raises
    ------
    UsageError
        If no labeled recording has a stretch that is long enough.
    """
    parts: list[tuple[range, Kind]]
    if isinstance(plan, TrainingPlan):
        parts = plan.simulated()
    else:
        seeds = range(plan.first_recording, plan.first_recording + plan.n_recordings)
        parts = [(seeds, "noise" if plan.regime == "normal" else "drawn")]
    examples = _simulated(parts, kept=kept, n_jobs=n_jobs, on_example=on_example)
    sampling_rate_hz = kept.sampling_rate_hz
    own = [example for one in split.training for example in one.examples]
    noise_alone = isinstance(plan, AutoencoderPlan) and plan.regime == "normal"
    if noise_alone:
        own = [part for example in own for part in stretches_without_mepps(example, sampling_rate_hz)]
    n_part = round(_PART_S * sampling_rate_hz)
    cut = [part for one in own for part in cut_example(one, n_part=n_part, n_least=plan.n_samples + 1)]
    if split.training and not cut:
        what = "without MEPPs " if noise_alone else ""
        raise UsageError(
            f"expected a stretch {what}of more than {plan.n_samples / sampling_rate_hz:.2f} s in the "
            "training recordings, found none; give longer recordings or exclude less."
        )
    return examples + cut


def held_out_examples(
    split: Split,
    *,
    n_simulated: int,
    kept: ExampleSet,
    n_jobs: int = 1,
    on_example: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Example]:
    """Return the examples that a network is validated on: held-out labeled recordings, else simulated ones.

    Parameters
    ----------
    split : Split
    n_simulated : int
        Number of simulated examples if no labeled recording is held out.
    kept : ExampleSet
        The simulated ones, at the sampling rate of the network.
    n_jobs : int, default 1
        Number of recordings simulated at a time.
    on_example : callable, optional
        ``on_example(done, total)`` for each simulated recording.
    """
    if split.held_out:
        return [example for one in split.held_out for example in one.examples]
    seeds = range(VALIDATION_SEEDS_FROM, VALIDATION_SEEDS_FROM + n_simulated)
    return _simulated([(seeds, "drawn")], kept=kept, n_jobs=n_jobs, on_example=on_example)


def _simulated(
    parts: Sequence[tuple[range, Kind]],
    *,
    kept: ExampleSet,
    n_jobs: int,
    on_example: Callable[[int, int], None],
) -> list[Example]:
    total, done = sum(len(seeds) for seeds, _ in parts), 0
    for seeds, kind in parts:
        for _ in kept.add(seeds, kind=kind, n_jobs=n_jobs):
            done += 1
            on_example(done, total)
    return [example for seeds, kind in parts for example in kept.load(seeds, kind=kind)]


def cut_example(example: Example, *, n_part: int, n_least: int) -> list[Example]:
    """Cut an example into parts of about equal length.

    Parameters
    ----------
    example : Example
    n_part : int
        Longest part, in samples.
    n_least : int
        A shorter example gives no part.

    Examples
    --------
    >>> whole = Example(trace=np.zeros(25, dtype=np.float32), mask=np.zeros(25, dtype=np.uint8))
    >>> [len(part.trace) for part in cut_example(whole, n_part=10, n_least=5)]
    [8, 8, 9]
    """
    n_samples = len(example.trace)
    if n_samples < n_least:
        return []
    n_parts = max(min(-(-n_samples // n_part), n_samples // n_least), 1)
    borders = [n_samples * number // n_parts for number in range(n_parts + 1)]
    return [_part(example, first, last) for first, last in pairwise(borders)]


def stretches_without_mepps(example: Example, sampling_rate_hz: float) -> list[Example]:
    """Return the stretches of an example that are far from any MEPP.

    Parameters
    ----------
    example : Example
    sampling_rate_hz : float
    """
    before, after = round(_BEFORE_S * sampling_rate_hz), round(_AFTER_S * sampling_rate_hz)
    loud = np.convolve(example.mask, np.ones(before + after + 1))[before : before + len(example.mask)] > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[True], loud, [True]]).astype(np.int8)))
    return [_part(example, first, last) for first, last in edges.reshape(-1, 2)]


def _part(example: Example, first: int, last: int) -> Example:
    inside = (example.peak >= first) & (example.peak < last)
    return Example(
        trace=example.trace[first:last],
        mask=example.mask[first:last],
        peak=example.peak[inside] - first,
    )


def share_without_mepps(examples: Sequence[Example], plan: TrainingPlan) -> float:
    """Return the fraction of crops without a MEPP, counted over the first 200 steps.

    Parameters
    ----------
    examples : sequence of Example
    plan : TrainingPlan
    """
    steps = range(min(plan.n_steps, _N_COUNTED_STEPS))
    silent = [~draw_batch(examples, plan=plan, step=step)[1].any(axis=(1, 2)) for step in steps]
    return float(np.mean(silent))
