"""The pictures beside an output."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.plots import draw_picture
from nwb_mepp.workflows.analysis import choose_channels
from nwb_mepp.workflows.settings import DetectionSettings
from nwb_mepp.workflows.stretches import stretches_left_out

__all__ = ["draw_pictures", "picture_paths"]


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
        # A channel's name may hold what a file's name may not.
        name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", f"{output.stem}{detail}.png")
        paths[channel, detector] = output.with_name(name)
    return paths


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
