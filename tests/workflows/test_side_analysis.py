"""The analysis in a process beside this one: when it is used, and that nothing depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from builders.traces import recording_of, trace_of
from nwb_mepp._utils.child_process import CrashError
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.workflows import DetectionSettings, analysis, analyze, side_analysis
from nwb_mepp.workflows.side_analysis import analysis_beside

SETTINGS = DetectionSettings(detectors=("matched_filter",))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file for whose analysis a process is started."""
    # A module that is imported while a test has put something in the place of `analyze` would keep that.
    side_analysis._import_what_follows()
    monkeypatch.setattr(side_analysis, "_has_analyzed", lambda: False)
    monkeypatch.setattr(side_analysis, "n_cores", lambda: 2)
    path = tmp_path / "a.txt"
    path.touch()
    return path


def recording() -> Recording:
    return recording_of(trace_of(mepp_trace()))


def analyze_nothing(*_: Any, **__: Any) -> Any:
    raise AssertionError("expected the analysis in the other process")


def test_it_gives_what_an_analysis_here_gives_and_says_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_here: list[str] = []
    said_there: list[str] = []
    (here,) = analyze(recording(), settings=SETTINGS, on_progress=said_here.append)
    monkeypatch.setattr(analysis, "analyze", analyze_nothing)
    with analysis_beside([file]) as beside:
        assert beside is not None
        (there,) = beside(recording(), settings=SETTINGS, on_progress=said_there.append)
    assert said_there == said_here != []
    assert len(there.mepps) == len(ONSETS_S)
    assert str(there.summary.as_dict()) == str(here.summary.as_dict())  # NaN is not equal to itself
    for name, values in vars(here.mepps).items():
        assert str(getattr(there.mepps, name)) == str(values), name
    assert there.mepps.amplitude.tobytes() == here.mepps.amplitude.tobytes()


def test_an_error_is_that_of_an_analysis_here(file: Path) -> None:
    with analysis_beside([file]) as beside:
        assert beside is not None
        with pytest.raises(UsageError, match="no channel 'Im'"):
            beside(recording(), settings=DetectionSettings(channels=("Im",)))


@pytest.mark.parametrize(
    "change",
    [
        lambda patch, _: patch.setattr(side_analysis, "n_cores", lambda: 1),
        lambda patch, _: patch.setattr(side_analysis, "_has_analyzed", lambda: True),
        lambda patch, _: patch.setattr(side_analysis, "_MAX_BYTES", -1),
        lambda _, file: file.unlink(),
        lambda _, file: (file.unlink(), file.mkdir()),
    ],
    ids=["one core", "imports done", "large", "absent", "folder"],
)
def test_where_it_saves_nothing_no_process_is_started(
    change: Callable[..., object], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, file)
    with analysis_beside([file]) as beside:
        assert beside is None


@pytest.mark.parametrize(("n_files", "scheduler"), [(2, None), (1, "tcp://there:8786")])
def test_many_files_and_clusters_have_processes_of_their_own(
    n_files: int, scheduler: str | None, file: Path
) -> None:
    with analysis_beside(n_files * [file], scheduler=scheduler) as beside:
        assert beside is None


@pytest.mark.parametrize("limit", ["_MAX_BYTES", "_MAX_DURATION_S"])
def test_a_long_recording_is_analyzed_here(limit: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with analysis_beside([file]) as beside:
        assert beside is not None
        monkeypatch.setattr(side_analysis, limit, 1)
        monkeypatch.setattr(analysis, "analyze", lambda *_, **__: ["here"])
        assert beside(recording(), settings=SETTINGS) == ["here"]


def test_an_analysis_whose_process_dies_is_done_here(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise CrashError

    with analysis_beside([file]) as beside:
        assert beside is not None
        monkeypatch.setattr(side_analysis.SideProcess, "do", die)
        (result,) = beside(recording(), settings=SETTINGS)
    assert len(result.mepps) == len(ONSETS_S)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept to one core")
def test_the_command_writes_the_same_with_one_core_and_with_more(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", mepp_trace())
    one_core = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})"
    tables = []
    for folder, prepare in (("one", one_core), ("more", "pass")):
        words = ["run", "a.txt", "-o", folder, "--session-start", "2026-01-15T10:00+00:00"]
        words += ["--unit", "V", "--no-picture"]
        script = f"{prepare}; import sys; from nwb_mepp.cli import main; sys.exit(main({words}))"
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
        tables.append((tmp_path / folder / "mepps.csv").read_text().replace(f"{folder}/", ""))
    assert tables[0] == tables[1]
    assert tables[0].count("\n") > len(ONSETS_S)
