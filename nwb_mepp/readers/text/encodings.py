"""Detecting the encoding of a text file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nwb_mepp.core.errors import ReadError

__all__ = ["detect_encoding", "ends_with_newline", "read_head"]

_HEAD_BYTES = 1 << 16
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def detect_encoding(head: bytes, *, name: str) -> str:
    """Detect the encoding of a text from its first bytes.

    Digits are the same in all of these encodings; only names and units depend on the choice. Of the two
    single-byte encodings that occur, Cyrillic (cp1251) and Western European (cp1252), the first is chosen
    if it yields words of one script, "Время", and the second if the first would mix Cyrillic letters
    with Latin ones, "Durйe".

    Parameters
    ----------
    head : bytes
    name : str
        Name of the file, for error messages.

    Returns
    -------
    str
        Name of a Python codec.

    Raises
    ------
    ReadError
        If the bytes are not text.

    Examples
    --------
    >>> detect_encoding("Время, s".encode("cp1251"), name="run.txt")
    'cp1251'
    >>> detect_encoding("Durée (s)".encode("cp1252"), name="run.txt")
    'cp1252'
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return _utf16_without_bom(head, name=name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(
            head
        )  # incremental, as the head may end within a character
    except UnicodeDecodeError:
        words = _WORD.findall(head.decode("cp1251", errors="replace"))
        mixed = any(_CYRILLIC.search(word) and _LATIN.search(word) for word in words)
        cyrillic = any(len(word) > 1 and _CYRILLIC.search(word) for word in words)
        return "cp1251" if cyrillic and not mixed else "cp1252"
    return "utf-8"


def _utf16_without_bom(head: bytes, *, name: str) -> str:
    """Recognize UTF-16 by its zero bytes: every second byte, in a table of numbers."""
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[offset::2].count(0), head[1 - offset :: 2].count(0)
        if others == 0 and zeros > 0.5 * len(head) / 2:
            return encoding
    raise ReadError(
        f"{name}: expected text, found zero bytes as in a binary file; choose its reader with "
        "`reader='NAME'`."
    )


def read_head(path: Path) -> tuple[str, str]:
    """Return the encoding of a text file and its first 64 KiB as text.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If the file is not text.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    encoding = detect_encoding(head, name=path.name)
    return encoding, codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)


def ends_with_newline(path: Path) -> bool:
    """Return whether a text file ends with a line break; most files without one were cut off or edited.

    Parameters
    ----------
    path : Path
        A file that is not empty.
    """
    with path.open("rb") as stream:
        stream.seek(-min(path.stat().st_size, 4), 2)
        return stream.read().rstrip(b"\0").endswith((b"\n", b"\r"))
