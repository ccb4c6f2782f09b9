from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.plots import CurvePanel, draw_curves
from nwb_mepp.plots.curves import _positions

PANELS = [
    CurvePanel(words="hum", values=(0.0, 1.0, 3.0), scores={"a": [0.9, 0.8, 0.7], "b": [0.5, 0.4, 0.3]}),
    CurvePanel(words="step", values=(0.0, 1.0), scores={"a": [0.9, 0.8], "b": [0.5, 0.4]}, logarithmic=False),
]


def test_a_picture_of_all_panels_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        draw_curves(PANELS, tmp_path / f"{name}.svg", title="How it goes")
    drawn = (tmp_path / "first.svg").read_text("utf-8")
    assert drawn == (tmp_path / "second.svg").read_text("utf-8")
    for words in ("How it goes", "hum", "step", "a", "b"):
        assert f"<!-- {words} -->" in drawn
    draw_curves(PANELS[:1], tmp_path / "one.png", title="One")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_lies_left_of_the_others_on_a_logarithmic_axis() -> None:
    # From 1 to 3 is one step; 0 is drawn one step below 1.
    assert _positions(PANELS[0]) == pytest.approx([1.0 / 3.0, 1.0, 3.0])
    assert _positions(PANELS[1]) == [0.0, 1.0]


def test_another_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a picture ending in .*, found 'curves\.txt'; choose one"):
        draw_curves(PANELS, tmp_path / "curves.txt", title="")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="expected to write"):
        draw_curves(PANELS, tmp_path / "file" / "curves.svg", title="")
