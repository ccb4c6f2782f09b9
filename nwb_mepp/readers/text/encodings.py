"""In which encoding a text file is, as far as its bytes tell."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nwb_mepp.core.errors import ReadError

__all__ = ["detect_encoding", "last_line_ends", "read_head"]

_HEAD_BYTES = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def detect_encoding(head: bytes, *, name: str) -> str:
    """Return the encoding of a text by its first bytes.

    Digits are the same in all of these encodings; what is at stake are names and units. Of the two
    one-byte encodings of the laboratory, Cyrillic (cp1251) and Western (cp1252), the first is taken
    where it makes whole words of one script, "Время", the second where the first would put a
    Cyrillic letter among Latin ones, "Durйe".

    Parameters
    ----------
    head : bytes
    name : str
        Of the file, for the message.

    Returns
    -------
    str
        A codec name of Python.

    Raises
    ------
    ReadError
        If the bytes are no text.

    Examples
    --------
    >>> detect_encoding("Время, s".encode("cp1251"), name="run.txt")
    'cp1251'
    >>> detect_encoding("Durée (s)".encode("cp1252"), name="run.txt")
    'cp1252'
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return _utf16_without_mark(head, name=name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # not final: the head may end inside a letter
    except UnicodeDecodeError:
        words = _WORD.findall(head.decode("cp1251", errors="replace"))
        mixed = any(_CYRILLIC.search(word) and _LATIN.search(word) for word in words)
        cyrillic = any(len(word) > 1 and _CYRILLIC.search(word) for word in words)
        return "cp1251" if cyrillic and not mixed else "cp1252"
    return "utf-8"


def _utf16_without_mark(head: bytes, *, name: str) -> str:
    """Tell UTF-16 by where its zero bytes stand: every second one, in a table of numbers."""
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
        If the file is no text.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    encoding = detect_encoding(head, name=path.name)
    return encoding, codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)


def last_line_ends(path: Path) -> bool:
    """Return whether a text ends with a line break; most that do not were cut off, or edited by hand.

    Parameters
    ----------
    path : Path
        Not empty.
    """
    with path.open("rb") as stream:
        stream.seek(-min(path.stat().st_size, 4), 2)
        return stream.read().rstrip(b"\0").endswith((b"\n", b"\r"))
