"""The command line, when it is told to end before it is done."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from builders.command_line import STATED


def test_a_request_to_end_leaves_no_half_written_file(
    call: Any, lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # Files are flushed when they are written but not yet in their place.
    monkeypatch.setattr("nwb_mepp._utils.atomic_files._flush", lambda *_: signal.raise_signal(signal.SIGTERM))
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED)
    assert called.code == 130
    assert called.err == "nwb-mepp: interrupted; complete files are kept, nothing else was written.\n"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_request_to_end_does_not_cut_off_what_is_cleaned_up(
    call: Any, lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask_again_meanwhile(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            asked.append("twice")

    monkeypatch.setattr("nwb_mepp._utils.atomic_files._flush", ask_again_meanwhile)
    assert call("run", lab_file, "-o", tmp_path / "out", *STATED).code == 130
    assert asked == ["twice"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_interrupted_batch_says_how_to_go_on(
    call: Any, lab_file: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    from nwb_mepp.workflows.batch import BatchOutcome

    outcome = BatchOutcome(done=(), failures=(), tables=(), n_left=2)
    monkeypatch.setattr("nwb_mepp.workflows.batch.run_batch", lambda *_, **__: outcome)
    called = call("run", lab_file, "-o", tmp_path / "out", *STATED)
    assert called.code == 130
    assert called.err == (
        "nwb-mepp: interrupted; 2 files were not begun. What is done is kept: run the same command again for "
        "the rest.\n"
    )
