"""Reading a file with Neo: lazily where Neo can read raw numbers in blocks, otherwise all at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import neo
import neo.io
import numpy as np

from nwb_mepp.core.errors import MeppError, MissingDependencyError, ReadError, UsageError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo import axon, tdt
from nwb_mepp.readers.neo.axon import round_to_milliseconds, split_episodes
from nwb_mepp.readers.neo.axon_protocol import commanded
from nwb_mepp.readers.neo.axon_tags import read_tags
from nwb_mepp.readers.neo.eager import read_eagerly
from nwb_mepp.readers.neo.lazy import read_lazily
from nwb_mepp.readers.options import RAW_BINARY_READER, ReadOptions
from nwb_mepp.readers.output_suppression import suppress_output
from nwb_mepp.readers.unitless_channels import drop_unitless_channels

__all__ = ["neo_classes", "read_neo"]

# Formats in which Neo does not notice that a part of the file is missing.
_CHECKS: dict[str, Callable[[Path], None]] = {"axon": axon.check_extent, "tdt": tdt.check_extent}


@cache
def neo_classes() -> dict[str, Any]:
    """Return the reader classes of Neo by the names used here (``AxonIO`` is ``axon``)."""
    classes: dict[str, Any] = {}
    for neo_class in neo.io.iolist:
        # Neo lists two classes called NixIO. The first reads everything; the second, which is lazy, takes
        # kHz for Hz and ms for s, and leaves out irregularly sampled signals.
        classes.setdefault(neo_class.__name__.removesuffix("IO").lower(), neo_class)
    return classes


def read_neo(name: str, path: Path, options: ReadOptions) -> FileContents:
    """Read a lab file with one of Neo's readers.

    Parameters
    ----------
    name : str
        Registered name of the reader.
    path : Path
    options : ReadOptions

    Raises
    ------
    ReadError
        If Neo fails for any reason.
    MissingDependencyError
        If Neo needs a package that is not installed.
    """
    if name in _CHECKS:
        _CHECKS[name](path)
    arguments = _raw_binary_arguments(path, options) if name == RAW_BINARY_READER else {}
    with suppress_output() as messages, _translated_errors(path, name):
        reader = neo_classes()[name](str(path), **arguments)
        contents = (
            read_lazily(reader, path)
            if hasattr(reader, "get_analogsignal_chunk")
            else read_eagerly(reader, path)
        )
    contents = replace(
        contents,
        reader_version=f"neo {neo.__version__}",
        notes=(*contents.notes, *dict.fromkeys(f"Neo: {message}" for message in messages)),
    )
    if name == "axon":
        steps, pulses_s = commanded(getattr(reader, "_axon_info", {}))
        contents = replace(contents, command_steps=steps, stimuli_s=pulses_s)
    with _translated_errors(path, name):  # what is read besides Neo can be damaged, too
        contents = _refined(name, path, contents)
    return drop_unitless_channels(contents, options)


def _refined(name: str, path: Path, contents: FileContents) -> FileContents:
    """Correct and complete what Neo returns for some formats."""
    if name == "axon":
        traces, note = split_episodes(path, contents.traces)
        start = contents.session_start
        # The header has a single-precision number: 1.83, not 1.83000004.
        version = f"{float(contents.annotations.get('abf_version', 'nan')):.4g}"
        return replace(
            contents,
            format=f"Axon ABF {version}",
            traces=tuple(traces),
            annotations={**contents.annotations, "abf_version": version},
            session_start=None if start is None else round_to_milliseconds(start),
            ancillary=replace(contents.ancillary, events=read_tags(path)),
            notes=(*contents.notes, *([note] if note else [])),
        )
    if name == "brainvision":
        # By definition of the format, a channel without a unit is in microvolts; Neo returns "u" for it.
        traces = [replace(t, unit_label="uV") if t.unit_label == "u" else t for t in contents.traces]
        return replace(contents, traces=tuple(traces))
    return contents


def _raw_binary_arguments(path: Path, options: ReadOptions) -> dict[str, Any]:
    """Return what Neo must be told about a raw binary file, all of it stated by the user."""
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


@contextlib.contextmanager
def _translated_errors(path: Path, name: str) -> Iterator[None]:
    """Turn any exception from Neo into an error of one sentence."""
    try:
        yield
    except MeppError:
        raise
    except ImportError as error:
        package = error.name or str(error)
        raise MissingDependencyError(
            f"{path.name}: the reader {name!r} needs the package {package}, which is not installed: "
            "pip install 'nwb-mepp[formats]' installs the packages that exist for every platform."
        ) from error
    except ZeroDivisionError as error:
        raise ReadError(
            f"{path.name}: expected a sampling interval, scale factors and a number of channels above 0, "
            "found a 0 for one of them in the header; the file is damaged or was written by a faulty program."
        ) from error
    except Exception as error:  # Neo's parsers raise struct.error, IndexError, KeyError, OSError, ...
        reported = " ".join(f"{type(error).__name__}: {error}".split())
        raise ReadError(
            f"{path.name}: the reader {name!r} cannot read it; the file may be truncated, damaged, or in "
            f"another format (then choose its reader with `reader='NAME'`). Neo reports: {reported[:200]}"
        ) from error
