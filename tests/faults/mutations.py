"""Random changes of a file, as a list of edits that can be stored and applied again."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Edit", "applied", "draw_edits"]

# Where headers are.
_HEADER = 4096
_HDF5 = b"\x89HDF"
_NUMBER = re.compile(rb"-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
_WORDS = (
    *(b"nan", b"inf", b"-1", b"0", b"1e308", b"1e-320", b"99999999999999999999", b"0x7f", b"1,5", b"1.5.2"),
    *(b"", b" ", b"\t", b"\n", b"\r\n", b"\x00", b'"', b"'", b";", b",", b"=", b"=1+1", b"\x1b[2J", b"\xff"),
    *(
        b"\xef\xbb\xbf",
        "µV".encode(),
        "µV".encode("latin-1"),
        "Ω".encode("utf-16"),
        b"V",
        b"mA",
        b"s",
        b"min",
    ),
    *(b"2026-13-45T99:99:99Z", b"null", b"true", b"[]", b"{}", b"- ", b": ", b"&a *a", b"!!python/name:os"),
    *(b"../../x", b"/dev/full", b"a" * 5000, b"%s%n", b"1" * 400),
)
_INTEGERS = (0, 1, -1, 2, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**24, 512, 10_000)
_REALS = (0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1e-38, 3e38, -1.0, 1e9, 1e-9)


class Edit(NamedTuple):
    """Bytes that replace others.

    Attributes
    ----------
    at, removed : int
    inserted : bytes
    """

    at: int
    removed: int
    inserted: bytes


def applied(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return a file after some edits, one after another.

    Examples
    --------
    >>> applied(b"0.1,2", [Edit(4, 1, b"nan")])
    b'0.1,nan'
    """
    for at, removed, inserted in edits:
        content = content[:at] + inserted + content[at + removed :]
    return content


def draw_edits(content: bytes, random_: random.Random, *, text: bool) -> list[Edit]:
    """Draw one to four edits of a file; text is changed word by word half of the time."""
    edits: list[Edit] = []
    for _ in range(random_.choice([1, 1, 1, 2, 4])):
        as_text = text and random_.random() < 0.6
        edit = (_edit_of_text if as_text else _edit_of_bytes)(content, random_)
        content = applied(content, [edit])
        edits.append(edit)
    return edits


def _place(content: bytes, random_: random.Random) -> int:
    n = len(content)
    # In HDF5 the first bytes only say where everything else is.
    in_header = random_.random() < (0.1 if content.startswith(_HDF5) else 0.7)
    return random_.randrange(max(1, min(n, _HEADER) if in_header else n))


def _edit_of_bytes(content: bytes, random_: random.Random) -> Edit:
    at, n = _place(content, random_), len(content)
    aligned = at - at % 4
    match random_.randrange(10):
        case 0:
            return Edit(at, 1, bytes([content[at] ^ 1 << random_.randrange(8)]) if at < n else b"\0")
        case 1:
            return Edit(at, 1, random_.randbytes(1))
        case 2:
            return Edit(at, n - at, b"")
        case 3:
            return Edit(at, random_.choice([1, 4, 64, 512, 5000]), b"")
        case 4:
            return Edit(at, 0, random_.randbytes(random_.choice([1, 4, 64, 512])))
        case 5:
            length = random_.choice([2, 8, 64, 512])
            return Edit(at, length, random_.choice([b"\0", b"\xff"]) * length)
        case 6:
            length = random_.choice([16, 512, 4096])
            return Edit(at, 0, content[at : at + length])
        case 7:
            return Edit(aligned, 4, struct.pack("<f", random_.choice(_REALS)))
        case 8:
            return Edit(aligned, 2, struct.pack("<H", random_.choice(_INTEGERS) & 0xFFFF))
        case _:
            return Edit(aligned, 4, struct.pack("<I", random_.choice(_INTEGERS) & 0xFFFFFFFF))


def _edit_of_text(content: bytes, random_: random.Random) -> Edit:
    at = _place(content, random_)
    begin, end = content.rfind(b"\n", 0, at) + 1, content.find(b"\n", at) + 1 or len(content)
    match random_.randrange(6):
        case 0:
            return Edit(begin, end - begin, b"")
        case 1:
            return Edit(end, 0, content[begin:end] * random_.choice([1, 3]))
        case 2:
            return Edit(at, 0, random_.choice(_WORDS))
        case 3:
            old, new = random_.sample([b",", b".", b";", b"\t", b" ", b":", b"\n"], 2)
            where = content.find(old, begin)
            return Edit(max(where, 0), len(old), new)
        case _:
            number = _NUMBER.search(content, begin)
            if number is None:
                return Edit(at, 1, random_.choice(_WORDS))
            return Edit(number.start(), len(number[0]), random_.choice(_WORDS))
