"""Scores of a detector when the truth is known: matching, F1 and the like, confidence intervals."""

from nwb_mepp.evaluation.bootstrap import Estimate, bootstrap, paired_bootstrap
from nwb_mepp.evaluation.event_times import Marks, check_marks
from nwb_mepp.evaluation.matching import Matching, match_times
from nwb_mepp.evaluation.scores import PATCH_S, count_matches, f1, interval_iou, patch_iou, precision, recall
from nwb_mepp.evaluation.time_shift import LARGEST_SHIFT_S, common_shift

__all__ = [
    "LARGEST_SHIFT_S",
    "PATCH_S",
    "Estimate",
    "Marks",
    "Matching",
    "bootstrap",
    "check_marks",
    "common_shift",
    "count_matches",
    "f1",
    "interval_iou",
    "match_times",
    "paired_bootstrap",
    "patch_iou",
    "precision",
    "recall",
]
