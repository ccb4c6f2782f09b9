"""Training of the shipped networks, from simulation to exported weights."""

from nwb_mepp.training.examples import Example, ExampleSet, simulated_example
from nwb_mepp.training.exporting import calibrate_and_export
from nwb_mepp.training.miniunet import TrainingPlan, train_miniunet

__all__ = [
    "Example",
    "ExampleSet",
    "TrainingPlan",
    "calibrate_and_export",
    "simulated_example",
    "train_miniunet",
]
