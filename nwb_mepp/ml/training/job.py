"""The whole training: read, split, simulate, learn, calibrate, judge, and put the weights in their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import MeppError, ReadError, UsageError
from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.core.version import __version__
from nwb_mepp.detectors import get_detector
from nwb_mepp.ml.networks import Fitted, Precision, Validation, has_gpu, prepare_tensorflow
from nwb_mepp.ml.training.assessment import benchmark_text, judge_held_out, load_detector
from nwb_mepp.ml.training.autoencoder import AutoencoderPlan, export_with_threshold, fit_autoencoder
from nwb_mepp.ml.training.calibration_set import CalibrationSet
from nwb_mepp.ml.training.data import Split, held_out_examples, share_without_mepps, shown
from nwb_mepp.ml.training.data_split import split_recordings
from nwb_mepp.ml.training.examples import Example, ExampleSet
from nwb_mepp.ml.training.initial_weights import Start, find_start
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording, read_labeled
from nwb_mepp.ml.training.miniunet import TrainingPlan, fit_miniunet
from nwb_mepp.ml.training.model_cards import (
    Story,
    fitted_text,
    held_out_section,
    labeled_text,
    limits_of,
    recordings_section,
    wrapped,
)
from nwb_mepp.ml.training.settings import TrainingSettings
from nwb_mepp.ml.training.validation import anomaly_f1, event_f1
from nwb_mepp.ml.training.weight_export import calibrate_and_export
from nwb_mepp.ml.training.work_folder import WorkFolder
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings

__all__ = ["Reporter", "TrainingOutcome", "train_detector"]

_HISTORY = "training.json"
_TABLE = "BENCHMARK.md"
_CARD = "CARD.md"


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """Whom to tell how far a training has come.

    Attributes
    ----------
    tell : callable (text)
        A line to be kept.
    advance : callable (what, done, total)
        Called often.
    """

    tell: Callable[[str], None] = lambda _: None
    advance: Callable[[str, int, int], None] = lambda _what, _done, _total: None


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """What a training has come to.

    Attributes
    ----------
    folder : Path
        Holds network, weights, configuration, card, benchmark table and history.
    kept : bool
        The weights were there already, from the same data and settings.
    """

    folder: Path
    kept: bool = False


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Everything that a training is defined by."""

    settings: TrainingSettings
    plan: TrainingPlan | AutoencoderPlan
    start: Start | None
    split: Split
    options: ReadOptions
    detection: DetectionSettings
    work: WorkFolder
    reporter: Reporter

    @property
    def labeled(self) -> bool:
        return bool(self.split.shown)

    def described(self) -> dict[str, object]:
        """Return everything that the weights depend on, as JSON."""
        return {
            "package_version": __version__,
            "detector": self.settings.detector,
            "weights to begin with": self.start.sha256 if self.start else None,
            "patience": self.settings.patience,
            **asdict(self.plan),
            "recordings to learn from": [f"{one.sha256} {one.marks_sha256}" for one in self.split.shown],
            "recordings held out": [f"{one.sha256} {one.marks_sha256}" for one in self.split.held_out],
        }


