"""Running a network over a trace: in blocks, without seams, by whatever runtime there is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.detectors import Weights, make_runtime, runtime
from nwb_mepp.detectors.runtime import LazyRuntime, SharedRuntime, run_over

MARGIN = 8


class Smoother:
    """A network in miniature: the sum over MARGIN samples on each side, zeros beyond its block."""

    n_samples = 64

    def run(self, block: np.ndarray) -> np.ndarray:
        assert block.shape == (self.n_samples,)
        assert block.dtype == np.float32
        return np.convolve(block, np.ones(2 * MARGIN + 1, dtype=np.float32), mode="same")


@settings(max_examples=60)
@given(n_samples=st.integers(1, 400), seed=st.integers(0, 2**32))
def test_blocks_join_without_a_seam_at_any_length(n_samples: int, seed: int) -> None:
    # Whole numbers are exact in float32, whatever the order of the sum.
    trace = np.random.default_rng(seed).integers(-100, 100, n_samples + 2 * MARGIN).astype(np.float32)
    output = run_over(Smoother(), trace, margin=MARGIN)
    assert output.dtype == np.float32
    np.testing.assert_array_equal(output, np.convolve(trace, np.ones(2 * MARGIN + 1), mode="valid"))


WEIGHTS = Weights(folder=Path("some-folder"), config={}, network=b"")


def without_litert(monkeypatch: pytest.MonkeyPatch, *loaders: object) -> None:
    def not_installed(_: Weights) -> None:
        raise ImportError("No module named 'ai_edge_litert'")

    monkeypatch.setattr(runtime, "LiteRTRuntime", not_installed)
    points = [SimpleNamespace(load=lambda loader=loader: loader) for loader in loaders]
    monkeypatch.setattr(runtime, "plugins", lambda group: points if "runtimes" in group else [])


def needs_tensorflow(_: Path) -> None:
    raise ImportError("No module named 'tensorflow'")


def test_where_litert_is_not_installed_a_registered_runtime_gets_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_litert(monkeypatch, needs_tensorflow, lambda folder: ("runtime of", folder))
    assert make_runtime(WEIGHTS) == ("runtime of", Path("some-folder"))


def test_without_any_runtime_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without_litert(monkeypatch, needs_tensorflow)
    with pytest.raises(
        MissingDependencyError, match=r"ai-edge-litert or TensorFlow .* pip install 'nwb-mepp\[train\]'"
    ):
        make_runtime(WEIGHTS)


def test_a_network_is_loaded_when_it_is_first_needed_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    monkeypatch.setattr(runtime, "make_runtime", lambda weights: loaded.append(weights) or Smoother())
    lazy = LazyRuntime(WEIGHTS)
    assert loaded == []
    assert lazy.n_samples == 64
    np.testing.assert_array_equal(lazy.run(np.ones(64, dtype=np.float32))[30:32], [17.0, 17.0])
    assert loaded == [WEIGHTS]


class Slow(Smoother):
    """Notes how many threads run it at the same time, once all that a barrier waits for do."""

    def __init__(self, together: threading.Barrier) -> None:
        self.n_running, self.most, self._together = 0, 0, together

    def run(self, block: np.ndarray) -> np.ndarray:
        self.n_running += 1
        self.most = max(self.most, self.n_running)
        with suppress(threading.BrokenBarrierError):
            self._together.wait()
        self.n_running -= 1
        return super().run(block)


# Where the other thread is not to come, it is not waited for as long as where it is.
@pytest.mark.parametrize(
    ("can_be_loaded_again", "n_loaded", "timeout_s"),
    [(True, 2, 60.0), (False, 1, 0.3)],
    ids=["LiteRT", "else"],
)
def test_two_threads_never_run_one_network_at_the_same_time(
    can_be_loaded_again: bool, n_loaded: int, timeout_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, together = [], threading.Barrier(2, timeout=timeout_s)

    def load(_: Weights) -> Slow:
        loaded.append(Slow(together))
        return loaded[-1]

    monkeypatch.setattr(runtime, "make_runtime", load)
    if can_be_loaded_again:  # as by LiteRT
        monkeypatch.setattr(runtime, "LiteRTRuntime", Slow)
    lazy, block = LazyRuntime(WEIGHTS), np.ones(64, dtype=np.float32)
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lazy.run, [block, block]))
    np.testing.assert_array_equal(*outputs)
    assert len(loaded) == n_loaded
    assert [one.most for one in loaded] == [1] * n_loaded
    together.abort()
    lazy.run(block)
    assert len(loaded) == n_loaded


def test_a_runtime_that_is_given_runs_for_one_thread_after_the_other() -> None:
    given_one = Slow(threading.Barrier(2, timeout=0.3))
    shared, block = SharedRuntime(given_one), np.ones(64, dtype=np.float32)
    assert shared.n_samples == 64
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(shared.run, [block, block]))
    assert given_one.most == 1
