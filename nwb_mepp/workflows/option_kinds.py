"""Options that take more than a number or a word: amplitudes with their unit, stretches of time, weights."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import Kind

__all__ = ["AMPLITUDE", "STRETCHES", "WEIGHTS", "Amplitude", "Stretch", "Stretches"]

# What is held: seconds.
Stretches: TypeAlias = tuple[tuple[float, float], ...]
# What is given: two Quantities or numbers of seconds, or "START:STOP".
Stretch: TypeAlias = tuple[Any, Any] | str

_AMPLITUDE = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")


class Amplitude(NamedTuple):
    """An amplitude with its unit.

    Attributes
    ----------
    value : float
        In volts or amperes.
    unit : {"V", "A"}
    """

    value: float
    unit: str


def _amplitude(name: str, given: Any) -> Amplitude:
    """Return an amplitude that is given as such, as text ("0.2mV") or as a Quantity."""
    found = given if isinstance(given, Amplitude) else _amplitude_in(given)
    if found is None:
        shown = given if hasattr(given, "rescale") else repr(given)
        raise UsageError(f"`{name}`: expected a number with its unit, such as 0.2mV or 10pA, found {shown}.")
    if not (math.isfinite(found.value) and found.value >= 0):
        raise UsageError(f"`{name}`: expected a finite number of 0 or more, found {found.value}.")
    return found


def _amplitude_in(given: Any) -> Amplitude | None:
    from nwb_mepp.core.units import parse_unit

    if isinstance(given, str):
        match = _AMPLITUDE.fullmatch(given)
        unit = parse_unit(match[2]) if match else None
        electrical = match is not None and unit is not None and unit.name in ("V", "A")
        return Amplitude(float(match[1]) * unit.scale, unit.name) if electrical else None  # type: ignore[index,union-attr]
    for unit_name in ("V", "A") if hasattr(given, "rescale") else ():
        try:
            return Amplitude(float(given.rescale(unit_name).magnitude), unit_name)
        except ValueError:  # of another dimension
            continue
    return None


def _stretches(name: str, given: Any) -> Stretches:
    """Return stretches that are given as pairs or as text ("12.5:13"), in seconds or as Quantities."""
    several = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return tuple(_stretch(name, one) for one in several)


def _stretch(name: str, given: Any) -> tuple[float, float]:
    try:
        start, stop = given.split(":") if isinstance(given, str) else given
        start_s, stop_s = _seconds(start), _seconds(stop)
    except (TypeError, ValueError):
        raise UsageError(
            f"`{name}`: expected a start and a stop in seconds, such as 12.5:13, found {given!r}."
        ) from None
    if not (math.isfinite(start_s) and math.isfinite(stop_s)):
        raise UsageError(f"`{name}`: expected finite seconds, found {start_s:g}:{stop_s:g}.")
    if stop_s <= start_s:
        raise UsageError(
            f"`{name}`: expected the start before the stop, found {start_s:g}:{stop_s:g}; exchange them."
        )
    return start_s, stop_s


def _seconds(time: Any) -> float:
    return float(time.rescale("s").magnitude) if hasattr(time, "rescale") else float(time)


def _weights(name: str, given: Any) -> tuple[tuple[str, Path], ...]:
    """Return weights by detector: of one folder, of a mapping, or of texts "[DETECTOR=]FOLDER"."""
    if isinstance(given, str | PathLike):
        return _chosen([given])
    if isinstance(given, Mapping):
        return _chosen(f"{detector}={fspath(folder)}" for detector, folder in given.items())
    if not isinstance(given, Iterable):
        raise UsageError(f"`{name}`: expected a folder, found {given!r}.")
    several = tuple(given)
    chosen = all(isinstance(one, tuple) for one in several)
    return several if chosen else _chosen(several)


def _chosen(values: Iterable[str | PathLike[str]]) -> tuple[tuple[str, Path], ...]:
    # Only who chooses weights needs the detectors.
    from nwb_mepp.workflows.weights_choice import choose_weights

    return choose_weights(values)


AMPLITUDE = Kind(convert=_amplitude, typed=str, stored=str, accepts='Quantity or text such as "0.2mV"')
STRETCHES = Kind(
    convert=_stretches,
    typed=list[str],
    stored=list[list[float]],
    accepts="iterable of (start, stop), Quantity or seconds",
)
WEIGHTS = Kind(
    convert=_weights,
    typed=list[str],
    stored=str | dict[str, str],
    accepts='path-like, name and version ("miniunet@3"), or mapping of detector to either',
)