def train_detector(
    folder: str | PathLike[str],
    *,
    settings: TrainingSettings | None = None,
    recordings: Sequence[Path] = (),
    truth: str | None = None,
    options: ReadOptions | None = None,
    detection: DetectionSettings | None = None,
    reporter: Reporter | None = None,
) -> TrainingOutcome:
    """Train a detector's network, or go on with a training that was interrupted.

    Parameters
    ----------
    folder : path-like
        Gets the weights, complete or not at all; its name becomes their version. While it lasts, the training
        works in ``<folder>.training`` beside it.
    settings : TrainingSettings, optional
    recordings : sequence of Path
        Labeled ones; from simulation alone without any.
    truth : str, optional
        Where MEPPs are: a table of each NWB file, a file of marks (``{}`` in its name stands for the name of
        the recording), or what the recordings hold themselves.
    options : ReadOptions, optional
        What the recordings do not say.
    detection : DetectionSettings, optional
        Channel, polarity, and what is left out of the recordings.
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
    start = find_start(wanted.start, detector=wanted.detector) if wanted.start else None
    plan = wanted.plan(labeled=bool(recordings), kernel_size=start.kernel_size if start else None)
    read, analyzed = options or ReadOptions(), detection or DetectionSettings()
    labeled = _read(recordings, truth=truth, options=read, detection=analyzed, settings=wanted, told=told)
    split = Split()
    if labeled:
        parts = split_recordings(
            labeled, share=wanted.validation, seed=wanted.seed, by_folder=wanted.by_folder
        )
        split = Split(shown=parts[0], held_out=parts[1])
    job = _Job(
        settings=wanted,
        plan=plan,
        start=start,
        split=split,
        options=read,
        detection=analyzed,
        work=work,
        reporter=told,
    )
    mark = fingerprint(job.described())
    if work.finished(mark):
        return TrainingOutcome(folder=work.target, kept=True)
    prepare_tensorflow(n_threads=wanted.n_threads)
    if work.begin(job.described()):
        told.tell(f"goes on in {work.path}")
    _run(job, mark)
    return TrainingOutcome(folder=work.target)


def _read(
    paths: Sequence[Path],
    *,
    truth: str | None,
    options: ReadOptions,
    detection: DetectionSettings,
    settings: TrainingSettings,
    told: Reporter,
) -> list[LabeledRecording]:
    if truth is not None and "{}" not in truth and len(paths) > 1 and Path(truth).is_file():
        raise UsageError(
            f"`truth`: expected one recording for {truth}, found {len(paths)}: a file of marks belongs to "
            "one; write {} for the name of each recording, as in `truth='{}.truth.csv'`."
        )
    labeled = []
    for number, path in enumerate(paths):
        told.advance(f"reading {path.name}", number, len(paths))
        try:
            one = read_labeled(
                path,
                truth=truth,
                options=options,
                settings=detection,
                sampling_rate_hz=settings.sampling_rate_hz,
            )
        except UsageError:
            raise
        except MeppError as error:
            sentence = str(error)
            named = str(path) in sentence or sentence.startswith(path.name)
            raise type(error)(sentence if named else f"{path}: {sentence}") from error
        labeled.append(one)
    if labeled:
        n_mepps = sum(one.n_mepps for one in labeled)
        plural = "" if len(labeled) == 1 else "s"
        told.tell(f"{len(labeled)} labeled recording{plural} with {n_mepps} MEPPs")
    return labeled


def _run(job: _Job, mark: str) -> None:
    """Do the work, whatever of it an earlier attempt has not done."""
    told, settings, plan = job.reporter, job.settings, job.plan
    effort = settings.effort(labeled=job.labeled)
    kept = ExampleSet(job.work.examples, sampling_rate_hz=settings.sampling_rate_hz)
    examples = shown(plan, job.split, kept=kept, on_example=_counter(told, "simulating"))
    held_out = held_out_examples(
        job.split,
        n_simulated=effort.n_held_out,
        kept=kept,
        on_example=_counter(told, "simulating what is held out"),
    )
    if not any(len(example.peak) for example in held_out):
        raise ReadError("expected MEPPs in what is held out, found none; give another `seed`.")
    model, fitted = _fit(job, examples, held_out)
    told.tell("calibrating")
    export = job.work.export
    story = _story(job, fitted, examples=examples, mark=mark)
    if isinstance(plan, TrainingPlan):
        calibrate_and_export(
            export,
            model=model,
            plan=plan,
            recordings=CalibrationSet(job.work.calibration, sampling_rate_hz=settings.sampling_rate_hz),
            n_drawn=effort.n_calibration,
            n_reference=effort.n_reference,
            story=story,
            on_recording=_counter(told, "calibrating"),
        )
    else:
        export_with_threshold(export, model=model, plan=plan, n_recordings=effort.n_calibration, story=story)
    told.tell("judging")
    _complete(job, export, fitted)
    job.work.finish(export)


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
        told.tell(f"step {step} of {plan.n_steps}: {mean}F1 {value:.3f} on what is held out")

    validation = Validation(
        score=score,
        every=settings.judged_every(plan.n_steps),
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


def _story(job: _Job, fitted: Fitted, *, examples: Sequence[Example], mark: str) -> Story:
    plan, split = job.plan, job.split
    sentences = []
    if split.shown:
        sentences.append(labeled_text(split.shown, split.held_out))
    if plan.n_recordings:
        sentences.append(_simulated_text(plan))
    sentences.append("No benchmark recording was used.")
    if isinstance(plan, TrainingPlan):
        share = share_without_mepps(examples, plan)
        sentences.append(f"Of the crops that it was shown, {100 * share:.0f} % hold no MEPP.")
    begun = job.start.described if job.start else "random weights"
    sentences += [f"It began with {begun}.", fitted_text(fitted, n_steps=plan.n_steps), "The plan:"]
    config = {
        "data": "labeled recordings" if split.shown else "simulated, nwb_mepp/simulation/distribution.py",
        "fingerprint": mark,
        "began_with": job.start.sha256 if job.start else None,
        "n_labeled": len(split.shown),
        "n_held_out": len(split.held_out),
        "best_step": fitted.best_step,
    }
    limits = limits_of(quick=job.settings.quick, labeled=job.labeled)
    return Story(text=wrapped(*sentences), config=config, limits=limits)


def _simulated_text(plan: TrainingPlan | AutoencoderPlan) -> str:
    last = plan.first_recording + plan.n_recordings - 1
    text = (
        f"Simulated recordings: {plan.n_recordings} of 20 s, drawn from the distribution that "
        f"`nwb_mepp/simulation/distribution.py` declares (seeds {plan.first_recording} to {last})"
    )
    if isinstance(plan, TrainingPlan):
        return (
            f"{text}, {plan.n_artifacts} more without MEPPs but with artifacts, and {plan.n_noise} of noise, "
            "hum and drift alone."
        )
    return f"{text}{', without their MEPPs and artifacts' if plan.regime == 'normal' else ''}."


def _complete(job: _Job, export: Path, fitted: Fitted) -> None:
    """Write what is measured of the exported weights beside them."""
    settings, split = job.settings, job.split
    effort = settings.effort(labeled=job.labeled)
    detector = load_detector(settings.detector, export)
    card = (export / _CARD).read_text(encoding="utf-8")
    if split.shown:
        judged = [detector, get_detector(settings.detector)]
        counts = judge_held_out(
            split.held_out,
            detectors=judged,
            options=job.options,
            settings=job.detection,
            sampling_rate_hz=settings.sampling_rate_hz,
        )
        names = [f"these ({detector.version})", f"shipped ({judged[1].version})"]
        card += held_out_section(dict(zip(names, counts, strict=True)))
        card += recordings_section(split.shown, split.held_out, with_names=settings.with_names)
    card += f"\nOn the benchmark's recordings: see {_TABLE}.\n"
    (export / _CARD).write_text(card, encoding="utf-8")
    table = benchmark_text(detector, levels=effort.levels, n_recordings=effort.n_benchmark)
    (export / _TABLE).write_text(table, encoding="utf-8")
    history = {"n_steps": fitted.n_steps, "best_step": fitted.best_step, "f1_held_out": fitted.history}
    (export / _HISTORY).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
