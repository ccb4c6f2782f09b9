"""What the analysis of a file needs, imported once for all processes of a batch; it would take seconds."""

from nwb_mepp.workflows.batch import imported_to_convert

__all__ = ["MODULES"]

MODULES = (
    *imported_to_convert.MODULES,
    "scipy.optimize",
    "scipy.stats",
    "elephant.statistics",
    "ai_edge_litert.interpreter",
    "nwb_mepp.plots.picture",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)

imported_to_convert.import_silently(MODULES)
