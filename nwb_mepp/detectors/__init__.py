"""Detectors: one class each, found by name in a registry. None of them imports TensorFlow."""

from nwb_mepp.conditioning import ChannelNoise
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.autoencoder import Autoencoder, AutoencoderAnomalous
from nwb_mepp.detectors.candidate_features import Described, Wholes, describe_candidates, describe_wholes
from nwb_mepp.detectors.clear_deflections import find_clear_deflections, unexplained
from nwb_mepp.detectors.deconvolution import Deconvolution
from nwb_mepp.detectors.interface import Candidates, Detector, SecondOpinion
from nwb_mepp.detectors.matched_filter import MatchedFilter, template
from nwb_mepp.detectors.miniunet import MiniUnet, RawCandidates, explain
from nwb_mepp.detectors.mixed_precision import run_mixed
from nwb_mepp.detectors.probability import ProbabilityModel
from nwb_mepp.detectors.recording_fit import FIT_MODES, FITTER_GROUP
from nwb_mepp.detectors.registry import (
    DETECTOR_GROUP,
    detector_names,
    fits_recordings,
    get_detector,
    gives_probability,
    gives_second_opinion,
    takes_weights,
)
from nwb_mepp.detectors.runtime import LiteRTRuntime, Runtime, make_runtime
from nwb_mepp.detectors.shape_bank import ShapeBank
from nwb_mepp.detectors.template_fit import TemplateFit
from nwb_mepp.detectors.threshold import Threshold
from nwb_mepp.detectors.weights import (
    Weights,
    load_weights,
    owner_of_weights,
    shipped_versions,
    shipped_weights,
)
from nwb_mepp.detectors.wholes import take_together

__all__ = [
    "DETECTOR_GROUP",
    "FITTER_GROUP",
    "FIT_MODES",
    "Autoencoder",
    "AutoencoderAnomalous",
    "Candidates",
    "ChannelNoise",
    "Deconvolution",
    "Described",
    "Detector",
    "LiteRTRuntime",
    "MatchedFilter",
    "MiniUnet",
    "ProbabilityModel",
    "RawCandidates",
    "Runtime",
    "SecondOpinion",
    "Segment",
    "ShapeBank",
    "TemplateFit",
    "Threshold",
    "Weights",
    "Wholes",
    "describe_candidates",
    "describe_wholes",
    "detector_names",
    "explain",
    "find_clear_deflections",
    "fits_recordings",
    "get_detector",
    "gives_probability",
    "gives_second_opinion",
    "load_weights",
    "make_runtime",
    "owner_of_weights",
    "run_mixed",
    "shipped_versions",
    "shipped_weights",
    "take_together",
    "takes_weights",
    "template",
    "unexplained",
]
