"""What an event is, and how good its measures are."""

import numpy as np
import pytest

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.measurement.event_kinds import after_stimuli, find_recurrence, kinds_of, plainly_evoked


def events(
    peaks_s: object, amplitudes: object = 0.5e-3, *, half_width_s: object = 3e-3, **other: object
) -> Mepps:
    peak_s = np.asarray(peaks_s, dtype=np.float64)
    index = np.round(peak_s * 10_000).astype(np.int64)
    n = len(peak_s)
    columns = {
        "sweep": np.zeros(n, dtype=np.int64),
        "start_index": index - 10,
        "peak_index": index,
        "stop_index": index + 30,
        "start_s": peak_s - 1e-3,
        "peak_s": peak_s,
        "stop_s": peak_s + 3e-3,
        "amplitude": np.broadcast_to(np.asarray(amplitudes, dtype=np.float64), n).copy(),
        "half_width_s": np.broadcast_to(np.asarray(half_width_s, dtype=np.float64), n).copy(),
        "baseline": np.full(n, -70e-3),
    }
    return Mepps(channel="Vm", unit="V", **(columns | other))


def test_an_artifact_before_each_response_is_told_from_it() -> None:
    starts_s = np.arange(0.5, 20.0, 1.0)
    random_s = np.random.default_rng(1).uniform(0.0, 20.0, 15)
    peaks_s = np.concatenate([starts_s, starts_s + 5e-3, random_s])
    order = np.argsort(peaks_s)
    of = np.repeat(["artifact", "evoked", "mepp"], [20, 20, 15])
    sizes = np.select([of == "artifact", of == "evoked"], [8e-3, 15e-3], 0.5e-3)
    widths_s = np.where(of == "artifact", 0.4e-3, 3e-3)
    table = events(peaks_s[order], sizes[order], half_width_s=widths_s[order])
    found = find_recurrence(table, sweeps=[(0.0, 20.0)])
    assert found is not None
    assert kinds_of(table, recurrence=found).tolist() == of[order].tolist()


def test_few_artifacts_before_responses_are_told_by_their_size() -> None:
    starts_s = np.arange(0.5, 20.0, 1.0)
    random_s = np.random.default_rng(1).uniform(0.0, 20.0, 15)
    # Two of the artifacts are found, without a width, and a MEPP that happens to precede a response.
    early_s = np.array([3.5, 9.5, 15.497])
    peaks_s = np.concatenate([early_s, starts_s + 5e-3, random_s])
    order = np.argsort(peaks_s)
    of = np.repeat(["artifact", "mepp", "evoked", "mepp"], [2, 1, 20, 15])
    sizes = np.select([of == "artifact", of == "evoked"], [16e-3, 15e-3], 0.5e-3)
    widths_s = np.where(of == "artifact", np.nan, 3e-3)
    widths_s[2] = np.nan
    table = events(peaks_s[order], sizes[order], half_width_s=widths_s[order])
    found = find_recurrence(table, sweeps=[(0.0, 20.0)])
    assert kinds_of(table, recurrence=found).tolist() == of[order].tolist()


def test_giants_stay_mepps() -> None:
    peaks_s = np.sort(np.random.default_rng(2).uniform(0.0, 60.0, 60))
    sizes = np.full(60, 0.5e-3)
    sizes[[5, 17, 40]] = [1.3e-3, 2.5e-3, 2e-3]
    table = events(peaks_s, sizes)
    assert find_recurrence(table, sweeps=[(0.0, 60.0)]) is None
    assert set(kinds_of(table)) == {"mepp"}


@pytest.mark.parametrize(("amplitude", "half_width_s"), [(95e-3, 1.5e-3), (75e-3, 1e-3), (27e-3, 0.8e-3)])
def test_action_potentials_are_told_by_size_and_shape(amplitude: float, half_width_s: float) -> None:
    sizes, widths_s = np.full(20, 0.5e-3), np.full(20, 3e-3)
    sizes[7], widths_s[7] = amplitude, half_width_s
    kinds = kinds_of(events(np.cumsum(np.full(20, 0.37)), sizes, half_width_s=widths_s))
    assert np.flatnonzero(kinds == "spike").tolist() == [7]


def test_mepps_of_a_wrong_gain_are_no_spikes() -> None:
    table = events([0.1, 0.5, 0.7, 1.9], 25e-3)
    assert set(kinds_of(table)) == {"mepp"}


def test_what_follows_a_stated_stimulus_is_evoked() -> None:
    table = events([0.2, 1.004, 1.5, 2.01, 2.9])
    kinds = kinds_of(table, recurrence=after_stimuli(table, [1.0, 2.0, 3.0]))
    assert kinds.tolist() == ["mepp", "evoked", "mepp", "evoked", "mepp"]


def test_the_same_place_of_every_sweep_is_no_place_of_mepps() -> None:
    sweeps = [(2.0 * number, 2.0 * number + 1.0) for number in range(10)]
    locked = np.array([start_s + 0.4 for start_s, _ in sweeps])
    others = np.array([0.1, 2.9, 8.7, 12.2])
    table = events(np.sort(np.concatenate([locked, others])))
    found = find_recurrence(table, sweeps=sweeps)
    assert found is not None
    assert np.sum(kinds_of(table, recurrence=found) == "evoked") == 10


@pytest.mark.parametrize(
    ("locked_v", "locked_width_s", "others_s", "plain"),
    [
        (0.5e-3, 3e-3, (), False),  # as large as MEPPs, and nothing to compare with
        (0.5e-3, 3e-3, (0.37, 2.81, 7.64), False),
        (1.6e-3, 3e-3, (0.37, 2.81, 7.64), True),
        (1.6e-3, 3e-3, (0.37, 2.81), False),  # too few to say what a quantum is
        (15e-3, 3e-3, (), True),
        (0.5e-3, 0.2e-3, (), True),  # artifacts of stimulation alone
    ],
)
def test_what_recurs_is_plainly_evoked_if_it_cannot_be_quanta(
    locked_v: float, locked_width_s: float, others_s: tuple[float, ...], plain: bool
) -> None:
    peaks_s = np.concatenate([np.arange(10.0) + 0.5, others_s])
    sizes = np.append(np.full(10, locked_v), np.full(len(others_s), 0.5e-3))
    widths_s = np.append(np.full(10, locked_width_s), np.full(len(others_s), 3e-3))
    order = np.argsort(peaks_s)
    table = events(peaks_s[order], sizes[order], half_width_s=widths_s[order])
    found = find_recurrence(table, sweeps=[(0.0, 10.0)])
    assert found is not None
    assert plainly_evoked(table, found) is plain


def test_without_events_there_are_no_kinds() -> None:
    none = Mepps.empty("Vm", "V")
    assert find_recurrence(none, sweeps=[(0.0, 1.0)]) is None
    assert kinds_of(none).tolist() == []
