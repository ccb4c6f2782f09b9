"""How good the detectors are, measured on recordings that no training has seen."""

from nwb_mepp.benchmark.page import BenchmarkPlan, benchmark_page
from nwb_mepp.benchmark.real import RealScores, run_winchester
from nwb_mepp.benchmark.reference import LevelScores, RecordingScores, run_reference, score_recording
from nwb_mepp.benchmark.robustness import FalseAlarms, Variant, run_event_free, run_variants
from nwb_mepp.benchmark.tables import level_table

__all__ = [
    "BenchmarkPlan",
    "FalseAlarms",
    "LevelScores",
    "RealScores",
    "RecordingScores",
    "Variant",
    "benchmark_page",
    "level_table",
    "run_event_free",
    "run_reference",
    "run_variants",
    "run_winchester",
    "score_recording",
]
