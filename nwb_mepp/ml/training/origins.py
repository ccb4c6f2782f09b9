"""Where weights come from, in words for their card and as JSON for their configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.networks import Fitted
from nwb_mepp.ml.training.autoencoder import AutoencoderPlan
from nwb_mepp.ml.training.data import Split, share_without_mepps
from nwb_mepp.ml.training.examples import Example
from nwb_mepp.ml.training.initial_weights import InitialWeights
from nwb_mepp.ml.training.miniunet import TrainingPlan
from nwb_mepp.ml.training.model_cards import FILTERS, Origin, fitted_text, labeled_text, wrapped
from nwb_mepp.ml.training.recorded_noise import RecordedNoise

__all__ = ["calibrated_origin", "trained_origin"]

_HEADING, _NEXT = "## What it was trained on\n", "\n## "


def trained_origin(
    *,
    plan: TrainingPlan | AutoencoderPlan,
    split: Split,
    start: InitialWeights | None,
    fitted: Fitted,
    examples: Sequence[Example],
    fingerprint: str,
    noise: Sequence[RecordedNoise],
    limits: tuple[str, ...],
) -> Origin:
    """Return where trained weights come from.

    Parameters
    ----------
    plan : TrainingPlan or AutoencoderPlan
    split : Split
    start : InitialWeights or None
    fitted : Fitted
    examples : sequence of Example
        What the network was trained on.
    fingerprint : str
        Of all data and settings.
    noise : sequence of RecordedNoise
        Of the calibration.
    limits : tuple of str
    """
    sentences = []
    if split.training:
        sentences.append(labeled_text(split.training, split.held_out))
    if plan.n_recordings:
        sentences += [_simulated_text(plan), FILTERS]
    sentences.append("No benchmark recording was used.")
    if isinstance(plan, TrainingPlan):
        share = share_without_mepps(examples, plan)
        sentences.append(f"{100 * share:.0f} % of the training crops hold no MEPP.")
    sentences += [
        f"Training started from {start.description if start else 'random weights'}.",
        fitted_text(fitted, n_steps=plan.n_steps),
        "The plan:",
    ]
    config: dict[str, object] = {
        "data": "labeled recordings" if split.training else "simulated, nwb_mepp/simulation/distribution.py",
        "fingerprint": fingerprint,
        "began_with": start.sha256 if start else None,
        "n_labeled": len(split.training),
        "n_held_out": len(split.held_out),
        "best_step": fitted.best_step,
    }
    return Origin(text=wrapped(*sentences), config=config | _listed(noise), limits=limits)


def calibrated_origin(
    start: InitialWeights, *, fingerprint: str, noise: Sequence[RecordedNoise], limits: tuple[str, ...]
) -> Origin:
    """Return where weights come from that were calibrated again, but not trained.

    Parameters
    ----------
    start : InitialWeights
        A folder of weights; what its card and configuration say of the training is repeated.
    fingerprint, noise, limits
        See :func:`trained_origin`.

    Raises
    ------
    UsageError
        If the folder has no card that says what the weights were trained on.
    """
    card = start.path / "CARD.md"
    told = card.read_text(encoding="utf-8") if card.is_file() else ""
    _, heading, rest = told.partition(_HEADING)
    if not heading:
        raise UsageError(
            "`start`: expected a folder of weights with a CARD.md that says what they were trained on, to "
            f"calibrate them again (`n_steps=0`), found none in {start.path}; name a folder that a training "
            "wrote."
        )
    config = json.loads((start.path / "config.json").read_text(encoding="utf-8"))["training"]
    config = {name: value for name, value in config.items() if name != "noise"}
    again = f"These are {start.description}, calibrated again without further training."
    return Origin(
        text=f"{rest.partition(_NEXT)[0].strip()}\n\n{wrapped(again)}",
        config={**config, "fingerprint": fingerprint, "calibrated_from": start.sha256, **_listed(noise)},
        limits=limits,
        complete=True,
    )


def _listed(noise: Sequence[RecordedNoise]) -> dict[str, object]:
    return {"noise": [one.sha256 for one in noise]} if noise else {}


def _simulated_text(plan: TrainingPlan | AutoencoderPlan) -> str:
    last = plan.first_recording + plan.n_recordings - 1
    text = (
        f"Simulated recordings: {plan.n_recordings} of 20 s, drawn from the distribution that "
        f"`nwb_mepp/simulation/distribution.py` defines (seeds {plan.first_recording} to {last})"
    )
    if isinstance(plan, TrainingPlan):
        return (
            f"{text}, {plan.n_artifacts} more without MEPPs but with artifacts, and {plan.n_noise} of noise, "
            "hum and drift alone."
        )
    return f"{text}{', without their MEPPs and artifacts' if plan.regime == 'normal' else ''}."
