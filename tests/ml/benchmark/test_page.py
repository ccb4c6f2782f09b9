from __future__ import annotations

import platform
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import OutputError
from nwb_mepp.detectors import get_detector
from nwb_mepp.ml.benchmark import (
    BenchmarkPlan,
    BenchmarkResults,
    Bounds,
    Outcome,
    RealScores,
    RecordingScores,
    benchmark_page,
    write_benchmark,
)

DETECTORS = ("miniunet", "threshold")


@pytest.fixture
def results(scores_of: Callable[..., RecordingScores], bounds_of: Callable[..., Bounds]) -> BenchmarkResults:
    """Results that nobody measured: two recordings of everything."""
    plan = BenchmarkPlan(detectors=DETECTORS, levels=(6.0, 10.0), n_recordings=2, n_silent=2, n_varied=2)
    scores = {"miniunet": scores_of(9, 1, 1, 0.92), "threshold": scores_of(5, 5, 5)}
    silent = {name: scores_of(0, 0, 1) for name in DETECTORS}
    outcomes = {
        condition.name: [
            Outcome(
                scores=silent if condition.name.startswith("silence") else scores,
                bounds=bounds_of((8, 2, 2), (10, 0, 0)) if condition.bounded else None,
            )
        ]
        * 2
        for condition in plan.conditions()
    }
    return BenchmarkResults(plan=plan, outcomes=outcomes)


def test_the_page_says_how_it_came_about(results: BenchmarkResults) -> None:
    page = benchmark_page(results, command="nwb-mepp benchmark --quick")
    made = page.splitlines()[2]
    assert made.startswith(f"Made by `nwb-mepp benchmark --quick` on {datetime.now(UTC).date().isoformat()}")
    for package in ("numpy", "scipy", "ai-edge-litert"):
        assert version(package) in made
    assert f"Python {platform.python_version()}" in made
    network = get_detector("miniunet")
    assert f"- `miniunet` {network.version}, " in page
    assert f"weights SHA-256 `{network.weights_sha256}`" in page
    words = " ".join(page.split())
    assert "1000000000 to 1000000001 for the levels, 1001000000 to 1001000001 for silence" in words
    assert "2 recordings of 60 s at each level" in page
    assert "Real recordings" not in page
    assert "![" not in page


def test_the_page_compares_what_is_asked_with_what_was_measured(results: BenchmarkResults) -> None:
    page = benchmark_page(results, command="nwb-mepp benchmark")
    reach = re.search(r"## What is asked.*?(?=\n## )", page, re.DOTALL)
    assert reach is not None
    lines = [line.split("|") for line in reach[0].splitlines() if line.startswith("| ")]
    rows = {asked.strip(): reached.strip() for _, asked, _, reached, _ in lines[1:]}
    assert rows == {
        "level 6: F1 above the oracle's (0.800)": "yes",
        "level 10: F1 above the oracle's (0.800)": "yes",
        "level 6: F1 of miniML (0.95) or more": "no",
        "level 10: F1 of miniML (0.97) or more": "no",
        "no MEPPs, noise alone: at most 0.2 false positives a minute": "no, not certain",
        "no MEPPs, noise, hum, drift and artifacts: at most 0.2 false positives a minute": "no, not certain",
        "no MEPPs, the same, converter step of one noise SD: at most 0.2 false positives a minute": (
            "no, not certain"
        ),
        "multiplied by 0.001: F1 moves by less than 0.01": "yes",
        "multiplied by 1000: F1 moves by less than 0.01": "yes",
        "inverted, polarity stated: F1 moves by less than 0.01": "yes",
        "recorded at 5 kHz: F1 moves by less than 0.01": "yes",
        "recorded at 20 kHz: F1 moves by less than 0.01": "yes",
        "recorded at 50 kHz: F1 moves by less than 0.01": "yes",
        "level 6: IoU on whole recordings at least 0.8 (published: 0.5)": "yes",
        "level 6: IoU on patches that hold an event at least 0.93 (published: 0.91)": "no",
    }
    # 0.9 lies halfway between 0.8 and 1.
    assert "+0.100 (+0.100 to +0.100); 50 % of the way to the ceiling (1.000)" in reach[0]


def test_every_detector_stands_in_every_table(results: BenchmarkResults) -> None:
    page = benchmark_page(results, command="nwb-mepp benchmark")
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        if "| miniunet |" in table:
            assert "| threshold |" in table
    # One for each of seven curves.
    assert (
        len(re.findall(r"^\| (?:MEPPs|decay|hum|drift|converter|sampling|gain)[^|]*\| [\d.]+ ", page, re.M))
        == 7
    )


def test_real_recordings_are_compared_with_people_and_a_peer(results: BenchmarkResults) -> None:
    counts = {"GroupA": [3, 1, 1], "Train1": [9, 0, 2], "Train2": [8, 2, 2]}
    real = tuple(
        RealScores(recording=name, detector="miniunet", counts=np.array(count), shift_s=0.0)
        for name, count in counts.items()
    )
    with_real = BenchmarkResults(plan=results.plan, outcomes=results.outcomes, real=real)
    page = benchmark_page(with_real, command="nwb-mepp benchmark")
    # 6 / 8; the mean of 18 / 20 and 16 / 20.
    assert "| GroupA: F1 above miniML's (0.84; people: 0.75) | 0.750 | no |" in page
    assert "| Train1 to Train4: mean F1 at least 0.9 | 0.850 | no |" in page
    assert "| GroupA | miniunet | 0.750 |" in page


def test_autoencoders_are_compared_with_published_results(
    results: BenchmarkResults, scores_of: Callable[..., RecordingScores]
) -> None:
    plan = replace(results.plan, detectors=("miniunet", "autoencoder", "autoencoder_anomalous"))
    added = {"autoencoder": scores_of(8, 2, 2), "autoencoder_anomalous": scores_of(5, 5, 5)}
    outcomes = {
        name: [replace(one, scores={"miniunet": one.scores["miniunet"], **added}) for one in recordings]
        for name, recordings in results.outcomes.items()
    }
    page = benchmark_page(BenchmarkResults(plan=plan, outcomes=outcomes), command="nwb-mepp benchmark")
    assert "| level 6: F1 of `autoencoder` above 0.72, published | 0.800 | yes |" in page
    assert "| level 6: F1 of `autoencoder_anomalous` above 0.55, published | 0.500 | no |" in page


def test_page_and_picture_are_written_together(results: BenchmarkResults, tmp_path: Path) -> None:
    write_benchmark(results, tmp_path / "benchmark.md", command="nwb-mepp benchmark")
    page = (tmp_path / "benchmark.md").read_text("utf-8")
    (link,) = re.findall(r"\]\((.+?\.svg)\)", page)
    assert link == "img/benchmark.svg"
    assert (tmp_path / link).read_text("utf-8").startswith("<?xml")
    (tmp_path / "img").rename(tmp_path / "kept")
    (tmp_path / "img").touch()
    (tmp_path / "benchmark.md").unlink()
    with pytest.raises(OutputError, match="expected to write"):
        write_benchmark(results, tmp_path / "benchmark.md", command="nwb-mepp benchmark")
    assert not (tmp_path / "benchmark.md").exists()
