"""The command ``nwb-mepp``, also as ``python -m nwb_mepp``."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from nwb_mepp._utils.crash_guard import guarded


def command() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    sys.exit(guarded_command(None))


def guarded_command(arguments: Sequence[str] | None) -> int:
    """Run the command line in a child process, whose crash is told in a sentence; return the exit code."""
    return guarded(partial(_work, arguments), on_crash=_tell)


def _work(arguments: Sequence[str] | None) -> int:
    from nwb_mepp._utils.heap import leave_to_the_system
    from nwb_mepp._utils.native_stderr import ignore_failing_destructors
    from nwb_mepp.cli import main

    ignore_failing_destructors()
    code = main(arguments)
    if code == 1:
        # HDF5 crashes at the end of a process in which it could not close a file, as on a full disk.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    leave_to_the_system()
    return code


def _tell(name: str) -> int:
    from nwb_mepp.cli.console import complain

    complain(
        f"a library that nwb-mepp stands on crashed ({name}), probably on a damaged file or a full disk; "
        "copy or export that file anew, or free some space. Complete files are kept, nothing else was "
        "written."
    )
    return 1


if __name__ == "__main__":
    command()
