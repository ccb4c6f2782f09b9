"""NIX files: opened for reading only, with the start that was recorded, not that of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from nwb_mepp.readers.contents import FileContents

__all__ = ["arguments", "refine"]


def arguments() -> Mapping[str, Any]:
    """Return what Neo is told, as it otherwise opens the file for writing and changes it."""
    return {"mode": "ro"}


def refine(contents: FileContents, reader: Any) -> FileContents:
    """Take the start only if it is older than the file, and close the file.

    Neo stores the start of a recording as the time at which its block was created; a block without one has
    the time at which it was written.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.NixIO

    Returns
    -------
    FileContents
    """
    written = reader.nix_file.created_at
    starts = [block.created_at for block in reader.nix_file.blocks]
    reader.close()
    is_stated = bool(starts) and starts[0] < written
    return replace(contents, session_start=datetime.fromtimestamp(starts[0], tz=UTC) if is_stated else None)
