"""NWB files: writing recordings and results, reading them back, replacing results, checking.

The names below are loaded on first use: pynwb takes a second to import, which neither command-line help nor
the check for an existing output should cost.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nwb_mepp.nwb.event_tables import EventTable, FileTables, written_tables
    from nwb_mepp.nwb.extension import add_extension, remove_extension
    from nwb_mepp.nwb.extension_package import require_extension
    from nwb_mepp.nwb.hdf5_access import DETECTED_SINCE, interval_tables, read_fingerprint
    from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject
    from nwb_mepp.nwb.metadata_file import load_metadata, metadata_template
    from nwb_mepp.nwb.names import CURATED, CURATED_TABLE, TRUTH_TABLE, curated_by, is_curated
    from nwb_mepp.nwb.reader import open_nwb, recording_in
    from nwb_mepp.nwb.replacement import add_results, replace_results
    from nwb_mepp.nwb.results import (
        open_with_results,
        read_events,
        read_results,
        read_tables,
        reviewers_of,
    )
    from nwb_mepp.nwb.review_file import ReviewFile, open_for_review
    from nwb_mepp.nwb.statements import Statements
    from nwb_mepp.nwb.typed_tables import Retyped
    from nwb_mepp.nwb.validation import Finding, is_failure, validate_nwb
    from nwb_mepp.nwb.writer import add_recording, write_nwb

_MODULES = {
    "event_tables": ("EventTable", "FileTables", "written_tables"),
    "results": (
        "open_with_results",
        "read_events",
        "read_results",
        "read_tables",
        "reviewers_of",
    ),
    "extension_package": ("require_extension",),
    "metadata": ("Device", "Electrode", "Metadata", "Session", "Subject"),
    "metadata_file": ("load_metadata", "metadata_template"),
    "names": ("CURATED", "CURATED_TABLE", "TRUTH_TABLE", "curated_by", "is_curated"),
    "hdf5_access": ("DETECTED_SINCE", "interval_tables", "read_fingerprint"),
    "reader": ("open_nwb", "recording_in"),
    "statements": ("Statements",),
    "review_file": ("ReviewFile", "open_for_review"),
    "replacement": ("add_results", "replace_results"),
    "extension": ("add_extension", "remove_extension"),
    "typed_tables": ("Retyped",),
    "validation": ("Finding", "is_failure", "validate_nwb"),
    "writer": ("add_recording", "write_nwb"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "CURATED",
    "CURATED_TABLE",
    "DETECTED_SINCE",
    "TRUTH_TABLE",
    "Device",
    "Electrode",
    "EventTable",
    "FileTables",
    "Finding",
    "Metadata",
    "Retyped",
    "ReviewFile",
    "Session",
    "Statements",
    "Subject",
    "add_extension",
    "add_recording",
    "add_results",
    "curated_by",
    "interval_tables",
    "is_curated",
    "is_failure",
    "load_metadata",
    "metadata_template",
    "open_for_review",
    "open_nwb",
    "open_with_results",
    "read_events",
    "read_fingerprint",
    "read_results",
    "read_tables",
    "recording_in",
    "remove_extension",
    "replace_results",
    "require_extension",
    "reviewers_of",
    "validate_nwb",
    "write_nwb",
    "written_tables",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
