"""Training of the autoencoder in both regimes, from simulation to exported weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import WhitenedTrace, survey, whiten
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.core.version import __version__
from nwb_mepp.detectors.anomalies import find_anomalies, sample_anomaly
from nwb_mepp.detectors.autoencoder import reconstruct
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.ml.networks import (
    BLOCK_MARGIN,
    BLOCK_SAMPLES,
    Batch,
    Fitted,
    Precision,
    Validation,
    build_autoencoder,
    export_autoencoder,
    fit,
    precision,
)
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM
from nwb_mepp.ml.training.examples import example_from
from nwb_mepp.ml.training.model_cards import FILTERS, Origin, wrapped
from nwb_mepp.simulation import LEVELS, Scenario, draw_scenario, reference_scenario, simulate_recording

__all__ = ["AutoencoderPlan", "export_with_threshold", "train_autoencoder"]

Float32Array = npt.NDArray[np.float32]
Regime = Literal["normal", "anomalous"]

_RATE_HZ = 10_000.0
_SEEDS_FROM = CALIBRATION_SEEDS_FROM + 8 * 10**6
_TOLERANCE_S = 0.005
_FLOOR_QUANTILE = 0.97
_N_THRESHOLDS = 60
_MAX_FALSE_PER_MIN = 2.0
_NOISE_PER_REFERENCE = 4
_DETECTOR = {"normal": "autoencoder", "anomalous": "autoencoder_anomalous"}
_DATA = {
    "normal": "their noise, hum and drift alone, without MEPPs and artifacts",
    "anomalous": "with their MEPPs and artifacts; those drawn without MEPPs were left out",
}

_CARD = """# {title}, weights {version}

1-D autoencoder ({n_parameters} parameters): it reproduces windows of a whitened trace at 10 kHz. Where it
fails, the trace is anomalous.

## What it was trained on

{data} {n_steps} steps of {n_batch} crops of {n_samples} samples; mean squared
error; Adam, highest learning rate {learning_rate:g}, cosine schedule, averaged weights; seed {seed}.

## Score and threshold

The absolute value of the error, smoothed over 0.5 ms, is averaged over windows of 40 samples. The score of
a sample is the smallest average among the windows that cover it. Only anomalies with the polarity of MEPPs
count, and they get no probability. Among the thresholds that give at most {max_false_per_min:g} false
positives per minute in noise alone, {threshold:.4g} gave the highest mean F1 over the levels of the
reference recording (mean amplitude over noise SD), on {n_reference} recordings per level with seeds from
{calibration_seed} on, which neither training nor benchmark uses:

| level | F1, peaks within 5 ms |
|---|---|
{f1_rows}

In {n_noise} recordings without MEPPs and artifacts, filtered ones included, it finds {false_per_min:.2f}
false positives per minute at that threshold. The threshold was chosen on the same recordings, so these
figures are slightly optimistic; those of the benchmark are not.

## What it is good for

A second opinion that does not depend on the shape of MEPPs: it finds whatever stands out from the noise.

## Where it fails

