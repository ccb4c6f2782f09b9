"""Arrays that are made once, as long as they are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from nwb_mepp._utils.kept import Kept


def making(made: list[str], name: str, *, n_bytes: int = 8) -> Callable[[], np.ndarray]:
    """Return what makes an array and notes its name."""

    def make() -> np.ndarray:
        made.append(name)
        return np.zeros(n_bytes // 8)

    return make


def test_what_was_used_last_is_kept_and_the_rest_made_again() -> None:
    kept, made = Kept(max_bytes=16), []
    for name in "abacbc":
        kept.get(name, making(made, name))
    # The third letter finds a, which leaves b as the one that goes for c; then a goes for b.
    assert "".join(made) == "abcb"


def test_several_arrays_count_together_and_what_is_too_large_is_not_kept() -> None:
    kept, made = Kept(max_bytes=16), []
    kept.get("small", making(made, "small"))
    for _ in range(2):
        kept.get("large", lambda: [making(made, "large")() for _ in range(3)])
    kept.get("small", making(made, "small"))
    assert made == ["small"] + 6 * ["large"]


def test_what_two_threads_make_at_the_same_time_counts_once() -> None:
    kept, both = Kept(max_bytes=16), threading.Barrier(2, timeout=30.0)

    def make() -> np.ndarray:
        both.wait()
        return np.zeros(1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: kept.get("a", make), range(2)))
    made: list[str] = []
    kept.get("b", making(made, "b"))
    kept.get("a", making(made, "a"))  # there is room for two of 8 bytes
    assert made == ["b"]
