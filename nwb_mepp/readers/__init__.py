"""Any file Neo reads, and the text formats of the laboratory, as a :class:`~nwb_mepp.recording.Recording`."""

from nwb_mepp.readers.contents import FileContents, StatedTrace
from nwb_mepp.readers.find import find_recordings
from nwb_mepp.readers.inspection import ChannelInfo, FileInfo, inspect
from nwb_mepp.readers.mini_analysis import EventTimes, read_mini_analysis
from nwb_mepp.readers.options import ReadOptions, parse_unit_options
from nwb_mepp.readers.reading import read_recording
from nwb_mepp.readers.registry import ReaderEntry, extra_of, reader_table

__all__ = [
    "ChannelInfo",
    "EventTimes",
    "FileContents",
    "FileInfo",
    "ReadOptions",
    "ReaderEntry",
    "StatedTrace",
    "extra_of",
    "find_recordings",
    "inspect",
    "parse_unit_options",
    "read_mini_analysis",
    "read_recording",
    "reader_table",
]
