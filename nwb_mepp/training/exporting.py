"""From a trained network to weights that can be shipped: calibrated, with a threshold and a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp._version import __version__
from nwb_mepp.conditioning import WhitenedTrace, compress
from nwb_mepp.detectors.runtime import run_over
from nwb_mepp.networks import BLOCK_MARGIN, BLOCK_SAMPLES, export_miniunet
from nwb_mepp.training.calibrating import CALIBRATION_SEEDS_FROM, best_threshold, calibrate
from nwb_mepp.training.cards import Story
from nwb_mepp.training.miniunet import TrainingPlan

__all__ = ["calibrate_and_export", "network_output"]

Float32Array = npt.NDArray[np.float32]

_RATE_HZ = 5000.0

_CARD = """# MiniUnet, weights {version}

1-D MiniUnet ({n_parameters} parameters, kernel {kernel_size}): for each sample of a whitened trace
at 5 kHz, the probability that it lies inside a MEPP.

## What it was trained on

{data} {n_steps} steps of {n_batch} crops of
{n_samples} samples; Adam, highest learning rate {learning_rate:g}, cosine schedule, averaged
weights; seed {seed}. {remarks}

## Calibration and threshold

Scores become probabilities by the empirical-Bayes model in `config.json`, fitted on {n_calibration}
simulated recordings with seeds from {calibration_seed} on. The threshold {threshold:g} gave the
highest mean F1 over the levels of the reference recording (mean amplitude over noise SD), with
seeds of the calibration, not of the benchmark:

| level | F1, peaks within 5 ms |
|---|---|
{f1_rows}

## What it is good for

Potentials and currents of either polarity, sampled at 2 kHz or more, with MEPPs of 0.3 to 1.6 ms
rise (10-90 %) and 1.2 to 8 ms decay. What the recording is multiplied by does not matter, nor does
its resting level.

## Where it fails

{limits}
"""


_LIMITS = """- Slow events (measured with weights 1, like the following) look like drift to it: of MEPPs ten
  times the noise SD it found 97 % with 5.5 ms from onset to peak (rise 3 ms, decay 15 ms), and none
  with 9 ms (rise 5 ms, decay 25 ms).
- Of pairs of equal MEPPs ten times the noise SD (decay 2.5 ms), it told 3 % apart at an interval of
  1 ms, 68 % at 2 ms and all at 3 ms.
- Where the mean amplitude is twice the noise SD it finds about half of the MEPPs.
- Drift five times that of the reference recording lowers F1 at six times the noise SD by 0.12.
- Recordings with fewer than a handful of MEPPs, all small, may come out empty: nothing there tells
  them from noise.
- Evoked potentials, action potentials and artefacts that look like MEPPs were not in the training
  as such."""
_SIMULATED = """Simulated recordings only: {n_recordings} of 20 s, drawn from the distribution that
`nwb_mepp/simulation/distribution.py` declares (seeds {first_recording} to {last_recording}). No
real recording and no benchmark recording was used."""


def network_output(model: Any) -> Callable[[WhitenedTrace], Float32Array]:
    """Return a function from a whitened trace to the probability of each of its samples.

    Parameters
    ----------
    model : keras.Model
        As trained, ending in logits.
    """

    def run(block: Float32Array) -> Float32Array:
        logits = np.asarray(model.predict_on_batch(block.reshape(1, -1, 1)))[0, :, 0]
        # The sigmoid, written such that no logit overflows.
        return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), dtype=np.float32)

    runtime = _Running(run)

    def output(trace: WhitenedTrace) -> Float32Array:
        tiles = (compress(trace.read_tile(index, margin=BLOCK_MARGIN)) for index in range(trace.n_tiles))
        return np.concatenate([run_over(runtime, tile, margin=BLOCK_MARGIN) for tile in tiles])

    return output


class _Running:
    """A function behind the interface of a runtime."""

    n_samples = BLOCK_SAMPLES

    def __init__(self, run: Callable[[Float32Array], Float32Array]) -> None:
        self.run = run


def calibrate_and_export(
    folder: Path,
    *,
    model: Any,
    plan: TrainingPlan,
    n_recordings: int = 20,
    remarks: str = "",
    story: Story | None = None,
) -> Mapping[float, float]:
    """Calibrate a trained MiniUnet, choose its threshold, and write weights, configuration and card.

    Parameters
    ----------
    folder : Path
        Its name becomes the version.
    model : keras.Model
        As trained, ending in logits.
    plan : TrainingPlan
        What it was trained by.
    n_recordings : int, default 20
        For each part of the calibration; see :func:`calibrate`.
    remarks : str, optional
        What else the card shall say of the training.
    story : Story, optional
        Where the weights come from, if not from the plan's simulated recordings alone.

    Returns
    -------
    mapping of float to float
        F1 by level at the threshold.

    Raises
    ------
    FileExistsError
        If the folder holds weights.
    """
    told = story or _simulated(plan)
    output = network_output(model)
    scores = calibrate(output, sampling_rate_hz=_RATE_HZ, n_recordings=n_recordings)
    threshold, f1_by_level = best_threshold(
        output, scores, sampling_rate_hz=_RATE_HZ, n_recordings=n_recordings
    )
    export_miniunet(
        folder,
        model=model,
        config={
            "detector": "miniunet",
            "version": folder.name,
            "min_package_version": __version__,
            "sampling_rate_hz": _RATE_HZ,
            "conditioning": "hum removed where found, resampled, whitened, upright, compressed",
            "input_unit": "standard deviations of the noise",
            "threshold": threshold,
            "training": {**told.config, **asdict(plan)},
            "scores": scores.to_config(),
        },
    )
    card = _CARD.format(
        version=folder.name,
        n_parameters=model.count_params(),
        **asdict(plan),
        data=told.text,
        limits="\n".join([*told.limits, _LIMITS]),
        n_calibration=9 * n_recordings,
        calibration_seed=CALIBRATION_SEEDS_FROM,
        threshold=threshold,
        f1_rows="\n".join(f"| {level:g} | {value:.3f} |" for level, value in f1_by_level.items()),
        remarks=remarks,
    )
    (folder / "CARD.md").write_text(card.replace(" \n", "\n"), encoding="utf-8")
    return f1_by_level


def _simulated(plan: TrainingPlan) -> Story:
    text = _SIMULATED.format(
        n_recordings=plan.n_recordings,
        first_recording=plan.first_recording,
        last_recording=plan.first_recording + plan.n_recordings - 1,
    )
    return Story(text=text, config={"data": "simulated, nwb_mepp/simulation/distribution.py"})
