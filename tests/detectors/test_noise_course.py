"""Where in a channel the noise is stronger than elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.detectors.noise_course import block_edges, block_medians, noise_course


def test_noise_that_grows_is_followed_and_steady_noise_is_left_alone() -> None:
    rate_hz = 1_000.0
    strength = np.concatenate([np.ones(40_000), np.linspace(1.0, 3.0, 4_000)])
    noise = np.abs(strength * np.random.default_rng(0).standard_normal(len(strength)))
    edges = block_edges(len(noise), sampling_rate_hz=rate_hz)
    assert len(edges) == 44 * 4 + 1
    (course,) = noise_course([block_medians(noise, edges)])
    assert np.all(course[:155] == 1.0)
    # What remains at the end is 3 less the tenth that is let pass, within a sixth.
    assert course[-1] == pytest.approx(2.6, rel=0.17)


def test_mepps_that_fill_a_block_change_nothing() -> None:
    medians = np.ones(40)
    medians[[10, 11, 25]] = 8.0
    (course,) = noise_course([medians])
    assert np.all(course == 1.0)


def test_segments_are_compared_with_the_whole_channel() -> None:
    weak, strong = noise_course([np.ones(30), np.full(10, 3.3)])
    assert np.all(weak == 1.0)
    assert strong == pytest.approx(3.0)


@pytest.mark.parametrize("medians", [[], [np.zeros(5)]])
def test_where_nothing_varies_there_is_no_course(medians: list[np.ndarray]) -> None:
    assert [one.tolist() for one in noise_course(medians)] == [[1.0] * len(one) for one in medians]


def test_a_stretch_shorter_than_a_block_is_one() -> None:
    assert block_edges(100, sampling_rate_hz=5_000.0).tolist() == [0, 100]
    assert block_medians(np.empty(0), np.array([0, 0])).tolist() == [0.0]
