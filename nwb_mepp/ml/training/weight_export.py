"""Export of a trained MiniUnet: calibrated, with a threshold and a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.version import __version__
from nwb_mepp.detectors import LiteRTRuntime, Weights, run_mixed
from nwb_mepp.ml.networks import BLOCK_MARGIN, Quantized, export_miniunet, quantize_miniunet
from nwb_mepp.ml.training.calibration import Calibrated, Reliability, calibrate
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM, CalibrationSet
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.miniunet import TrainingPlan
from nwb_mepp.ml.training.model_cards import FILTERS, Origin, wrapped
from nwb_mepp.ml.training.own_recordings import own_candidates
from nwb_mepp.ml.training.quantized_weights import ARITHMETIC, crops_to_quantize_on
from nwb_mepp.plots import draw_reliability

__all__ = ["calibrate_and_export", "network_output"]

Float32Array = npt.NDArray[np.float32]

_RATE_HZ = 5000.0
_DIAGRAM = "reliability.png"

_CARD = """# MiniUnet, weights {version}

1-D MiniUnet ({n_parameters} parameters, kernel {kernel_size}): for each sample of a whitened trace
at 5 kHz, the probability that it lies inside a MEPP. It computes with integers of 8 bits, whose scales
were chosen on reference recordings, but in its first and last convolution, and in single precision
near samples that are larger than those that the scales were chosen on.

## What it was trained on

{data}

## Calibration and threshold

Five small networks in `config.json` turn scores into probabilities, by the mean of their logits. Their inputs
are, for each candidate, the score, the heights under filters of shapes from fast to slow, the misfit of the
best shape, and the neighbors; and for the recording, the number of candidates by size and the shape of the
certain ones. They were fitted on {n_shown} simulated recordings of 10 to 60 s from the same distribution,
filtered and unsteady ones included, a quarter of them without MEPPs, 15 % with 0.02 to 0.4 and 6 % with 20 to
100 MEPPs per second, with seeds from {calibration_seed} on. An input outside the range that it had there is
set to the nearest end of that range. {noise}On {n_held_out} other recordings slope and offset of the logits
were corrected, whose candidates are then MEPPs with these frequencies:

{reliability}

![Fraction of MEPPs against the predicted probability](reliability.png)

{threshold_text}

| level | F1, peaks within 5 ms |
|---|---|
{f1_rows}

## What it is good for

Potentials and currents of either polarity, sampled at 2 kHz or more, with MEPPs of 0.3 to 1.6 ms
rise (10-90 %) and 1.2 to 8 ms decay. The gain of the recording does not matter, nor does its resting
level.

## Where it fails

{limits}
"""


_HEADING = "| probability | mean | MEPPs among them | candidates |\n|---|---|---|---|"
_IN_NOISE = """In three recordings
of ten the simulated MEPPs were put into stretches of real noise, listed below, which ran forwards or
backwards, up to a quarter slower or a third faster. """
_PLAN = """ {n_steps} steps of {n_batch} crops of
{n_samples} samples; Adam, highest learning rate {learning_rate:g}, cosine schedule, averaged
weights; seed {seed}."""
_THRESHOLD = """The threshold {threshold:g} is the highest of those whose mean F1 over the levels of the
reference recording (mean amplitude over noise SD) is within 0.002 of the best,
on {n_reference} recordings per level with seeds of the calibration, not of the benchmark:"""
_OWN_THRESHOLD = """The threshold {threshold:g} is the highest of those whose F1 is within 0.002 of the best
on the {n_own} labeled recordings that were held out, on which slope and offset were corrected once more. On
{n_reference} simulated recordings at each level of the reference recording (mean amplitude over noise SD),
with seeds of the calibration, it gives:"""
_LIMITS = """- It takes slow events for drift (measured with weights 3, like the next line): of MEPPs ten
  times the noise SD it found all with 3.7 ms from onset to peak (rise 2 ms, decay 10 ms), 99 % with
  5.5 ms (3, 15), 79 % with 7.3 ms (4, 20) and 3 % with 9.2 ms (5, 25).
- Of pairs of equal MEPPs ten times the noise SD (decay 2.5 ms), it separated 32 % at an interval of
  1 ms, and all at 1.5 ms.
- If the mean amplitude is twice the noise SD, it finds little more than half of the MEPPs.
- Strong drift costs every detector many MEPPs; the benchmark shows how many.
- Recordings with fewer than a handful of MEPPs, all small, may come out empty: nothing there tells
  them from noise.
