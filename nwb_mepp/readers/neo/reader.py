"""Reading a file with Neo: lazily where Neo can read raw numbers in blocks, otherwise all at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import neo
import neo.io

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import MeppError, MissingDependencyError, ReadError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.corrections import CORRECTIONS, Correction
from nwb_mepp.readers.neo.eager import read_eagerly
from nwb_mepp.readers.neo.lazy import read_lazily
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.output_suppression import suppress_output
from nwb_mepp.readers.signatures import HDF5_SIGNATURE, starts_with
from nwb_mepp.readers.unitless_channels import drop_unitless_channels

__all__ = ["neo_classes", "read_neo"]

_is_hdf5 = starts_with(HDF5_SIGNATURE)
_NEEDS_PLUGIN = "required filter"  # what HDF5 says of a filter that it lacks


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
    correction = CORRECTIONS.get(name, Correction())
    with _translated_errors(path, name):  # what is read besides Neo can be damaged, too
        correction.check(path, options)
        arguments = correction.arguments(path, options)
    with suppress_output() as messages, _translated_errors(path, name), _bounded(path):
        reader = correction.neo_class(neo_classes()[name], options)(
            *(() if "dirname" in arguments else (str(path),)), **arguments
        )
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
    with _translated_errors(path, name), _bounded(path):
        contents = correction.refine(contents, reader, path)
    return drop_unitless_channels(contents, options)


def _bounded(path: Path) -> contextlib.AbstractContextManager[None]:
    """Bound what reading HDF5 allocates; of other formats, the samples may lie in another file."""
    return bounded_memory(path) if path.is_file() and _is_hdf5(path) else contextlib.nullcontext()


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
    except FileNotFoundError as error:
        missing = Path(error.filename).name if error.filename else str(error)
        raise ReadError(
            f"{path.name}: expected {missing} beside it, which belongs to the recording, found no such file; "
            "copy all files of the recording together."
        ) from error
    except Exception as error:  # Neo's parsers raise struct.error, IndexError, KeyError, OSError, ...
        raise ReadError(f"{path.name}: {_why(error, name)}") from error


def _why(error: Exception, name: str) -> str:
    """Return what went wrong in Neo, with what can be done about it."""
    reported = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if _NEEDS_PLUGIN in str(error).lower() or (name == "maxwell" and isinstance(error, OSError)):
        return (
            f"the reader {name!r} needs a plug-in for HDF5 that decompresses the samples; install that of "
            "the manufacturer, and set the environment variable HDF5_PLUGIN_PATH to its folder. HDF5 "
            f"reports: {reported}"
        )
    if isinstance(error, NotImplementedError | AssertionError | neo.core.NeoReadWriteError):
        return (
            f"the reader {name!r} cannot read it, as Neo does not know this variant of the format; export "
            f"the recording in another format. Neo reports: {reported}"
        )
    if isinstance(error, AttributeError | NameError | TypeError):
        return (
            f"the reader {name!r} cannot read it: it is in another format (then choose its reader with "
            f"`reader='NAME'`) or in a variant that Neo does not know. Neo reports: {reported}"
        )
    return (
        f"the reader {name!r} cannot read it; the file may be truncated, damaged, or in another format (then "
        f"choose its reader with `reader='NAME'`). Neo reports: {reported}"
    )
