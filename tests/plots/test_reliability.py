from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.plots import draw_reliability


def test_bins_without_candidates_are_left_out(tmp_path: Path) -> None:
    for name in ("first", "second"):
        draw_reliability(
            tmp_path / f"{name}.svg", predicted=[0.1, float("nan"), 0.9], observed=[0.2, 0.5, 0.8]
        )
    drawn = (tmp_path / "first.svg").read_text("utf-8")
    assert drawn == (tmp_path / "second.svg").read_text("utf-8")
    assert "<!-- Predicted probability -->" in drawn
    assert "nan" not in drawn
    draw_reliability(tmp_path / "one.png", predicted=[0.1], observed=[0.2])
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a picture ending in .*, found 'one\.gif'; choose one"):
        draw_reliability(tmp_path / "one.gif", predicted=[0.1], observed=[0.2])
