"""The whole training: read, split, simulate, train, calibrate, assess, and put the weights in their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.core.version import __version__
from nwb_mepp.ml.networks import (
    Fitted,
    Precision,
    Validation,
    build_miniunet,
    has_gpu,
    prepare_tensorflow,
)
from nwb_mepp.ml.training.assessment import benchmark_text, compare_weights, load_detector, verdict
from nwb_mepp.ml.training.autoencoder import AutoencoderPlan, export_with_threshold, fit_autoencoder
from nwb_mepp.ml.training.calibration_set import CalibrationSet
from nwb_mepp.ml.training.data import Split, held_out_examples, training_examples
from nwb_mepp.ml.training.data_split import split_recordings
from nwb_mepp.ml.training.examples import Example, ExampleSet
from nwb_mepp.ml.training.initial_weights import InitialWeights, find_initial_weights
from nwb_mepp.ml.training.labeled_recordings import read_all_labeled
from nwb_mepp.ml.training.miniunet import TrainingPlan, fit_miniunet
from nwb_mepp.ml.training.model_cards import (
    Origin,
    held_out_section,
    limits_of,
    noise_section,
    recordings_section,
)
from nwb_mepp.ml.training.origins import calibrated_origin, trained_origin
from nwb_mepp.ml.training.own_recordings import are_enough
from nwb_mepp.ml.training.recorded_noise import RecordedNoise, read_all_noise
from nwb_mepp.ml.training.reporter import Reporter
from nwb_mepp.ml.training.settings import Effort, TrainingSettings
from nwb_mepp.ml.training.validation import anomaly_f1, event_f1
from nwb_mepp.ml.training.weight_export import calibrate_and_export
from nwb_mepp.ml.training.work_folder import WorkFolder
from nwb_mepp.readers import ReadOptions
from nwb_mepp.simulation import LEVELS
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.evaluate import FileScores

__all__ = ["TrainingOutcome", "train_detector"]

_HISTORY = "training.json"
_TABLE = "BENCHMARK.md"
_CARD = "CARD.md"


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """Result of a training.

    Attributes
    ----------
    folder : Path
        Contains network, weights, configuration, card, benchmark table and history.
    kept : bool
        Whether the weights were there already, from the same data and settings.
    comparison : tuple of FileScores
        These weights and the shipped ones on each labeled recording that was held out.
    """

    folder: Path
    kept: bool = False
    comparison: tuple[FileScores, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Everything that defines a training."""

    settings: TrainingSettings
    plan: TrainingPlan | AutoencoderPlan
    start: InitialWeights | None
    split: Split
    truth: str | None
    options: ReadOptions
    detection: DetectionSettings
    work: WorkFolder
    reporter: Reporter
    noise: tuple[RecordedNoise, ...] = ()

    @property
    def labeled(self) -> bool:
        return bool(self.split.training)

    @property
    def in_noise(self) -> Polarity:
        """Direction in which MEPPs point in real noise."""
        negative = Polarity(self.detection.polarity) is Polarity.NEGATIVE
        return Polarity.NEGATIVE if negative else Polarity.POSITIVE

    @property
    def fingerprint(self) -> str:
        """Of all data and settings; with other real noise, only the calibration is done again."""
        noise = [f"{one.mark} {self.in_noise.value}" for one in self.noise]
        return fingerprint({**self.definition(), "noise": noise or None})

    def definition(self) -> dict[str, object]:
        """Return everything that the network depends on, as JSON."""
        return {
            "package_version": __version__,
            "detector": self.settings.detector,
            "weights to begin with": self.start.sha256 if self.start else None,
            "patience": self.settings.patience,
            "recordings to calibrate on": self.settings.effort(labeled=self.labeled).n_calibration,
            **asdict(self.plan),
            "training recordings": [f"{one.sha256} {one.marks_sha256}" for one in self.split.training],
            "recordings held out": [f"{one.sha256} {one.marks_sha256}" for one in self.split.held_out],
        }


