"""What a network is shown: traces conditioned as a detector does it, with the truth beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.simulation import Scenario, simulate_recording
from nwb_mepp.training import Example, ExampleSet, examples
from nwb_mepp.training.examples import example_from, mask_of


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=8),
    n_samples=st.integers(1, 60),
)
def test_mask_marks_the_samples_inside_and_parts_what_touches(
    gaps: list[tuple[int, int]], n_samples: int
) -> None:
    starts, stops, at = [], [], 0
    for before, length in gaps:
        starts.append(at + before)
        stops.append(at + before + length)
        at = stops[-1]
    mask = mask_of(
        np.array(starts) / 1000.0, np.array(stops) / 1000.0, sampling_rate_hz=1000.0, n_samples=n_samples
    )
    expected = np.zeros(at + 60, dtype=np.uint8)
    for start, stop in zip(starts, stops, strict=True):
        expected[start:stop] = 1
    for start in starts[1:]:
        expected[start - 2 : start] = 0  # the gap before an onset
    expected[starts] = 1  # but every MEPP marks its first sample
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, expected[:n_samples])


def test_no_mepps_give_an_empty_mask() -> None:
    nothing = np.empty(0)
    assert mask_of(nothing, nothing, sampling_rate_hz=5000.0, n_samples=7).tolist() == [0] * 7


@pytest.mark.parametrize("polarity", [1, -1])
def test_an_example_is_upright_of_noise_sd_1_and_its_mask_lies_on_the_mepps(polarity: int) -> None:
    scenario = Scenario(duration_s=10.0, rate_hz=2.0, noise_sd=0.05e-3, polarity=polarity)
    example = example_from(simulate_recording(scenario, seed=3), sampling_rate_hz=5000.0)
    assert (example.trace.dtype, example.mask.dtype) == (np.float32, np.uint8)
    assert example.trace.shape == example.mask.shape == (50_000,)
    outside = example.trace[example.mask == 0]
    inside = example.trace[example.mask == 1]
    assert np.subtract(*np.percentile(outside, [75, 25])) / 1.349 == pytest.approx(1.0, abs=0.1)
    assert inside.mean() > 1.5
    silent = replace(scenario, rate_hz=0.0)
    assert example_from(simulate_recording(silent, seed=3), sampling_rate_hz=5000.0).mask.max() == 0


def test_examples_are_made_once_and_a_torn_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def simulated(seed: int) -> Example:
        made.append(seed)
        trace = np.random.default_rng(seed).normal(0.0, 5.0, 100).astype(np.float32)
        return Example(trace=trace, mask=(trace > 0).astype(np.uint8))

    monkeypatch.setattr(examples, "simulated_example", simulated)
    first = ExampleSet(tmp_path / "examples")
    adding = first.add(range(5))
    assert [next(adding), next(adding)] == [0, 1]  # interrupted here
    (tmp_path / "examples" / "000000002.partial").write_bytes(b"torn")
    again = ExampleSet(tmp_path / "examples")
    assert list(again.add(range(5))) == [0, 1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]
    assert {path.suffix for path in (tmp_path / "examples").iterdir()} == {".npz"}
    for seed, example in zip([4, 2], again.load([4, 2]), strict=True):
        expected = simulated(seed)
        np.testing.assert_allclose(example.trace, expected.trace, rtol=1e-3)
        np.testing.assert_array_equal(example.mask, expected.mask)
        assert example.trace.dtype == np.float32


def test_the_example_of_a_seed_is_always_the_same() -> None:
    first, second = examples.simulated_example(7), examples.simulated_example(7)
    np.testing.assert_array_equal(first.trace, second.trace)
    np.testing.assert_array_equal(first.mask, second.mask)
