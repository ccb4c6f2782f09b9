"""Numbers that no cell and no amplifier gives are named with what is probably wrong."""

import pytest

from builders.tables import mepps_at
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.measurement.plausibility import doubtful_scale


@pytest.mark.parametrize(
    ("level", "noise_sd", "said"),
    [
        (-70e-3, 0.1e-3, None),
        (0.0, 0.1e-3, None),  # recorded with a high-pass filter
        (
            -0.7,
            1e-3,
            "the resting potential is -700 mV, outside -120 to 20 mV: probably a gain of 10 was not",
        ),
        (-70.0, 0.1, "probably a gain of 1000 or the unit was not stated (`gain`, `unit`)"),
        (0.5, 0.1e-3, "outside -120 to 20 mV: the gain or the unit is probably wrong"),
        (-70e-3, 10e-3, "the noise has an SD of 10 mV, in which no MEPP shows"),
        (-70e-6, 0.1e-6, "less than any electrode has"),
    ],
)
def test_levels_and_noise_of_voltages(level: float, noise_sd: float, said: str | None) -> None:
    found = doubtful_scale(Mepps.empty("Vm", "V"), level=level, noise_sd=noise_sd)
    assert (found == ()) if said is None else (len(found) == 1 and said in found[0])


def test_a_median_amplitude_of_several_millivolts() -> None:
    table = mepps_at([0.1, 0.3, 0.6], amplitude=[5e-3, 6e-3, 7e-3])
    (said,) = doubtful_scale(table, level=-70e-3, noise_sd=0.5e-3)
    assert said.startswith("the median amplitude is 6 mV, more than one quantum gives: probably a gain of 10")


def test_currents_have_ranges_of_their_own() -> None:
    assert doubtful_scale(Mepps.empty("Im", "A"), level=-50e-9, noise_sd=0.1e-9) == ()
    assert doubtful_scale(Mepps.empty("Im", "A"), level=-60e-12, noise_sd=3e-12) == ()
    (said,) = doubtful_scale(Mepps.empty("Im", "A"), level=-0.06, noise_sd=3e-3)
    assert "the holding current is -6e+07 nA" in said