def train_detector(
    folder: str | PathLike[str],
    *,
    settings: TrainingSettings | None = None,
    recordings: Sequence[Path] = (),
    truth: str | None = None,
    noise: Sequence[str | PathLike[str]] = (),
    options: ReadOptions | None = None,
    detection: DetectionSettings | None = None,
    reporter: Reporter | None = None,
) -> TrainingOutcome:
    """Train the network of a detector, or resume a training that was interrupted.

    Parameters
    ----------
    folder : path-like
        Receives the weights, all files or none; its name becomes their version. Until then, the training
        works in ``<folder>.training`` beside it.
    settings : TrainingSettings, optional
    recordings : sequence of Path
        Labeled recordings; without any, the network is trained on simulation alone.
    truth : str, optional
        Where the marks are: a table of each NWB file, or a file (``{}`` in its name stands for the name of
        the recording); by default those in the recordings themselves.
    noise : sequence of path-like, optional
        Recordings of noise without MEPPs, or stretches of them (``"FILE:START:STOP"``, in seconds), for the
        calibration of a MiniUnet. Simulated MEPPs that point upward (downward if that is the polarity in
        ``detection``) are put into them.
    options : ReadOptions, optional
        What the files do not state.
    detection : DetectionSettings, optional
        Channel, polarity, and the stretches to leave out.
    reporter : Reporter, optional

    Returns
    -------
    TrainingOutcome

    Raises
    ------
    MeppError
        If TensorFlow is missing, the data cannot be used, or the folder holds something else.
    """
    wanted, told = settings or TrainingSettings(), reporter or Reporter()
    work = WorkFolder(Path(folder))
    start = find_initial_weights(wanted.start, detector=wanted.detector) if wanted.start else None
    plan = wanted.plan(labeled=bool(recordings), kernel_size=start.kernel_size if start else None)
    if noise and not wanted.is_miniunet:
        raise UsageError(
            f"expected `detector='miniunet'` with `noise`, found {wanted.detector!r}, which gives no "
            "probabilities to calibrate; leave out `noise`."
        )
    read, analyzed = options or ReadOptions(), detection or DetectionSettings()
    labeled = read_all_labeled(
        recordings,
        truth=truth,
        options=read,
        settings=analyzed,
        sampling_rate_hz=wanted.sampling_rate_hz,
        reporter=told,
    )
    split = Split()
    if labeled:
        parts = split_recordings(
            labeled, share=wanted.validation, seed=wanted.seed, by_folder=wanted.by_folder
        )
        split = Split(training=parts[0], held_out=parts[1])
    job = _Job(
        settings=wanted,
        plan=plan,
        start=start,
        split=split,
        truth=truth,
        options=read,
        detection=analyzed,
        work=work,
        reporter=told,
        noise=read_all_noise(noise, options=read, settings=analyzed, reporter=told),
    )
    if work.finished(job.fingerprint):
        return TrainingOutcome(folder=work.target, kept=True)
    prepare_tensorflow(n_threads=wanted.n_threads)
    if work.begin(job.definition()):
        told.tell(f"resuming in {work.path}")
    return TrainingOutcome(folder=work.target, comparison=_run(job))


def _run(job: _Job) -> tuple[FileScores, ...]:
    """Run the training, except for what an earlier attempt has done; return how the weights compare."""
    told, plan = job.reporter, job.plan
    effort = job.settings.effort(labeled=job.labeled)
    model, fitted, origin = _network(job, effort)
    told.tell("calibrating")
    export = job.work.export
    if isinstance(plan, TrainingPlan):
        calibrate_and_export(
            export,
            model=model,
            plan=plan,
            recordings=_calibration_set(job, effort),
            n_drawn=effort.n_calibration,
            n_reference=effort.n_reference,
            held_out=job.split.held_out,
            origin=origin,
            on_recording=_counter(told, "calibrating"),
        )
    else:
        export_with_threshold(
            export, model=model, plan=plan, n_recordings=effort.n_calibration, origin=origin
        )
    told.tell("assessing")
    comparison = _assess(job, export, fitted)
    job.work.finish(export)
    return comparison


def _network(job: _Job, effort: Effort) -> tuple[Any, Fitted, Origin]:
    """Return the network, trained or as the initial weights have it, and where it comes from."""
    told, settings, plan, start = job.reporter, job.settings, job.plan, job.start
    if isinstance(plan, TrainingPlan) and start is not None and plan.n_steps == 0:
        model = build_miniunet(kernel_size=plan.kernel_size, logits=True, seed=plan.seed)
        start.load(model)
        origin = calibrated_origin(
            start,
            fingerprint=job.fingerprint,
            noise=job.noise,
            limits=limits_of(quick=settings.quick),
        )
        return model, Fitted(n_steps=0, best_step=0), origin
    kept = ExampleSet(job.work.examples, sampling_rate_hz=settings.sampling_rate_hz)
    examples = training_examples(
        plan, job.split, kept=kept, n_jobs=settings.n_jobs, on_example=_counter(told, "simulating")
    )
    held_out = held_out_examples(
        job.split,
        n_simulated=effort.n_held_out,
        kept=kept,
        n_jobs=settings.n_jobs,
        on_example=_counter(told, "simulating held-out recordings"),
    )
    if not any(len(example.peak) for example in held_out):
        raise ReadError("expected MEPPs in the held-out recordings, found none; give another `seed`.")
    model, fitted = _fit(job, examples, held_out)
    origin = trained_origin(
        plan=plan,
        split=job.split,
        start=start,
        fitted=fitted,
        examples=examples,
        fingerprint=job.fingerprint,
        noise=job.noise,
        limits=limits_of(
            quick=settings.quick, labeled=job.labeled, calibrated=are_enough(job.split.held_out)
        ),
    )
    return model, fitted, origin


