"""Reading lab files as recordings: the formats that Neo reads, and text exported from lab software."""

from typing import TYPE_CHECKING

from nwb_mepp.core.lazy_names import lazy_names

if TYPE_CHECKING:
    from nwb_mepp.readers.contents import FileContents, RawTrace
    from nwb_mepp.readers.inspection import ChannelInfo, FileInfo, inspect
    from nwb_mepp.readers.interface import ReaderEntry, extra_of
    from nwb_mepp.readers.options import ReadArguments, ReadOptions
    from nwb_mepp.readers.recording_paths import find_recordings
    from nwb_mepp.readers.recordings import read_recording
    from nwb_mepp.readers.registry import reader_table
    from nwb_mepp.readers.text.event_table import EventTimes, read_event_table

__all__ = [
    "ChannelInfo",
    "EventTimes",
    "FileContents",
    "FileInfo",
    "RawTrace",
    "ReadArguments",
    "ReadOptions",
    "ReaderEntry",
    "extra_of",
    "find_recordings",
    "inspect",
    "read_event_table",
    "read_recording",
    "reader_table",
]

__getattr__ = lazy_names(
    __name__,
    {
        "contents": ("FileContents", "RawTrace"),
        "inspection": ("ChannelInfo", "FileInfo", "inspect"),
        "interface": ("ReaderEntry", "extra_of"),
        "options": ("ReadArguments", "ReadOptions"),
        "recording_paths": ("find_recordings",),
        "recordings": ("read_recording",),
        "registry": ("reader_table",),
        "text.event_table": ("EventTimes", "read_event_table"),
    },
)
