"""The pictures beside an output."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nwb_mepp._utils.ownership import refuse_foreign
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import open_with_results, read_results
from nwb_mepp.plots import draw_picture
from nwb_mepp.workflows.analysis import choose_channels
from nwb_mepp.workflows.ground_truth import undecided_in
from nwb_mepp.workflows.settings import DetectionSettings
from nwb_mepp.workflows.stretches import stretches_left_out

__all__ = ["draw_pictures", "draw_results", "picture_paths"]


def picture_paths(
    recording: Recording, output: Path, *, settings: DetectionSettings
) -> dict[tuple[str, str], Path]:
    """Return where the picture of each channel and detector goes: beside the output.

    A second opinion gets none: it is about MEPPs that are drawn already.
    """
    channels = choose_channels(recording, names=settings.channels, every=settings.all_channels)
    shown = [(channel, detector) for channel in channels for detector in settings.leading]
    paths = {}
    for channel, detector in shown:
        detail = f".{channel}.{detector}" if len(shown) > 1 else ""
        paths[channel, detector] = output.with_name(_file_name(f"{output.stem}{detail}.png"))
    return paths


def _file_name(name: str) -> str:
    """Return a name without what a file's name may not hold, but a channel's may."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name)


def draw_results(path: Path, folder: Path, *, table: str | None = None) -> tuple[Path, ...]:
    """Draw what detectors and people found in an NWB file: of a person's table, what counts.

    Parameters
    ----------
    path : Path
    folder : Path
        Made if absent. A picture is called ``FILE.DETECTOR.png``, with several channels
        ``FILE.CHANNEL.DETECTOR.png``.
    table : str, optional
        Only what belongs to this table (:func:`~nwb_mepp.nwb.read_results`).

    Raises
    ------
    ReadError
        If the file cannot be read or has no such table.
    OutputError
        If a picture cannot be written, or another file is in its place.
    """
    chosen = [(one.mepps.channel, one.detector) for one in read_results(path, table=table)]
    drawn = []
    with open_with_results(path) as (recording, results):
        several = len({one.mepps.channel for one in results}) > 1
        for one in results:
            channel, detector = one.mepps.channel, one.detector
            if (channel, detector) not in chosen:
                continue
            detail = f"{channel}.{detector}" if several else detector
            target = folder / _file_name(f"{path.stem}.{detail}.png")
            refuse_foreign(target)
            traces = recording.sweeps(channel)
            undecided = [] if one.curation is None else undecided_in(path, detector, channel=channel)
            first_s, last_s = traces[0].start_s, max(trace.start_s + trace.duration_s for trace in traces)
            excluded = [
                *recording.invalid_times,
                *((stretch.start_s, stretch.stop_s) for stretch in one.left_out),
                *((max(start_s, first_s), min(stop_s, last_s)) for start_s, stop_s in undecided),
            ]
            title = f"{path.name}, {channel}, {detector}"
            folder.mkdir(parents=True, exist_ok=True)
            draw_picture(traces, one, target, title=title, excluded=excluded)
            drawn.append(target)
    return tuple(drawn)


def draw_pictures(
    recording: Recording,
    results: Sequence[ChannelResult],
    pictures: Mapping[tuple[str, str], Path],
    *,
    settings: DetectionSettings,
    anew: bool,
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Draw a picture of each result; for a kept output, only those that are missing.

    Returns
    -------
    tuple of (Path, ...) and (str, ...)
        What was drawn, and a sentence about each picture that could not be written.
    """
    drawn, missing = [], []
    for result in results:
        path = pictures.get((result.mepps.channel, result.detector))
        if path is None or not (anew or not path.exists()):
            continue
        traces = recording.sweeps(result.mepps.channel)
        try:
            draw_picture(
                traces,
                result,
                path,
                title=f"{recording.source.name}, {result.mepps.channel}, {result.detector}",
                excluded=[
                    *recording.invalid_times,
                    *stretches_left_out(traces, settings=settings),
                    *((one.start_s, one.stop_s) for one in result.left_out),
                ],
            )
            drawn.append(path)
        except OutputError as error:
            missing.append(f"the NWB file is written, but its picture is missing: {error}")
        except OSError as error:
            # What the drawing itself needs, such as its cache of fonts.
            missing.append(
                "the NWB file is written, but its picture is missing: the operating system reports: "
                f"{error}; check free space and permissions, and run it again."
            )
    return tuple(drawn), tuple(missing)
