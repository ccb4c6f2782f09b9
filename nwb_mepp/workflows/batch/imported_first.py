"""What the work on a file needs, imported once for all processes of a batch.

The modules of the package import the most of it where it is first used, which in each process would take a
second or three. What cannot be imported here is reported where it is used.
"""

import contextlib
import importlib
import io
import warnings

__all__ = ["MODULES"]

MODULES = (
    "nwb_mepp.workflows.batch.runner",
    "nwb_mepp.readers.neo.reader",
    "scipy.optimize",
    "scipy.stats",
    "elephant.statistics",
    "ai_edge_litert.interpreter",
    "nwb_mepp.plots.picture",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)

for _name in MODULES:
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(Exception),
    ):
        warnings.simplefilter("ignore")
        importlib.import_module(_name)
