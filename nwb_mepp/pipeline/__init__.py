"""Read, detect, measure, summarise, write: the calls that every front end makes."""

from nwb_mepp.pipeline.analysis import ProgressCallback, analyse, choose_channels, cut_channel
from nwb_mepp.pipeline.files import FileOutcome, convert_file, detect_file, run_file
from nwb_mepp.pipeline.finding import find_mepps
from nwb_mepp.pipeline.retyping import retype_file
from nwb_mepp.pipeline.settings import (
    DEFAULT_DETECTORS,
    DetectionSettings,
    Stretches,
    WriteOptions,
    parse_amplitude,
    parse_stretches,
)
from nwb_mepp.pipeline.stated import stated_metadata
from nwb_mepp.pipeline.weights import choose_weights

__all__ = [
    "DEFAULT_DETECTORS",
    "DetectionSettings",
    "FileOutcome",
    "ProgressCallback",
    "Stretches",
    "WriteOptions",
    "analyse",
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
