"""Fitting an autoencoder to a recording: one half is for the network, the other for the threshold.

Training needs TensorFlow, of which nothing here knows: what does it is registered in the entry-point group
``nwb_mepp.fitters``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
import numpy.typing as npt

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

# The halves take turns second by second, so that both see the noise change.
_TURN_S = 1.0
# Kept away from what may be a MEPP: the foot before, the tail after.
_BEFORE_S = 5e-3
_AFTER_S = 30e-3
# What one step of the training looks at is as long as that.
_STRETCH_S = 32e-3
_LEAST_S = 3.0


class Fitter(Protocol):
    """Fits a network to stretches of a recording."""

    def __call__(
        self, folder: Path, stretches: Sequence[Float32Array], *, start: Path, config: Mapping[str, Any]
    ) -> None:
        """Write the weights of a network fitted to stretches.

        Parameters
        ----------
        folder : Path
            Made, with ``model.tflite``, ``weights.npz`` and ``config.json``.
        stretches : sequence of ndarray of float32, shape (n_samples,)
            Conditioned as the network is to see them.
        start : Path
            Folder of the weights that it had so far.
        config : mapping
            What ``config.json`` is to say besides checksum, block and architecture.
        """


class Halves:
    """Which samples of a channel are for fitting, and which for the threshold.

    Parameters
    ----------
    traces : sequence of WhitenedTrace
        At the rate of the network.
    occupied : sequence of Candidates
        One for each trace: what may be a MEPP, in samples of its segment.

    Attributes
    ----------
    empty, first : list of ndarray of bool, shape (n_samples,)
        For each trace: samples without MEPPs, and samples of the half that is for fitting.
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
        """Return what to fit on: long enough stretches of the first half, those without MEPPs or all."""
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
        """Refuse a channel that is too short, or too full of MEPPs, to fit to.

        Raises
        ------
        DetectionError
        """
        kept = zip(self.first, self.empty, strict=True)
        held_out_s = sum(int((empty & ~first).sum()) for first, empty in kept) / self._rate_hz
        shown_s = sum(len(one) for one in stretches) / self._rate_hz
        if min(held_out_s, shown_s) < _LEAST_S:
            what = "without MEPPs" if mode == "empty" else "of any kind"
            raise DetectionError(
                f"`fit_recording={mode!r}`: expected at least {_LEAST_S:g} s {what} to fit on and "
                f"{_LEAST_S:g} s without MEPPs for the threshold, found {shown_s:.1f} s and {held_out_s:.1f} "
                "s; take a longer recording, or leave the option out."
            )


def load_fitter(name: str) -> Fitter:
    """Return what fits the network of a detector.

    Parameters
    ----------
    name : str
        Of the detector.

    Raises
    ------
    MissingDependencyError
        If none is registered under that name.
    """
    for point in entry_points(group=FITTER_GROUP):
        if point.name == name:
            fitter: Fitter = point.load()
            return fitter
    raise MissingDependencyError(
        f"`fit_recording`: expected a fitter for {name} in the entry points of nwb-mepp, found none; install "
        "nwb-mepp anew: pip install 'nwb-mepp[train]'."
    )


def _empty(trace: WhitenedTrace, occupied: Candidates) -> BoolArray:
    """Return which samples of a trace are far from anything that may be a MEPP."""
    factor = trace.sampling_rate_hz / trace.segment.sampling_rate_hz
    before, after = (round(time_s * trace.sampling_rate_hz) for time_s in (_BEFORE_S, _AFTER_S))
    empty = np.ones(trace.n_samples, dtype=np.bool_)
    for start, stop in zip(occupied.start, occupied.stop, strict=True):
        empty[max(round(start * factor) - before, 0) : round(stop * factor) + after] = False
    return empty
