"""Read, detect, measure, summarize, write: the calls that every front end makes."""

from typing import TYPE_CHECKING

from nwb_mepp.core.lazy_names import lazy_names

if TYPE_CHECKING:
    from nwb_mepp.workflows.analysis import (
        analyze,
        choose_channels,
        cut_channel,
        survey_channel,
    )
    from nwb_mepp.workflows.annotation import annotate_file, detect_file
    from nwb_mepp.workflows.detection import find_mepps
    from nwb_mepp.workflows.extension import retype_file
    from nwb_mepp.workflows.files import convert_file, run_file
    from nwb_mepp.workflows.option_kinds import Amplitude, Stretch, Stretches
    from nwb_mepp.workflows.outcomes import FileOutcome
    from nwb_mepp.workflows.recording_files import is_nwb, open_recording
    from nwb_mepp.workflows.remarks import remarks_on, remarks_on_reviews
    from nwb_mepp.workflows.session_info import stated_metadata
    from nwb_mepp.workflows.settings import (
        DEFAULT_DETECTORS,
        DetectionArguments,
        DetectionSettings,
        FileDetectionArguments,
        WriteArguments,
        WriteOptions,
    )
    from nwb_mepp.workflows.steps import ProgressCallback
    from nwb_mepp.workflows.weights_choice import choose_weights

__all__ = [
    "DEFAULT_DETECTORS",
    "Amplitude",
    "DetectionArguments",
    "DetectionSettings",
    "FileDetectionArguments",
    "FileOutcome",
    "ProgressCallback",
    "Stretch",
    "Stretches",
    "WriteArguments",
    "WriteOptions",
    "analyze",
    "annotate_file",
    "choose_channels",
    "choose_weights",
    "convert_file",
    "cut_channel",
    "detect_file",
    "find_mepps",
    "is_nwb",
    "open_recording",
    "remarks_on",
    "remarks_on_reviews",
    "retype_file",
    "run_file",
    "stated_metadata",
    "survey_channel",
]

__getattr__ = lazy_names(
    __name__,
    {
        "analysis": ("analyze", "choose_channels", "cut_channel", "survey_channel"),
        "detection": ("find_mepps",),
        "extension": ("retype_file",),
        "annotation": ("annotate_file", "detect_file"),
        "files": ("convert_file", "run_file"),
        "outcomes": ("FileOutcome",),
        "option_kinds": ("Amplitude", "Stretch", "Stretches"),
        "recording_files": ("is_nwb", "open_recording"),
        "remarks": ("remarks_on", "remarks_on_reviews"),
        "session_info": ("stated_metadata",),
        "settings": (
            "DEFAULT_DETECTORS",
            "DetectionArguments",
            "DetectionSettings",
            "FileDetectionArguments",
            "WriteArguments",
            "WriteOptions",
        ),
        "steps": ("ProgressCallback",),
        "weights_choice": ("choose_weights",),
    },
)
