"""How good the detectors are, measured on recordings that no training has seen."""

from nwb_mepp.benchmark.reference import (
    ORACLE,
    LevelScores,
    RecordingScores,
    run_reference,
    score_recording,
)
from nwb_mepp.benchmark.tables import level_table

__all__ = ["ORACLE", "LevelScores", "RecordingScores", "level_table", "run_reference", "score_recording"]
