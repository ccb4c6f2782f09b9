"""The recordings behind filters, and the section of the page on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.benchmark import scores_of
from nwb_mepp.detectors import shipped_weights
from nwb_mepp.ml.benchmark import (
    BenchmarkPlan,
    BenchmarkResults,
    Condition,
    Outcome,
    benchmark_page,
    run_conditions,
)
from nwb_mepp.ml.benchmark.detector_runs import load_detectors
from nwb_mepp.ml.benchmark.filtered import (
    UNFILTERED,
    filtered,
    filtered_pairs,
    filtered_silence,
    filtered_table,
)
from nwb_mepp.ml.benchmark.page import FILTERS_HEADING, filters_section, with_filters
from nwb_mepp.ml.benchmark.result_cache import ResultCache


def test_every_row_of_the_reach_is_among_the_conditions() -> None:
    named = filtered()
    assert len({one.name for one in [*named.values(), *filtered_silence()]}) == len(named) + 5
    chains = {name: one.scenario(0).chain for name, one in named.items()}
    coarse = chains["bessel4-150-coarse"]
    assert coarse is not None
    assert coarse.step_sd == 1.5
    assert [(one.kind, one.cutoff_hz, one.poles) for one in coarse.filters] == [("bessel", 150.0, 4)]
    both = named["butterworth8-1000-both"].scenario(0)
    assert both.sampling_rate_hz == 20e3
    assert both.chain is not None
    assert both.chain.filters[0].zero_phase
    # 200 mV in 65536 steps.
    assert named["bessel8-1000-16bit"].scenario(0).step == pytest.approx(3.05e-6, rel=1e-3)
    telegraph = named["telegraph"].scenario(0)
    assert telegraph.telegraph_step == pytest.approx(1.8 * telegraph.noise_sd)
    assert (named["growing"].scenario(0).noise_growth, named["low"].level) == (2.7, 3.0)
    assert all(one.scenario(2).rate_hz == 0.0 for one in filtered_silence())
    # Whatever is compared is level with what it is compared with.
    assert all(one.level == against.level for one, against in filtered_pairs())
    cutoffs_hz = [
        f.cutoff_hz for one, _ in filtered_pairs() for f in one.scenario(0).chain.filters if f.lowpass_hz
    ]  # type: ignore[union-attr]
    assert min(cutoffs_hz) == 500.0


def test_filtered_recordings_have_the_mepps_of_the_unfiltered_ones() -> None:
    short = {"duration_s": 5.0, "rate_hz": 3.0}
    plain = replace(UNFILTERED, changes=short).simulate(1)
    one = filtered()["gaussian-500"]
    seen = replace(one, changes={**one.changes, **short}).simulate(1)
    # A centered filter moves peaks by less than its width.
    np.testing.assert_allclose(seen.truth.peak_s, plain.truth.peak_s, atol=0.5e-3)
    assert np.all(seen.truth.amplitude < plain.truth.amplitude)


def test_the_table_states_f1_precision_and_recall(results: BenchmarkResults) -> None:
    lines = filtered_table(results.outcomes).splitlines()
    assert lines[0] == "| recording | miniunet | threshold |"
    # 18 of 20 found, 2 false; 10 of 20, 10 false.
    assert lines[2] == "| as it is | 0.900 (0.90/0.90) | 0.500 (0.50/0.50) |"
    assert len(lines) == 2 + len(filtered())


def test_a_page_of_one_part_holds_that_part_alone(results: BenchmarkResults) -> None:
    alone = replace(results, plan=replace(results.plan, parts=("filters",)))
    page = benchmark_page(alone, command="x")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [FILTERS_HEADING.strip()]
    assert "1002000000 to 1002000001 for everything else." in " ".join(page.split())
    assert "for the levels" not in page
    assert alone.panels() == []
    section = filters_section(alone)
    assert section in page
    assert "| 4-pole Bessel, 500 Hz | miniunet | 2 | 1.00 (" in section


def test_the_section_replaces_an_older_one_and_nothing_else() -> None:
    old, new = (f"{FILTERS_HEADING}\n{text}\n" for text in ("Old.", "New."))
    page = with_filters("# Page\n\n## First\n\nText.\n\n## Last\n\nText.\n", old, before="## Last\n")
    assert page == f"# Page\n\n## First\n\nText.\n\n{old}\n## Last\n\nText.\n"
    assert with_filters(page, new, before="## Last\n") == page.replace("Old.", "New.")
    assert with_filters("# Page\n", new, before="## Last\n") == f"# Page\n\n{new}"


def test_stated_weights_are_those_that_run(tmp_path: Path, short: Condition) -> None:
    import json
    import shutil

    other = tmp_path / "deaf"
    shutil.copytree(shipped_weights("miniunet"), other)
    config = json.loads((other / "config.json").read_text("utf-8"))
    (other / "config.json").write_text(json.dumps({**config, "threshold": 1.0}), encoding="utf-8")
    weights = (("miniunet", other),)
    assert load_detectors(["miniunet"], weights=weights)["miniunet"].default_threshold == 1.0
    usual, deaf = (
        run_conditions({short: 1}, detectors=("miniunet",), weights=one)["short"][0].scores["miniunet"]
        for one in ((), weights)
    )
    assert usual.counts[0] > 5 > deaf.counts[0]
    # What was kept with other weights is not taken.
    ResultCache(tmp_path / "kept", detectors=["miniunet"]).put("a", scores={"miniunet": usual}, bounds=None)
    assert ResultCache(tmp_path / "kept", detectors=["miniunet"]).take("a")[0]
    assert not ResultCache(tmp_path / "kept", detectors=["miniunet"], weights=weights).take("a")[0]


def test_silence_behind_filters_is_counted_apart(results: BenchmarkResults) -> None:
    plan = BenchmarkPlan(detectors=("miniunet",), levels=(6.0,), n_filtered=2, parts=("filters",))
    silent = {one.name: [Outcome(scores={"miniunet": scores_of(0, 0, 3)})] * 2 for one in filtered_silence()}
    mixed = BenchmarkResults(plan=plan, outcomes={**results.outcomes, **silent})
    assert "| sampled at 2 kHz, joined by lines to 10 kHz | miniunet | 6 | 3.00 (" in filters_section(mixed)
