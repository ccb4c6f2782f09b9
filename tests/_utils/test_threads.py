"""Work that threads share: in order, at the same time, no more ahead than is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp._utils import threads
from nwb_mepp._utils.threads import at_once, in_threads

# Longer than any of the waiting here takes, unless something is wrong.
TIMEOUT_S = 30.0


@pytest.fixture(autouse=True)
def _three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "n_threads", lambda: 3)


@given(items=st.lists(st.integers(), max_size=20))
def test_results_come_in_the_order_of_the_items(items: list[int]) -> None:
    assert list(in_threads(lambda item: 2 * item, items)) == [2 * item for item in items]


def test_as_many_are_worked_on_at_the_same_time_as_there_are_threads() -> None:
    # None gets past the barrier before all three are there.
    together = threading.Barrier(3, timeout=TIMEOUT_S)
    assert len(list(in_threads(lambda _: together.wait(), range(6)))) == 6


def test_tasks_of_different_kinds_are_done_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=TIMEOUT_S)
    found = at_once(lambda: (together.wait(), "a")[1], lambda: (together.wait(), 2)[1])
    assert found == ["a", 2]


@pytest.mark.parametrize(("n", "items"), [(1, [1, 2, 3]), (3, [1])])
def test_with_one_thread_or_one_item_the_calling_thread_does_it(
    n: int, items: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "n_threads", lambda: n)
    done_by = list(in_threads(lambda _: threading.current_thread(), items))
    assert done_by == [threading.current_thread()] * len(items)


def test_items_are_taken_when_they_are_soon_worked_on_in_the_calling_thread() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            assert threading.current_thread() is threading.main_thread()
            taken.append(item)
            yield item

    results = in_threads(abs, items())
    assert taken == []
    next(results)
    assert len(taken) <= 5  # three threads, one that waits, and the one that was given
    results.close()
    assert len(taken) <= 5


def test_an_error_is_raised_where_the_result_would_come() -> None:
    results = in_threads(lambda item: 1 // item, [1, 1, 0, 1])
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_what_is_asked_of_overflow_holds_in_threads_too() -> None:
    with np.errstate(over="raise"):
        results = in_threads(lambda item: np.float64(1e300) * item, [1e300, 1e300])
        with pytest.raises(FloatingPointError):
            next(results)
