"""Training of networks, from simulated and labelled recordings to exported weights."""

from nwb_mepp.training.autoencoder import AutoencoderPlan, export_with_threshold, train_autoencoder
from nwb_mepp.training.examples import Example, ExampleSet, simulated_example
from nwb_mepp.training.exporting import calibrate_and_export
from nwb_mepp.training.job import Reporter, TrainingOutcome, train_detector
from nwb_mepp.training.miniunet import TrainingPlan, train_miniunet
from nwb_mepp.training.settings import TRAINABLE, TrainingSettings

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
    "simulated_example",
    "train_autoencoder",
    "train_detector",
    "train_miniunet",
]
