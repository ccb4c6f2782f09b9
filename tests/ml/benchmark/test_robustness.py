from __future__ import annotations

from collections.abc import Callable

import pytest

from builders.benchmark import scores_of
from nwb_mepp.ml.benchmark import Outcome, run_conditions
from nwb_mepp.ml.benchmark.conditions import INVERTED, PLAIN, SILENCE
from nwb_mepp.ml.benchmark.robustness import (
    change_of_f1,
    count_false_alarms,
    f1_by_detector,
    false_alarm_table,
    invariant_pairs,
    invariant_table,
)
from nwb_mepp.simulation import reference_scenario


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    return lambda *counts: Outcome(scores={"some": scores_of(*counts)})


def test_false_alarms_are_counted_by_the_minute_with_a_poisson_interval(
    outcome: Callable[..., Outcome],
) -> None:
    found = [outcome(0, 0, n_false) for n_false in (0, 3, 0, 1)]
    first, *_ = count_false_alarms({condition.name: found for condition in SILENCE})
    assert (first.detector, first.n_found, first.worst, first.minutes) == ("some", 4, 3, 4.0)
    assert first.per_minute == 1.0
    # The exact interval of four events: 1.09 to 10.24 (Garwood 1936).
    assert first.interval_per_minute == pytest.approx((1.09 / 4.0, 10.24 / 4.0), abs=0.005)
    assert false_alarm_table([first]).splitlines()[-1] == (
        "| noise alone | some | 4 | 1.00 (0.27 to 2.56) | 3 |"
    )


def test_a_change_of_f1_has_an_interval_over_pairs_of_recordings(outcome: Callable[..., Outcome]) -> None:
    def change(plain: list[Outcome], changed: list[Outcome]) -> tuple[float, ...]:
        conditions = {PLAIN.name: plain, INVERTED.name: changed}
        estimate = change_of_f1(conditions, INVERTED, against=PLAIN, detector="some")
        return tuple(round(figure, 3) for figure in (estimate.value, estimate.low, estimate.high))

    good, poor = outcome(9, 1, 1), outcome(5, 5, 5)
    assert change([good, poor], [good, poor]) == (0.0, 0.0, 0.0)
    assert change([good, good], [poor, poor]) == (-0.4, -0.4, -0.4)
    # A quarter of the resamples holds one of the two recordings only.
    assert change([good, poor], [poor, good]) == (0.0, -0.4, 0.4)


def test_gain_sign_and_sampling_rate_are_what_must_make_no_difference() -> None:
    assert [(condition.words, against.words) for condition, against in invariant_pairs()] == [
        ("multiplied by 0.001", "as it is"),
        ("multiplied by 1000", "as it is"),
        ("inverted, polarity stated", "as it is"),
        ("recorded at 5 kHz", "recorded at 10 kHz"),
        ("recorded at 20 kHz", "recorded at 10 kHz"),
        ("recorded at 50 kHz", "recorded at 10 kHz"),
    ]
    assert [condition.gain for condition, _ in invariant_pairs()] == [1e-3, 1e3, -1.0, 1.0, 1.0, 1.0]
    stored_hz = [condition.stored_at_hz for condition, _ in invariant_pairs()]
    assert stored_hz == [None, None, None, 5e3, 20e3, 50e3]


def test_the_table_has_a_row_for_each_way_of_recording(outcome: Callable[..., Outcome]) -> None:
    outcomes = {one.name: [outcome(9, 1, 1)] * 2 for pair in invariant_pairs() for one in pair}
    outcomes[INVERTED.name] = [outcome(8, 2, 2)] * 2
    rows = invariant_table(outcomes).splitlines()[2:]
    assert rows[0] == (
        "| multiplied by 0.001 | as it is | some | 0.900 | 0.900 | +0.000 (+0.000 to +0.000) |"
    )
    assert rows[2] == (
        "| inverted, polarity stated | as it is | some | 0.900 | 0.800 | -0.100 (-0.100 to -0.100) |"
    )


def test_neither_gain_nor_sign_of_a_recording_makes_a_difference() -> None:
    from dataclasses import replace

    changed = {"duration_s": 5.0, "rate_hz": 3.0}
    conditions = {
        replace(one, changes={**one.changes, **changed}): 1
        for one in (PLAIN, INVERTED, invariant_pairs()[0][0])
    }
    outcomes = run_conditions(conditions, detectors=("miniunet",))
    plain, inverted, small = (f1_by_detector(outcomes[one.name])["miniunet"] for one in conditions)
    assert plain > 0.8
    assert inverted == pytest.approx(plain, abs=0.01)
    assert small == pytest.approx(plain, abs=0.01)


def test_noise_without_mepps_is_silent_for_the_network() -> None:
    from dataclasses import replace

    quiet = replace(SILENCE[0], changes={**SILENCE[0].changes, "duration_s": 20.0})
    (one,) = run_conditions({quiet: 1}, detectors=("miniunet",))[quiet.name]
    matched, missed, n_false = one.scores["miniunet"].counts
    assert (matched, missed) == (0, 0)
    assert n_false <= 1
    assert quiet.scenario(0).noise_sd == reference_scenario(level=6.0, index=0).noise_sd
