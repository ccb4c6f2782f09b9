"""Training of the shipped networks, from simulation to exported weights."""

from nwb_mepp.training.autoencoder import AutoencoderPlan, export_with_threshold, train_autoencoder
from nwb_mepp.training.examples import Example, ExampleSet, simulated_example
from nwb_mepp.training.exporting import calibrate_and_export
from nwb_mepp.training.miniunet import TrainingPlan, train_miniunet

__all__ = [
    "AutoencoderPlan",
    "Example",
    "ExampleSet",
    "TrainingPlan",
    "calibrate_and_export",
    "export_with_threshold",
    "simulated_example",
    "train_autoencoder",
    "train_miniunet",
]
