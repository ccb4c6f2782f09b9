"""Interfaces for NeuroConv: MEPPs as one more line of a pipeline, and any recording that the readers open.

Needs the extra ``neuroconv``; nothing else of the package imports this module.

Examples
--------
The last line adds MEPPs to a NeuroConv pipeline::

    from neuroconv import ConverterPipe
    from nwb_mepp.neuroconv import MEPPIntervalsInterface, NeoIntracellularInterface

    pipe = ConverterPipe([
        NeoIntracellularInterface(file_path="run07.abf"),  # or any interface that adds series
        MEPPIntervalsInterface(),
    ])
    pipe.run_conversion(nwbfile_path="run07.nwb")
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from nwb_mepp.core.choices import ClampMode
from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.core.keyword_arguments import takes
from nwb_mepp.core.options import settings_from
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.nwb import Metadata, add_recording, add_results, load_metadata, recording_in
from nwb_mepp.readers import ReadArguments, ReadOptions, read_recording
from nwb_mepp.workflows import DetectionSettings, FileDetectionArguments, WriteOptions, analyze

try:
    from neuroconv import BaseDataInterface
    from neuroconv.utils import DeepDict
except ImportError as error:
    raise MissingDependencyError(
        "expected NeuroConv for its interfaces, found it not installed; install it with "
        "pip install 'nwb-mepp[neuroconv]'."
    ) from error

__all__ = ["MEPPIntervalsInterface", "NeoIntracellularInterface"]


def _storable(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as NeuroConv keeps them: paths as texts."""
    return {name: str(one) if isinstance(one, PathLike) else one for name, one in options.items()}


@takes(FileDetectionArguments, DetectionSettings, stored=True)
class MEPPIntervalsInterface(BaseDataInterface):  # type: ignore[misc] # NeuroConv ships no types
    """Finds MEPPs in the series added by earlier interfaces of a pipeline, and adds tables of them.

    Parameters
    ----------
    verbose : bool, default False
    **options
        How MEPPs are looked for.

    Notes
    -----
    Put it after the interfaces whose series it analyzes. A column of a series with several columns is the
    channel ``<series>_<number>``. It adds what ``nwb-mepp detect`` adds to a file: the tables
    ``/intervals/mepps_<detector>`` and the summary ``mepp_detections``.
    """

    display_name = "Miniature end-plate potentials"
    keywords = ("MEPP", "intracellular electrophysiology")
    info = "Finds miniature end-plate potentials in the series of a pipeline."

    def __init__(self, *, verbose: bool = False, **options: Unpack[FileDetectionArguments]) -> None:
        self._settings = settings_from(DetectionSettings, options)
        super().__init__(verbose=verbose, **_storable(options))

    def get_metadata(self) -> Any:
        """Return no metadata: this interface describes no session and must not overwrite other metadata."""
        return DeepDict()

    def add_to_nwbfile(self, nwbfile: Any, metadata: dict[str, Any] | None = None) -> None:
        """Find the MEPPs in the series of a file in memory and add tables of them.

        Parameters
        ----------
        nwbfile : pynwb.NWBFile
        metadata : dict, optional
            Not used.

        Raises
        ------
        MeppError
            Of the kind that says what is wrong.
        """
        del metadata  # NeuroConv hands it to every interface
        recording = recording_in(nwbfile, name="the file of this pipeline", channels=self._settings.channels)
        add_results(nwbfile, analyze(recording, settings=self._settings))


class RecordingArguments(ReadArguments, total=False):
    """What :class:`NeoIntracellularInterface` takes: how to read, and what the file does not say."""

    clamp: ClampMode | None
    metadata: str | PathLike[str] | None
    timezone: str | None


@takes(RecordingArguments, ReadOptions, WriteOptions, stored=True)
class NeoIntracellularInterface(BaseDataInterface):  # type: ignore[misc] # NeuroConv ships no types
    """Adds the recording of any lab file that the readers open: raw numbers, exact scale, every sweep.

    Parameters
    ----------
    file_path : path
    verbose : bool, default False
    **options
        How to read the file, and what it does not say.
    """

    display_name = "Intracellular recording read by Neo"
    keywords = ("intracellular electrophysiology", "patch clamp", "sharp electrode")
    info = "Adds the recording of any lab file that Neo or nwb-mepp reads."

    def __init__(
        self, file_path: str | Path, *, verbose: bool = False, **options: Unpack[RecordingArguments]
    ) -> None:
        self._options = settings_from(ReadOptions, options)
        self._known = settings_from(WriteOptions, options)
        metadata = self._known.metadata
        self._stated = Metadata() if metadata is None else load_metadata(metadata)
        super().__init__(verbose=verbose, file_path=str(file_path), **_storable(options))

    @cached_property
    def recording(self) -> Recording:
        """The recording; its samples stay in the file until they are written, where Neo is lazy."""
        return read_recording(Path(self.source_data["file_path"]), options=self._options)

    def get_metadata(self) -> Any:
        """Return what file and metadata file state of session and subject.

        Returns
        -------
        DeepDict
            Without ``session_start_time`` where the file states none with a time zone: state it then.
        """
        metadata = super().get_metadata()
        metadata["NWBFile"].update(self._stated.session.stated)
        if subject := self._stated.subject.stated:
            metadata["Subject"].update(subject)
        found = self.recording.session_start
        if found is not None and (found.utcoffset() is not None or self._known.timezone is not None):
            metadata["NWBFile"]["session_start_time"] = resolve_session_start(
                found, timezone=self._known.timezone
            )
        return metadata

    def add_to_nwbfile(self, nwbfile: Any, metadata: dict[str, Any] | None = None) -> None:
        """Add series, devices, electrodes and the source of the recording to a file in memory.

        Parameters
        ----------
        nwbfile : pynwb.NWBFile
        metadata : dict, optional
            Not used: NeuroConv has put it into the file already.

        Raises
        ------
        MeppError
            Of the kind that says what is wrong.
        """
        del metadata  # NeuroConv has put it into the file
        add_recording(nwbfile, self.recording, clamp=self._known.clamp, metadata=self._stated)
