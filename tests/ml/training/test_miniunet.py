"""Training of MiniUnet: a plan defines the batches, and with them the weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.ml.training import Example, TrainingPlan, train_miniunet
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM
from nwb_mepp.ml.training.miniunet import draw_batch
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM

PLAN = TrainingPlan(
    n_recordings=2, n_steps=30, n_batch=4, n_samples=256, kernel_size=3, learning_rate=0.05, gain_jitter=0.0
)


@pytest.fixture(scope="module")
def ramps() -> list[Example]:
    """Return examples whose samples tell where they come from."""
    return [
        Example(
            trace=(1_000 * number + np.arange(500)).astype(np.float32),
            mask=(np.arange(500) % (number + 2) == 0).astype(np.uint8),
        )
        for number in range(3)
    ]


def test_crops_are_stretches_of_the_examples_with_their_mask(ramps: list[Example]) -> None:
    seen = set()
    for step in range(20):
        traces, targets = draw_batch(ramps, plan=PLAN, step=step)
        assert traces.shape == targets.shape == (4, 256, 1)
        assert traces.dtype == targets.dtype == np.float32
        for trace, target in zip(traces[:, :, 0], targets[:, :, 0], strict=True):
            number, start = divmod(int(trace[0]), 1_000)
            np.testing.assert_array_equal(trace, ramps[number].trace[start : start + 256])
            np.testing.assert_array_equal(target, ramps[number].mask[start : start + 256])
            seen.add(number)
    assert seen == {0, 1, 2}


def test_a_batch_depends_on_the_seed_and_the_step_alone(ramps: list[Example]) -> None:
    plan = replace(PLAN, gain_jitter=0.05)
    later = draw_batch(ramps, plan=plan, step=7)
    for array, same in zip(later, draw_batch(ramps, plan=plan, step=7), strict=True):
        np.testing.assert_array_equal(array, same)
    assert not np.array_equal(later[0], draw_batch(ramps, plan=plan, step=8)[0])
    assert not np.array_equal(later[0], draw_batch(ramps, plan=replace(plan, seed=1), step=7)[0])


def test_gain_is_drawn_for_each_crop(ramps: list[Example]) -> None:
    logs = []
    for step in range(200):
        plain, _ = draw_batch(ramps[1:2], plan=replace(PLAN, n_batch=1), step=step)
        jittered, _ = draw_batch(ramps[1:2], plan=replace(PLAN, n_batch=1, gain_jitter=0.1), step=step)
        ratio = jittered / plain
        assert np.ptp(ratio) < 1e-4
        logs.append(np.log(ratio.mean()))
    assert np.std(logs) == pytest.approx(0.1, rel=0.2)
    assert np.mean(logs) == pytest.approx(0.0, abs=0.03)


def test_seeds_of_training_calibration_and_benchmark_do_not_meet() -> None:
    plan = TrainingPlan()
    assert plan.first_recording + plan.n_recordings <= CALIBRATION_SEEDS_FROM
    # The calibration takes three groups of seeds, a million apart.
    assert CALIBRATION_SEEDS_FROM + 10 * 10**6 <= BENCHMARK_SEEDS_FROM


@pytest.mark.usefixtures("tensorflow")
def test_a_short_training_lowers_the_loss_and_the_same_plan_gives_the_same_weights(tmp_path: Path) -> None:
    losses: list[float] = []
    first = train_miniunet(tmp_path / "a", plan=PLAN, on_step=lambda _, loss: losses.append(loss))
    assert len(losses) == PLAN.n_steps
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert len(list((tmp_path / "a" / "examples").iterdir())) == 2
    shutil.copytree(tmp_path / "a" / "examples", tmp_path / "b" / "examples")
    second = train_miniunet(tmp_path / "b", plan=PLAN)
    for weight, same in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(weight, same, rtol=0, atol=1e-5)
