"""What is known of a candidate: itself, its neighbors and its recording."""

from __future__ import annotations

import numpy as np
import pytest

from builders.detectors import USUAL, described
from nwb_mepp.detectors import describe_candidates, describe_wholes, take_together
from nwb_mepp.detectors.candidate_features import N_FEATURES
from nwb_mepp.detectors.shape_bank import SHAPES_S

SLOW = SHAPES_S.index((2.4e-3, 11.0e-3))


def test_a_candidate_is_described_by_itself_its_neighbors_and_its_recording() -> None:
    # Two 5 ms apart, one far away; 0.5 has the logit 0, 0.9 ln 9.
    one = described([0.1, 0.105, 3.0], score=[0.9, 0.5, 0.9], height=[6.0, 3.5, 7.0], misfit=2.0)
    features = describe_candidates([one], duration_s=10.0)
    assert features.shape == (3, N_FEATURES)
    own = [np.log(9.0), 6.0, 6.0, np.log(2.0), *np.log([0.6e-3, 2.5e-3]), np.log(4e-3)]
    np.testing.assert_allclose(features[0, :7], own)
    np.testing.assert_allclose(features[:, 7:11].T[0], [0.02, 0.005, 0.02])  # distance to the one before
    np.testing.assert_allclose(features[:, 7:11].T[1], [0.0, 6.0, 0.0])  # its height
    np.testing.assert_allclose(features[:, 7:11].T[2], [0.005, 0.02, 0.02])
    np.testing.assert_allclose(features[:, 7:11].T[3], [3.5, 0.0, 0.0])
    # Above logits of -2, 0, 2 and 4: 3, 2, 2 and 0 in 10 s; above heights of 3, 4, 5, 6.5 and 8: 3, 2, 2, 1
    # and 0.
    rates = np.log(np.array([3, 2, 2, 0, 3, 2, 2, 1, 0]) / 10.0 + 0.02)
    np.testing.assert_allclose(features[:, 11:20], np.tile(rates, (3, 1)))
    # The two sure ones are 6.5 high in the mean; the doubtful one leaves twice the noise.
    rest = [6.5, np.log(2.0), *np.log([0.6e-3, 2.5e-3]), np.log(10.0)]
    np.testing.assert_allclose(features[1, 20:25], rest)


def test_the_typical_shape_is_that_of_the_sure_ones() -> None:
    slow = described([1.0, 2.0, 3.0], score=[0.99] * 3, height=[9.0] * 3, best=SLOW)
    fast = described([4.0, 5.0], score=[0.2] * 2, height=[9.0] * 2, best=USUAL)
    features = describe_candidates([slow, fast], duration_s=6.0)
    np.testing.assert_allclose(np.exp(features[:, 22:24]), np.tile(SHAPES_S[SLOW], (5, 1)))
    # Under that shape the others stand out by 1 less, under their own by 9.
    np.testing.assert_allclose(features[3:, 1:3], [[8.0, 9.0]] * 2)


def test_segments_are_described_together_but_are_not_neighbors() -> None:
    parts = [described([0.1], score=[0.9], height=[5.0]), described([0.101], score=[0.9], height=[5.0])]
    features = describe_candidates(parts, duration_s=2.0)
    np.testing.assert_allclose(features[:, 7:11], [[0.02, 0.0, 0.02, 0.0]] * 2)
    np.testing.assert_allclose(features[0, 12], np.log(2 / 2.0 + 0.02))


@pytest.mark.parametrize("n_segments", [1, 3])
def test_no_candidates_have_no_description(n_segments: int) -> None:
    none = described([], score=[], height=[])
    assert describe_candidates([none] * n_segments, duration_s=1.0).shape == (0, N_FEATURES)


def test_steps_of_the_level_are_told_from_mepps() -> None:
    mepp = described([0.1, 1.1], score=[0.9] * 2, height=[6.0] * 2, step=5.0)
    step = described([0.1], score=[0.9], height=[4.0], step=5.0)
    features = describe_candidates([mepp, step], duration_s=5.0)[:, 25:]
    assert features[:, 0].tolist() == [5.0] * 3
    assert features[:, 1].tolist() == [0.0] * 3
    # Half the difference of the squares: (36 - 25) / 2 and (16 - 25) / 2.
    assert features[:, 2].tolist() == [5.5, 5.5, -4.5]
    # One of three, to which two are added.
    np.testing.assert_allclose(features[:, 3], 1 / 5)


def test_a_whole_is_described_like_a_candidate_in_place_of_its_parts() -> None:
    parts = described([0.100, 0.105, 0.110, 0.118], score=[0.5, 0.3, 0.9, 0.5], height=[3.0, 9.0, 7.0, 4.0])
    wholes = take_together(parts)
    (row,) = np.flatnonzero((wholes.first == 1) & (wholes.stop == 3))
    features = describe_wholes([parts], [wholes], duration_s=10.0)[row]
    # The fit is that of the second part, which stands out most; the score that of the third.
    assert features[0] == pytest.approx(np.log(9.0))
    assert features[1] == features[2] == 9.0
    assert features[6] == pytest.approx(np.log(0.114 - 0.105))
    np.testing.assert_allclose(features[7:11], [0.005, 3.0, 0.013, 4.0])
    # What is known of the recording comes from the parts.
    np.testing.assert_array_equal(features[11:25], describe_candidates([parts], duration_s=10.0)[0, 11:25])
