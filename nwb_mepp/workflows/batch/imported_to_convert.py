"""What the conversion of a file needs, imported once for all processes of a batch.

The modules of the package import the most of it where it is first used, which in each process would take a
second. What cannot be imported here is reported where it is used.
"""

import contextlib
import gc
import importlib
import io
import warnings
from collections.abc import Sequence

from nwb_mepp._utils.heap import rare_collections

__all__ = ["MODULES", "import_silently"]

MODULES = (
    "nwb_mepp.workflows.batch.runner",
    "nwb_mepp.readers.neo.reader",
    "nwb_mepp.nwb.writer",
)


def import_silently(names: Sequence[str]) -> None:
    """Import modules, of which none may say anything or fail.

    What they hold is not looked through for unused objects again, in this process and those forked from it.
    """
    for name in names:
        with (
            rare_collections(),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.suppress(Exception),
        ):
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    gc.freeze()


import_silently(MODULES)
