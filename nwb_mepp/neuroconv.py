"""Interfaces for NeuroConv: MEPPs in a pipeline by one more line, and any recording that the readers open.

Needs the extra ``neuroconv``; nothing else of the package imports this module.

Examples
--------
A pipeline of NeuroConv gets MEPPs by its last line::

    from neuroconv import ConverterPipe
    from nwb_mepp.neuroconv import MEPPIntervalsInterface, NeoIntracellularInterface

    pipe = ConverterPipe([
        NeoIntracellularInterface(file_path="run07.abf"),  # or any interface that adds series
        MEPPIntervalsInterface(),
    ])
    pipe.run_conversion(nwbfile_path="run07.nwb")
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.nwb import Metadata, add_recording, add_results, load_metadata, recording_in
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.workflows import DEFAULT_DETECTORS, DetectionSettings, analyze

try:
    from neuroconv import BaseDataInterface
    from neuroconv.utils import DeepDict
except ImportError as error:
    raise MissingDependencyError(
        "expected NeuroConv for its interfaces, found it not installed; install it with "
        "pip install 'nwb-mepp[neuroconv]'."
    ) from error

__all__ = ["MEPPIntervalsInterface", "NeoIntracellularInterface"]


class MEPPIntervalsInterface(BaseDataInterface):  # type: ignore[misc] # NeuroConv ships no types
    """Finds MEPPs in the series that earlier interfaces of a pipeline add, and adds tables of them.

    Parameters
    ----------
    channel : str, optional
        Name of the series, needed where several are in volts or amperes; a column of one with several is
        ``<series>_<number>``.
    detector : list of str, optional
        Registered names; ``miniunet`` and ``autoencoder`` if not given.
    threshold : float, optional
        In units of the detector's output.
    polarity : Polarity, default "auto"
        Which way MEPPs point.
    min_amplitude_sd : float, optional
        Drop smaller ones, in standard deviations of the noise.
    verbose : bool, default False

    Notes
    -----
    It goes behind the interfaces whose series it looks at. What it adds is what ``nwb-mepp detect`` puts into
    a file: the tables ``/intervals/mepps_<detector>`` and the summary ``mepp_detections``.
    """

    display_name = "Miniature end-plate potentials"
    keywords = ("MEPP", "intracellular electrophysiology")
    info = "Finds miniature end-plate potentials in the series of a pipeline."

    def __init__(
        self,
        *,
        channel: str | None = None,
        detector: list[str] | None = None,
        threshold: float | None = None,
        polarity: Polarity = Polarity.AUTO,
        min_amplitude_sd: float | None = None,
        verbose: bool = False,
    ) -> None:
        self._settings = DetectionSettings(
            detectors=tuple(detector or DEFAULT_DETECTORS),
            threshold=threshold,
            polarity=polarity,
            min_amplitude_sd=min_amplitude_sd,
            channels=() if channel is None else (channel,),
        )
        super().__init__(
            verbose=verbose,
            channel=channel,
            detector=detector,
            threshold=threshold,
            polarity=polarity,
            min_amplitude_sd=min_amplitude_sd,
        )

    def get_metadata(self) -> Any:
        """Return nothing: it describes no session, and of two descriptions the last one would stay."""
        return DeepDict()

    def add_to_nwbfile(self, nwbfile: Any, metadata: dict[str, Any] | None = None) -> None:
        """Find the MEPPs in the series of a file in memory and add tables of them.

        Parameters
        ----------
        nwbfile : pynwb.NWBFile
        metadata : dict, optional
            Has no say in it.

        Raises
        ------
        MeppError
            Of the kind that says what is wrong.
        """
        del metadata  # NeuroConv hands it to every interface
        recording = recording_in(nwbfile, name="the file of this pipeline", channels=self._settings.channels)
        add_results(nwbfile, analyze(recording, settings=self._settings))


class NeoIntracellularInterface(BaseDataInterface):  # type: ignore[misc] # NeuroConv ships no types
    """Adds the recording of any lab file that the readers open: raw numbers, exact scale, every sweep.

    Parameters
    ----------
    file_path : path
    reader : str, optional
        Registered name; without it suffix and content choose.
    unit : str or dict of channel to str, optional
        Replaces the unit that the file states; the numbers stay.
    sampling_rate_hz : float, optional
        Replaces the rate that the file states.
    gain : float, optional
        The numbers are divided by it.
    clamp : {"current", "voltage", "izero"}, optional
        How the cell was held; plain series are added where that is not stated.
    metadata_path : path, optional
        Metadata file (``nwb-mepp metadata template``) for session, subject, device and electrode.
    timezone : str, optional
        Completes the file's own time.
    verbose : bool, default False
    """

    display_name = "Intracellular recording read by Neo"
    keywords = ("intracellular electrophysiology", "patch clamp", "sharp electrode")
    info = "Adds the recording of any lab file that Neo or nwb-mepp reads."

    def __init__(
        self,
        file_path: str | Path,
        *,
        reader: str | None = None,
        unit: str | dict[str, str] | None = None,
        sampling_rate_hz: float | None = None,
        gain: float | None = None,
        clamp: Literal["current", "voltage", "izero"] | None = None,
        metadata_path: str | Path | None = None,
        timezone: str | None = None,
        verbose: bool = False,
    ) -> None:
        self._options = ReadOptions(
            reader=reader,
            units={"": unit} if isinstance(unit, str) else dict(unit or {}),
            sampling_rate_hz=sampling_rate_hz,
            gain=gain,
        )
        self._clamp = clamp
        self._timezone = timezone
        self._stated = Metadata() if metadata_path is None else load_metadata(metadata_path)
        super().__init__(
            verbose=verbose,
            file_path=str(file_path),
            reader=reader,
            unit=unit,
            sampling_rate_hz=sampling_rate_hz,
            gain=gain,
            clamp=clamp,
            metadata_path=None if metadata_path is None else str(metadata_path),
            timezone=timezone,
        )

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
        if found is not None and (found.utcoffset() is not None or self._timezone is not None):
            metadata["NWBFile"]["session_start_time"] = resolve_session_start(found, timezone=self._timezone)
        return metadata

    def add_to_nwbfile(self, nwbfile: Any, metadata: dict[str, Any] | None = None) -> None:
        """Add series, devices, electrodes and the source of the recording to a file in memory.

        Parameters
        ----------
        nwbfile : pynwb.NWBFile
        metadata : dict, optional
            Of the session, which is in the file already.

        Raises
        ------
        MeppError
            Of the kind that says what is wrong.
        """
        del metadata  # NeuroConv has put it into the file
        add_recording(nwbfile, self.recording, clamp=self._clamp, metadata=self._stated)
