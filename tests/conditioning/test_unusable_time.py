"""Time that does not count is found with its reason, and nothing else is."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from builders.known_mepps import LEVEL_V, mepp_trace
from builders.traces import RATE_HZ, segment_of, segments_of
from nwb_mepp.conditioning import end_values, find_unusable

FloatArray = npt.NDArray[np.float64]


def at(start_s: float, stop_s: float) -> slice:
    return slice(round(start_s * RATE_HZ), round(stop_s * RATE_HZ))


def recorded(duration_s: float = 20.0) -> FloatArray:
    onsets_s = np.random.default_rng(3).uniform(0.1, duration_s - 0.1, 20)
    return mepp_trace(onsets_s=sorted(onsets_s), duration_s=duration_s)


def bath(duration_s: float) -> FloatArray:
    return np.random.default_rng(5).normal(0.0, 0.02e-3, round(duration_s * RATE_HZ))


def out_at_the_end(values: FloatArray) -> None:
    values[at(12, 20)] = bath(8)


def out_in_the_middle(values: FloatArray) -> None:
    values[at(8, 11)] = bath(3)


def impaled_late(values: FloatArray) -> None:
    values[at(0, 4)] = bath(4)


def overloaded(values: FloatArray) -> None:
    values[at(5, 8)] -= 0.2  # with noise, so that no value repeats


def flat_zeros(values: FloatArray) -> None:
    values[at(15, 17)] = 0.0


def rail_and_recovery(values: FloatArray) -> None:
    values[at(5, 6)] = 0.2
    since_s = np.arange(14 * RATE_HZ) / RATE_HZ
    values[at(6, 20)] += 0.25 * np.exp(-since_s / 0.1)  # within 1 mV after 0.55 s


def rail_at_the_bottom(values: FloatArray) -> None:
    values[at(5, 6)] = -0.2


def zeros(values: FloatArray) -> None:
    values[at(15, 16)] = LEVEL_V + 0.2e-3  # a value that is not an extreme


def nan_at_both_ends(values: FloatArray) -> None:
    values[at(0, 0.5)] = np.nan
    values[at(10, 10.002)] = np.inf
    values[at(19.9, 20)] = np.nan


def damaged_numbers(values: FloatArray) -> None:
    values[at(3, 3.002)] = 2e90
    values[at(10, 10.002)] = -9e205


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (out_at_the_end, [(12, 20, "impalement lost")]),
        (out_in_the_middle, [(8, 11, "impalement lost")]),
        (impaled_late, [(0, 4, "impalement lost")]),
        (overloaded, [(5, 8, "impalement lost")]),
        (flat_zeros, [(15, 17, "at the end of the range")]),
        (rail_at_the_bottom, [(5, 6, "at the end of the range")]),
        (zeros, [(15, 16, "flat line")]),
        (
            nan_at_both_ends,
            [(0, 0.5, "not a number"), (10, 10.002, "not a number"), (19.9, 20, "not a number")],
        ),
        (damaged_numbers, [(3, 3.002, "not a number"), (10, 10.002, "not a number")]),
    ],
)
def test_what_does_not_count_is_found_with_its_reason(
    damage: Callable[[FloatArray], None], expected: list[tuple[float, float, str]]
) -> None:
    values = recorded()
    damage(values)
    found = sorted(find_unusable([segment_of(values)]))
    assert [one.reason for one in found] == [reason for _, _, reason in expected]
    for one, (start_s, stop_s, _) in zip(found, expected, strict=True):
        assert (one.start_s, one.stop_s) == pytest.approx((start_s, stop_s), abs=0.11)


def test_an_overloaded_amplifier_has_time_to_recover() -> None:
    values = recorded()
    rail_and_recovery(values)
    (found,) = find_unusable([segment_of(values)])
    assert found.reason == "at the end of the range"
    assert found.start_s == pytest.approx(5.0, abs=0.01)
    assert 6.5 < found.stop_s < 7.2


def test_a_recording_that_is_as_it_should_be_loses_nothing() -> None:
    values = recorded()
    values += np.linspace(0.0, 60e-3, len(values))  # it depolarizes slowly, which is no jump
    assert find_unusable([segment_of(values)]) == ()
    steps = np.round(values / 0.1e-3) * 0.1e-3  # a converter with steps of twice the noise
    assert find_unusable([segment_of(steps)]) == ()


def test_only_samples_that_are_no_numbers_are_left_out_where_all_time_is_kept() -> None:
    values = recorded()
    out_at_the_end(values)
    values[at(3, 3.1)] = np.nan
    found = find_unusable([segment_of(values)], only_missing=True)
    assert [(one.start_s, one.stop_s) for one in found] == [(3.0, 3.1)]


def test_the_stretches_of_a_cut_trace_keep_their_times() -> None:
    values = recorded()
    values[at(15, 15.5)] = np.nan
    found = find_unusable(segments_of(values, excluded=[(2.0, 3.0)], start_s=100.0))
    # The stretch that is excluded lies before the trace, which starts at 100 s.
    assert [(one.start_s, one.stop_s) for one in found] == [(115.0, 115.5)]


def test_a_current_that_jumps_with_its_noise_is_a_lost_seal() -> None:
    random = np.random.default_rng(2)
    values = -50e-12 + random.normal(0.0, 2e-12, round(20 * RATE_HZ))
    values[at(14, 20)] = -2e-9 + random.normal(0.0, 50e-12, round(6 * RATE_HZ))
    (found,) = find_unusable([segment_of(values, unit="A")])
    assert (found.start_s, found.stop_s) == pytest.approx((14.0, 20.0), abs=0.11)


def test_peaks_that_pile_up_show_the_end_of_the_range() -> None:
    values = recorded()
    top = LEVEL_V + 0.5e-3
    assert end_values([segment_of(values)]) == (-np.inf, np.inf)
    assert end_values([segment_of(np.minimum(values, top))]) == (-np.inf, top)
    assert end_values([segment_of(np.maximum(-values, -top))]) == (-top, np.inf)
    # In coarse steps the largest value is reached often, too, but those below it more often.
    assert end_values([segment_of(np.round(values / 0.1e-3) * 0.1e-3)]) == (-np.inf, np.inf)