- Evoked potentials, action potentials and artifacts that look like MEPPs were not in the training
  as such."""
_SIMULATED = """Simulated recordings only: {n_recordings} of 20 s, drawn from the distribution that
`nwb_mepp/simulation/distribution.py` defines (seeds {first_recording} to {last_recording}). No
real recording and no benchmark recording was used."""


def network_output(network: Quantized, *, name: str) -> Callable[[Float32Array], Float32Array]:
    """Return a function from a conditioned trace to the probability of each of its samples.

    Parameters
    ----------
    network : Quantized
    name : str
        Of the weights, for messages.
    """
    integers, single = (
        LiteRTRuntime(Weights(folder=Path(name), config={}, network=one))
        for one in (network.integers, network.single)
    )

    def output(trace: Float32Array) -> Float32Array:
        padded = np.pad(trace, BLOCK_MARGIN)
        return run_mixed(integers, single, padded, margin=BLOCK_MARGIN, above=network.above)

    return output


def calibrate_and_export(
    folder: Path,
    *,
    model: Any,
    plan: TrainingPlan,
    recordings: CalibrationSet,
    n_drawn: int = 1000,
    n_reference: int = 20,
    held_out: Sequence[LabeledRecording] = (),
    origin: Origin | None = None,
    on_recording: Callable[[int, int], None] = lambda _done, _total: None,
) -> Mapping[float, float]:
    """Calibrate a trained MiniUnet, choose its threshold, and write weights, configuration and card.

    Parameters
    ----------
    folder : Path
        Its name becomes the version.
    model : keras.Model
        As trained, ending in logits.
    plan : TrainingPlan
        The plan of its training.
    recordings : CalibrationSet
    n_drawn, n_reference : int
        See :func:`~nwb_mepp.ml.training.calibration.calibrate`.
    held_out : sequence of LabeledRecording
        If they have MEPPs enough, they decide on probabilities and threshold.
    origin : Origin, optional
        Where the weights come from, if not only from the simulated recordings of the plan.
    on_recording : callable, optional
        ``on_recording(done, total)``.

    Returns
    -------
    mapping of float to float
        F1 by level at the threshold.

    Raises
    ------
    FileExistsError
        If the folder holds weights.
    """
    told = origin or _simulated(plan)
    # Calibrated is what will run, with the errors that it has from its few bits.
    network = quantize_miniunet(model, crops_to_quantize_on(recordings, n_recordings=min(n_reference, 6)))
    output = network_output(network, name=folder.name)
    calibrated = calibrate(
        output,
        recordings,
        n_drawn=n_drawn,
        n_reference=n_reference,
        own=own_candidates(output, held_out, sampling_rate_hz=_RATE_HZ),
        on_recording=on_recording,
    )
    export_miniunet(
        folder,
        model=model,
        quantized=network,
        config={
            "detector": "miniunet",
            "version": folder.name,
            "min_package_version": __version__,
            "sampling_rate_hz": _RATE_HZ,
            "conditioning": "hum removed where found, resampled, whitened, upright, compressed",
            "arithmetic": ARITHMETIC,
            "input_unit": "standard deviations of the noise",
            "threshold": calibrated.threshold,
            "training": {**({} if told.complete else asdict(plan)), **told.config},
            "probability": calibrated.model.to_config(),
        },
    )
    reliability = calibrated.reliability
    draw_reliability(folder / _DIAGRAM, predicted=reliability.stated, observed=reliability.true)
    card = _CARD.format(
        version=folder.name,
        n_parameters=model.count_params(),
        kernel_size=plan.kernel_size,
        data=told.text + ("" if told.complete else _PLAN.format(**asdict(plan))),
        n_shown=n_drawn - reliability.n_recordings,
        n_held_out=reliability.n_recordings,
        calibration_seed=CALIBRATION_SEEDS_FROM,
        noise="" if calibrated.in_recorded_noise is None else _IN_NOISE,
        reliability=_reliability_tables(calibrated),
        threshold_text=_threshold_text(calibrated, n_reference=n_reference),
        f1_rows="\n".join(f"| {level:g} | {value:.3f} |" for level, value in calibrated.f1_by_level.items()),
        limits="\n".join([*told.limits, _LIMITS]),
    )
    (folder / "CARD.md").write_text(card, encoding="utf-8")
    return calibrated.f1_by_level


def _threshold_text(calibrated: Calibrated, *, n_reference: int) -> str:
    if calibrated.own is None:
        return _THRESHOLD.format(threshold=calibrated.threshold, n_reference=n_reference)
    n_own = calibrated.own.n_recordings
    return _OWN_THRESHOLD.format(threshold=calibrated.threshold, n_reference=n_reference, n_own=n_own)


def _reliability_tables(calibrated: Calibrated) -> str:
    tables = [f"{_HEADING}\n{_reliability_rows(calibrated.reliability)}"]
    if (in_noise := calibrated.in_recorded_noise) is not None:
        tables += [
            f"Of these, the candidates of the {in_noise.n_recordings} recordings in real noise:",
            f"{_HEADING}\n{_reliability_rows(in_noise)}",
        ]
    if (own := calibrated.own) is not None:
        tables += [
            "The candidates of the labeled recordings that were held out:",
            f"{_HEADING}\n{_reliability_rows(own)}",
        ]
    return "\n\n".join(tables)


def _reliability_rows(reliability: Reliability) -> str:
    rows = zip(reliability.stated, reliability.true, reliability.count, strict=True)
    return "\n".join(
        f"| {number / 10:.1f} to {(number + 1) / 10:.1f} | "
        + (f"{stated:.2f} | {true:.2f} | {count} |" if count else "- | - | 0 |")
        for number, (stated, true, count) in enumerate(rows)
    )


def _simulated(plan: TrainingPlan) -> Origin:
    text = _SIMULATED.format(
        n_recordings=plan.n_recordings,
        first_recording=plan.first_recording,
        last_recording=plan.first_recording + plan.n_recordings - 1,
    )
    text = f"{text}\n{wrapped(FILTERS)}"
    return Origin(text=text, config={"data": "simulated, nwb_mepp/simulation/distribution.py"})
