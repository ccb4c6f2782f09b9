"""The held-out labeled recordings of a lab, from which its weights get probabilities and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors import Described, ProbabilityModel, explain
from nwb_mepp.ml.training.calibration import Output, describe_trace
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording

__all__ = ["MIN_OWN_MEPPS", "OwnCandidates", "are_enough", "own_candidates"]

FloatArray = npt.NDArray[np.float64]

#: Fewer say too little about a threshold.
MIN_OWN_MEPPS = 30
# Between the stretches of a recording, so that nothing is matched across.
_GAP_S = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnCandidates:
    """The candidates of one labeled recording, and its MEPPs; times as if its stretches lay 1 s apart.

    Attributes
    ----------
    parts : tuple of Described
        One for each stretch.
    from_s : ndarray, shape (n_stretches,)
        Where each stretch begins.
    truth_s : ndarray, shape (n_mepps,)
    duration_s : float
        Of all stretches together.
    """

    parts: tuple[Described, ...]
    from_s: FloatArray
    truth_s: FloatArray
    duration_s: float

    def explained(self, model: ProbabilityModel) -> tuple[FloatArray, FloatArray]:
        """Return peaks and probabilities of the candidates as the detector gives them."""
        found = explain(model, self.parts, duration_s=self.duration_s)
        peaks_s = [one.peak_s + from_s for one, from_s in zip(found, self.from_s, strict=True)]
        return np.concatenate(peaks_s), np.concatenate([one.probability for one in found])


def are_enough(recordings: Sequence[LabeledRecording]) -> bool:
    """Return whether recordings have at least :data:`MIN_OWN_MEPPS` MEPPs together."""
    return sum(one.n_mepps for one in recordings) >= MIN_OWN_MEPPS


def own_candidates(
    output: Output, recordings: Sequence[LabeledRecording], *, sampling_rate_hz: float
) -> list[OwnCandidates]:
    """Find the candidates of labeled recordings as the detector does.

    Parameters
    ----------
    output : callable
        The network: conditioned trace in, probability of each sample out.
    recordings : sequence of LabeledRecording
        Those that are not enough give none.
    sampling_rate_hz : float
        Rate of the network.
    """
    if not are_enough(recordings):
        return []
    return [_candidates(output, one, rate_hz=sampling_rate_hz) for one in recordings]


def _candidates(output: Output, recording: LabeledRecording, *, rate_hz: float) -> OwnCandidates:
    lengths_s = np.array([len(one.trace) / rate_hz for one in recording.examples])
    from_s = np.concatenate([[0.0], np.cumsum(lengths_s + _GAP_S)[:-1]])
    both = list(zip(recording.examples, recording.taps, strict=True))
    return OwnCandidates(
        parts=tuple(describe_trace(output, one.trace, taps=taps, rate_hz=rate_hz) for one, taps in both),
        from_s=from_s,
        truth_s=np.concatenate(
            [one.peak / rate_hz + start_s for one, start_s in zip(recording.examples, from_s, strict=True)]
        ),
        duration_s=float(lengths_s.sum()),
    )
