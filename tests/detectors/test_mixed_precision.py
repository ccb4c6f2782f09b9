"""A network in two arithmetics: which output is computed in which, wherever stretches begin and end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.detectors import run_mixed
from nwb_mepp.detectors.runtime import run_over

MARGIN = 8


class Constant:
    """Gives one value, whatever it is shown."""

    n_samples = 48

    def __init__(self, value: float) -> None:
        self.value = value
        self.n_runs = 0

    def run(self, block: np.ndarray) -> np.ndarray:
        self.n_runs += 1
        return np.full(len(block), self.value, dtype=np.float32)


class Pooling(Constant):
    """Averages groups of four samples with their neighbors: where the groups begin matters."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(factor)

    def run(self, block: np.ndarray) -> np.ndarray:
        means = block.reshape(-1, 4).mean(axis=1)
        return (self.value * np.convolve(means, [0.25, 0.5, 0.25], mode="same").repeat(4)).astype(np.float32)


def noise(n_samples: int, *, large: list[int], seed: int = 0) -> np.ndarray:
    trace = np.random.default_rng(seed).uniform(-1.0, 1.0, n_samples + 2 * MARGIN).astype(np.float32)
    trace[[one + MARGIN for one in large]] = -5.0
    return trace


def test_outputs_within_a_margin_of_a_large_sample_are_in_single_precision() -> None:
    output = run_mixed(Constant(0.0), Constant(1.0), noise(100, large=[40]), margin=MARGIN, above=4.0)
    # 40 - 8 to 40 + 8, in whole groups of four.
    assert np.flatnonzero(output).tolist() == list(range(32, 52))


@pytest.mark.parametrize(("above", "expected"), [(5.0, 0.0), (0.0, 1.0)])
def test_one_arithmetic_is_enough_where_no_sample_or_every_sample_is_large(
    above: float, expected: float
) -> None:
    unused = Constant(np.nan)
    integers, single = (Constant(0.0), unused) if expected == 0.0 else (unused, Constant(1.0))
    output = run_mixed(integers, single, noise(100, large=[40]), margin=MARGIN, above=above)
    assert (output == expected).all()
    assert unused.n_runs == 0


def test_short_stretches_share_a_block() -> None:
    single = Constant(1.0)
    run_mixed(Constant(0.0), single, noise(1000, large=[100, 900]), margin=4, above=4.0)
    assert single.n_runs == 1


@given(
    n_samples=st.integers(1, 150),
    large=st.lists(st.integers(-MARGIN, 150), max_size=6),
    seed=st.integers(0, 9),
)
def test_two_equal_networks_give_what_one_gives(n_samples: int, large: list[int], seed: int) -> None:
    trace = noise(n_samples, large=[one for one in large if one < n_samples + MARGIN], seed=seed)
    output = run_mixed(Pooling(), Pooling(), trace, margin=MARGIN, above=4.0)
    np.testing.assert_array_equal(output, run_over(Pooling(), trace, margin=MARGIN))


@given(cut=st.integers(1, 30), large=st.lists(st.integers(0, 123), max_size=4))
def test_a_divided_trace_gives_the_same(cut: int, large: list[int]) -> None:
    trace, cut = noise(124, large=large), 4 * cut
    networks = Pooling(), Pooling(-1.0)
    whole = run_mixed(*networks, trace, margin=MARGIN, above=4.0)
    parts = [
        run_mixed(*networks, part, margin=MARGIN, above=4.0)
        for part in (trace[: cut + 2 * MARGIN], trace[cut:])
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
