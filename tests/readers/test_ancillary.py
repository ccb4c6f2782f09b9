from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nwb_mepp.core.ancillary import AncillaryData, Epochs, IrregularTrace, PointEvents, SpikeTimes
from nwb_mepp.readers.ancillary import interpret_ancillary
from nwb_mepp.readers.options import ReadOptions


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


EVENTS = PointEvents(name="drug", sweep=1, times_s=array(0.5), labels=("wash in",))
EPOCHS = Epochs(name="pulse", sweep=1, start_s=array(0.1), duration_s=array(0.2), labels=("",))
SPIKES = SpikeTimes(name="a", sweep=1, times_s=array(0.3), start_s=0.0, stop_s=1.0, resolution_s=1e-4)
BATH = IrregularTrace(name="bath", sweep=1, times_s=array(0.4), samples=array(22.0), unit="degC")
ALL = AncillaryData(events=(EVENTS,), epochs=(EPOCHS,), spikes=(SPIKES,), irregular=(BATH,))


def test_all_items_are_shifted_with_their_sweep() -> None:
    found, notes = interpret_ancillary(ALL, shifts_s={0: 0.0, 1: 10.0}, options=ReadOptions())
    assert notes == []
    assert found.events[0].times_s == pytest.approx([10.5])
    assert found.epochs[0].start_s == pytest.approx([10.1])
    assert found.epochs[0].duration_s == pytest.approx([0.2])
    assert found.spikes[0].times_s == pytest.approx([10.3])
    assert (found.spikes[0].start_s, found.spikes[0].stop_s) == (10.0, 11.0)
    assert found.irregular[0].times_s == pytest.approx([10.4])


def test_items_of_a_sweep_without_samples_are_left_out_if_others_are_shifted() -> None:
    found, notes = interpret_ancillary(ALL, shifts_s={0: 0.0, 2: 10.0}, options=ReadOptions())
    assert list(found) == []
    assert notes == [
        "Left out because their times are invalid or their sweep has no samples: drug, pulse, a, bath."
    ]


def test_a_sweep_without_samples_keeps_the_times_that_the_source_states() -> None:
    found, notes = interpret_ancillary(ALL, shifts_s={0: 0.0, 2: 0.0}, options=ReadOptions())
    assert notes == []
    assert found.events[0].times_s == pytest.approx([0.5])


@pytest.mark.parametrize(
    "broken",
    [
        AncillaryData(events=(replace(EVENTS, times_s=array(np.nan)),)),
        AncillaryData(epochs=(replace(EPOCHS, duration_s=array(-0.1)),)),
        AncillaryData(epochs=(replace(EPOCHS, duration_s=array(np.inf)),)),
        AncillaryData(spikes=(replace(SPIKES, stop_s=-1.0),)),
    ],
)
def test_items_with_invalid_times_are_left_out_with_a_note(broken: AncillaryData) -> None:
    found, notes = interpret_ancillary(broken, shifts_s={1: 0.0}, options=ReadOptions())
    assert list(found) == []
    assert len(notes) == 1


def test_a_replaced_sampling_rate_leaves_them_out_with_a_note() -> None:
    options = ReadOptions(sampling_rate_hz=2e4)
    found, notes = interpret_ancillary(ALL, shifts_s={1: 0.0}, options=options)
    assert list(found) == []
    assert notes == [
        "Left out, because the stated sampling rate replaces the clock that timed them: events "
        "(drug); epochs "
        "(pulse); spike trains (a); irregularly sampled signals (bath)."
    ]
    assert interpret_ancillary(AncillaryData(), shifts_s={}, options=options)[1] == []


def test_irregular_signals_are_converted_to_volts_and_amperes() -> None:
    current = replace(BATH, name="I", unit="pA")
    options = ReadOptions(unit={"bath": "mV"}, gain=10.0)
    ancillary = AncillaryData(irregular=(BATH, current))
    found, _ = interpret_ancillary(ancillary, shifts_s={1: 0.0}, options=options)
    assert [(one.unit, one.conversion) for one in found.irregular] == [
        ("V", pytest.approx(1e-4)),
        ("A", pytest.approx(1e-13)),
    ]


def test_an_irregular_signal_without_a_unit_is_left_out_with_a_note() -> None:
    ancillary = AncillaryData(irregular=(replace(BATH, unit=""),))
    found, notes = interpret_ancillary(ancillary, shifts_s={1: 0.0}, options=ReadOptions())
    assert found.irregular == ()
    assert notes == [
        "Left out because they have no unit: irregularly sampled 'bath'; state a unit to keep one."
    ]
