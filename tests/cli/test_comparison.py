"""evaluate --labels: detectors run on labeled recordings and are compared in one table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import write_text
from builders.traces import white_noise
from nwb_mepp.cli import main
from nwb_mepp.nwb import read_events
from nwb_mepp.readers import ReadOptions, read_recording

BOTH = ("--detector", "matched_filter", "--detector", "threshold")


@pytest.fixture(scope="module")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of many MEPPs as NWB, ABF with a table and labeled text; not to be changed."""
    folder = tmp_path_factory.mktemp("labeled")
    formats = [part for name in ("nwb", "abf", "labeled-text") for part in ("--format", name)]
    words = ["--recordings", 2, "--duration", 5, "--rate", 12, "--level", 10, "--seed", 70, *formats]
    start = ("--session-start", "2026-01-15T10:00:00Z")
    assert main([str(word) for word in ("simulate", "-o", folder, *words, *start)]) == 0
    return folder


def rows_of(called: Any) -> list[dict[str, str]]:
    assert called.code == 0, called.err
    return list(csv.DictReader(io.StringIO(called.out)))


def test_detectors_are_compared_in_one_table(call: Any, labeled: Path) -> None:
    files = sorted(labeled.glob("*.nwb"))
    before = [path.read_bytes() for path in files]
    called = call("evaluate", *files, "--labels", *BOTH)
    assert called.code == 0, called.err
    heading, *rows = called.out.splitlines()
    assert heading.split("  ")[0] == "detector"
    for title in ("precision", "recall", "F1", "IoU in patches", "IoU"):
        assert title in heading
    assert [row.split()[:2] for row in rows] == [["matched_filter", "2"], ["threshold", "2"]]
    assert all(" to " in row for row in rows)  # intervals over recordings
    assert [path.read_bytes() for path in files] == before


def test_each_recording_and_all_together_are_given_for_programs(call: Any, labeled: Path) -> None:
    files = sorted(labeled.glob("*.nwb"))
    rows = rows_of(call("evaluate", *files, "--labels", *BOTH, "--format", "csv"))
    assert [(row["file"][-8:], row["detector"]) for row in rows] == [
        *((f"007{number}.nwb", name) for number in (0, 1) for name in ("matched_filter", "threshold")),
        ("all", "matched_filter"),
        ("all", "threshold"),
    ]
    for column in ("n_true", "n_found", "n_matched"):
        assert int(rows[4][column]) == int(rows[0][column]) + int(rows[2][column])
    matched, true, found = (int(rows[4][name]) for name in ("n_matched", "n_true", "n_found"))
    assert float(rows[4]["f1"]) == pytest.approx(2 * matched / (true + found))
    assert float(rows[4]["f1"]) > 0.8
    document = json.loads(call("evaluate", *files, "--labels", *BOTH, "--format", "json").out)
    assert [row["detector"] for row in document["all"]] == ["matched_filter", "threshold"]
    assert len(document["files"]) == 4


def test_labels_tables_and_marks_in_the_file_are_alike_and_touching_ones_stay_two(
    call: Any, labeled: Path
) -> None:
    (truth,) = read_events(labeled / "simulated_0070.nwb", table="mepps_truth")
    touching = truth.mepps.stop_s[:-1] >= truth.mepps.start_s[1:]
    assert touching.sum() >= 2
    text = labeled / "simulated_0070.csv"
    (labels,) = read_recording(text, options=ReadOptions(unit={"": "V"})).labels.values()
    assert len(labels) == len(truth.mepps)
    np.testing.assert_allclose(labels[:, 0], truth.mepps.start_s, rtol=0, atol=1e-4)
    words = ("--detector", "matched_filter", "--format", "csv")
    for one in (
        call("evaluate", text, "--labels", "--unit", "V", *words),
        call("evaluate", text, "--unit", "V", *words),
        call("evaluate", labeled / "simulated_0070.abf", "--labels", "{}.truth.csv", *words),
        call("evaluate", labeled / "simulated_0070.nwb", "--labels", "mepps_truth", *words),
    ):
        (row,) = rows_of(one)
        assert int(row["n_true"]) == len(truth.mepps)
        assert float(row["f1"]) > 0.8
        assert float(row["iou_patches"]) > float(row["iou"]) > 0.5


def test_what_is_left_out_counts_neither_for_nor_against(call: Any, labeled: Path) -> None:
    (truth,) = read_events(labeled / "simulated_0070.nwb", table="mepps_truth")
    words = ("--labels", "--detector", "matched_filter", "--exclude", "0:3", "--format", "csv")
    (row,) = rows_of(call("evaluate", labeled / "simulated_0070.nwb", *words))
    assert int(row["n_true"]) == np.sum(truth.mepps.peak_s >= 3.0)


def test_a_recording_whose_labels_mark_nothing_shows_what_is_false(call: Any, tmp_path: Path) -> None:
    path = write_text(tmp_path / "silent.csv", white_noise(40_000))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},labels", *(f"{line},0" for line in lines[1:])]) + "\n")
    words = ("--labels", "--detector", "threshold", "--threshold", "3", "--unit", "V", "--format", "csv")
    (row,) = rows_of(call("evaluate", path, *words))
    assert (row["n_true"], row["recall"]) == ("0", "")
    assert int(row["n_false"]) == int(row["n_found"])


def test_a_shift_that_ends_at_its_limit_says_so(call: Any, labeled: Path, tmp_path: Path) -> None:
    (truth,) = read_events(labeled / "simulated_0070.nwb", table="mepps_truth")
    for late_s, at_limit in ((2e-3, False), (5e-3, True)):
        table = tmp_path / "marks.csv"
        table.write_text("peak_time\n" + "\n".join(f"{time:.6f}" for time in truth.mepps.peak_s + late_s))
        words = ("--labels", table, "--detector", "matched_filter", "--shift")
        called = call("evaluate", labeled / "simulated_0070.nwb", *words)
        assert called.code == 0, called.err
        said = "matched_filter: the best shift, +3.0 ms, lies at the limit; a larger one may fit better"
        assert (said in called.err) is at_limit


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected --truth, or --labels to run detectors on labeled recordings, found neither"),
        (("--truth", "mepps_truth", "--polarity", "positive"), "expected --polarity together with --labels"),
        (("--labels", "mepps_truth", "--truth", "mepps_truth"), "expected --labels without --truth"),
        (("--labels", "--table", "mepps_x"), "expected --labels without --table"),
        (("--labels", "--detector", "no"), "no"),
        (("--labels", "--tolerance", "-1"), "--tolerance: expected 0 s or more, found -1"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(
    call: Any, labeled: Path, words: tuple[str, ...], message: str
) -> None:
    called = call("evaluate", labeled / "simulated_0070.nwb", *words)
    assert called.code == 2
    assert message in called.err


def test_a_file_of_labels_belongs_to_one_recording(call: Any, labeled: Path) -> None:
    files = sorted(labeled.glob("*.abf"))
    called = call("evaluate", *files, "--labels", labeled / "simulated_0070.truth.csv", *BOTH)
    assert called.code == 2
    assert "--labels: expected one recording for" in called.err
    assert "write {} for the name of each recording" in called.err


def test_a_recording_without_labels_is_named_and_the_others_are_compared(
    call: Any, labeled: Path, tmp_path: Path
) -> None:
    path = write_text(tmp_path / "bare.csv", white_noise(40_000))
    called = call(
        "evaluate", path, labeled / "simulated_0070.csv", "--unit", "V", "--detector", "matched_filter"
    )
    assert called.code == 1
    assert "found a recording without labels" in called.err
    assert "matched_filter  1" in called.out
