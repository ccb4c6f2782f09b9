"""What follows from what a user decides about a training."""

from __future__ import annotations

from typing import Any

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training import AutoencoderPlan, TrainingPlan, TrainingSettings
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM
from nwb_mepp.ml.training.settings import VALIDATION_SEEDS_FROM
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM


def plan_of(*, labeled: bool = False, kernel_size: int | None = None, **settings: Any) -> Any:
    return TrainingSettings(**settings).plan(labeled=labeled, kernel_size=kernel_size)


def test_from_scratch_a_miniunet_learns_from_simulation_artifacts_and_noise_alone_included() -> None:
    plan = plan_of()
    assert isinstance(plan, TrainingPlan)
    assert (plan.n_recordings, plan.n_steps, plan.kernel_size) == (2100, 15_000, 9)
    assert plan.n_artifacts == plan.n_noise == 84  # 4 % of 2100 each
    assert (plan.warm_up, plan.averaging) == (200, 0.999)


@pytest.mark.parametrize(
    ("detector", "regime"), [("autoencoder", "normal"), ("autoencoder_anomalous", "anomalous")]
)
def test_an_autoencoder_has_the_regime_of_its_name(detector: str, regime: str) -> None:
    plan = plan_of(detector=detector)
    assert isinstance(plan, AutoencoderPlan)
    assert (plan.regime, plan.n_recordings, plan.n_steps) == (regime, 48, 1500)


def test_training_on_labeled_recordings_from_given_weights_takes_few_fine_steps() -> None:
    fine, coarse = plan_of(labeled=True, start="shipped", kernel_size=5), plan_of(labeled=True)
    assert (fine.n_recordings, fine.n_artifacts, fine.n_steps, fine.kernel_size) == (0, 0, 2000, 5)
    assert fine.learning_rate < coarse.learning_rate / 5
    assert coarse.n_recordings == 2100
    assert plan_of(labeled=True, start="shipped", n_simulated=10).n_recordings == 10


def test_the_number_of_recordings_to_calibrate_on_can_be_stated() -> None:
    assert TrainingSettings().effort(labeled=False).n_calibration == 6000
    assert TrainingSettings(n_calibration=600).effort(labeled=False).n_calibration == 600
    autoencoder = TrainingSettings(detector="autoencoder", n_calibration=6)
    assert autoencoder.effort(labeled=True).n_calibration == 6
    with pytest.raises(UsageError, match="`n_calibration`: expected 1 or more, found 0"):
        TrainingSettings(n_calibration=0)
    with pytest.raises(UsageError, match="`n_jobs`: expected 1 or more, found 0"):
        TrainingSettings(n_jobs=0)


def test_a_short_training_warms_up_and_averages_over_fewer_steps() -> None:
    plan = plan_of(n_steps=100)
    # A fifth of the steps; a memory of a tenth of them.
    assert (plan.warm_up, plan.averaging) == (20, pytest.approx(0.9))


def test_what_is_held_out_in_simulation_lies_between_training_and_calibration() -> None:
    assert VALIDATION_SEEDS_FROM + 1000 < CALIBRATION_SEEDS_FROM < BENCHMARK_SEEDS_FROM
    plan = plan_of(n_simulated=VALIDATION_SEEDS_FROM // 2)
    last = plan.first_recording + plan.n_recordings + plan.n_artifacts + plan.n_noise
    assert last < VALIDATION_SEEDS_FROM


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"detector": "template"},
            "`detector`: expected a detector that can be trained .*, found 'template'",
        ),
        ({"seed": -1}, "`seed`: expected 0 or more, found -1"),
        ({"n_steps": 0}, "`n_steps`: expected 1 or more, found 0"),
        ({"n_simulated": -5}, "`n_simulated`: expected 0 or more, found -5"),
        ({"n_simulated": 10**9}, "`n_simulated`: expected at most 200000000, found 1000000000"),
        ({"patience": 0}, "`patience`: expected 1 or more, found 0"),
        ({"n_threads": 0}, "`n_threads`: expected 1 or more, found 0"),
        ({"validation": 0.0}, "`validation`: expected a fraction .* between 0 and 1, found 0"),
        ({"validation": float("nan")}, "`validation`: expected a fraction .* between 0 and 1, found nan"),
        ({"n_simulated": 0}, "something to train on, found `n_simulated=0` and no recordings"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_of(**settings)
