"""What a file says in passing: annotations as text, and which of them are not passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

__all__ = ["Annotations", "as_text"]

# Keys under which some formats name a person; a file that is to be shared must not carry them unasked.
_PERSONAL = ("birth", "firstname", "forename", "patient", "surname")
# What Neo puts there itself, or what has a place of its own.
_BOOKKEEPING = frozenset(
    {"channel_ids", "channel_names", "file_origin", "id", "name", "nix_name", "rec_datetime", "segments"}
    | {"stream_id"}
)


class Annotations:
    """Collects annotations of a file, and what has to be left out of them.

    Attributes
    ----------
    stated : dict of str to str
    """

    def __init__(self) -> None:
        self.stated: dict[str, str] = {}
        self._personal: dict[str, None] = {}
        self._unwritable: dict[str, None] = {}

    def add(self, stated: Mapping[str, Any], *, of: str = "") -> None:
        """Take in the annotations of the file, or of one thing in it.

        What the file as a whole says too is not repeated for the thing.

        Parameters
        ----------
        stated : mapping of str to object
        of : str, optional
            What they are said of ("sweep 3").
        """
        for key, value in stated.items():
            if key in _BOOKKEEPING or key.startswith("__"):
                continue
            name = f"{of}, {key}" if of else key
            text = as_text(value)
            if any(word in key.lower() for word in _PERSONAL):
                self._personal[key] = None
            elif text is None:
                self._unwritable[name] = None
            elif text and not (of and self.stated.get(key) == text):
                self.stated[name] = text

    def add_rows(self, stated: Mapping[str, Any], *, of: Sequence[str], what: str) -> None:
        """Take in annotations that hold one value for each of several things, a line for each.

        Parameters
        ----------
        stated : mapping of str to sequence
        of : sequence of str
            What the values are said of, in their order.
        what : str
            What these are ("channels").
        """
        for key, values in sorted(stated.items()):  # Neo's order is not always the same
            if key in _BOOKKEEPING:
                continue
            texts = [as_text(value) for value in values] if np.ndim(values) else []
            if len(texts) != len(of) or None in texts:
                self._unwritable[f"{what}, {key}"] = None
            elif len(set(texts)) == 1:
                self.add({key: texts[0]}, of=what)
            else:
                pairs = (f"{name}={text}" for name, text in zip(of, texts, strict=True) if text)
                self.add({key: "; ".join(pairs)}, of=what)

    @property
    def notes(self) -> list[str]:
        """One sentence for each reason to leave something out."""
        notes = []
        if self._personal:
            notes.append(f"Left out, because they name a person: {', '.join(self._personal)}.")
        if self._unwritable:
            first = ", ".join(list(self._unwritable)[:5])
            more = f" and {len(self._unwritable) - 5} more" if len(self._unwritable) > 5 else ""
            notes.append(f"Annotations left out, for they are more than a text or a number: {first}{more}.")
        return notes


def as_text(value: object) -> str | None:
    r"""Return an annotation as text, None if it is neither text nor a single number.

    Parameters
    ----------
    value : object
        A quantity keeps its unit.

    Examples
    --------
    >>> as_text(b"gap-free\x00\x00"), as_text(np.float32(1.8300000429)), as_text([1, 2]), as_text(None)
    ('gap-free', '1.83', None, '')
    """
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.ndarray) and hasattr(value, "dimensionality") and value.size == 1:
        return f"{float(value.item()):.15g} {value.dimensionality.string}"
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray) and value.size <= 1:
        if value.size == 0:
            return ""
        value = value.reshape(())[()]
    if isinstance(value, float | np.floating):
        return f"{float(value):.7g}" if isinstance(value, np.float32) else f"{float(value):.15g}"
    if isinstance(value, str | int | np.integer | np.bool_):
        return str(value).strip("\0 \r\n")
    return None
