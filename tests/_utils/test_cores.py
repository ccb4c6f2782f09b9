"""How many cores and threads there are."""

from __future__ import annotations

import os

import pytest

from nwb_mepp._utils import cores
from nwb_mepp._utils.cores import n_cores, n_threads


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are counted otherwise")
def test_only_cores_that_may_be_used_count() -> None:
    allowed = os.sched_getaffinity(0)
    assert n_cores() == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert n_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(("stated", "expected"), [("1", 1), ("7", 7), ("0", 1), ("", 3), ("many", 3)])
def test_threads_are_those_that_are_stated_or_one_for_each_core(
    stated: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "n_cores", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert n_threads() == expected


def test_no_more_than_four_threads_are_used_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "n_cores", lambda: 64)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert n_threads() == 4
