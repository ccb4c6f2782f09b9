"""The command ``nwb-mepp``, also as ``python -m nwb_mepp``."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from nwb_mepp._utils.native_stderr import ignore_failing_destructors
from nwb_mepp.cli import main


def command() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    ignore_failing_destructors()
    code = main()
    if code == 1:
        # HDF5 crashes at the end of a process in which it could not close a file, as on a full disk.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    command()
