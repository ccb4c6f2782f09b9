"""From a network's output to the probability that a candidate is a MEPP, in this very recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LOWEST_SCORE", "ScoreModel", "fit_score_model"]

FloatArray = npt.NDArray[np.float64]

# Candidates below this score are noise almost always; they are neither modelled nor looked at.
LOWEST_SCORE = 0.05

_EDGES = np.concatenate([np.linspace(np.log(LOWEST_SCORE / (1.0 - LOWEST_SCORE)), 8.0, 45), [np.inf]])
_SMOOTHING_BINS = 1.5
_N_ITERATIONS = 200
# How much the rate of false candidates known from simulated noise weighs against the recording's own.
_NULL_STRENGTH = 0.5
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class ScoreModel:
    """How the scores of candidates are distributed, for noise and for MEPPs of several sizes.

    Whitened noise is the same everywhere, so the scores that it gives are too, and about as many a second.
    The scores of MEPPs depend on how far they stand out. For each recording a mixture of these known
    distributions is fitted, by expectation maximisation of a Poisson mixture; what is left for noise
    in a candidate's place is the probability that it is none.

    Attributes
    ----------
    null_rate_hz : float
        False candidates a second in noise without MEPPs.
    null : tuple of float
        Probability of each bin of the logit of the score, for false candidates.
    mepps : tuple of tuple of float
        The same for MEPPs, a row for each mean amplitude over noise SD.

    References
    ----------
    Efron (2008), Microarrays, empirical Bayes and the two-groups model, doi:10.1214/07-STS236. The fit of
    the shares follows Saerens, Latinne & Decaestecker (2002), doi:10.1162/089976602753284446.
    """

    null_rate_hz: float
    null: tuple[float, ...]
    mepps: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(_EDGES) - 1 for row in (self.null, *self.mepps)):
            raise ValueError(f"expected distributions over {len(_EDGES) - 1} bins.")

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> ScoreModel:
        """Make a model from the JSON object that :meth:`to_config` gives."""
        null, mepps = config["null"], config["mepps"]
        if not isinstance(null, Sequence) or not isinstance(mepps, Sequence):
            raise ValueError("expected 'null' and 'mepps' to be lists of numbers.")
        return cls(
            null_rate_hz=float(str(config["null_rate_hz"])),
            null=tuple(float(value) for value in null),
            mepps=tuple(tuple(float(value) for value in row) for row in mepps),
        )

    def to_config(self) -> dict[str, object]:
        """Return the model as a JSON object."""
        return {
            "null_rate_hz": self.null_rate_hz,
            "null": list(self.null),
            "mepps": [list(row) for row in self.mepps],
        }

    def probability(self, score: npt.ArrayLike, *, duration_s: float) -> FloatArray:
        """Return for each candidate of a channel the probability that it is a MEPP.

        Parameters
        ----------
        score : array_like, shape (n_candidates,)
            All candidates of the channel, doubtful ones included, between 0 and 1.
        duration_s : float
            Time in which they were found.

        Returns
        -------
        ndarray, shape (n_candidates,)
            Not decreasing with the score.
        """
        scores = np.asarray(score, dtype=np.float64)
        if len(scores) == 0:
            return np.empty(0)
        bins = _bin_of(scores)
        likelihood = np.array([self.null, *self.mepps])[:, bins]
        expected = self.null_rate_hz * duration_s
        counts = np.full(len(likelihood), len(scores) / (2.0 * len(self.mepps)))
        counts[0] = expected
        for _ in range(_N_ITERATIONS):
            joint = counts[:, None] * likelihood + _TINY
            counts = np.sum(joint / joint.sum(axis=0), axis=1)
            counts[0] = (counts[0] + _NULL_STRENGTH * expected) / (1.0 + _NULL_STRENGTH)
        joint = counts[:, None] * np.array([self.null, *self.mepps]) + _TINY
        by_bin = 1.0 - joint[0] / joint.sum(axis=0)
        return np.asarray(np.maximum.accumulate(by_bin)[bins])


def fit_score_model(
    null_scores: npt.ArrayLike, mepp_scores: Sequence[npt.ArrayLike], *, null_rate_hz: float
) -> ScoreModel:
    """Fit a model to candidates whose truth is known.

    Parameters
    ----------
    null_scores : array_like, shape (n_false,)
        Scores of false candidates.
    mepp_scores : sequence of array_like
        Scores of true candidates, an array for each mean amplitude over noise SD.
    null_rate_hz : float
        False candidates a second in noise without MEPPs.

    Returns
    -------
    ScoreModel

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> false, true = rng.beta(1.0, 6.0, 2000), rng.beta(6.0, 1.0, 2000)
    >>> model = fit_score_model(false, [true], null_rate_hz=1.0)
    >>> noise_only = model.probability(false[:60], duration_s=60.0)
    >>> both = model.probability(np.concatenate([false[:60], true[:60]]), duration_s=60.0)
    >>> bool(noise_only.max() < both.max())
    True
    """
    return ScoreModel(
        null_rate_hz=float(null_rate_hz),
        null=_distribution(null_scores),
        mepps=tuple(_distribution(scores) for scores in mepp_scores),
    )


def _distribution(score: npt.ArrayLike) -> tuple[float, ...]:
    """Return the smoothed distribution of scores over the bins of their logit."""
    counts = np.bincount(_bin_of(np.asarray(score, dtype=np.float64)), minlength=len(_EDGES) - 1).astype(
        float
    )
    reach = np.arange(-6, 7)
    kernel = np.exp(-0.5 * (reach / _SMOOTHING_BINS) ** 2)
    padded = np.pad(counts, 6, mode="symmetric")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    # No bin is impossible: half a candidate is spread over all of them.
    smooth += 0.5 / len(smooth)
    return tuple(float(f"{value:.3e}") for value in smooth / smooth.sum())


def _bin_of(score: FloatArray) -> npt.NDArray[np.int64]:
    clipped = np.clip(score, LOWEST_SCORE, 1.0 - 1e-7)
    logit = np.log(clipped) - np.log1p(-clipped)
    return np.clip(np.searchsorted(_EDGES, logit, side="right") - 1, 0, len(_EDGES) - 2)
