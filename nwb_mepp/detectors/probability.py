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
Layers = tuple[tuple[FloatArray, FloatArray], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityModel:
    """Small networks over the description of a candidate: hidden layers, a probability.

    Networks that were fitted to the same data from different random numbers agree where the data decide, and
    differ where they do not. So the mean of their logits counts.

    The probability depends on the recording: among many large MEPPs of one shape a small candidate of that
    shape is likely to be one, in a silent recording it is not.

    Attributes
    ----------
    center, scale : ndarray, shape (n_features,)
        Subtracted from the features, and what they are divided by then.
    members : tuple of tuple of (weight, bias)
        The layers of each network, ``weight`` of shape (n_in, n_out): hyperbolic tangents in between, a logit
        at the end.
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
    members: tuple[Layers, ...]
    low: FloatArray | None = None
    high: FloatArray | None = None
    features: int = FEATURES

    def __post_init__(self) -> None:
        if self.features not in N_BY_VERSION:
            raise ValueError(f"expected features of version 1 to {FEATURES}, found {self.features!r}.")
        n_features = N_BY_VERSION[self.features]
        per_feature = [one for one in (self.center, self.scale, self.low, self.high) if one is not None]
        fits = bool(self.members) and all(one.shape == (n_features,) for one in per_feature)
        sizes = [[n_features, *(weight.shape[-1] for weight, _ in layers)] for layers in self.members]
        for layers, expected in zip(self.members, sizes, strict=True):
            shapes = [(weight.shape, bias.shape) for weight, bias in layers]
            fits &= shapes == [((before, after), (after,)) for before, after in pairwise(expected)]
            fits &= expected[-1] == 1
        if not fits:
            counted = sorted({one.size for one in per_feature})
            found = " and ".join(map(str, sizes)) or "no network"
            raise ValueError(
                f"expected layers from {n_features} features to 1 output, found {found} and {counted} "
                "numbers for the features."
            )

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> ProbabilityModel:
        """Make a model from the JSON object that :meth:`to_config` gives.

        One that states no version of the features was fitted to the first, and one that states ``layers``
        instead of ``members`` is a single network.

        Raises
        ------
        ValueError
            If it holds something else.
        """
        try:
            members = [config["layers"]] if "layers" in config else config["members"]
            if not isinstance(members, Sequence) or not all(isinstance(one, Sequence) for one in members):
                raise TypeError("no layers")
            return cls(
                features=config.get("features", 1),  # type: ignore[arg-type]  # checked on construction
                center=np.asarray(config["centre"], dtype=np.float64),
                scale=np.asarray(config["scale"], dtype=np.float64),
                low=None if "low" not in config else np.asarray(config["low"], dtype=np.float64),
                high=None if "high" not in config else np.asarray(config["high"], dtype=np.float64),
                members=tuple(
                    tuple(
                        (np.asarray(one["weight"], np.float64), np.asarray(one["bias"], np.float64))
                        for one in layers
                    )
                    for layers in members
                ),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"expected 'centre', 'scale' and 'members' of numbers ({error}).") from error

    def to_config(self) -> dict[str, object]:
        """Return the model as a JSON object."""
        ends = {"low": self.low, "high": self.high}
        return {
            "features": self.features,
            "centre": _rounded(self.center),
            "scale": _rounded(self.scale),
            **{name: _rounded(values) for name, values in ends.items() if values is not None},
            "members": [
                [{"weight": _rounded(weight), "bias": _rounded(bias)} for weight, bias in layers]
                for layers in self.members
            ],
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
        scaled = (features - self.center) / self.scale
        logit = np.mean([_logit(layers, scaled) for layers in self.members], axis=0)
        return np.asarray(np.exp(-np.logaddexp(0.0, -logit)))


def _logit(layers: Layers, values: FloatArray) -> FloatArray:
    for weight, bias in layers[:-1]:
        values = np.tanh(values @ weight + bias)
    weight, bias = layers[-1]
    return np.asarray((values @ weight + bias)[:, 0])


def _rounded(values: FloatArray) -> object:
    """Return numbers rounded to five digits, which is more than the fit determines."""
    return np.vectorize(lambda value: float(f"{value:.5g}"), otypes=[float])(values).tolist()
