"""train: from simulated or labeled recordings to weights that detect, end to end."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.detectors import by_score_alone
from builders.known_mepps import write_text
from builders.traces import white_noise
from nwb_mepp.cli import main
from nwb_mepp.conditioning import survey
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import Autoencoder, MiniUnet
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.ml.networks import classifier
from nwb_mepp.ml.networks.classifier import fit_classifier
from nwb_mepp.ml.training import (
    autoencoder,
    calibration,
    calibration_set,
    examples,
    job,
    settings,
    weight_export,
)
from nwb_mepp.ml.training.calibration import Calibrated, Reliability
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM
from nwb_mepp.simulation import reference_scenario, simulate_recording

NETWORK = {"model.tflite", "float32.tflite", "weights.npz"}
FILES = NETWORK | {"config.json", "CARD.md", "BENCHMARK.md", "training.json", "reliability.png"}
START = ("--session-start", "2026-01-15T10:00:00Z")


def simulated_once(module: Any, folder: Path) -> Callable[[Any], Any]:
    """Return what simulates a recording as a module does, but each only once."""
    make = module._make

    def make_once(job: Any) -> Any:
        if getattr(job, "noise", ()):
            return make(job)
        kept = folder / f"{job.rate_hz:g}-{job.path.name}"
        if not kept.exists():
            make(replace(job, path=kept))
        shutil.copyfile(kept, job.path)
        return job.seed

    return make_once


@pytest.fixture(scope="module", autouse=True)
def short_calibration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Simulate what trainings have in common once, and calibrate in few steps on few short recordings.

    What the calibration finds has its own test.
    """
    made = tmp_path_factory.mktemp("made")
    quick = replace(settings._QUICK["miniunet"], n_held_out=3, n_calibration=12)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(classifier, "_LEAST_STEPS", 1)
        patched.setattr(calibration, "_N_MEMBERS", 1)
        patched.setattr(calibration, "fit_classifier", partial(fit_classifier, n_epochs=5))
        patched.setitem(settings._QUICK, "miniunet", quick)
        patched.setattr(calibration_set, "_DURATION_RANGE_S", (10.0, 12.0))
        for module in (calibration_set, job):
            patched.setattr(module, "LEVELS", (4.0, 10.0))
        for module in (calibration_set, examples):
            patched.setattr(module, "_make", simulated_once(module, made))
        yield


