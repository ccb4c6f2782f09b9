"""Read, detect, measure, summarise, write: the calls that every front end makes."""

from nwb_mepp.pipeline.analysis import ProgressCallback, analyse, choose_channels, cut_channel
from nwb_mepp.pipeline.files import FileOutcome, convert_file, detect_file, run_file
from nwb_mepp.pipeline.settings import (
    DEFAULT_DETECTORS,
    DetectionSettings,
    Stretches,
    WriteOptions,
    parse_amplitude,
    parse_stretches,
)

__all__ = [
    "DEFAULT_DETECTORS",
    "DetectionSettings",
    "FileOutcome",
    "ProgressCallback",
    "Stretches",
    "WriteOptions",
    "analyse",
    "choose_channels",
    "convert_file",
    "cut_channel",
    "detect_file",
    "parse_amplitude",
    "parse_stretches",
    "run_file",
]
