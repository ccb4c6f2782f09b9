"""The benchmark: every detector on simulated recordings that no training has seen."""

from nwb_mepp.ml.benchmark.bounds import Bounds
from nwb_mepp.ml.benchmark.conditions import Condition, Curve, curves, level_condition
from nwb_mepp.ml.benchmark.measurements import (
    PARTS,
    BenchmarkPlan,
    BenchmarkResults,
    Part,
    run_benchmark,
    run_levels,
)
from nwb_mepp.ml.benchmark.page import benchmark_page, write_benchmark
from nwb_mepp.ml.benchmark.recordings import Outcome, run_conditions
from nwb_mepp.ml.benchmark.reference_levels import LevelScores, run_reference
from nwb_mepp.ml.benchmark.scores import RecordingScores, score_recording
from nwb_mepp.ml.benchmark.tables import level_table, reference_table

__all__ = [
    "PARTS",
    "BenchmarkPlan",
    "BenchmarkResults",
    "Bounds",
    "Condition",
    "Curve",
    "LevelScores",
    "Outcome",
    "Part",
    "RecordingScores",
    "benchmark_page",
    "curves",
    "level_condition",
    "level_table",
    "reference_table",
    "run_benchmark",
    "run_conditions",
    "run_levels",
    "run_reference",
    "score_recording",
    "write_benchmark",
]
