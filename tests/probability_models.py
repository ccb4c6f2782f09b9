"""Probability models that are plain enough to know what they give."""

from __future__ import annotations

import numpy as np

from nwb_mepp.detectors import ProbabilityModel
from nwb_mepp.detectors.probability import N_FEATURES


def by_score_alone() -> ProbabilityModel:
    """Return a model whose probability is the score of the candidate, whatever else is known of it."""
    weight = np.zeros((N_FEATURES, 1))
    weight[0] = 1.0  # the logit of the score comes first
    return ProbabilityModel(
        center=np.zeros(N_FEATURES), scale=np.ones(N_FEATURES), layers=((weight, np.zeros(1)),)
    )
