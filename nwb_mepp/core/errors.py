"""Errors that a user can cause and fix; each message says what was expected, what was found and what to do.

The command line shows an error derived from :class:`MeppError` as a plain sentence, without a traceback. Any
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
    """Base class of all errors that a user can cause and fix."""


class UsageError(MeppError, ValueError):
    """An argument or option is wrong or contradicts another (exit code 2)."""


class ReadError(MeppError, ValueError):
    """A file cannot be read, or its content is implausible."""


class MetadataError(MeppError, ValueError):
    """Metadata of the recording are missing, wrong or contradictory."""


class DetectionError(MeppError, ValueError):
    """A recording is not suitable for detection: too short, sampled too slowly, constant, not finite."""


class OutputError(MeppError, OSError):
    """A result cannot be written, or would overwrite a file that must not be overwritten."""


class MissingDependencyError(MeppError, ImportError):
    """An optional package is missing; the message names the extra that installs it."""
