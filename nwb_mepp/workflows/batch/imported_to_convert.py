"""What the conversion of a file needs, imported once for all processes of a batch.

The modules of the package import the most of it where it is first used, which in each process would take a
second. What cannot be imported here is reported where it is used.
"""

import contextlib
import importlib
import io
import warnings
from collections.abc import Sequence

__all__ = ["MODULES", "import_silently"]

MODULES = (
    "nwb_mepp.workflows.batch.runner",
    "nwb_mepp.readers.neo.reader",
    "nwb_mepp.nwb.writer",
)


def import_silently(names: Sequence[str]) -> None:
    """Import modules, of which none may say anything or fail."""
    for name in names:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.suppress(Exception),
        ):
            warnings.simplefilter("ignore")
            importlib.import_module(name)


import_silently(MODULES)