@pytest.fixture(scope="module")
def trained(tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """The weights of a quick training; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "lab1"
    assert main(["train", "--quick", "-o", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings with their truth, as NWB, ABF with a table, and labeled text; not to be changed."""
    folder = tmp_path_factory.mktemp("labeled")
    formats = [part for name in ("nwb", "abf", "labeled-text") for part in ("--format", name)]
    words = ["--recordings", "3", "--duration", "6", "--rate", "3", "--level", "8", "--seed", "50"]
    assert main(["simulate", "-o", str(folder), *words, *formats, *START]) == 0
    return folder


@pytest.fixture
def without_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the benchmark of the weights, which `trained` has been through."""
    monkeypatch.setattr(job, "benchmark_text", lambda *_, **__: "# Benchmark\n")


@pytest.fixture
def hurried(without_benchmark: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Leave out what takes long after the network has learned, which `trained` has been through."""
    halves, counts = np.full(10, 0.5), np.ones(10, dtype=np.int64)
    reliability = Reliability(stated=halves, true=halves, count=counts, n_recordings=1)
    calibrated = Calibrated(
        model=by_score_alone(), threshold=0.5, f1_by_level={6.0: 0.9}, reliability=reliability
    )
    monkeypatch.setattr(weight_export, "calibrate", lambda *_, **__: calibrated)
    monkeypatch.setattr(autoencoder, "LEVELS", (10.0,))


def test_a_quick_training_ends_with_weights_configuration_card_and_benchmark_table(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == FILES
    assert [path.name for path in trained.parent.iterdir()] == ["lab1"]  # nothing else is left
    config = json.loads((trained / "config.json").read_text())
    assert (config["detector"], config["version"]) == ("miniunet", "lab1")
    training = config["training"]
    assert (training["n_recordings"], training["n_artifacts"], training["n_noise"]) == (6, 1, 1)
    history = json.loads((trained / "training.json").read_text())
    best = max(score for _, score in history["f1_held_out"])
    assert dict(map(tuple, history["f1_held_out"]))[history["best_step"]] == best > 0.2
    assert "| 6 | miniunet lab1 |" in (trained / "BENCHMARK.md").read_text()


def test_the_card_says_what_the_data_was_what_it_is_good_for_and_where_it_fails(trained: Path) -> None:
    card = " ".join((trained / "CARD.md").read_text().split())
    for stated in (
        "# MiniUnet, weights lab1",
        "Simulated recordings: 6 of 20 s",
        "(seeds 0 to 5), 1 more without MEPPs but with artifacts, and 1 of noise, hum and drift alone",
        "% of the training crops hold no MEPP",
        "Training started from random weights",
        "No benchmark recording was used",
        "## What it is good for",
        "## Where it fails",
        "quick training, which only shows that everything works: not for use",
        "measured with the shipped weights 3, not with these",
    ):
        assert stated in card, stated


def test_the_weights_detect(trained: Path) -> None:
    simulated = simulate_recording(reference_scenario(level=10.0, index=10_000), seed=CALIBRATION_SEEDS_FROM)
    segments = list(cut_segments([simulated.trace()]))
    (found,) = MiniUnet(trained).find(segments, noise=survey(segments, polarity="positive"))
    counts = count_matches(match_times(simulated.truth.peak_s, found.peak / 10_000.0, tolerance_s=0.005))
    assert f1(counts) > 0.5


def test_the_same_again_is_kept_and_other_settings_are_refused(call: Any, trained: Path) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    again = call("train", "--quick", "-o", trained)
    assert (again.code, again.out) == (0, "")
    assert "lab1: exists already, kept" in again.err
    other = call("train", "--quick", "-o", trained, "--seed", 1)
    assert other.code == 1
    assert "found weights from other data or settings; a version is never overwritten" in other.err
    assert {path.name: path.read_bytes() for path in trained.iterdir()} == before


@pytest.mark.usefixtures("hurried")
def test_an_interrupted_training_goes_on_and_gives_the_same_weights(
    call: Any, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lab1"
    fit = job.fit_miniunet

    def interrupted(*args: Any, on_step: Any, **kwargs: Any) -> Any:
        def stop(step: int, loss: float) -> None:
            on_step(step, loss)
            if step == 100:
                raise KeyboardInterrupt

        return fit(*args, on_step=stop, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(job, "fit_miniunet", interrupted)
        stopped = call("train", "--quick", "-o", folder)
    assert stopped.code == 130
    assert not folder.exists()
    refused = call("train", "--quick", "-o", folder, "--steps", 140)
    assert refused.code == 2
    assert "was started with, n_steps 150, found 140" in refused.err
    resumed = call("train", "--quick", "-o", folder)
    assert (resumed.code, resumed.out) == (0, "")
    assert "resuming in" in resumed.err
    assert "step 90 of 150" not in resumed.err  # from the checkpoint at step 90 on
    assert "step 120 of 150" in resumed.err
    with np.load(folder / "weights.npz") as one, np.load(trained / "weights.npz") as other:
        for name in other.files:
            np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording without MEPPs; not to be changed."""
    values = -0.07 + white_noise(60_000, seed=3)
    return write_text(tmp_path_factory.mktemp("noise") / "quiet.csv", values, rate_hz=5000.0)


@pytest.mark.usefixtures("without_benchmark")
def test_finished_weights_are_calibrated_again_with_real_noise(
    call: Any, trained: Path, quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first recording, at which calibration only looks, is one in real noise.
    monkeypatch.setattr(calibration_set, "_NOISE_STREAM", 134)
    words = ("--quick", "--from", trained, "--steps", 0, "--unit", "V")
    words = (*words, "--calibration", 8, "--noise", f"{quiet}:1:9")
    folder = tmp_path / "lab4"
    called = call("train", *words, "-o", folder)
    assert (called.code, called.out) == (0, ""), called.err
    assert "8 s of real noise in 1 recording" in called.err
    assert "step" not in called.err
    with np.load(folder / "weights.npz") as one, np.load(trained / "weights.npz") as other:
        for name in other.files:
            np.testing.assert_array_equal(one[name], other[name])
    before, after = (json.loads((at / "config.json").read_text()) for at in (trained, folder))
    sha256 = hashlib.sha256(quiet.read_bytes()).hexdigest()
    assert after["training"]["noise"] == [sha256]
    assert after["training"]["calibrated_from"] == before["sha256"]
    assert after["training"]["n_recordings"] == before["training"]["n_recordings"] == 6
    assert after["probability"] != before["probability"]
    card = " ".join((folder / "CARD.md").read_text().split())
    for stated in (
        "Simulated recordings: 6 of 20 s",
        "150 steps of 8 crops",
        f"These are weights lab1 (SHA-256 {before['sha256']}), calibrated again without further training.",
        "In three recordings of ten the simulated MEPPs were put into stretches of real noise",
        "in real noise: | probability | mean |",
        f"| {sha256} | 8.0 | 5000 |",
    ):
        assert stated in card, stated
    assert card.count("150 steps of") == 1
    again = call("train", *words, "-o", folder)
    assert "lab4: exists already, kept" in again.err
    other = call("train", *words[:-1], quiet, "-o", folder)
    assert "found weights from other data or settings" in other.err


@pytest.mark.usefixtures("hurried")
def test_with_other_noise_only_the_calibration_begins_anew(
    call: Any, quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--quick", "--steps", 5, "--unit", "V", "-o", tmp_path / "lab5")

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(job, "calibrate_and_export", interrupted)
        assert call("train", *words).code == 130
    resumed = call("train", *words, "--noise", quiet)
    assert resumed.code == 0, resumed.err
    assert "resuming in" in resumed.err
    assert "F1" not in resumed.err  # nothing is trained


@pytest.mark.usefixtures("hurried")
def test_training_on_labeled_recordings_starts_from_shipped_weights_and_splits_whole_recordings(
    call: Any, labeled: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "lab2"
    words = ("--quick", "--steps", 10, "--from", "shipped", "--seed", 3)
    called = call("train", *sorted(labeled.glob("*.nwb")), "-o", folder, *words)
    assert called.code == 0, called.err
    assert "3 labeled recordings with" in called.err
    assert "step 0 of 10: F1" in called.err  # what it begins with is judged too
    (verdict,) = [line for line in called.err.splitlines() if line.startswith("F1 on the held-out")]
    *_, heading, these, shipped, _ = called.err.splitlines()
    assert heading.split("  ")[0] == "detector"
    assert these.split()[:3] == ["miniunet", "lab2", "1"]
    assert shipped.split()[2:4] == ["(shipped)", "1"]
    f1_of = dict(zip(("these", "shipped"), (line.split()[-3] for line in (these, shipped)), strict=True))
    assert verdict.split(": ")[1].startswith(f"{f1_of['these']}, {f1_of['shipped']} with miniunet ")
    better = float(f1_of["these"]) > float(f1_of["shipped"])
    assert verdict.endswith("these are better") is better
    config = json.loads((folder / "config.json").read_text())
    assert (config["training"]["n_labeled"], config["training"]["n_held_out"]) == (2, 1)
    assert config["architecture"]["kernel_size"] == 9
    card = " ".join((folder / "CARD.md").read_text().split())
    for stated in (
        "Labeled recordings (table mepps_truth): 2 (0.2 min,",
        "for training, 1 (0.1 min,",
        "Recordings were held out whole",
        "Training started from shipped weights",
        "| miniunet lab2 |",
        "conditions that the labeled recordings lack",
        "Probabilities and threshold come from simulated recordings, as fewer than 30 MEPPs were held out",
    ):
        assert stated in card, stated
    assert "simulated_005" not in card  # files are named by their checksums
    assert card.count("| training |") == 2
    assert card.count("| validation |") == 1


@pytest.mark.usefixtures("without_benchmark")
def test_a_lab_gets_probabilities_and_threshold_from_its_own_recordings(
    call: Any, trained: Path, tmp_path: Path
) -> None:
    words = ("--recordings", 2, "--duration", 16, "--rate", 4, "--level", 8, "--seed", 90)
    assert call("simulate", "-o", tmp_path / "own", *words, *START).code == 0
    folder = tmp_path / "lab6"
    files = sorted((tmp_path / "own").glob("*.nwb"))
    called = call("train", *files, "--quick", "--from", trained, "--steps", 0, "-o", folder)
    assert called.code == 0, called.err
    before, after = (json.loads((at / "config.json").read_text()) for at in (trained, folder))
    assert after["probability"] != before["probability"]
    card = " ".join((folder / "CARD.md").read_text().split())
    chosen = (
        f"The threshold {after['threshold']:g} is the highest of those whose F1 is within 0.002 of the best"
    )
    assert f"{chosen} on the 1 labeled recordings" in card
    assert "The candidates of the labeled recordings that were held out: | probability |" in card
    assert "come from simulated recordings, as" not in card
    assert "F1 on the held-out recordings: " in called.err


@pytest.mark.usefixtures("hurried")
def test_an_autoencoder_learns_from_tables_beside_its_recordings(
    call: Any, labeled: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "lab3"
    called = call(
        "train", *sorted(labeled.glob("*.abf")), "--truth", "{}.truth.csv", "-o", folder, "--quick",
        "--steps", 5, "--detector", "autoencoder", "--name-files",
    )  # fmt: skip
    assert called.code == 0, called.err
    assert Autoencoder(folder).version == "lab3"
    assert "simulated_0050.abf (" in (folder / "CARD.md").read_text()


def test_labeled_text_asks_for_its_unit_and_a_recording_for_its_truth(
    call: Any, labeled: Path, tmp_path: Path
) -> None:
    text, axon = sorted(labeled.glob("simulated_005?.csv")), sorted(labeled.glob("*.abf"))
    for words, message in (
        (text, "simulated_0050.csv: expected a unit such as V"),
        (
            axon,
            "found a recording without labels; name a table or file of the MEPPs with --truth",
        ),
        ((*axon, "--truth", "{}.marks"), "expected its marks in"),
        (
            (*axon, "--truth", "mepps_truth"),
            "expected an NWB file to have the table 'mepps_truth', found the lab file",
        ),
    ):
        called = call("train", *words, "-o", tmp_path / "out", "--quick")
        assert called.code == 1
        assert message in called.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("FIRST",), "expected at least two recordings with labels, one to train on and one to hold out"),
        (("FIRST", "SECOND", "--truth", "MARKS"), "write {} for the name of each recording"),
        (("FIRST", "SECOND", "--channel", "Im"), "has no channel 'Im'"),
        (("FIRST", "SECOND", "--validation", 1), "--validation: expected a fraction of the recordings"),
        (
            ("--from", "nowhere"),
            "--from: expected 'shipped', DETECTOR@VERSION, a folder of weights or a .keras file",
        ),
        (("--simulated", 0), "expected something to train on"),
        (("--detector", "template"), "'template' is not one of 'miniunet'"),
        (("--seed", -1), "--seed: expected 0 or more, found -1"),
        (("--steps", 0), "--steps: expected 1 or more, found 0; only weights of a MiniUnet"),
        (("--detector", "autoencoder", "--noise", "FIRST"), "which gives no probabilities to calibrate"),
    ],
)
def test_a_training_that_makes_no_sense_is_refused(
    call: Any, labeled: Path, tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    names = {
        "FIRST": "simulated_0050.nwb",
        "SECOND": "simulated_0051.nwb",
        "MARKS": "simulated_0050.truth.csv",
    }
    given = [labeled / names[word] if isinstance(word, str) and word in names else word for word in words]
    called = call("train", *given, "-o", tmp_path / "out", "--quick")
    assert called.code == 2
    assert message in called.err
    assert list(tmp_path.iterdir()) == []


def test_without_tensorflow_the_extra_is_named(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    called = call("train", "-o", tmp_path / "out", "--quick")
    assert called.code == 1
    assert "pip install 'nwb-mepp[train]'" in called.err
    assert list(tmp_path.iterdir()) == []
