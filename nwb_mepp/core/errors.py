"""Errors that the user can fix; each says what was expected, what was found and what to do.

The command line shows anything derived from :class:`MeppError` as one sentence, without a traceback. Any
other exception is a bug in the package.
"""

from __future__ import annotations

__all__ = [
    "DetectionError",
    "MeppError",
    "MetadataError",
    "MissingDependencyError",
    "OutputError",
    "ReadError",
    "UsageError",
]


class MeppError(Exception):
    """Base class of the errors that the user can fix."""


class UsageError(MeppError, ValueError):
    """An argument or option is wrong or contradicts another (exit code 2)."""


class ReadError(MeppError, ValueError):
    """A file cannot be read, or its contents are implausible."""


class MetadataError(MeppError, ValueError):
    """Metadata of the recording are missing, wrong or contradictory."""


class DetectionError(MeppError, ValueError):
    """A recording does not allow detection: too short, too slow, constant, not finite."""


class OutputError(MeppError, OSError):
    """A result cannot be written, or would overwrite what nwb-mepp must not overwrite."""


class MissingDependencyError(MeppError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""
