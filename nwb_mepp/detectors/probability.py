"""The probability that a candidate is a MEPP, given the other candidates of its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.candidate_features import FEATURES, N_BY_VERSION

__all__ = ["ProbabilityModel"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityModel:
    """A small network over the description of a candidate: hidden layers, a probability.

    The probability depends on the recording: among many large MEPPs of one shape a small candidate of that
    shape is likely to be one, in a silent recording it is not.

    Attributes
    ----------
    center, scale : ndarray, shape (n_features,)
        Subtracted from the features, and what they are divided by then.
    layers : tuple of (weight, bias)
        ``weight`` of shape (n_in, n_out); hyperbolic tangents in between, a logistic function at the end.
    low, high : ndarray, shape (n_features,), optional
        Range of the features in the data that the model was fitted to. Features beyond it are clipped, as
        the model would extrapolate. Without these nothing is clipped.
    features : int, optional
        Version of the features that the model was fitted to; the newest by default. It takes the columns
        that this version had.

    Raises
    ------
    ValueError
        If there is no such version, or the parts do not fit together.
    """

    center: FloatArray
    scale: FloatArray
    layers: tuple[tuple[FloatArray, FloatArray], ...]
    low: FloatArray | None = None
    high: FloatArray | None = None
    features: int = FEATURES

    def __post_init__(self) -> None:
        if self.features not in N_BY_VERSION:
            raise ValueError(f"expected features of version 1 to {FEATURES}, found {self.features!r}.")
        n_features = N_BY_VERSION[self.features]
        sizes = [n_features, *(weight.shape[-1] for weight, _ in self.layers)]
        shapes = [(weight.shape, bias.shape) for weight, bias in self.layers]
        fits = shapes == [((before, after), (after,)) for before, after in pairwise(sizes)]
        per_feature = [one for one in (self.center, self.scale, self.low, self.high) if one is not None]
        fits &= all(one.shape == (n_features,) for one in per_feature)
        if not (fits and sizes[-1] == 1):
            counted = sorted({one.size for one in per_feature})
            raise ValueError(
                f"expected layers from {n_features} features to 1 output, found {sizes} and {counted} "
                "numbers for the features."
            )

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> ProbabilityModel:
        """Make a model from the JSON object that :meth:`to_config` gives.

        One that states no version of the features was fitted to the first.

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
                features=config.get("features", 1),  # type: ignore[arg-type]  # checked on construction
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
            "features": self.features,
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
            From :func:`~nwb_mepp.detectors.candidate_features.describe_candidates`; of the newest version.

        Returns
        -------
        ndarray, shape (n_candidates,)
        """
        features = features[:, : N_BY_VERSION[self.features]]
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