{limits}- Below four times the noise SD it misses many MEPPs that MiniUnet finds.
- Artifacts with the polarity of MEPPs (steps, spikes, pulses) are as anomalous to it as MEPPs.
- Pairs of equal MEPPs 4 ms apart are found as one, those 7 ms apart as two.
- {regime_failure}
"""
_SIMULATED = """Simulated recordings only: {n_recordings} of 20 s, drawn from the distribution that
`nwb_mepp/simulation/distribution.py` defines (seeds from {first_recording} on), {shown}. No real recording
and no benchmark recording was used."""
_REGIME_FAILURE = {
    "normal": "Noise unlike that of the simulation (crackling, bursts) is anomalous to it too.",
    "anomalous": "It has partly learned to reproduce MEPPs; at these amplitudes it finds about as many "
    "as the\n  autoencoder trained on noise alone.",
}


@dataclass(frozen=True, kw_only=True)
class AutoencoderPlan:
    """Everything that defines a training run: the same plan gives the same weights.

    Attributes
    ----------
    regime : {"normal", "anomalous"}
        Trained on noise alone, or on recordings with MEPPs.
    seed : int
        Seed of the initial weights and of the batches.
    first_recording, n_recordings : int
        Seeds of the simulated recordings, counted from the first.
    n_steps, n_batch, n_samples : int
        Optimization steps; crops in a batch; samples in a crop, a multiple of the window of 40.
    warm_up, averaging
        See :func:`~nwb_mepp.ml.networks.fit`.
    """

    regime: Regime
    seed: int = 0
    first_recording: int = 1_000_000
    n_recordings: int = 48
    n_steps: int = 1500
    n_batch: int = 16
    n_samples: int = 640
    learning_rate: float = 2e-3
    warm_up: int = 200
    averaging: float = 0.999


def training_traces(plan: AutoencoderPlan) -> list[Float32Array]:
    """Simulate and condition the recordings of a plan, as the detector would."""
    traces: list[Float32Array] = []
    seed = plan.first_recording
    while len(traces) < plan.n_recordings:
        scenario = draw_scenario(seed)
        if scenario.rate_hz > 0.0:
            shown = _without_events(scenario) if plan.regime == "normal" else scenario
            simulated = simulate_recording(shown, seed=seed)
            traces.append(example_from(simulated, sampling_rate_hz=_RATE_HZ).trace)
        seed += 1
    return traces


def draw_windows(traces: Sequence[Float32Array], *, plan: AutoencoderPlan, step: int) -> Batch:
    """Draw the crops of one step, which are also the targets; the same plan and step give the same crops."""
    rng = np.random.default_rng([plan.seed, step])
    crops = np.empty((plan.n_batch, plan.n_samples, 1), dtype=np.float32)
    for row, number in enumerate(rng.integers(0, len(traces), plan.n_batch)):
        start = int(rng.integers(0, len(traces[number]) - plan.n_samples + 1))
        crops[row, :, 0] = traces[number][start : start + plan.n_samples]
    return crops, crops


def fit_autoencoder(
    folder: Path,
    *,
    plan: AutoencoderPlan,
    traces: Sequence[Float32Array],
    start: Callable[[Any], None] | None = None,
    validation: Validation | None = None,
    at_precision: Precision = "float32",
    on_step: Callable[[int, float], None] | None = None,
) -> tuple[Any, Fitted]:
    """Train an autoencoder on conditioned traces, or resume the training in a folder.

    Parameters
    ----------
    folder : Path
        Holds the checkpoints.
    plan : AutoencoderPlan
    traces : sequence of ndarray
        Each at least as long as a crop.
    start : callable, optional
        Loads initial weights into the network; random ones otherwise.
    validation : Validation, optional
    at_precision : {"float32", "mixed_float16"}, default "float32"
    on_step : callable, optional
        ``on_step(step, loss)``.

    Returns
    -------
    model : keras.Model
    fitted : Fitted
    """
    with precision(at_precision):
        model = build_autoencoder(seed=plan.seed)
    if start is not None:
        start(model)
    fitted = fit(
        model,
        lambda step: draw_windows(traces, plan=plan, step=step),
        n_steps=plan.n_steps,
        learning_rate=plan.learning_rate,
        folder=folder,
        loss="squared_error",
        warm_up=plan.warm_up,
        averaging=plan.averaging,
        validation=validation,
        on_step=on_step,
    )
    return model, fitted


def train_autoencoder(
    folder: Path, *, plan: AutoencoderPlan, on_step: Callable[[int, float], None] | None = None
) -> Any:
    """Train an autoencoder on the simulated recordings of a plan, or resume the training in a folder.

    Parameters
    ----------
    folder : Path
        Holds the checkpoints.
    plan : AutoencoderPlan
    on_step : callable, optional
        ``on_step(step, loss)``.

    Returns
    -------
    keras.Model
    """
    traces = training_traces(plan)
    model, _ = fit_autoencoder(folder / "checkpoints", plan=plan, traces=traces, on_step=on_step)
    return model


def export_with_threshold(
    folder: Path, *, model: Any, plan: AutoencoderPlan, n_recordings: int = 12, origin: Origin | None = None
) -> Mapping[float, float]:
    """Choose the threshold of a trained autoencoder, and write weights, configuration and card.

    Parameters
    ----------
    folder : Path
        Its name becomes the version.
    model : keras.Model
    plan : AutoencoderPlan
        The plan of its training.
    n_recordings : int, default 12
        Reference recordings at each level, and four times as many recordings of noise alone.
    origin : Origin, optional
        Where the weights come from, if not only from the simulated recordings of the plan.

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
    runtime = _Running(model)
    n_noise = _NOISE_PER_REFERENCE * n_recordings
    noise = [_scored(_steady(draw_scenario(seed)), seed, runtime) for seed in _seeds(10**6, n_noise)]
    floor = float(np.quantile(np.concatenate([score for _, score, _, _ in noise]), _FLOOR_QUANTILE))
    minutes = sum(duration_s for _, _, _, duration_s in noise) / 60.0
    false = np.concatenate([find_anomalies(white, score, floor=floor).score for white, score, _, _ in noise])
    thresholds = floor * np.geomspace(1.0, 8.0, _N_THRESHOLDS)
    silent = np.sum(false >= thresholds[:, None], axis=1) <= _MAX_FALSE_PER_MIN * minutes
    threshold, f1_by_level = _best_threshold(
        runtime, thresholds=thresholds[silent], floor=floor, n_recordings=n_recordings
    )
    export_autoencoder(
        folder,
        model=model,
        config={
            "detector": _DETECTOR[plan.regime],
            "version": folder.name,
            "min_package_version": __version__,
            "sampling_rate_hz": _RATE_HZ,
            "conditioning": "hum removed where found, resampled, whitened, upright, compressed",
            "input_unit": "standard deviations of the noise",
            "threshold": threshold,
            "floor": floor,
            "training": {**told.config, **asdict(plan)},
        },
    )
    card = _CARD.format(
        title=f"Autoencoder, {plan.regime} regime",
        version=folder.name,
        n_parameters=model.count_params(),
        **asdict(plan),
        data=told.text,
        limits="".join(f"{line}\n" for line in told.limits),
        threshold=threshold,
        n_reference=n_recordings,
        calibration_seed=_SEEDS_FROM,
        f1_rows="\n".join(f"| {level:g} | {value:.3f} |" for level, value in f1_by_level.items()),
        n_noise=n_noise,
        max_false_per_min=_MAX_FALSE_PER_MIN,
        false_per_min=np.sum(false >= threshold) / minutes,
        regime_failure=_REGIME_FAILURE[plan.regime],
    )
    (folder / "CARD.md").write_text(card, encoding="utf-8")
    return f1_by_level


