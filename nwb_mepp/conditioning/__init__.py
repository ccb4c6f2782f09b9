"""Conditioning: from a trace as it was recorded to one in which noise has a known scale.

Everything here works on plain arrays or on :class:`~nwb_mepp.core.segments.Segment` readers, block by block.
"""

from nwb_mepp.conditioning.clipping import end_values
from nwb_mepp.conditioning.hum import Hum, find_hum
from nwb_mepp.conditioning.noise_left import NoiseLeft, measure_noise_left
from nwb_mepp.conditioning.polarity import count_deflections, judge_polarity
from nwb_mepp.conditioning.resampling import Resampler
from nwb_mepp.conditioning.spectrum import noise_spectrum, quantization_step, smooth_spectrum
from nwb_mepp.conditioning.survey import MIN_DURATION_S, ChannelNoise, survey
from nwb_mepp.conditioning.unusable_time import find_unusable
from nwb_mepp.conditioning.whitening import (
    TILE_GRID,
    WhitenedTrace,
    compress,
    design_whitening,
    expand,
    whiten,
)

__all__ = [
    "MIN_DURATION_S",
    "TILE_GRID",
    "ChannelNoise",
    "Hum",
    "NoiseLeft",
    "Resampler",
    "WhitenedTrace",
    "compress",
    "count_deflections",
    "design_whitening",
    "end_values",
    "expand",
    "find_hum",
    "find_unusable",
    "judge_polarity",
    "measure_noise_left",
    "noise_spectrum",
    "quantization_step",
    "smooth_spectrum",
    "survey",
    "whiten",
]
