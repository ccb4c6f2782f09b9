"""What a network is shown: every second as often as any other, and stretches without MEPPs among it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training import AutoencoderPlan, Example, ExampleSet, TrainingPlan, examples
from nwb_mepp.ml.training.data import (
    Split,
    cut_example,
    held_out_examples,
    share_without_mepps,
    stretches_without_mepps,
    training_examples,
)
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.settings import VALIDATION_SEEDS_FROM

PLAN = TrainingPlan(
    n_recordings=3, n_artifacts=2, n_noise=1, n_steps=50, n_batch=8, n_samples=100, gain_jitter=0.0
)


def example_with(onsets: list[int], *, n_samples: int = 1000) -> Example:
    """Return an example with MEPPs of 20 samples, whose samples are numbered."""
    mask = np.zeros(n_samples, dtype=np.uint8)
    for onset in onsets:
        mask[onset : onset + 20] = 1
    return Example(
        trace=np.arange(n_samples, dtype=np.float32), mask=mask, peak=np.array(onsets, dtype=np.int64) + 7
    )


def labeled(*parts: Example, name: str = "a") -> LabeledRecording:
    return LabeledRecording(
        path=Path(name),
        sha256=name,
        marks_sha256="",
        labels="",
        duration_s=1.0,
        n_mepps=sum(len(part.peak) for part in parts),
        examples=parts,
        taps=(np.ones(1),) * len(parts),
    )


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Replace the simulation; returns a list that fills with seeds and kinds."""
    made: list[tuple[int, str]] = []

    def simulate(seed: int, *, sampling_rate_hz: float, kind: str) -> Example:
        assert sampling_rate_hz == 5000.0
        made.append((seed, kind))
        return example_with([100] if kind == "drawn" else [])

    monkeypatch.setattr(examples, "simulated_example", simulate)
    return made


@given(n_samples=st.integers(1, 500), n_part=st.integers(20, 200), n_least=st.integers(1, 20))
def test_parts_cover_an_example_and_none_is_too_short(n_samples: int, n_part: int, n_least: int) -> None:
    onset = n_samples // 3
    whole = example_with([onset], n_samples=n_samples + 20)
    parts = cut_example(whole, n_part=n_part, n_least=n_least)
    np.testing.assert_array_equal(np.concatenate([part.trace for part in parts]), whole.trace)
    np.testing.assert_array_equal(np.concatenate([part.mask for part in parts]), whole.mask)
    assert min(len(part.trace) for part in parts) >= n_least
    # Every peak is that of the same sample as before.
    assert [part.trace[peak] for part in parts for peak in part.peak] == [onset + 7]


def test_an_example_that_is_too_short_gives_no_part() -> None:
    assert cut_example(example_with([], n_samples=50), n_part=100, n_least=51) == []


def test_near_a_mepp_nothing_counts_as_noise() -> None:
    # At 1 kHz: 2 samples before the onset, 20 after the end.
    parts = stretches_without_mepps(example_with([100, 500]), 1000.0)
    assert [(int(part.trace[0]), int(part.trace[-1])) for part in parts] == [(0, 97), (140, 497), (540, 999)]
    assert not any(part.mask.any() or len(part.peak) for part in parts)
    (whole,) = stretches_without_mepps(example_with([]), 1000.0)
    assert len(whole.trace) == 1000


def test_artifacts_alone_and_noise_alone_are_shown_besides_what_is_drawn(
    simulated: list[tuple[int, str]], tmp_path: Path
) -> None:
    reached: list[tuple[int, int]] = []
    found = training_examples(
        PLAN, Split(), kept=ExampleSet(tmp_path), on_example=lambda *at: reached.append(at)
    )
    assert simulated == [
        (0, "drawn"), (1, "drawn"), (2, "drawn"), (3, "artifacts"), (4, "artifacts"), (5, "noise")
    ]  # fmt: skip
    assert reached == [(number, 6) for number in range(1, 7)]
    assert [len(one.peak) for one in found] == [1, 1, 1, 0, 0, 0]
    # 8 crops a step of 100 of 1000 samples, half of the recordings without MEPPs.
    assert 0.7 < share_without_mepps(found, PLAN) < 1.0
    assert share_without_mepps(found[3:], PLAN) == 1.0


def test_what_is_held_out_is_labeled_or_simulated_from_seeds_of_its_own(
    simulated: list[tuple[int, str]], tmp_path: Path
) -> None:
    own = example_with([300])
    split = Split(training=[labeled(example_with([1]))], held_out=[labeled(own)])
    assert held_out_examples(split, n_simulated=5, kept=ExampleSet(tmp_path)) == [own]
    assert simulated == []
    assert len(held_out_examples(Split(), n_simulated=2, kept=ExampleSet(tmp_path))) == 2
    assert [seed for seed, _ in simulated] == [VALIDATION_SEEDS_FROM, VALIDATION_SEEDS_FROM + 1]


def test_an_autoencoder_of_noise_is_shown_the_quiet_stretches_of_a_labeled_recording(tmp_path: Path) -> None:
    plan = AutoencoderPlan(regime="normal", n_recordings=0, n_samples=200)
    split = Split(training=[labeled(example_with([500], n_samples=1600))])
    kept = ExampleSet(tmp_path, sampling_rate_hz=10_000.0)
    quiet = training_examples(plan, split, kept=kept)
    # At 10 kHz 20 samples before the onset and 200 after the end are not shown.
    assert [(int(part.trace[0]), int(part.trace[-1])) for part in quiet] == [(0, 479), (720, 1599)]
    (whole,) = training_examples(replace(plan, regime="anomalous"), split, kept=kept)
    assert len(whole.trace) == 1600


def test_recordings_without_a_stretch_that_is_long_enough_are_refused(tmp_path: Path) -> None:
    split = Split(training=[labeled(example_with([5], n_samples=100))])
    plan = replace(PLAN, n_recordings=0, n_artifacts=0, n_noise=0)
    with pytest.raises(UsageError, match=r"a stretch of more than 0\.02 s in the training recordings"):
        training_examples(plan, split, kept=ExampleSet(tmp_path))
    quiet = AutoencoderPlan(regime="normal", n_recordings=0, n_samples=60)
    with pytest.raises(UsageError, match=r"a stretch without MEPPs of more than 0\.01 s"):
        training_examples(quiet, split, kept=ExampleSet(tmp_path, sampling_rate_hz=10_000.0))
