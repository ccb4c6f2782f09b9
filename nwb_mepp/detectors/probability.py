"""The probability that a candidate is a MEPP, given the other candidates of its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.shape_bank import SHAPES_S, ShapeFits, typical_shape

__all__ = ["LOWEST_SCORE", "N_FEATURES", "Described", "ProbabilityModel", "describe_candidates"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Candidates below this score are almost always noise and are ignored.
LOWEST_SCORE = 0.05

_LOGIT_RANGE = (-3.0, 9.0)
_HEIGHT_RANGE = (-1.0, 12.0)
_MISFIT_RANGE = (0.3, 30.0)
# A neighbor farther away than this does not matter.
_NEAR_S = 0.02
# A recording is described by how many candidates a second exceed these scores and heights.
_COUNTED_LOGITS = (-2.0, 0.0, 2.0, 4.0)
_COUNTED_HEIGHTS = (3.0, 4.0, 5.0, 6.5, 8.0)
# Added to a rate before its logarithm is taken: one candidate in 50 s.
_RATE_FLOOR_HZ = 0.02
_DURATION_RANGE_S = (1.0, 60.0)
# Only candidates above this decide what is typical of a recording.
_SURE_LOGIT = 0.0

#: Number of columns of :func:`describe_candidates`.
N_FEATURES = 11 + len(_COUNTED_LOGITS) + len(_COUNTED_HEIGHTS) + 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """The candidates of one segment and what describes them; arrays of shape (n_candidates,).

    Attributes
    ----------
    start_s, stop_s : ndarray
        Sorted, not overlapping.
    score : ndarray
        Highest output of the network in between.
    fits : ShapeFits
        How well shapes from fast to slow fit them.
    """

    start_s: FloatArray
    stop_s: FloatArray
    score: FloatArray
    fits: ShapeFits


def describe_candidates(segments: Sequence[Described], *, duration_s: float) -> FloatArray:
    """Return the features of the candidates of one channel that the probability depends on.

    Parameters
    ----------
    segments : sequence of Described
    duration_s : float
        Of all segments together.

    Returns
    -------
    ndarray, shape (n_candidates, N_FEATURES)
        Of the candidate: logit of its score; its height under the shape that is typical of the recording
        and under the shape that fits best; misfit, rise and decay of the latter; its length; distance to
        the neighbors before and after, and their heights. Of the recording: how many candidates a second
        exceed certain scores and heights; mean height of the sure ones; misfit of the doubtful ones; typical
        rise and decay; duration.
    """
    score = np.concatenate([segment.score for segment in segments])
    length_s = np.concatenate([segment.stop_s - segment.start_s for segment in segments])
    fits = ShapeFits.concatenate([segment.fits for segment in segments])
    clipped = np.clip(score, 1e-7, 1.0 - 1e-7)
    logit = np.clip(np.log(clipped) - np.log1p(-clipped), *_LOGIT_RANGE)
    sure = np.where(logit > _SURE_LOGIT, score, 0.0)
    typical = typical_shape(fits.heights, sure)
    height = np.clip(fits.heights[:, typical], *_HEIGHT_RANGE)
    log_misfit = np.log(np.clip(fits.misfit, *_MISFIT_RANGE))
    log_shapes = np.log(SHAPES_S)
    own = [
        logit,
        height,
        np.clip(fits.heights.max(axis=1), *_HEIGHT_RANGE),
        log_misfit,
        *log_shapes[fits.heights.argmax(axis=1)].T,
        np.log(length_s),
    ]
    ends = np.cumsum([len(segment.score) for segment in segments])[:-1]
    neighbors = [
        _neighbors(segment.start_s, part)
        for segment, part in zip(segments, np.split(height, ends), strict=True)
    ]
    doubtful = logit <= _SURE_LOGIT
    recording = [
        *(_log_rate(logit > limit, duration_s) for limit in _COUNTED_LOGITS),
        *(_log_rate(height > limit, duration_s) for limit in _COUNTED_HEIGHTS),
        float(sure @ height / max(sure.sum(), 1e-3)),
        float(log_misfit[doubtful].mean()) if doubtful.any() else 0.0,
        *log_shapes[typical],
        float(np.log(np.clip(duration_s, *_DURATION_RANGE_S))),
    ]
    return np.column_stack([*own, np.concatenate(neighbors), np.tile(recording, (len(logit), 1))])


def _neighbors(start_s: FloatArray, height: FloatArray) -> FloatArray:
    """Return distance and height of the candidates before and after, shape (n_candidates, 4)."""
    gap_s = np.diff(start_s, prepend=-np.inf, append=np.inf)
    padded = np.pad(height, 1)
    columns = []
    for distance_s, neighbor in ((gap_s[:-1], padded[:-2]), (gap_s[1:], padded[2:])):
        columns += [np.minimum(distance_s, _NEAR_S), np.where(distance_s < _NEAR_S, neighbor, 0.0)]
    return np.column_stack(columns)


def _log_rate(counted: BoolArray, duration_s: float) -> float:
    return float(np.log(np.sum(counted) / duration_s + _RATE_FLOOR_HZ))


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityModel:
    """A small network over the description of a candidate: hidden layers, a probability.

    The probability depends on the recording: among many large MEPPs of one shape a small candidate of that
    shape is likely to be one, in a silent recording it is not.

    Attributes
    ----------
    center, scale : ndarray, shape (N_FEATURES,)
        Subtracted from the features, and what they are divided by then.
    layers : tuple of (weight, bias)
        ``weight`` of shape (n_in, n_out); hyperbolic tangents in between, a logistic function at the end.
    low, high : ndarray, shape (N_FEATURES,), optional
        Range of the features in the data that the model was fitted to. Features beyond it are clipped, as
        the model would extrapolate. Without these nothing is clipped.
    """

    center: FloatArray
    scale: FloatArray
    layers: tuple[tuple[FloatArray, FloatArray], ...]
    low: FloatArray | None = None
    high: FloatArray | None = None

    def __post_init__(self) -> None:
        sizes = [N_FEATURES, *(weight.shape[-1] for weight, _ in self.layers)]
        shapes = [(weight.shape, bias.shape) for weight, bias in self.layers]
        fits = shapes == [((before, after), (after,)) for before, after in pairwise(sizes)]
        if not (fits and sizes[-1] == 1 and self.center.shape == self.scale.shape == (N_FEATURES,)):
            raise ValueError(f"expected layers from {N_FEATURES} features to 1 output, found {sizes}.")

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> ProbabilityModel:
        """Make a model from the JSON object that :meth:`to_config` gives.

        Raises
        ------
        ValueError
            If it holds something else.
        """
        try:
            layers = config["layers"]
            if not isinstance(layers, Sequence):
                raise TypeError("no layers")
            return cls(
                center=np.asarray(config["centre"], dtype=np.float64),
                scale=np.asarray(config["scale"], dtype=np.float64),
                low=None if "low" not in config else np.asarray(config["low"], dtype=np.float64),
                high=None if "high" not in config else np.asarray(config["high"], dtype=np.float64),
                layers=tuple(
                    (np.asarray(one["weight"], dtype=np.float64), np.asarray(one["bias"], dtype=np.float64))
                    for one in layers
                ),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"expected 'centre', 'scale' and 'layers' of numbers ({error}).") from error

    def to_config(self) -> dict[str, object]:
        """Return the model as a JSON object."""
        ends = {"low": self.low, "high": self.high}
        return {
            "centre": _rounded(self.center),
            "scale": _rounded(self.scale),
            **{name: _rounded(values) for name, values in ends.items() if values is not None},
            "layers": [{"weight": _rounded(weight), "bias": _rounded(bias)} for weight, bias in self.layers],
        }

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the probability that each candidate is a MEPP.

        Parameters
        ----------
        features : ndarray, shape (n_candidates, N_FEATURES)
            From :func:`describe_candidates`.

        Returns
        -------
        ndarray, shape (n_candidates,)
        """
        if self.low is not None or self.high is not None:
            features = np.clip(features, self.low, self.high)
        values = (features - self.center) / self.scale
        for weight, bias in self.layers[:-1]:
            values = np.tanh(values @ weight + bias)
        weight, bias = self.layers[-1]
        return np.asarray(np.exp(-np.logaddexp(0.0, -(values @ weight + bias)[:, 0])))


def _rounded(values: FloatArray) -> object:
    """Return numbers rounded to five digits, which is more than the fit determines."""
    return np.vectorize(lambda value: float(f"{value:.5g}"), otypes=[float])(values).tolist()
