"""One shift for a whole recording."""

from __future__ import annotations

import pytest

from nwb_mepp.evaluation import common_shift


def test_the_shift_brings_most_events_together() -> None:
    truth = [0.1, 0.2, 0.3, 0.4]
    found = [0.1024, 0.2024, 0.3024, 0.7]
    assert common_shift(truth, found, tolerance_s=0.0005) == pytest.approx(-0.0024)


def test_events_that_agree_are_not_shifted() -> None:
    assert common_shift([0.1, 0.2], [0.1, 0.2], tolerance_s=0.005) == 0.0


@pytest.mark.parametrize("found", [[], [0.5]])
def test_without_a_match_there_is_no_shift(found: list[float]) -> None:
    assert common_shift([0.1], found, tolerance_s=0.001) == 0.0


def test_a_shift_of_more_than_3_ms_is_not_tried() -> None:
    assert common_shift([0.1], [0.104], tolerance_s=0.0005) == 0.0
