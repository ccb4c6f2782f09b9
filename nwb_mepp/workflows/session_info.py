"""What the file and the user state about a recording, merged before anything is computed or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.core.version import __version__
from nwb_mepp.nwb import Metadata, load_metadata, require_extension
from nwb_mepp.nwb.clamp import check_clamp
from nwb_mepp.workflows.settings import WriteOptions

__all__ = ["Known", "complete", "stated_metadata"]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known about a recording from the file and the user.

    Attributes
    ----------
    session_start : datetime
        With a time zone.
    metadata : Metadata
    clamp : str or None
    extension : bool
        Write tables of the extension ``ndx-mepp`` instead of core ones.
    described : mapping
        What decides the output and is not of the samples, for the fingerprint.
    """

    session_start: datetime
    metadata: Metadata
    clamp: str | None
    extension: bool
    described: Mapping[str, object]


def complete(recording: Recording, path: Path, *, options: WriteOptions) -> Known:
    """Merge what the file and the user state.

    Parameters
    ----------
    recording : Recording
    path : Path
        Of the recording, whose name or date may state when it began.
    options : WriteOptions

    Returns
    -------
    Known

    Raises
    ------
    MetadataError
        If something is missing, wrong or contradictory.
    MissingDependencyError
        If tables of the extension are asked for and its package is not installed.
    """
    if options.extension:
        require_extension()
    metadata = stated_metadata(options)
    check_clamp(recording, clamp=options.clamp, metadata=metadata)
    session_start = resolve_session_start(
        recording.session_start,
        given=options.session_start,
        timezone=options.timezone,
        path=path,
        start_from=options.session_start_from,
        override=options.override,
    )
    described = {
        "package_version": __version__,
        "reader": recording.source.reader,
        **{f"read_{name}": value for name, value in recording.source.settings.items()},
        "session_start": session_start.isoformat(),
        "metadata_sha256": options.metadata and sha256_of([options.metadata]),
        "subject": options.subject,
        "session_id": options.session_id,
        "clamp": options.clamp,
        "extension": options.extension or None,
    }
    return Known(
        session_start=session_start,
        metadata=metadata,
        clamp=options.clamp,
        extension=options.extension,
        described=described,
    )


def stated_metadata(options: WriteOptions) -> Metadata:
    """Return what the user states about subject, session and equipment.

    Parameters
    ----------
    options : WriteOptions

    Returns
    -------
    Metadata

    Raises
    ------
    MetadataError
        If the metadata file cannot be read, or says another subject or session than the options.
    """
    metadata = Metadata() if options.metadata is None else load_metadata(options.metadata)
    if options.subject is not None:
        metadata = metadata.with_subject_id(options.subject, override=options.override)
    if options.session_id is not None:
        metadata = metadata.with_session_id(options.session_id)
    return metadata
