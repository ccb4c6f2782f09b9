"""The command train: the network of a detector, from simulated and labeled recordings."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.comparison import comparison_text
from nwb_mepp.cli.console import show_progress, tell
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.settings import DetectionSettings


class Trainable(StrEnum):
    """Detectors whose networks can be trained."""

    MINIUNET = "miniunet"
    AUTOENCODER = "autoencoder"
    AUTOENCODER_ANOMALOUS = "autoencoder_anomalous"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(train))


def train(
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the weights to this folder; its name becomes their version.",
            show_default=False,
        ),
    ],
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RECORDING]",
            help="Labeled recordings: files, folders (their NWB files, else their lab files), patterns. "
            "Without any, the network is trained on simulated recordings.",
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth",
            metavar="TABLE|FILE",
            help="Where the marks are. For NWB files, the name of a table [mepps_curated, else mepps_truth]; "
            "for lab files, a file with a table of times, an event table of Mini Analysis, or labeled text "
            "[labels in the recording]. For several recordings, {} stands for the name of each: "
            "{}.truth.csv.",
            show_default=False,
        ),
    ] = None,
    detector: Annotated[
        Trainable,
        typer.Option("--detector", metavar="|".join(Trainable), help="Detector whose network is trained."),
    ] = Trainable.MINIUNET,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="shipped|DETECTOR@VERSION|DIR|FILE",
            help="Start from these weights: the shipped ones (or a version of them, such as miniunet@3), a "
            "folder of an earlier training, or a .keras file [random weights].",
            show_default=False,
        ),
    ] = None,
    simulated: Annotated[
        int | None,
        typer.Option(
            "--simulated",
            metavar="N",
            help="Number of simulated training recordings [2100 for miniunet, 48 for an autoencoder; 0 with "
            "labeled recordings and --from].",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="N",
            help="Largest number of steps [15000 for miniunet, 1500 for an autoencoder, 2000 with --from]; "
            "with 0, the weights of --from are calibrated again, not trained (miniunet).",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate",
            metavar="X",
            help="Highest learning rate [0.002; with --from 0.0003 for miniunet, 0.00002 for autoencoders].",
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        float,
        typer.Option("--validation", metavar="X", help="Fraction of the labeled recordings to hold out."),
    ] = 0.2,
    split_by_folder: Annotated[
        bool,
        typer.Option(
            "--split-by-folder",
            help="Hold out whole folders, for example one folder for each fiber or day, so that similar "
            "recordings stay together.",
        ),
    ] = False,
    patience: Annotated[
        int,
        typer.Option(
            "--patience",
            metavar="N",
            help="Stop after this many consecutive validations (of 20) without a better F1.",
        ),
    ] = 6,
    calibration: Annotated[
        int | None,
        typer.Option(
            "--calibration",
            metavar="N",
            help="Number of simulated recordings to calibrate on [6000 for miniunet; 12 at each level for an "
            "autoencoder].",
            show_default=False,
        ),
    ] = None,
    noise: Annotated[
        list[str] | None,
        typer.Option(
            "--noise",
            metavar="FILE[:START:STOP]",
            help="Calibrate in real noise as well: a recording without MEPPs, or a stretch of it in seconds; "
            "can be repeated. Simulated MEPPs that point upward (downward with --polarity negative) are put "
            "into it, so it may have events that point the other way.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", metavar="N", help="Number of recordings to simulate at a time."),
    ] = 1,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Seed of the split, the initial weights and the crops.")
    ] = 0,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            help="Number of threads; with 1, the same training gives the same weights to the last bit "
            "[all cores].",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Train a small network for a short time, to check that everything works."
        ),
    ] = False,
    name_files: Annotated[
        bool,
        typer.Option(
            "--name-files",
            help="State the file names of the labeled recordings in the card, not only their SHA-256.",
        ),
    ] = False,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar="NAME",
            help="Channel to train on, if the recordings have several.",
            show_default=False,
        ),
    ] = None,
    detection: Annotated[DetectionSettings, options.Only("polarity", "exclude", "exclude_per_sweep")],
    read_options: ReadOptions,
) -> None:
    """Train, calibrate and assess the network of a detector.

    Writes model.tflite (with a MiniUnet, float32.tflite, too), weights.npz, config.json, CARD.md,
    BENCHMARK.md and training.json to DIR, all of them or none. Whole recordings are held out, and training
    stops when F1 on them no longer improves. Exclude what nobody has labeled (--exclude, or invalid_times of
    an NWB file): MEPPs without a label are learned as noise.

    To resume an interrupted training, repeat the same command; until it ends, its examples and checkpoints
    are in DIR.training. With another --noise, only the calibration begins anew. Needs TensorFlow: pip install
    'nwb-mepp[train]'.
    """
    from nwb_mepp.ml.training import Reporter, TrainingSettings, train_detector

    settings = TrainingSettings(
        detector=detector.value,
        start=start,
        seed=seed,
        n_steps=steps,
        n_simulated=simulated,
        learning_rate=learning_rate,
        validation=validation,
        by_folder=split_by_folder,
        patience=patience,
        quick=quick,
        n_calibration=calibration,
        n_jobs=jobs,
        n_threads=threads,
        with_names=name_files,
    )
    files = find_labeled(recordings or [], reader=read_options.reader)
    with show_progress(1) as progress:
        outcome = train_detector(
            output,
            settings=settings,
            recordings=files,
            truth=truth,
            noise=noise or (),
            options=read_options,
            detection=replace(detection, channels=(channel,) if channel else ()),
            reporter=Reporter(tell=progress.tell, advance=progress.reach),
        )
    if outcome.comparison:
        for line in comparison_text(outcome.comparison).splitlines():
            tell(line)
    tell(f"{outcome.folder}: {'exists already, kept' if outcome.kept else 'trained'}")


def find_labeled(paths: list[Path], *, reader: str | None) -> list[Path]:
    """Return the recordings that the arguments name, NWB files included."""
    from nwb_mepp.core.errors import ReadError
    from nwb_mepp.readers import find_recordings
    from nwb_mepp.workflows.batch import find_nwb_files
    from nwb_mepp.workflows.recording_files import is_nwb

    found: dict[Path, None] = {}
    for path in paths:
        try:
            files = list(find_nwb_files([path])) if is_nwb(path) or path.is_dir() else []
        except ReadError:
            files = []
        found.update(dict.fromkeys(files or find_recordings([path], reader=reader)))
    return list(found)
