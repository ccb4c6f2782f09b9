"""Recordings whose MEPPs are known: for training, for the benchmark, and for the shipped examples."""

from nwb_mepp.simulation.artifacts import ARTIFACTS, add_artifact
from nwb_mepp.simulation.distribution import draw_scenario
from nwb_mepp.simulation.events import EventShape, event_times
from nwb_mepp.simulation.files import check_abf_writer, write_abf, write_labeled_text, write_truth_table
from nwb_mepp.simulation.recording_chain import Filter, RecordingChain
from nwb_mepp.simulation.recordings import Simulated, Truth, add_mepps, simulate_recording
from nwb_mepp.simulation.reference import BENCHMARK_SEEDS_FROM, LEVELS, reference_scenario
from nwb_mepp.simulation.scenario import Scenario
from nwb_mepp.simulation.truth_table import true_mepps

__all__ = [
    "ARTIFACTS",
    "BENCHMARK_SEEDS_FROM",
    "LEVELS",
    "EventShape",
    "Filter",
    "RecordingChain",
    "Scenario",
    "Simulated",
    "Truth",
    "add_artifact",
    "add_mepps",
    "check_abf_writer",
    "draw_scenario",
    "event_times",
    "reference_scenario",
    "simulate_recording",
    "true_mepps",
    "write_abf",
    "write_labeled_text",
    "write_truth_table",
]
