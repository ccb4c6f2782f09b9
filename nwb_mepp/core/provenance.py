"""Checksums and fingerprints, which trace a result back to its input and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["describe_settings", "fingerprint", "sha256_of"]


def sha256_of(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the concatenated bytes of files, sorted by path.

    Parameters
    ----------
    paths : iterable of Path
        A single file for most formats; all files of a multi-file format or folder.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(paths):
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def describe_settings(settings: Mapping[str, object]) -> str:
    """Return settings as one line of sorted ``name=value`` pairs, without those that are None.

    The line is meant to be read and compared, not parsed.

    Examples
    --------
    >>> describe_settings({"unit": "mA", "gain": None, "block_s": 60.0})
    'block_s=60.0; unit=mA'
    """
    return "; ".join(f"{name}={settings[name]}" for name in sorted(settings) if settings[name] is not None)


def fingerprint(settings: Mapping[str, object]) -> str:
    """Return the SHA-256 of :func:`describe_settings`; equal settings have equal fingerprints."""
    return hashlib.sha256(describe_settings(settings).encode()).hexdigest()
