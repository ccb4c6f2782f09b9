"""The annotations of a file as text, and which of them are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from nwb_mepp.core.safe_text import storable

__all__ = ["Annotations", "as_text"]

# Keys under which some formats identify a person; a file to be shared must not contain them inadvertently.
_PERSONAL = ("birth", "firstname", "forename", "patient", "surname")
# Keys that Neo adds itself, or whose values are stored elsewhere.
_BOOKKEEPING = frozenset(
    {"channel_ids", "channel_names", "file_origin", "id", "name", "nix_name", "rec_datetime", "segments"}
    | {"stream_id"}
)


class Annotations:
    """Collects the annotations of a file and keeps track of those that are left out.

    Attributes
    ----------
    texts : dict of str to str
        The annotations that are kept, by name.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._personal: dict[str, None] = {}
        self._unwritable: dict[str, None] = {}

    def add(self, annotations: Mapping[str, Any], *, of: str = "") -> None:
        """Add annotations of the file, or of something in it such as a sweep.

        An annotation of a sweep that repeats one of the file is not added.

        Parameters
        ----------
        annotations : mapping of str to object
        of : str, optional
            What they describe, if not the file ("sweep 3").
        """
        for key, value in annotations.items():
            if key in _BOOKKEEPING or key.startswith("__"):
                continue
            name = f"{of}, {key}" if of else key
            text = as_text(value)
            if any(word in key.lower() for word in _PERSONAL):
                self._personal[key] = None
            elif text is None:
                self._unwritable[name] = None
            elif text and not (of and self.texts.get(key) == text):
                self.texts[name] = text

    def add_rows(self, annotations: Mapping[str, Any], *, of: Sequence[str], what: str) -> None:
        """Add annotations that have one value for each of several things, such as channels.

        Parameters
        ----------
        annotations : mapping of str to sequence
        of : sequence of str
            Names of the things that the values describe, in the same order.
        what : str
            What these are ("channels").
        """
        for key, values in sorted(annotations.items()):  # Neo does not always keep the order
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
            notes.append(f"Left out because they identify a person: {', '.join(self._personal)}.")
        if self._unwritable:
            first = ", ".join(list(self._unwritable)[:5])
            more = f" and {len(self._unwritable) - 5} more" if len(self._unwritable) > 5 else ""
            notes.append(
                f"Annotations left out because they are not a text or a single number: {first}{more}."
            )
        return notes


def as_text(value: object) -> str | None:
    r"""Return an annotation as text, or None if it is neither a text nor a single number.

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
        return storable(str(value).strip("\0 \r\n"))
    return None
