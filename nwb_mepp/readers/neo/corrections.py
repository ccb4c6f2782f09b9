"""What is done for a format besides reading it with Neo: checks, arguments, corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo import axon, brainvision, open_ephys, tdt
from nwb_mepp.readers.neo.raw_binary import raw_binary_arguments
from nwb_mepp.readers.options import RAW_BINARY_READER, ReadOptions

__all__ = ["CORRECTIONS", "Correction"]


def _no_check(_path: Path, _options: ReadOptions) -> None: ...


def _no_arguments(_path: Path, _options: ReadOptions) -> Mapping[str, Any]:
    return {}


def _same_class(neo_class: Any, _options: ReadOptions) -> Any:
    return neo_class


def _unchanged(contents: FileContents, _reader: Any, _path: Path) -> FileContents:
    return contents


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is done for a format besides reading it with Neo.

    Attributes
    ----------
    check : callable (path, options)
        Raises an error for what Neo does not notice, before it reads the file.
    arguments : callable (path, options) -> mapping
        What Neo's class is told besides the path.
    neo_class : callable (class, options) -> class
        Neo's class or one derived from it.
    refine : callable (contents, reader, path) -> contents
        Corrects and completes what Neo returns.
    """

    check: Callable[[Path, ReadOptions], None] = _no_check
    arguments: Callable[[Path, ReadOptions], Mapping[str, Any]] = _no_arguments
    neo_class: Callable[[Any, ReadOptions], Any] = _same_class
    refine: Callable[[FileContents, Any, Path], FileContents] = _unchanged


CORRECTIONS: Mapping[str, Correction] = {
    "axon": Correction(check=axon.check, neo_class=axon.neo_class, refine=axon.refine),
    "brainvision": Correction(refine=lambda contents, _reader, _path: brainvision.refine(contents)),
    "openephys": Correction(check=lambda path, _: open_ephys.check(path), refine=open_ephys.refine),
    "tdt": Correction(
        check=tdt.check,
        neo_class=tdt.neo_class,
        refine=lambda contents, reader, _: tdt.refine(contents, reader),
    ),
    RAW_BINARY_READER: Correction(arguments=raw_binary_arguments),
}
