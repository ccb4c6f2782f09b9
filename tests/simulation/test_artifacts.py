"""Artifacts: every kind disturbs the trace, in place and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.simulation import ARTIFACTS, add_artifact

SIZE = 0.5e-3

# How long each kind may last, in seconds; a step lasts to the end.
LONGEST_S = {
    "spike": 0.0003,
    "step": np.inf,
    "slow_bump": 3.1,
    "negative_decay": 0.121,
    "pop": 2.41,
    "movement": 0.31,
    "test_pulse": 0.23,
    "stimulus": 0.002,
    "breakdown": 0.51,
    "dropout": 0.51,
}


def disturbed(kind: str, *, rate_hz: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy trace before and after an artifact."""
    before = 0.1 * SIZE * np.random.default_rng(0).standard_normal(30_000)
    after = before.copy()
    add_artifact(after, kind=kind, size=SIZE, sampling_rate_hz=rate_hz, rng=np.random.default_rng([7, seed]))
    return before, after


def test_every_kind_is_looked_at() -> None:
    assert LONGEST_S.keys() == ARTIFACTS.keys()


@pytest.mark.parametrize("rate_hz", [5_000.0, 10_000.0, 50_000.0])
@pytest.mark.parametrize("kind", ARTIFACTS)
def test_every_kind_changes_a_stretch_of_its_own_and_leaves_the_rest(kind: str, rate_hz: float) -> None:
    n_changed = []
    for seed in range(20):
        before, after = disturbed(kind, rate_hz=rate_hz, seed=seed)
        assert after.shape == before.shape
        assert np.isfinite(after).all()
        changed = np.flatnonzero(after != before)
        n_changed.append(len(changed))
        if len(changed):
            assert changed[-1] - changed[0] <= LONGEST_S[kind] * rate_hz + 1
        assert np.abs(after - before).max() < 200.0 * SIZE
    # Only one that begins with the very last sample could change nothing.
    assert np.count_nonzero(n_changed) >= 19


@pytest.mark.parametrize("kind", sorted(set(ARTIFACTS) - {"dropout"}))
def test_artifacts_scale_with_the_size_of_a_mepp(kind: str) -> None:
    small, large = np.zeros(30_000), np.zeros(30_000)
    for trace, size in ((small, SIZE), (large, 10.0 * SIZE)):
        add_artifact(trace, kind=kind, size=size, sampling_rate_hz=1e4, rng=np.random.default_rng(3))
    assert np.abs(small).max() > 0.05 * SIZE
    np.testing.assert_allclose(large, 10.0 * small)


def test_negative_decay_points_against_the_mepps() -> None:
    for size in (SIZE, -SIZE):
        trace = np.zeros(30_000)
        add_artifact(
            trace, kind="negative_decay", size=size, sampling_rate_hz=1e4, rng=np.random.default_rng(0)
        )
        assert (trace * np.sign(size)).min() < -0.4 * SIZE
        assert (trace * np.sign(size)).max() <= 0.0


def test_dropout_repeats_one_value() -> None:
    before, after = disturbed("dropout", rate_hz=1e4, seed=1)
    changed = np.flatnonzero(after != before)
    assert len(np.unique(after[changed[0] - 1 : changed[-1] + 1])) == 1
    assert after[changed[0] - 1] == before[changed[0] - 1]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected an artifact among spike, step, .*, found 'earthquake'"):
        add_artifact(
            np.zeros(10), kind="earthquake", size=1.0, sampling_rate_hz=1e4, rng=np.random.default_rng(0)
        )
