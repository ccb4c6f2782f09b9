"""A long analysis that is interrupted goes on with what it had worked out, and gives the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from builders.known_mepps import mepp_trace, write_text
from nwb_mepp.detectors import Autoencoder, MiniUnet
from nwb_mepp.nwb import read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, WriteOptions, analysis, detection, run_file

START = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z")


@pytest.fixture
def every_recording_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_LONG_S", 0.0)


def interrupt(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def written_in(path: Path) -> list[dict[str, str]]:
    """Return all digits of all columns, and the summary, of each detector."""
    return [
        {name: str(getattr(one.mepps, name).tolist()) for name in one.mepps.array_names()}
        | {"summary": repr(one.summary)}
        for one in read_results(path)
    ]


# What the first detector found is kept before it is measured, and what was measured before it is averaged.
@pytest.mark.usefixtures("every_recording_is_long")
@pytest.mark.parametrize(("command", "step"), [("run", "measure_candidates"), ("detect", "average_waveform")])
def test_what_was_worked_out_is_taken_over(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, step: str
) -> None:
    source = write_text(tmp_path / "a.txt", mepp_trace())
    made = ("run", "--no-picture") if command == "run" else ("convert",)
    assert call(*made, source, "-o", tmp_path / "whole", *START).code == 0
    (whole,) = (tmp_path / "whole").glob("*.nwb")
    if command == "run":
        words = (*made, source, "-o", tmp_path / "out", *START)
        output = tmp_path / "out" / whole.name
    else:
        output = tmp_path / "copy.nwb"
        words = ("detect", whole, "-o", output)
    with monkeypatch.context() as patched:
        patched.setattr(detection, step, interrupt)
        assert call(*words).code == 130
    assert not output.exists()
    assert len(list(output.parent.glob(".*interim"))) == 1
    found: list[str] = []
    for one in (MiniUnet, Autoencoder):
        find = one.find

        def counted(self: Any, *args: Any, find: Any = find, **options: Any) -> Any:
            found.append(self.name)
            return find(self, *args, **options)

        monkeypatch.setattr(one, "find", counted)
    again = call(*words)
    assert again.code == 0, again.err
    # What the first detector had found was not looked for again.
    assert found == ["autoencoder"]
    assert again.err.count("going on with what an interrupted run had worked out.") == 1
    assert list(output.parent.glob(".*interim")) == []
    if command == "run":
        assert written_in(output) == written_in(whole)
    else:
        assert call("detect", whole, "-o", tmp_path / "other.nwb").code == 0
        assert written_in(output) == written_in(tmp_path / "other.nwb")


@pytest.mark.usefixtures("every_recording_is_long")
def test_the_network_goes_on_from_its_last_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tiles of 4096 samples at 5 kHz: 5 of them in 4 s.
    source = write_text(tmp_path / "a.txt", mepp_trace())
    run = partial(
        run_file,
        source,
        tmp_path / "a.nwb",
        settings=DetectionSettings(detectors=("miniunet",), block_s=0.5),
        read_options=ReadOptions(unit="V"),
        write_options=WriteOptions(session_start="2026-01-15T10:00:00Z"),
    )
    output, tiles = MiniUnet._output, []

    def third_time_interrupted(self: MiniUnet, trace: Any, index: int) -> Any:
        if len(tiles) == 3:
            raise KeyboardInterrupt
        tiles.append(index)
        return output(self, trace, index)

    with monkeypatch.context() as patched:
        patched.setattr(MiniUnet, "_output", third_time_interrupted)
        with pytest.raises(KeyboardInterrupt):
            run()
    again: list[int] = []
    monkeypatch.setattr(
        MiniUnet, "_output", lambda self, trace, index: (again.append(index), output(self, trace, index))[1]
    )
    assert run().status == "written"
    assert (tiles, again) == ([0, 1, 2], [3, 4])


@pytest.mark.usefixtures("every_recording_is_long")
def test_other_settings_begin_anew(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_text(tmp_path / "a.txt", mepp_trace())
    words = ("run", source, "-o", tmp_path / "out", *START, "--detector", "matched_filter", "--no-picture")
    with monkeypatch.context() as patched:
        patched.setattr(detection, "measure_candidates", interrupt)
        assert call(*words).code == 130
    again = call(*words, "--polarity", "positive")
    assert again.code == 0
    assert "interrupted" not in again.err


def test_a_short_recording_leaves_nothing(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_text(tmp_path / "a.txt", mepp_trace())
    monkeypatch.setattr(detection, "measure_candidates", interrupt)
    assert call("run", source, "-o", tmp_path / "out", *START, "--detector", "matched_filter").code == 130
    assert list(tmp_path.iterdir()) == [source]
