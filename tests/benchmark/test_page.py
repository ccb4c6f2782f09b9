from __future__ import annotations

import pytest

from nwb_mepp.benchmark import BenchmarkPlan, benchmark_page, page
from nwb_mepp.detectors import get_detector


def test_the_page_names_versions_weights_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("run_event_free", "run_variants"):
        monkeypatch.setattr(page, part, lambda **_: [])
    for table in ("false_alarm_table", "variant_table"):
        monkeypatch.setattr(page, table, lambda _: "(table)")
    plan = BenchmarkPlan(detectors=("miniunet",), levels=(), n_recordings=40, n_robust=10)
    text = benchmark_page(plan, command="nwb-mepp benchmark --quick")
    assert "`nwb-mepp benchmark --quick`" in text
    assert f"weights SHA-256 `{get_detector('miniunet').weights_sha256}`" in text
    assert "40 recordings of 60 s at each level" in text
    assert "Real recordings" not in text
