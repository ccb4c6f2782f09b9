"""Events that recur are told from those that come at random."""

import numpy as np
import pytest

from nwb_mepp.measurement.recurrence import find_period, find_places


def at_random(rate_hz: float, duration_s: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.sort(random.uniform(0.0, duration_s, random.poisson(rate_hz * duration_s)))


@pytest.mark.parametrize(("rate_hz", "duration_s"), [(0.5, 60.0), (5.0, 60.0), (40.0, 30.0)])
def test_what_comes_at_random_does_not_recur(rate_hz: float, duration_s: float) -> None:
    for seed in range(5):
        times_s = at_random(rate_hz, duration_s, seed)
        assert find_period(times_s, duration_s=duration_s) is None
        starts_s = np.arange(0.0, duration_s, duration_s / 20)
        assert find_places(times_s, starts_s, reach_s=(0.0, duration_s / 20)) is None


@pytest.mark.parametrize(
    ("period_s", "jitter_s", "failing"),
    [(1.0, 0.0, 0.0), (0.5, 1e-3, 0.3), (2.0, 1e-3, 0.0), (10.0, 1e-3, 0.0), (1.0317, 2e-3, 0.5)],
)
def test_a_train_is_found_with_latencies_that_vary_and_failures(
    period_s: float, jitter_s: float, failing: float
) -> None:
    random = np.random.default_rng(1)
    stimuli_s = np.arange(0.37, 100.0, period_s)
    train_s = stimuli_s + random.normal(4e-3, jitter_s, len(stimuli_s))
    train_s = train_s[random.uniform(size=len(train_s)) >= failing]
    found = find_period(train_s, duration_s=100.0)
    assert found is not None
    assert found.period_s == pytest.approx(period_s, rel=1e-3)
    assert found.holds(train_s).mean() > 0.95
    assert found.holds(at_random(2.0, 100.0, 3)).mean() < 0.05


def test_pairs_are_found_at_two_places() -> None:
    starts_s = np.arange(0.0, 40.0, 2.0)
    times_s = np.sort(np.concatenate([starts_s + 0.3, starts_s + 0.35, at_random(1.0, 40.0, 2)]))
    found = find_places(times_s, starts_s, reach_s=(0.0, 2.0))
    assert found is not None
    assert len(found.places_s) == 2
    assert found.holds(starts_s + 0.3).all()
    assert found.holds(starts_s + 0.35).all()


def test_too_few_repetitions_show_nothing() -> None:
    assert find_places([0.1, 1.1, 2.1, 3.1], [0.0, 1.0, 2.0, 3.0], reach_s=(0.0, 1.0)) is None
    assert find_period([0.1, 1.1, 2.1, 3.1], duration_s=4.0) is None
