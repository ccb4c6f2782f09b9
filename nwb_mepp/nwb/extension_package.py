"""The extension ``ndx-mepp``: whether it is installed, without importing it."""

from __future__ import annotations

from importlib.util import find_spec

from nwb_mepp.core.errors import MissingDependencyError

__all__ = ["require_extension"]


def require_extension() -> None:
    """Refuse to write tables of the extension where its package is missing.

    Reading them needs no package: the file carries the specification.

    Raises
    ------
    MissingDependencyError
    """
    if find_spec("ndx_mepp") is None:
        raise MissingDependencyError(
            "Writing tables of the extension ndx-mepp needs the package ndx-mepp, which is not installed; "
            "install it with 'pip install ndx-mepp'."
        )
