"""The networks: architecture, optimization, export; the only part of the package that imports TensorFlow."""

from nwb_mepp.ml.networks.autoencoder import build_autoencoder
from nwb_mepp.ml.networks.classifier import Classifier, fit_classifier
from nwb_mepp.ml.networks.conversion import BLOCK_MARGIN, BLOCK_SAMPLES
from nwb_mepp.ml.networks.devices import Precision, has_gpu, precision, prepare_tensorflow
from nwb_mepp.ml.networks.export import export_autoencoder, export_miniunet
from nwb_mepp.ml.networks.miniunet import build_miniunet, receptive_field
from nwb_mepp.ml.networks.optimization import Batch, Fitted, Validation, fit
from nwb_mepp.ml.networks.quantization import Quantized, quantize_miniunet
from nwb_mepp.ml.networks.runtime import KerasRuntime
from nwb_mepp.ml.networks.weight_files import build_network, load_arrays, load_keras_file, read_architecture

__all__ = [
    "BLOCK_MARGIN",
    "BLOCK_SAMPLES",
    "Batch",
    "Classifier",
    "Fitted",
    "KerasRuntime",
    "Precision",
    "Quantized",
    "Validation",
    "build_autoencoder",
    "build_miniunet",
    "build_network",
    "export_autoencoder",
    "export_miniunet",
    "fit",
    "fit_classifier",
    "has_gpu",
    "load_arrays",
    "load_keras_file",
    "precision",
    "prepare_tensorflow",
    "quantize_miniunet",
    "read_architecture",
    "receptive_field",
]
