from __future__ import annotations

import platform
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.benchmark import (
    BenchmarkPlan,
    BenchmarkResults,
    Bounds,
    Outcome,
    RealScores,
    RecordingScores,
    benchmark_page,
    write_benchmark,
)
from nwb_mepp.detectors import get_detector
from nwb_mepp.errors import OutputError

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


def test_the_page_holds_what_is_asked_against_what_was_measured(results: BenchmarkResults) -> None:
    page = benchmark_page(results, command="nwb-mepp benchmark")
    reach = re.search(r"## What is asked.*?(?=\n## )", page, re.DOTALL)
    assert reach is not None
    lines = [line.split("|") for line in reach[0].splitlines() if line.startswith("| ")]
    rows = {asked.strip(): reached.strip() for _, asked, _, reached, _ in lines[1:]}
    assert rows == {
        "level 6: F1 of the oracle (0.800) or more": "yes",
        "level 10: F1 of the oracle (0.800) or more": "yes",
        "level 6: F1 of miniML (0.95) or more": "no",
        "level 10: F1 of miniML (0.97) or more": "no",
        "no MEPPs, noise alone: at most 0.2 false positives a minute": "no, not certain",
        "no MEPPs, noise, hum, drift and artefacts: at most 0.2 false positives a minute": "no, not certain",
        "no MEPPs, the same, converter step of one noise SD: at most 0.2 false positives a minute": (
            "no, not certain"
        ),
        "multiplied by 0.001: F1 moves by less than 0.01": "yes",
        "multiplied by 1000: F1 moves by less than 0.01": "yes",
        "inverted, polarity stated: F1 moves by less than 0.01": "yes",
        "recorded at 5 kHz: F1 moves by less than 0.01": "yes",
        "recorded at 20 kHz: F1 moves by less than 0.01": "yes",
        "recorded at 50 kHz: F1 moves by less than 0.01": "yes",
        "IoU on whole recordings: 0.5, published for other recordings": "from level 6 on",
        "IoU on patches that hold an event: 0.91, published for other recordings": "from level 6 on",
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


def test_real_recordings_are_held_against_people(results: BenchmarkResults) -> None:
    real = RealScores(recording="GroupA", detector="miniunet", counts=np.array([3, 1, 1]), shift_s=0.0)
    with_real = BenchmarkResults(plan=results.plan, outcomes=results.outcomes, real=(real,))
    page = benchmark_page(with_real, command="nwb-mepp benchmark")
    assert "| GroupA: agree with the majority as people do (F1 0.61 to 0.87) | 0.750 | yes |" in page
    assert "| GroupA | miniunet | 0.750 |" in page


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
