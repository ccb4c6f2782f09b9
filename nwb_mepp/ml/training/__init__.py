"""Training of networks, from simulated and labeled recordings to exported weights."""

from nwb_mepp.ml.training.autoencoder import AutoencoderPlan, export_with_threshold, train_autoencoder
from nwb_mepp.ml.training.examples import Example, ExampleSet, simulated_example
from nwb_mepp.ml.training.job import TrainingOutcome, train_detector
from nwb_mepp.ml.training.miniunet import TrainingPlan, train_miniunet
from nwb_mepp.ml.training.quantized_weights import quantize_weights
from nwb_mepp.ml.training.reporter import Reporter
from nwb_mepp.ml.training.settings import TRAINABLE, TrainingSettings
from nwb_mepp.ml.training.weight_export import calibrate_and_export

__all__ = [
    "TRAINABLE",
    "AutoencoderPlan",
    "Example",
    "ExampleSet",
    "Reporter",
    "TrainingOutcome",
    "TrainingPlan",
    "TrainingSettings",
    "calibrate_and_export",
    "export_with_threshold",
    "quantize_weights",
    "simulated_example",
    "train_autoencoder",
    "train_detector",
    "train_miniunet",
]
