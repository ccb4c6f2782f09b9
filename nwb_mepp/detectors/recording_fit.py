"""Fitting an autoencoder to a recording: one half trains the network, the other sets the threshold.

Training needs TensorFlow, which is not imported here: the function that trains is registered as an entry
point in the group ``nwb_mepp.fitters``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.plugins import plugins
from nwb_mepp.conditioning import WhitenedTrace
from nwb_mepp.core.choices import FitMode
from nwb_mepp.core.errors import DetectionError, MissingDependencyError
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.measurement.intervals import intervals_above

__all__ = ["FITTER_GROUP", "FIT_MODES", "Fitter", "Halves", "load_fitter"]

FITTER_GROUP = "nwb_mepp.fitters"
FIT_MODES: tuple[FitMode, ...] = get_args(FitMode)

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

# The halves alternate every second, so that both contain changes of the noise.
_TURN_S = 1.0
# Left out around each candidate: its foot before, its tail after.
_BEFORE_S = 5e-3
_AFTER_S = 30e-3
# Length of a crop in the training; shorter stretches are not used.
_STRETCH_S = 32e-3
_MIN_S = 3.0


class Fitter(Protocol):
    """Fits a network to stretches of a recording."""

    def __call__(
        self, folder: Path, stretches: Sequence[Float32Array], *, start: Path, config: Mapping[str, Any]
    ) -> None:
        """Write the weights of a network fitted to stretches.

        Parameters
        ----------
        folder : Path
            To be created, with ``model.tflite``, ``weights.npz`` and ``config.json``.
        stretches : sequence of ndarray of float32, shape (n_samples,)
            Conditioned as the input of the network.
        start : Path
            Folder of the weights to start from.
        config : mapping
            Content of ``config.json`` besides checksum, block and architecture.
        """


class Halves:
    """Which samples of a channel are used for fitting, and which for the threshold.

    Parameters
    ----------
    traces : sequence of WhitenedTrace
        At the rate of the network.
    occupied : sequence of Candidates
        For each trace all that may be MEPPs, in samples of its segment.

    Attributes
    ----------
    empty, first : list of ndarray of bool, shape (n_samples,)
        For each trace: samples without MEPPs, and samples of the half used for fitting.
    """

    def __init__(self, traces: Sequence[WhitenedTrace], occupied: Sequence[Candidates]) -> None:
        self._rate_hz = traces[0].sampling_rate_hz
        self.empty = [_empty(trace, found) for trace, found in zip(traces, occupied, strict=True)]
        ends = np.cumsum([trace.n_samples for trace in traces])
        turn = round(_TURN_S * self._rate_hz)
        self.first = [
            (np.arange(end - trace.n_samples, end) // turn) % 2 == 0
            for trace, end in zip(traces, ends, strict=True)
        ]

    def stretches(self, values: Sequence[Float32Array], *, mode: str) -> Iterator[Float32Array]:
        """Return the stretches to fit on: long enough parts of the first half, without MEPPs or all."""
        least = round(_STRETCH_S * self._rate_hz)
        for row, first, empty in zip(values, self.first, self.empty, strict=True):
            shown = first & empty if mode == "empty" else first
            for start, stop in intervals_above(shown, threshold=0.5, min_samples=least):
                yield row[start:stop]

    def held_out(self, scores: Sequence[FloatArray]) -> FloatArray:
        """Return the scores of the samples without MEPPs in the second half."""
        rows = zip(scores, self.first, self.empty, strict=True)
        return np.concatenate([row[empty & ~first] for row, first, empty in rows])

    def check(self, stretches: Sequence[Float32Array], *, mode: str) -> None:
        """Refuse a channel that is too short, or has too many MEPPs, to fit to.

        Raises
        ------
        DetectionError
        """
        kept = zip(self.first, self.empty, strict=True)
        held_out_s = sum(int((empty & ~first).sum()) for first, empty in kept) / self._rate_hz
        shown_s = sum(len(one) for one in stretches) / self._rate_hz
        if min(held_out_s, shown_s) < _MIN_S:
            what = "without MEPPs" if mode == "empty" else "of any kind"
            raise DetectionError(
                f"`fit_recording={mode!r}`: expected at least {_MIN_S:g} s {what} to fit on and "
                f"{_MIN_S:g} s without MEPPs for the threshold, found {shown_s:.1f} s and {held_out_s:.1f} "
                "s; take a longer recording, or leave the option out."
            )


def load_fitter(name: str) -> Fitter:
    """Return the function that fits the network of a detector.

    Parameters
    ----------
    name : str
        Of the detector.

    Raises
    ------
    MissingDependencyError
        If none is registered under that name.
    """
    for point in plugins(FITTER_GROUP):
        if point.name == name:
            fitter: Fitter = point.load()
            return fitter
    raise MissingDependencyError(
        f"`fit_recording`: expected a fitter for {name} in the entry points of nwb-mepp, found none; "
        "reinstall nwb-mepp: pip install 'nwb-mepp[train]'."
    )


def _empty(trace: WhitenedTrace, occupied: Candidates) -> BoolArray:
    """Return which samples of a trace are far from anything that may be a MEPP."""
    factor = trace.sampling_rate_hz / trace.segment.sampling_rate_hz
    before, after = (round(time_s * trace.sampling_rate_hz) for time_s in (_BEFORE_S, _AFTER_S))
    empty = np.ones(trace.n_samples, dtype=np.bool_)
    for start, stop in zip(occupied.start, occupied.stop, strict=True):
        empty[max(round(start * factor) - before, 0) : round(stop * factor) + after] = False
    return empty
