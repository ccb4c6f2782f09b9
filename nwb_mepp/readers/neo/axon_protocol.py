"""What the protocol in the header of an ABF 2 file commanded: steps of the clamp, and digital outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["commanded"]

_FROM_EPOCHS = 1  # nWaveformSource
_STEP = 1  # nEpochType
# Clampex holds for 1/64 of a sweep before the first epoch.
_FIRST_HOLDING = 64


class _Epoch(NamedTuple):
    number: int
    start: int
    stop: int
    level: float
    is_step: bool


def commanded(
    info: Mapping[str, Any],
) -> tuple[dict[int, tuple[tuple[float, float], ...]], dict[int, tuple[float, ...]]]:
    """Return when a protocol changed the command, and when it switched a digital output on.

    Parameters
    ----------
    info : mapping
        Header of an Axon file, as Neo parses it.

    Returns
    -------
    steps : dict of int to tuple of (start_s, stop_s)
        By sweep: stretches at another level than the one held, from the start of the sweep.
    pulses_s : dict of int to tuple of float
        By sweep: starts of epochs with a digital output that the epoch before did not have.

    Notes
    -----
    Both are empty for ABF 1, whose epochs Neo does not parse, and for recordings without sweeps.
    """
    epochs_of = info.get("dictEpochInfoPerDAC")
    if not epochs_of or info.get("lActualEpisodes", 0) < 1:
        return {}, {}
    protocol = info["protocol"]
    n_channels = max(int(info["sections"]["ADCSection"]["llNumEntries"]), 1)
    length = int(protocol["lNumSamplesPerEpisode"]) // n_channels
    interval_s = 1e-6 * float(protocol["fADCSequenceInterval"])
    if length < 1 or not interval_s > 0.0:
        return {}, {}
    enabled = bool(protocol.get("nDigitalEnable"))
    digital = {one["nEpochNum"]: int(one["nDigitalValue"]) for one in info.get("EpochInfo") or ()}
    steps: dict[int, tuple[tuple[float, float], ...]] = {}
    pulses_s: dict[int, tuple[float, ...]] = {}
    for sweep in range(int(info["lActualEpisodes"])):
        changed, switched = set(), set()
        for number, stated in epochs_of.items():
            dac = info["listDACInfo"][number]
            epochs = list(_epochs(stated, sweep=sweep, first=length // _FIRST_HOLDING))
            if dac["nWaveformEnable"] and dac["nWaveformSource"] == _FROM_EPOCHS:
                changed |= set(_changes(epochs, holding=float(dac["fDACHoldingLevel"])))
            before = 0
            for epoch in epochs if enabled and number == int(protocol.get("nDigitalDACChannel", 0)) else ():
                value = digital.get(epoch.number, 0)
                if value & ~before:
                    switched.add(epoch.start)
                before = value
        steps[sweep] = tuple(
            (start * interval_s, min(stop, length) * interval_s) for start, stop in sorted(changed)
        )
        pulses_s[sweep] = tuple(start * interval_s for start in sorted(switched) if start < length)
    return steps, pulses_s


def _epochs(stated: Mapping[int, Mapping[str, Any]], *, sweep: int, first: int) -> Iterator[_Epoch]:
    start = first
    for number, epoch in sorted(stated.items()):
        duration = int(epoch["lEpochInitDuration"]) + sweep * int(epoch["lEpochDurationInc"])
        level = float(epoch["fEpochInitLevel"]) + sweep * float(epoch["fEpochLevelInc"])
        stop = start + max(duration, 0)
        yield _Epoch(number, start, stop, level, epoch["nEpochType"] == _STEP)
        start = stop


def _changes(epochs: list[_Epoch], *, holding: float) -> Iterator[tuple[int, int]]:
    """Yield stretches at one level other than the holding level; what is no step counts as changing."""
    open_: tuple[int, int, float] | None = None
    for epoch in epochs:
        if epoch.stop == epoch.start or (epoch.is_step and epoch.level == holding):
            continue
        if open_ is not None and open_[1] == epoch.start and open_[2] == epoch.level:
            open_ = (open_[0], epoch.stop, epoch.level)
            continue
        if open_ is not None:
            yield open_[:2]
        open_ = (epoch.start, epoch.stop, epoch.level)
    if open_ is not None:
        yield open_[:2]
