"""Products of matrices use one thread where they shall, and as many as before afterwards."""

from __future__ import annotations

import pytest
import scipy.linalg  # noqa: F401 - brings a library of its own
from threadpoolctl import threadpool_info, threadpool_limits

from nwb_mepp._utils.blas import one_thread


def n_threads() -> list[int]:
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_one_thread_within_and_as_many_as_before_afterwards() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        before = n_threads()
        if set(before) != {2}:
            pytest.skip(f"expected libraries that can use two threads, found {before}")
        with one_thread():
            assert set(n_threads()) == {1}
        assert n_threads() == before
