"""Reading lab files as recordings: the formats that Neo reads, and text exported from lab software."""

from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.inspection import ChannelInfo, FileInfo, inspect
from nwb_mepp.readers.interface import ReaderEntry, extra_of
from nwb_mepp.readers.options import ReadOptions, parse_unit_options
from nwb_mepp.readers.recording_paths import find_recordings
from nwb_mepp.readers.recordings import read_recording
from nwb_mepp.readers.registry import reader_table
from nwb_mepp.readers.text.mini_analysis import EventTimes, read_mini_analysis

__all__ = [
    "ChannelInfo",
    "EventTimes",
    "FileContents",
    "FileInfo",
    "RawTrace",
    "ReadOptions",
    "ReaderEntry",
    "extra_of",
    "find_recordings",
    "inspect",
    "parse_unit_options",
    "read_mini_analysis",
    "read_recording",
    "reader_table",
]
