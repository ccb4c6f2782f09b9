"""How good a detector is where the truth is known: matching, scores, intervals of confidence."""

from nwb_mepp.evaluation.bootstrap import Estimate, bootstrap, paired_bootstrap
from nwb_mepp.evaluation.matching import Matching, match_times
from nwb_mepp.evaluation.scores import count_matches, f1, interval_iou, precision, recall

__all__ = [
    "Estimate",
    "Matching",
    "bootstrap",
    "count_matches",
    "f1",
    "interval_iou",
    "match_times",
    "paired_bootstrap",
    "precision",
    "recall",
]
