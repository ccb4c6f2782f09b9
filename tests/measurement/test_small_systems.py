"""Many small systems at once, some of which have no solution."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.measurement.small_systems import solve

SINGULAR = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


@given(singular=st.lists(st.booleans(), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_a_singular_system_takes_no_other_with_it(singular: list[bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((len(singular), 3))
    regular = rng.standard_normal((len(singular), 3, 3)) + 5.0 * np.eye(3)
    matrices = np.where(np.array(singular)[:, None, None], SINGULAR, regular)
    found = solve(matrices, np.einsum("nij,nj->ni", matrices, truth))
    expected = np.where(np.array(singular)[:, None], 0.0, truth)
    np.testing.assert_allclose(found, expected, atol=1e-9)
