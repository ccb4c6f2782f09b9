r"""Text of unknown origin made safe to show and to write: names of files and channels, comments, messages.

A control character is written as an escape (``\x1b``), so that no name can move the cursor, forge a line or
hide text; so is a byte of a file name that is not UTF-8 (``\udcff``), which no file format takes. In CSV an
apostrophe precedes what a spreadsheet would take for a formula. All of it can be reversed.
"""

from __future__ import annotations

import json
import re

__all__ = ["csv_cell", "from_csv_cell", "json_text", "storable", "visible"]

# C0, DEL and C1 (which terminals obey, too), line separators, what reorders text, halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# JSON already escapes the first 32.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# HDF5 ends a text at NUL and stores UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")
# Excel, LibreOffice and others evaluate a cell that begins so, in its wide form, too.
_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20]")


def visible(text: str, *, keep: str = "") -> str:
    r"""Return text with every control character as an escape.

    Parameters
    ----------
    text : str
    keep : str, default ""
        Control characters that stay, such as the line breaks of a table that this package made.

    Examples
    --------
    >>> print(visible("Vm\x1b[2J\n"))
    Vm\x1b[2J\x0a
    """
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def storable(text: str) -> str:
    r"""Return text as HDF5 can store it: NUL, and bytes of a file name that are not UTF-8, as escapes.

    Examples
    --------
    >>> print(storable("Vm\0"))
    Vm\x00
    """
    return _UNSTORABLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def csv_cell(text: str) -> str:
    r"""Return text as a cell of a CSV table that no spreadsheet evaluates.

    :func:`from_csv_cell` gives the text back.

    Examples
    --------
    >>> csv_cell("=1+1"), csv_cell("'=1+1"), csv_cell("Vm"), csv_cell("'Vm'")
    ("'=1+1", "''=1+1", 'Vm', "'Vm'")
    """
    # A text that looks like an escape would be taken for one by who reads the table.
    shown = visible(_ESCAPED.sub(lambda found: f"\\x5c{found[0][1:]}", text))
    return f"'{shown}" if _FORMULA.match(shown) else shown


def from_csv_cell(cell: str) -> str:
    r"""Return the text of a cell that :func:`csv_cell` wrote.

    Examples
    --------
    >>> [from_csv_cell(csv_cell(text)) == text for text in ("=1+1", "'-1", "a\nb", "a\\x0ab", "'Vm'")]
    [True, True, True, True, True]
    """
    shown = cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), shown)


def json_text(document: object, *, indent: int | None = None) -> str:
    r"""Return a document as JSON in which control characters and halves of surrogate pairs are escaped.

    Raises
    ------
    ValueError
        If a number is not finite.

    Examples
    --------
    >>> print(json_text({"channel": "V\u00f6\x9b"}))
    {"channel": "Vö\u009b"}
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
