"""The errors a user can cause, each saying what was expected, what was found and what to do.

Everything derived from :class:`MeppError` is shown by the command line as one sentence, without a
traceback. Any other exception is a defect of the package.
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
    """Base of all errors that a user can cause and correct."""


class UsageError(MeppError, ValueError):
    """An argument or option is wrong or contradicts another (exit code 2)."""


class ReadError(MeppError, ValueError):
    """A file cannot be read, or what was read is not plausible."""


class MetadataError(MeppError, ValueError):
    """What is known of the recording is missing, wrong or contradictory."""


class DetectionError(MeppError, ValueError):
    """A recording does not allow detection: too short, too slow, constant, not finite."""


class OutputError(MeppError, OSError):
    """A result cannot be written, or what would be overwritten is not ours to overwrite."""


class MissingDependencyError(MeppError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""
