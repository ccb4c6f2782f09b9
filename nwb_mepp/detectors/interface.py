"""The interface that every detector fulfills."""

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
    """Events found in one segment, sorted, not overlapping; arrays of shape (n_events,).

    Attributes
    ----------
    start, peak, stop : ndarray of int64
        Sample numbers from the start of the segment, at the rate of the trace; ``stop`` exclusive.
        They are where to look: onset, peak and end are measured on the original trace afterwards.
    probability : ndarray of float64
        Probability that the event is a MEPP, calibrated for this recording where the detector can.
    """

    start: IntArray
    peak: IntArray
    stop: IntArray
    probability: FloatArray

    def __len__(self) -> int:
        return len(self.peak)

    def select(self, rows: npt.NDArray[np.bool_]) -> Candidates:
        """Return the events that a mask of shape (n_events,) chooses."""
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
        Registered name, used in table names and on the command line.
    version : str
    weights_sha256 : str
        Empty for a detector without weights.
    default_threshold : float
        What ``find`` uses when no threshold is given.

    Notes
    -----
    A detector that never gives probabilities says so by an attribute ``claims_probability = False``; then
    ``--false-discovery-rate`` is refused for it before any file is read.
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
        block_s: float = 60.0,
    ) -> list[Candidates]:
        """Find the events of one channel.

        Parameters
        ----------
        segments : sequence of Segment
            All stretches of one channel, in order; nothing is found across their borders.
        noise : ChannelNoise
            Noise spectrum, scale, hum and polarity of that channel.
        threshold : float, optional
            In units of the detector's own output.
        block_s : float
            How many seconds are read and worked on at a time; the result does not depend on it.

        Returns
        -------
        list of Candidates
            One for each segment.
        """


@runtime_checkable
class SecondOpinion(Protocol):
    """A detector that also says how odd the MEPPs of others are, knowing nothing of MEPPs itself."""

    def judge(
        self, segments: Sequence[Segment], *, noise: ChannelNoise, mepps: Mepps, block_s: float = 60.0
    ) -> FloatArray:
        """Return an anomaly score for each MEPP of one channel, shape (n_mepps,), higher where odder.

        Parameters
        ----------
        segments : sequence of Segment
            In which the MEPPs were found.
        noise : ChannelNoise
            Of the same segments.
        mepps : Mepps
        block_s : float
            How many seconds are read and worked on at a time; the result does not depend on it.
        """
