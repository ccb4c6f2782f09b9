"""The networks: architecture, fitting, export; the only part of the package that imports TensorFlow."""

from nwb_mepp.networks.autoencoder import build_autoencoder
from nwb_mepp.networks.export import BLOCK_MARGIN, BLOCK_SAMPLES, export_autoencoder, export_miniunet
from nwb_mepp.networks.fitting import Batch, fit
from nwb_mepp.networks.miniunet import build_miniunet, receptive_field
from nwb_mepp.networks.runtime import KerasRuntime

__all__ = [
    "BLOCK_MARGIN",
    "BLOCK_SAMPLES",
    "Batch",
    "KerasRuntime",
    "build_autoencoder",
    "build_miniunet",
    "export_autoencoder",
    "export_miniunet",
    "fit",
    "receptive_field",
]
