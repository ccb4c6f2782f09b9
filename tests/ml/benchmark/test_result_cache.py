from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.benchmark import bounds_of, scores_of
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.detectors import get_detector
from nwb_mepp.ml.benchmark import result_cache
from nwb_mepp.ml.benchmark.result_cache import ResultCache, identity


def test_a_kept_result_is_used_again(tmp_path: Path) -> None:
    bounds = bounds_of((3, 1, 1), (4, 0, 0))
    ResultCache(tmp_path, detectors=["threshold"]).put(
        "level-6-000", scores={"threshold": scores_of(3, 1, 0, np.nan)}, bounds=bounds
    )
    scores, kept_bounds = ResultCache(tmp_path, detectors=["threshold"]).take("level-6-000")
    assert scores["threshold"].counts.tolist() == [3, 1, 0]
    assert np.isnan(scores["threshold"].iou)
    assert kept_bounds is not None
    np.testing.assert_array_equal(kept_bounds.oracle, bounds.oracle)
    assert kept_bounds.border_iou == 0.95
    assert ResultCache(tmp_path, detectors=["threshold"]).take("level-6-001") == ({}, None)


def test_results_of_another_detector_version_or_other_code_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ResultCache(tmp_path, detectors=["threshold"]).put(
        "a", scores={"threshold": scores_of(1, 0, 0)}, bounds=None
    )
    with monkeypatch.context() as context:
        context.setattr(result_cache, "identity", lambda one: f"{one.name} of tomorrow")
        assert ResultCache(tmp_path, detectors=["threshold"]).take("a") == ({}, None)
    assert list(ResultCache(tmp_path, detectors=["threshold"]).take("a")[0]) == ["threshold"]
    monkeypatch.setattr(result_cache, "_sources", lambda: [Path(result_cache.__file__)])
    assert ResultCache(tmp_path, detectors=["threshold"]).take("a") == ({}, None)


def test_figures_depend_on_detectors_and_measurement_but_not_on_tables_or_commands() -> None:
    package = Path(result_cache.__file__).parents[2]
    names = {path.relative_to(package).as_posix() for path in result_cache._sources()}
    assert {"measurement/kinetics.py", "detectors/miniunet.py", "ml/benchmark/bounds.py"} <= names
    assert "workflows/analysis.py" in names
    assert not names & {
        "neuroconv.py",
        "workflows/files.py",
        "cli/benchmark.py",
        "ml/benchmark/tables.py",
        "plots/curves.py",
        "nwb/writer.py",
    }


def test_the_identity_of_a_network_holds_its_weights() -> None:
    network = get_detector("miniunet")
    assert identity(network).endswith(f"weights SHA-256 `{network.weights_sha256}`")


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"scores": {}}'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    kept = ResultCache(tmp_path, detectors=["threshold"])
    with pytest.raises(
        ReadError, match=r"expected results of an earlier benchmark in .*a\.json, found something"
    ):
        kept.take("a")


def test_a_file_cannot_be_the_folder_that_keeps_results(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UsageError, match=r"`keep`: expected a folder, found the file .*; name another"):
        ResultCache(tmp_path / "a", detectors=["threshold"])
