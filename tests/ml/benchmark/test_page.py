from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from nwb_mepp.core.errors import OutputError
from nwb_mepp.detectors import get_detector
from nwb_mepp.ml.benchmark import (
    BenchmarkResults,
    benchmark_page,
    write_benchmark,
)


def test_the_page_says_how_it_came_about(results: BenchmarkResults) -> None:
    page = benchmark_page(results, command="nwb-mepp benchmark --quick")
    made = " ".join(page.splitlines()[2:4])
    assert made.startswith(f"Made by `nwb-mepp benchmark --quick` on {datetime.now(UTC).date().isoformat()}")
    for package in ("numpy", "scipy", "ai-edge-litert"):
        assert version(package) in made
    assert f"Python {platform.python_version()}" in made
    network = get_detector("miniunet")
    assert f"- `miniunet` {network.version}, " in page
    assert f"weights SHA-256 `{network.weights_sha256}`" in page
    words = " ".join(page.split())
    assert "1000000000 to 1000000001 for the levels, 1001000000 to 1001000001 for recordings without" in words
    assert "2 recordings of 60 s at each level" in page
    assert "Targets" not in page
    assert "![" not in page


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
