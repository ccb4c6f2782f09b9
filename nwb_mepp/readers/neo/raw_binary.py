"""What Neo must be told about a raw binary file, which has no header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers.options import RAW_BINARY_READER, ReadOptions

__all__ = ["raw_binary_arguments"]


def raw_binary_arguments(path: Path, options: ReadOptions) -> Mapping[str, Any]:
    """Return what Neo must be told about a raw binary file, all of it stated by the user.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    UsageError
        If something is not stated.
    ReadError
        If the file does not hold whole rows of such numbers.
    """
    wanted = {
        "`dtype`": options.dtype,
        "`n_channels`": options.n_channels,
        "`sampling_rate_hz`": options.sampling_rate_hz,
        "`unit`": options.unit or None,
    }
    missing = [option for option, value in wanted.items() if value is None]
    if missing or options.dtype is None or options.n_channels is None:
        raise UsageError(
            f"{path.name}: a raw binary file has no header; the reader {RAW_BINARY_READER!r} "
            f"needs {', '.join(wanted)}; missing: {', '.join(missing)}."
        )
    n_bytes, row = path.stat().st_size, np.dtype(options.dtype).itemsize * options.n_channels
    if n_bytes % row:
        raise ReadError(
            f"{path.name}: expected a multiple of {row} bytes ({options.n_channels} channels of "
            f"{options.dtype}), found {n_bytes} bytes; correct `dtype` or `n_channels`."
        )
    return {
        "dtype": options.dtype,
        "nb_channel": options.n_channels,
        "sampling_rate": options.sampling_rate_hz,
    }
