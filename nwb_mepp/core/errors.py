"""The errors that callers can catch. Each says what was expected, what was found and what to do."""

from __future__ import annotations

__all__ = [
    "ClusterError",
    "DetectionError",
    "MeppError",
    "MetadataError",
    "MissingDependencyError",
    "OutputError",
    "ReadError",
    "UsageError",
]


class MeppError(Exception):
    """Base class of all errors that a file, an option or the installation causes."""


class UsageError(MeppError, ValueError):
    """An option or argument is wrong, or contradicts another; the command line ends with exit code 2."""


class ReadError(MeppError, ValueError):
    """A file cannot be read, or its content is implausible."""


class MetadataError(MeppError, ValueError):
    """Metadata of the recording are missing, wrong or contradictory."""


class DetectionError(MeppError, ValueError):
    """The samples do not allow detection (too short, constant, not finite), or a detector cannot be used."""


class OutputError(MeppError, OSError):
    """A result cannot be written, or would overwrite a file unasked."""


class ClusterError(MeppError, RuntimeError):
    """A Dask cluster cannot be reached, or cannot do the work."""


class MissingDependencyError(MeppError, ImportError):
    """An optional package is not installed; the message names the extra that installs it."""