def _simulated(plan: AutoencoderPlan) -> Origin:
    text = _SIMULATED.format(
        n_recordings=plan.n_recordings, first_recording=plan.first_recording, shown=_DATA[plan.regime]
    )
    text = f"{text}\n{wrapped(FILTERS)}"
    return Origin(text=text, config={"data": "simulated, nwb_mepp/simulation/distribution.py"})


class _Running:
    """A Keras model with the interface of a runtime."""

    n_samples = BLOCK_SAMPLES

    def __init__(self, model: Any) -> None:
        self._model = model

    def run(self, block: Float32Array) -> Float32Array:
        return np.asarray(self._model.predict_on_batch(block.reshape(1, -1, 1)), dtype=np.float32)[0, :, 0]


def _best_threshold(
    runtime: _Running, *, thresholds: npt.NDArray[np.float64], floor: float, n_recordings: int
) -> tuple[float, dict[float, float]]:
    """Return the threshold with the highest F1, averaged over the levels, and F1 by level there."""
    table = []
    for level in LEVELS:
        counts: list[list[npt.NDArray[np.int64]]] = [[] for _ in thresholds]
        for number, seed in enumerate(_seeds(0, n_recordings)):
            scenario = reference_scenario(level=level, index=number)
            white, score, truth_s, _ = _scored(scenario, seed, runtime)
            found = find_anomalies(white, score, floor=floor)
            for row, threshold in zip(counts, thresholds, strict=True):
                found_s = found.peak[found.score >= threshold] / _RATE_HZ
                row.append(count_matches(match_times(truth_s, found_s, tolerance_s=_TOLERANCE_S)))
        table.append([float(f1(np.array(row))) for row in counts])
    best = int(np.argmax(np.mean(table, axis=0)))
    return float(thresholds[best]), {level: row[best] for level, row in zip(LEVELS, table, strict=True)}


def _scored(
    scenario: Scenario, seed: int, runtime: _Running
) -> tuple[Float32Array, npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return conditioned trace, score, true peak times and duration of a simulated recording."""
    simulated = simulate_recording(scenario, seed=seed)
    segments = list(cut_segments([simulated.trace()]))
    trace: WhitenedTrace
    (trace,) = whiten(segments, noise=survey(segments, polarity=Polarity.POSITIVE), sampling_rate_hz=_RATE_HZ)
    tiles = reconstruct(trace, runtime=runtime, margin=BLOCK_MARGIN)
    white, error = map(np.concatenate, zip(*tiles, strict=True))
    return white, sample_anomaly(error), simulated.truth.peak_s, scenario.duration_s


def _seeds(offset: int, n: int) -> range:
    return range(_SEEDS_FROM + offset, _SEEDS_FROM + offset + n)


def _without_events(scenario: Scenario) -> Scenario:
    """Return the scenario without MEPPs, artifacts and telegraph: its noise, hum and drift alone."""
    return replace(scenario, rate_hz=0.0, bursts_per_s=0.0, artifacts={}, telegraph_step=0.0)


def _steady(scenario: Scenario) -> Scenario:
    """Return the same with noise that neither grows nor pulses, which no threshold could tell from MEPPs."""
    return replace(_without_events(scenario), noise_growth=1.0, noise_pulses_per_s=0.0)
