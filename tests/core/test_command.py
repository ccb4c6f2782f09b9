"""The waveform that the epochs of a protocol make, with the numbers that pyABF gives."""

import numpy as np
import pytest

from nwb_mepp.core.command import Command, CommandEpoch, stretches_off_holding


def command(*epochs: CommandEpoch, **other: float) -> Command:
    """Return twelve samples, the first and the last two at the holding level of -70."""
    levels = {"holding": -70.0, "before": -70.0, "after": -70.0}
    fixed = {"name": "Cmd 0", "sweep": 0, "unit": "V", "sampling_rate_hz": 10.0, "start_s": 2.0}
    return Command(n_samples=12, epochs=epochs, **(fixed | levels | other))


def epoch(kind: str, *, start: int = 1, stop: int = 10, level: float = -50.0) -> CommandEpoch:
    return CommandEpoch(name="A", kind=kind, start=start, stop=stop, level=level, period=4, width=2)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("step", [-50, -50, -50, -50, -50, -50, -50, -50, -50]),
        ("ramp", [-70, -67.5, -65, -62.5, -60, -57.5, -55, -52.5, -50]),
        ("pulse train", [-50, -50, -70, -70, -50, -50, -70, -70, -70]),
        # pyABF leaves what is behind the last whole triangle open.
        ("triangle train", [-70, -50, -50, -70, -70, -50, -50, -70, -70]),
        ("cosine train", [-70, -60, -50, -60, -70, -60, -50, -60, -70]),
        ("biphasic train", [-50, -90, -70, -70, -50, -90, -70, -70, -70]),
        ("type 6", [np.nan] * 9),
    ],
)
def test_each_kind_of_epoch_has_its_shape(kind: str, expected: list[float]) -> None:
    one = command(epoch(kind))
    np.testing.assert_allclose(one.read(0, 12), [-70, *expected, -70, -70])
    pieces = np.concatenate([one.read(start, start + 3) for start in range(0, 12, 3)])
    np.testing.assert_array_equal(pieces, one.read(0, 12))


def test_what_is_behind_the_last_epoch_may_stay_at_its_level() -> None:
    one = command(epoch("step"), epoch("ramp", start=10, stop=11, level=-30.0), before=-40.0, after=-30.0)
    assert one.read(0, 12).tolist() == [-40, *[-50] * 9, -50, -30]


def test_an_epoch_that_does_not_end_within_the_sweep_is_cut() -> None:
    one = command(epoch("step", start=10, stop=1_000))
    assert one.read(8, 12).tolist() == [-70, -70, -50, -50]
    assert list(one.stretches_s()) == [(3.0, pytest.approx(3.2))]


def test_stretches_at_one_level_are_joined_and_the_holding_level_is_none() -> None:
    rows = [(0, 2, -70.0, "step"), (2, 3, -80.0, "step"), (3, 5, -80.0, "step"), (5, 5, -10.0, "step")]
    rows += [(5, 6, -60.0, "step"), (6, 8, -70.0, "step"), (8, 9, -70.0, "ramp")]
    assert list(stretches_off_holding(rows, holding=-70.0)) == [(2, 5), (5, 6), (8, 9)]