def _calibration_set(job: _Job, effort: Effort) -> CalibrationSet:
    recordings = CalibrationSet(
        job.work.calibration,
        sampling_rate_hz=job.settings.sampling_rate_hz,
        noise=job.noise,
        polarity=job.in_noise,
    )
    total = effort.n_calibration + len(LEVELS) * effort.n_reference
    numbers = {"n_drawn": effort.n_calibration, "n_reference": effort.n_reference}
    for done in recordings.add(**numbers, n_jobs=job.settings.n_jobs):
        job.reporter.advance("simulating for the calibration", done, total)
    return recordings


def _counter(told: Reporter, what: str) -> Callable[[int, int], None]:
    return lambda done, total: told.advance(what, done, total)


def _fit(job: _Job, examples: Sequence[Example], held_out: Sequence[Example]) -> tuple[Any, Fitted]:
    settings, plan, told = job.settings, job.plan, job.reporter
    judge = event_f1 if isinstance(plan, TrainingPlan) else anomaly_f1
    losses: list[float] = []

    def score(model: Any) -> float:
        return judge(
            lambda blocks: np.asarray(model.predict_on_batch(blocks), dtype=np.float32),
            held_out,
            sampling_rate_hz=settings.sampling_rate_hz,
        )

    def on_step(step: int, loss: float) -> None:
        losses.append(loss)
        told.advance("training", step + 1, plan.n_steps)

    def on_score(step: int, value: float) -> None:
        mean = f"loss {np.mean(losses):.4f}, " if losses else ""
        losses.clear()
        told.tell(f"step {step} of {plan.n_steps}: {mean}F1 {value:.3f} on held-out recordings")

    validation = Validation(
        score=score,
        every=settings.validated_every(plan.n_steps),
        patience=settings.patience,
        at_start=job.start is not None,
        on_score=on_score,
    )
    at_precision: Precision = "mixed_float16" if has_gpu() else "float32"
    start = job.start.load if job.start else None
    if isinstance(plan, TrainingPlan):
        return fit_miniunet(
            job.work.checkpoints,
            plan=plan,
            examples=examples,
            start=start,
            validation=validation,
            at_precision=at_precision,
            on_step=on_step,
        )
    return fit_autoencoder(
        job.work.checkpoints,
        plan=plan,
        traces=[example.trace for example in examples],
        start=start,
        validation=validation,
        at_precision=at_precision,
        on_step=on_step,
    )


def _assess(job: _Job, export: Path, fitted: Fitted) -> tuple[FileScores, ...]:
    """Assess the exported weights and write the results beside them."""
    settings, split = job.settings, job.split
    effort = settings.effort(labeled=job.labeled)
    detector = load_detector(settings.detector, export)
    card = (export / _CARD).read_text(encoding="utf-8")
    comparison: tuple[FileScores, ...] = ()
    if split.held_out:
        paths = [one.path for one in split.held_out]
        comparison = compare_weights(
            detector, paths, labels=job.truth, options=job.options, settings=job.detection
        )
        card += held_out_section(comparison)
        card += recordings_section(split.training, split.held_out, with_names=settings.with_names)
        job.reporter.tell(verdict(comparison))
    if job.noise:
        card += noise_section(job.noise, with_names=settings.with_names)
    card += f"\nScores on recordings of the benchmark: {_TABLE}.\n"
    (export / _CARD).write_text(card, encoding="utf-8")
    table = benchmark_text(detector, levels=effort.levels, n_recordings=effort.n_benchmark)
    (export / _TABLE).write_text(table, encoding="utf-8")
    history = {"n_steps": fitted.n_steps, "best_step": fitted.best_step, "f1_held_out": fitted.history}
    (export / _HISTORY).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    return comparison
