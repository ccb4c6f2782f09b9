"""Levels, amplitudes and noise that no cell and no amplifier gives: a gain or a unit is probably wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nwb_mepp.core.mepps import Mepps

__all__ = ["doubtful_scale"]

# Usual gains of amplifiers that were not divided out, and the thousand between mV and V.
_FACTORS = (10.0, 20.0, 50.0, 100.0, 1000.0)


class _Range(NamedTuple):
    """What is possible, and what is usual, in volts or amperes."""

    level: tuple[float, float]
    usual_level: tuple[float, float]
    largest_amplitude: float
    usual_amplitude: tuple[float, float]
    noise: tuple[float, float]
    unit: str
    scale: float


_RANGES = {
    # A muscle rests between the equilibrium of potassium and 0 mV. MEPPs of 0.2 to 1 mV are usual, of 3 mV
    # known from very thin fibers. Noise of 3 mV would hide all of them; the thermal noise of an electrode of
    # 1 megohm alone, up to 1 kHz, is 4 uV.
    "V": _Range((-120e-3, 20e-3), (-100e-3, -40e-3), 4e-3, (0.1e-3, 3e-3), (1e-6, 3e-3), "mV", 1e3),
    # Two electrodes hold a muscle fiber with up to some 100 nA, a patch with pA; the current of one quantum
    # is 10 pA in a small cell and 5 nA in a frog.
    "A": _Range((-10e-6, 10e-6), (-1e-6, 1e-6), 100e-9, (5e-12, 10e-9), (1e-15, 100e-9), "nA", 1e9),
}


def doubtful_scale(mepps: Mepps, *, level: float, noise_sd: float) -> tuple[str, ...]:
    """Say which numbers of a channel are impossible, and what is probably wrong.

    Parameters
    ----------
    mepps : Mepps
        MEPPs alone.
    level : float
        Resting potential or holding current, in the unit of the channel.
    noise_sd : float

    Returns
    -------
    tuple of str
        At most one sentence, without a full stop; the first of level, amplitude and noise that is impossible.

    Examples
    --------
    >>> doubtful_scale(Mepps.empty("Vm", "V"), level=-0.7, noise_sd=1e-3)[0]
    'the resting potential is -700 mV, outside -120 to 20 mV: probably a gain of 10 was not stated (`gain`)'
    """
    known = _RANGES.get(mepps.unit)
    if known is None:
        return ()

    def shown(value: float) -> str:
        return f"{value * known.scale:.3g} {known.unit}"

    name = "resting potential" if mepps.unit == "V" else "holding current"
    if np.isfinite(level) and not known.level[0] <= level <= known.level[1]:
        limits = f"{known.level[0] * known.scale:g} to {shown(known.level[1])}"
        cause = _cause(level, usual=known.usual_level)
        return (f"the {name} is {shown(level)}, outside {limits}: {cause}",)
    size = float(np.median(np.abs(mepps.amplitude))) if len(mepps) else 0.0
    if size > known.largest_amplitude:
        cause = _cause(size, usual=known.usual_amplitude)
        return (f"the median amplitude is {shown(size)}, more than one quantum gives: {cause}",)
    if noise_sd > known.noise[1]:
        return (
            f"the noise has an SD of {shown(noise_sd)}, in which no MEPP shows: the gain or the unit is "
            "probably wrong (`gain`, `unit`), or the channel is another one",
        )
    if noise_sd < known.noise[0]:
        return (
            f"the noise has an SD of {shown(noise_sd)}, less than any electrode has: the gain or the unit is "
            "probably wrong (`gain`, `unit`)",
        )
    return ()


def _cause(value: float, *, usual: tuple[float, float]) -> str:
    """Return the first factor that turns a value into a usual one."""
    for factor in _FACTORS:
        if usual[0] <= value / factor <= usual[1]:
            also = " or the unit" if factor == _FACTORS[-1] else ""
            return f"probably a gain of {factor:g}{also} was not stated (`gain`{', `unit`' if also else ''})"
    return "the gain or the unit is probably wrong (`gain`, `unit`)"
