"""What is done for a format besides reading it with Neo: checks, arguments, corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo import (
    axon,
    bci2000,
    brainvision,
    brainware,
    igor,
    neuralynx,
    nix,
    open_ephys,
    open_ephys_binary,
    spike2,
    spikeglx,
    tdt,
)
from nwb_mepp.readers.neo.gaps import from_first_sample
from nwb_mepp.readers.neo.raw_binary import raw_binary_arguments
from nwb_mepp.readers.neo.start_times import axona_start, edf_start
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
        What Neo's class is told besides the path, or instead of it if there is a ``dirname``.
    neo_class : callable (class, options) -> class
        Neo's class or one derived from it.
    refine : callable (contents, reader, path) -> contents
        Corrects and completes what Neo returns.
    """

    check: Callable[[Path, ReadOptions], None] = _no_check
    arguments: Callable[[Path, ReadOptions], Mapping[str, Any]] = _no_arguments
    neo_class: Callable[[Any, ReadOptions], Any] = _same_class
    refine: Callable[[FileContents, Any, Path], FileContents] = _unchanged


def _with_start(start_of: Callable[[Path], datetime | None]) -> Correction:
    return Correction(refine=lambda contents, _, path: replace(contents, session_start=start_of(path)))


CORRECTIONS: Mapping[str, Correction] = {
    "alphaomega": Correction(refine=lambda contents, _reader, _path: from_first_sample(contents)),
    "axon": Correction(check=axon.check, neo_class=axon.neo_class, refine=axon.refine),
    "axona": _with_start(axona_start),
    "bci2000": Correction(
        neo_class=lambda of_neo, _: bci2000.neo_class(of_neo),
        refine=lambda contents, _, path: bci2000.refine(contents, path),
    ),
    "brainvision": Correction(
        check=lambda path, _: brainvision.check(path),
        refine=lambda contents, _, path: brainvision.refine(contents, path),
    ),
    "brainwaredam": Correction(refine=lambda contents, _reader, _path: brainware.refine(contents)),
    "edf": _with_start(edf_start),
    "igor": Correction(refine=lambda contents, _reader, _path: igor.refine(contents)),
    "neuralynx": Correction(
        check=lambda path, _: neuralynx.check(path),
        arguments=lambda path, _: neuralynx.arguments(path),
        refine=lambda contents, reader, _: neuralynx.refine(contents, reader),
    ),
    "nix": Correction(
        arguments=lambda _path, _options: nix.arguments(),
        refine=lambda contents, reader, _: nix.refine(contents, reader),
    ),
    "openephys": Correction(check=lambda path, _: open_ephys.check(path), refine=open_ephys.refine),
    "openephysbinary": Correction(
        check=lambda path, _: open_ephys_binary.check(path), refine=open_ephys_binary.refine
    ),
    "spike2": Correction(refine=spike2.refine),
    "spikeglx": Correction(
        check=lambda path, _: spikeglx.check(path),
        neo_class=lambda of_neo, _: spikeglx.neo_class(of_neo),
        refine=spikeglx.refine,
    ),
    "tdt": Correction(
        check=tdt.check,
        neo_class=tdt.neo_class,
        refine=lambda contents, reader, _: tdt.refine(contents, reader),
    ),
    RAW_BINARY_READER: Correction(arguments=raw_binary_arguments),
}
