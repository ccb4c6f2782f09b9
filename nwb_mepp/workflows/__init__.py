"""Read, detect, measure, summarize, write: the calls that every front end makes."""

from nwb_mepp.workflows.analysis import ProgressCallback, analyze, choose_channels, cut_channel
from nwb_mepp.workflows.detection import find_mepps
from nwb_mepp.workflows.extension import retype_file
from nwb_mepp.workflows.files import FileOutcome, convert_file, detect_file, run_file
from nwb_mepp.workflows.session_info import stated_metadata
from nwb_mepp.workflows.settings import (
    DEFAULT_DETECTORS,
    DetectionSettings,
    Stretches,
    WriteOptions,
    parse_amplitude,
    parse_stretches,
)
from nwb_mepp.workflows.weights_choice import choose_weights

__all__ = [
    "DEFAULT_DETECTORS",
    "DetectionSettings",
    "FileOutcome",
    "ProgressCallback",
    "Stretches",
    "WriteOptions",
    "analyze",
    "choose_channels",
    "choose_weights",
    "convert_file",
    "cut_channel",
    "detect_file",
    "find_mepps",
    "parse_amplitude",
    "parse_stretches",
    "retype_file",
    "run_file",
    "stated_metadata",
]
