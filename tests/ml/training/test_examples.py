"""What a network is shown: traces conditioned as a detector does it, with the truth beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.ml.training import Example, ExampleSet, examples
from nwb_mepp.ml.training.examples import example_from, mask_of, scenario_of
from nwb_mepp.simulation import Scenario, simulate_recording


@settings(max_examples=100)
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


@pytest.mark.parametrize("polarity", [Polarity.POSITIVE, Polarity.NEGATIVE])
def test_an_example_is_upright_of_noise_sd_1_and_its_mask_lies_on_the_mepps(polarity: Polarity) -> None:
    scenario = Scenario(duration_s=10.0, rate_hz=2.0, noise_sd=0.05e-3, polarity=polarity)
    simulated = simulate_recording(scenario, seed=3)
    example = example_from(simulated, sampling_rate_hz=5000.0)
    assert (example.trace.dtype, example.mask.dtype) == (np.float32, np.uint8)
    assert example.trace.shape == example.mask.shape == (50_000,)
    outside = example.trace[example.mask == 0]
    inside = example.trace[example.mask == 1]
    assert np.subtract(*np.percentile(outside, [75, 25])) / 1.349 == pytest.approx(1.0, abs=0.1)
    assert inside.mean() > 1.5
    # The peaks lie inside, about a third of the way from onset to end.
    truth = simulated.truth
    np.testing.assert_allclose(example.peak / 5000.0, truth.peak_s, rtol=0, atol=1.01e-4)
    silent = replace(scenario, rate_hz=0.0)
    assert example_from(simulate_recording(silent, seed=3), sampling_rate_hz=5000.0).mask.max() == 0


def test_examples_are_made_once_and_a_torn_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, str, float]] = []

    def simulated(seed: int, *, sampling_rate_hz: float = 5000.0, kind: str = "drawn") -> Example:
        made.append((seed, kind, sampling_rate_hz))
        trace = np.random.default_rng(seed).normal(0.0, 5.0, 100).astype(np.float32)
        return Example(trace=trace, mask=(trace > 0).astype(np.uint8), peak=np.array([seed, 9]))

    monkeypatch.setattr(examples, "simulated_example", simulated)
    first = ExampleSet(tmp_path / "examples")
    adding = first.add(range(5))
    assert [next(adding), next(adding)] == [0, 1]  # interrupted here
    (tmp_path / "examples" / "000000002.partial").write_bytes(b"torn")
    again = ExampleSet(tmp_path / "examples")
    assert list(again.add(range(5))) == [0, 1, 2, 3, 4]
    assert made == [(seed, "drawn", 5000.0) for seed in range(5)]
    assert {path.suffix for path in (tmp_path / "examples").iterdir()} == {".npz"}
    for seed, example in zip([4, 2], again.load([4, 2]), strict=True):
        expected = simulated(seed)
        np.testing.assert_allclose(example.trace, expected.trace, rtol=1e-3)
        np.testing.assert_array_equal(example.mask, expected.mask)
        np.testing.assert_array_equal(example.peak, expected.peak)
        assert example.trace.dtype == np.float32
    # The same seed without its MEPPs is another example.
    other = ExampleSet(tmp_path / "examples", sampling_rate_hz=10_000.0)
    assert len(other.made([4], kind="noise")) == 1
    assert made[-1] == (4, "noise", 10_000.0)


def test_examples_made_at_once_are_those_made_one_by_one(tmp_path: Path) -> None:
    one_by_one = ExampleSet(tmp_path / "a").made([1, 2])
    together = ExampleSet(tmp_path / "b")
    together.made([2])
    assert sorted(together.add([1, 2, 3], n_jobs=2)) == [1, 2, 3]
    for one, same in zip(one_by_one, together.load([1, 2]), strict=True):
        np.testing.assert_array_equal(one.trace, same.trace)
    with pytest.raises(DetectionError, match=r"simulated recording 4 died .*`n_jobs`"):
        examples._crashed(examples._Making(seed=4, kind="drawn", path=tmp_path, rate_hz=5e3), "crash")


def test_the_example_of_a_seed_is_always_the_same() -> None:
    first, second = examples.simulated_example(7), examples.simulated_example(7)
    np.testing.assert_array_equal(first.trace, second.trace)
    np.testing.assert_array_equal(first.mask, second.mask)


@pytest.mark.parametrize("seed", range(12))
def test_without_its_mepps_a_recording_keeps_its_noise_and_surely_has_artifacts_or_none(
    seed: int,
) -> None:
    drawn, artifacts, noise = (scenario_of(seed, kind=kind) for kind in ("drawn", "artifacts", "noise"))
    assert noise == replace(drawn, rate_hz=0.0, bursts_per_s=0.0, artifacts={}, telegraph_step=0.0)
    assert replace(artifacts, artifacts={}, telegraph_step=0.0) == noise
    assert artifacts.telegraph_step == drawn.telegraph_step
    assert sum(artifacts.artifacts.values()) > 0
    if any(drawn.artifacts.values()):
        assert artifacts.artifacts == drawn.artifacts
    for kind in ("artifacts", "noise"):
        assert len(simulate_recording(scenario_of(seed, kind=kind), seed=seed).truth) == 0
