"""The interface of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import ChannelNoise
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment

__all__ = ["Candidates", "Detector", "SecondOpinion"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Candidates of one segment, sorted, not overlapping; arrays of shape (n_candidates,).

    Attributes
    ----------
    start, peak, stop : ndarray of int64
        Sample numbers from the start of the segment, at the rate of the trace; ``stop`` exclusive.
        They say where to look; onset, peak and end are measured on the original trace afterwards.
    probability : ndarray of float64
        Probability that the candidate is a MEPP, NaN if the detector gives none.
    """

    start: IntArray
    peak: IntArray
    stop: IntArray
    probability: FloatArray

    def __len__(self) -> int:
        return len(self.peak)

    def select(self, rows: npt.NDArray[np.bool_]) -> Candidates:
        """Return the candidates that a mask of shape (n_candidates,) selects."""
        return Candidates(
            start=self.start[rows],
            peak=self.peak[rows],
            stop=self.stop[rows],
            probability=self.probability[rows],
        )


@runtime_checkable
class Detector(Protocol):
    """Finds MEPPs in the segments of one channel.

    Attributes
    ----------
    name : str
        The name that it is registered by, used in table names and on the command line.
    version : str
        Numbers and dots, such as ``"1"`` or ``"2.1"``.
    weights_sha256 : str
        SHA-256 of the network's file; empty for a detector without weights.
    default_threshold : float
        What ``find`` uses when no threshold is given.

    Notes
    -----
    These attributes decide whether a result that is there already can be kept, so a detector is constructed
    without loading a network; the first ``find`` does that.

    A class may say more of its detectors: ``gives_probability = False`` that their candidates have no
    probability, so that ``--false-discovery-rate`` is refused before any file is read; an argument
    ``weights`` of the constructor that it takes other weights (a folder); a method ``judge`` that it
    gives a second opinion (:class:`SecondOpinion`).
    """

    name: str
    version: str
    weights_sha256: str
    default_threshold: float

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 20.0,
    ) -> list[Candidates]:
        """Find the candidates of one channel.

        Parameters
        ----------
        segments : sequence of Segment
            All stretches of one channel, in order; no candidate crosses their borders.
        noise : ChannelNoise
            Scale of the noise, hum and polarity of that channel.
        threshold : float, optional
            In units of the detector's own output.
        block_s : float
            How many seconds to read and process at a time; the result does not depend on it.

        Returns
        -------
        list of Candidates
            One for each segment.
        """


@runtime_checkable
class SecondOpinion(Protocol):
    """A detector that also scores how unusual the MEPPs found by another detector are."""

    def judge(
        self, segments: Sequence[Segment], *, noise: ChannelNoise, mepps: Mepps, block_s: float = 20.0
    ) -> FloatArray:
        """Return an anomaly score for each MEPP of one channel, shape (n_mepps,), higher for unusual ones.

        Parameters
        ----------
        segments : sequence of Segment
            All stretches of the channel, in which the MEPPs were found.
        noise : ChannelNoise
            Of the same segments.
        mepps : Mepps
        block_s : float
            How many seconds to read and process at a time; the result does not depend on it.
        """
