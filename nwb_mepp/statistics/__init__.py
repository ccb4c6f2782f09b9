"""Summary statistics of the MEPPs of one channel."""

from __future__ import annotations

from nwb_mepp.statistics.baseline import Baseline, sample_baseline
from nwb_mepp.statistics.poisson import exponential_p, rate_interval
from nwb_mepp.statistics.summary import summarize
from nwb_mepp.statistics.timing import Timing, describe_timing

__all__ = [
    "Baseline",
    "Timing",
    "describe_timing",
    "exponential_p",
    "rate_interval",
    "sample_baseline",
    "summarize",
]
