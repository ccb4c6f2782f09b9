"""Detectors: one class each, found by name in a registry; none of them knows of TensorFlow."""

from nwb_mepp.detectors.autoencoder import Autoencoder, AutoencoderAnomalous
from nwb_mepp.detectors.base import Candidates, Detector
from nwb_mepp.detectors.calibration import ScoreModel, fit_score_model
from nwb_mepp.detectors.deconvolution import Deconvolution
from nwb_mepp.detectors.matched_filter import MatchedFilter, template
from nwb_mepp.detectors.miniunet import MiniUnet
from nwb_mepp.detectors.registry import DETECTOR_GROUP, detector_names, get_detector
from nwb_mepp.detectors.runtime import LiteRTRuntime, Runtime, make_runtime
from nwb_mepp.detectors.template_fit import TemplateFit
from nwb_mepp.detectors.threshold import Threshold
from nwb_mepp.detectors.weights import Weights, load_weights, shipped_weights

__all__ = [
    "DETECTOR_GROUP",
    "Autoencoder",
    "AutoencoderAnomalous",
    "Candidates",
    "Deconvolution",
    "Detector",
    "LiteRTRuntime",
    "MatchedFilter",
    "MiniUnet",
    "Runtime",
    "ScoreModel",
    "TemplateFit",
    "Threshold",
    "Weights",
    "detector_names",
    "fit_score_model",
    "get_detector",
    "load_weights",
    "make_runtime",
    "shipped_weights",
    "template",
]
