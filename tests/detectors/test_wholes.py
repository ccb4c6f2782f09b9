"""Candidates that the network splits, whole or in parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.detectors import described
from nwb_mepp.detectors import take_together
from nwb_mepp.detectors.wholes import choose_wholes


def test_neighbors_are_taken_together_in_every_way() -> None:
    # Gaps of 1, 1 and 4 ms; only the second part is clear.
    parts = described([0.100, 0.105, 0.110, 0.118], score=[0.2, 0.4, 0.3, 0.9], height=[3.0, 9.0, 4.0, 9.0])
    wholes = take_together(parts)
    assert list(zip(wholes.first.tolist(), wholes.stop.tolist(), strict=True)) == [(0, 2), (0, 3), (1, 3)]
    one = wholes.described
    assert one.start_s.tolist() == [0.105, 0.105, 0.105]
    np.testing.assert_allclose(one.stop_s, [0.109, 0.114, 0.114])
    assert one.score.tolist() == [0.4, 0.4, 0.4]
    np.testing.assert_array_equal(one.fits.heights, np.tile(parts.fits.heights[1], (3, 1)))


@pytest.mark.parametrize(
    ("height", "length_s"),
    [(5.9, 4e-3), (9.0, 1.9e-3), (9.0, 21e-3)],
    ids=["ripples of the noise", "a gap of 3.1 ms", "26 ms"],
)
def test_what_is_small_or_far_apart_or_long_is_not_taken_together(height: float, length_s: float) -> None:
    parts = described([0.100, 0.105], score=[0.2, 0.4], height=[height] * 2, length_s=length_s)
    assert len(take_together(parts).first) == 0


def test_no_candidates_have_no_wholes() -> None:
    none = described([], score=[], height=[])
    assert len(take_together(none).first) == len(take_together(none).described.score) == 0


@pytest.mark.parametrize(
    ("parts", "whole", "chosen"),
    [
        ([0.16, 0.49], 0.9, True),
        ([0.10, 0.72], 0.9, True),
        ([0.10, 0.72], 0.7, False),  # 1 - 0.9 * 0.28 = 0.748
        ([0.10, 0.91], 0.99, False),
        ([0.7, 0.7], 0.95, True),  # two with 0.49
        ([0.75, 0.7], 0.99, False),  # two with 0.525
        ([0.0, 0.0], 0.0, False),
    ],
)
def test_one_mepp_must_be_more_probable_than_any_of_the_parts(
    parts: list[float], whole: float, chosen: bool
) -> None:
    wholes = take_together(described([0.100, 0.105], score=[0.5, 0.5], height=[9.0, 8.0]))
    assert len(choose_wholes(np.array(parts), wholes, np.array([whole]))) == int(chosen)


@settings(max_examples=50)
@given(
    probability=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8),
    whole=st.lists(st.floats(0.0, 1.0), min_size=18, max_size=18),
)
def test_chosen_wholes_share_no_part(probability: list[float], whole: list[float]) -> None:
    n_parts = len(probability)
    parts = described(list(np.arange(n_parts) * 5e-3), score=[0.5] * n_parts, height=[8.0] * n_parts)
    wholes = take_together(parts)
    given_each = np.array(whole[: len(wholes.first)])
    chosen = choose_wholes(np.array(probability), wholes, given_each)
    used = [part for one in chosen for part in range(wholes.first[one], wholes.stop[one])]
    assert len(used) == len(set(used))
