"""Recordings as amplifiers filter them: the conditions, and how F1 and false positives change behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nwb_mepp.evaluation import f1, precision, recall
from nwb_mepp.ml.benchmark.conditions import SILENCE, Condition
from nwb_mepp.ml.benchmark.recordings import Outcome
from nwb_mepp.ml.benchmark.tables import markdown
from nwb_mepp.simulation import Filter, RecordingChain, reference_scenario

__all__ = ["UNFILTERED", "filtered", "filtered_pairs", "filtered_silence", "filtered_table", "pooled_counts"]

# What the others are compared with: the same recordings without a filter.
UNFILTERED = Condition(name="filtered-none", words="as it is")
_NOISE_SD = reference_scenario(level=UNFILTERED.level, index=0).noise_sd
_LOW_LEVEL = 3.0
# Of 16 bits over +-100 mV: +-10 V behind a gain of 100.
_STEP_16_BIT = 0.2 / 2**16


def _bessel(cutoff_hz: float, poles: int) -> Filter:
    return Filter(kind="bessel", cutoff_hz=cutoff_hz, poles=poles)


def _butterworth(cutoff_hz: float, poles: int, *, zero_phase: bool = False) -> Filter:
    return Filter(kind="butterworth", cutoff_hz=cutoff_hz, poles=poles, zero_phase=zero_phase)


def _behind(*filters: Filter, **changes: Any) -> dict[str, Any]:
    """Return the changes of a scenario for a chain of filters; those of the chain by their names."""
    of_chain = {name: changes.pop(name) for name in ("converter_hz", "between", "step_sd") if name in changes}
    return {"chain": RecordingChain(filters=filters, **of_chain), **changes}


# Filters at and above 500 Hz, which must make no difference.
_HARMLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "bessel4-3000": ("4-pole Bessel, 3 kHz", _behind(_bessel(3000.0, 4))),
    "bessel4-1000": ("4-pole Bessel, 1 kHz", _behind(_bessel(1000.0, 4))),
    "bessel4-500": ("4-pole Bessel, 500 Hz", _behind(_bessel(500.0, 4))),
    "bessel4-500-16bit": ("4-pole Bessel, 500 Hz, 16 bits", _behind(_bessel(500.0, 4), step=_STEP_16_BIT)),
    "bessel8-2000": ("8-pole Bessel, 2 kHz", _behind(_bessel(2000.0, 8))),
    "bessel8-1000": ("8-pole Bessel, 1 kHz", _behind(_bessel(1000.0, 8))),
    "bessel8-1000-16bit": ("8-pole Bessel, 1 kHz, 16 bits", _behind(_bessel(1000.0, 8), step=_STEP_16_BIT)),
    "bessel8-500": ("8-pole Bessel, 500 Hz", _behind(_bessel(500.0, 8))),
    "butterworth4-1000": ("4-pole Butterworth, 1 kHz", _behind(_butterworth(1000.0, 4))),
    "butterworth8-500": ("8-pole Butterworth, 500 Hz", _behind(_butterworth(500.0, 8))),
    "butterworth8-1000-both": (
        "8-pole Butterworth, 1 kHz, zero phase, 20 kHz",
        _behind(_butterworth(1000.0, 8, zero_phase=True), sampling_rate_hz=20e3),
    ),
    "butterworth4-500-both": (
        "4-pole Butterworth, 500 Hz, zero phase",
        _behind(_butterworth(500.0, 4, zero_phase=True)),
    ),
    "rc-500": ("RC, 500 Hz", _behind(Filter(kind="rc", cutoff_hz=500.0))),
    "gaussian-500": ("Gaussian, 500 Hz", _behind(Filter(kind="gaussian", cutoff_hz=500.0))),
    "average-500": ("moving average, 500 Hz", _behind(Filter(kind="moving_average", cutoff_hz=500.0))),
    "notch-50": ("notch, 50 Hz", _behind(Filter(kind="notch", cutoff_hz=50.0))),
    "coupled-1": ("AC coupling, 1 Hz", _behind(Filter(kind="ac_coupling", cutoff_hz=1.0, poles=1))),
}
_SLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "bessel4-300": ("4-pole Bessel, 300 Hz", _behind(_bessel(300.0, 4))),
    "bessel4-150-coarse": (
        "4-pole Bessel, 150 Hz, step of 1.5 SD of the filtered noise",
        _behind(_bessel(150.0, 4), step_sd=1.5),
    ),
}
_OTHER: dict[str, tuple[str, dict[str, Any]]] = {
    "bessel8-1000-coarse": (
        "8-pole Bessel, 1 kHz, step of one SD of the filtered noise",
        _behind(_bessel(1000.0, 8), step_sd=1.0),
    ),
    "lines-2000": ("sampled at 2 kHz, joined by lines to 10 kHz", _behind(converter_hz=2000.0)),
    "held-2000": (
        "sampled at 2 kHz, each sample held to 10 kHz",
        _behind(converter_hz=2000.0, between="hold"),
    ),
    "growing": ("noise grows 2.7-fold over the last 4 s", {"noise_growth": 2.7}),
    "pulsing": (
        "noise three times as strong in pulses of 0.3 s, 0.2 per s",
        {"noise_pulses_per_s": 0.2},
    ),
    "telegraph": ("random telegraph of 1.8 noise SD, 20 per s", {"telegraph_step": 1.8 * _NOISE_SD}),
}
_SILENT = ("bessel8-1000-16bit", "bessel4-500", "butterworth8-1000-both", "bessel4-150-coarse", "lines-2000")


def _condition(name: str, words: str, changes: Mapping[str, Any], **others: Any) -> Condition:
    return Condition(name=f"filtered-{name}", words=words, changes=changes, **others)


@lru_cache(maxsize=1)
def filtered() -> Mapping[str, Condition]:
    """Return the conditions by a short name: all at level 6 but ``low`` and ``low-bessel8-1000``."""
    named = {**_HARMLESS, **_SLOW, **_OTHER}
    conditions = {name: _condition(name, words, changes) for name, (words, changes) in named.items()}
    low = {"level": _LOW_LEVEL}
    words, changes = _HARMLESS["bessel8-1000"]
    return {
        "none": UNFILTERED,
        **conditions,
        "low": _condition("low", "level 3", {}, **low),
        "low-bessel8-1000": _condition("low-bessel8-1000", f"level 3, {words}", changes, **low),
    }


@lru_cache(maxsize=1)
def filtered_silence() -> tuple[Condition, ...]:
    """Return recordings without MEPPs behind some of the filters."""
    named = {**_HARMLESS, **_SLOW, **_OTHER}
    return tuple(
        _condition(
            f"silence-{name}",
            named[name][0],
            {**named[name][1], "rate_hz": 0.0, "bursts_per_s": 0.0},
            seeds_from=SILENCE[0].seeds_from,
        )
        for name in _SILENT
    )


def filtered_pairs() -> tuple[tuple[Condition, Condition], ...]:
    """Return the filters that must make no difference, each with what it is compared with."""
    named = filtered()
    return (
        *((named[name], UNFILTERED) for name in _HARMLESS),
        (named["low-bessel8-1000"], named["low"]),
    )


def pooled_counts(recordings: Sequence[Outcome], detector: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return matched, missed and false MEPPs of a detector, shape (n_recordings, 3)."""
    return np.array([one.scores[detector].counts for one in recordings])


def filtered_table(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Return F1, precision and recall of each detector behind each filter, as Markdown.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    """
    detectors = list(outcomes[UNFILTERED.name][0].scores)
    rows = []
    for condition in filtered().values():
        cells = []
        for detector in detectors:
            counts = pooled_counts(outcomes[condition.name], detector)
            cells.append(f"{f1(counts):.3f} ({precision(counts):.2f}/{recall(counts):.2f})")
        rows.append([condition.words, *cells])
    return markdown(["recording", *detectors], rows)
