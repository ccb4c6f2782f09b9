"""What a batch is told of each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nwb_mepp._utils.file_lock import FileState
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import FileTables
from nwb_mepp.workflows.channel_looks import ChannelLook

__all__ = ["FileOutcome", "Written", "counted"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What stood in an output when its file was done.

    Attributes
    ----------
    tables : FileTables
    state : FileState or None
        Of the output then: another process may have changed it since.
    """

    tables: FileTables
    state: FileState | None


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """Outcome of one file.

    Attributes
    ----------
    path, output : Path
    status : {"written", "kept"}
        ``"kept"`` where the output was there already, from the same input and settings.
    found : tuple of (channel, detector, n_mepps)
        One for each result in the output.
    pictures : tuple of Path
        Those that were drawn.
    notes : tuple of str
        One sentence for each thing that the reader left out or assumed, or that a user should know about the
        results.
    missing : tuple of str
        One sentence for each picture that could not be written.
    looks : tuple of ChannelLook
        One for each electrical channel.
    written : Written or None
        What the output holds, where that is known without reading it again.
    """

    path: Path
    output: Path
    status: Literal["written", "kept"]
    found: tuple[tuple[str, str, int], ...] = ()
    pictures: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    looks: tuple[ChannelLook, ...] = ()
    written: Written | None = None


def counted(results: Sequence[ChannelResult]) -> tuple[tuple[str, str, int], ...]:
    """Return channel, detector and number of MEPPs of each result."""
    return tuple((result.mepps.channel, result.detector, result.summary.n_mepps) for result in results)
