"""The metadata file: a reader of YAML whose errors name the line, and a commented template."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import Field, fields
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import yaml

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import MetadataError
from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Section, Session, Subject

__all__ = ["load_metadata", "metadata_template"]

SINGLE: dict[str, type[Section]] = {"session": Session, "subject": Subject}
LISTS: dict[str, type[Section]] = {"devices": Device, "electrodes": Electrode}

SectionT = TypeVar("SectionT", bound=Section)


def load_metadata(path: str | PathLike[str]) -> Metadata:
    """Read a metadata file.

    Values are taken literally (``007`` stays ``007``); keys without a value count as absent.

    Parameters
    ----------
    path : path-like
        YAML with the sections ``session``, ``subject``, ``devices`` and ``electrodes``
        (:func:`metadata_template`), all optional.

    Raises
    ------
    MetadataError
        If the file is missing, is not YAML, or holds an unknown key or a value of the wrong form; the
        message names the line.
    """
    place = Path(path)
    kind = special_kind(place)
    if kind is not None:  # it is read several times, and the first may wait for ever
        raise MetadataError(
            f"expected a metadata file, found {kind} at {place}; save what it gives to a file first."
        )
    try:
        text = place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataError(
            f"expected metadata as UTF-8 text, found other bytes in {place}; save it as UTF-8."
        ) from error
    except OSError as error:
        raise MetadataError(
            f"expected a metadata file, found that {place} cannot be read ({error.strerror}); check the path."
        ) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place} line {mark.line + 1}" if mark else str(place)
        problem = getattr(error, "problem", None) or "an unreadable character"
        raise MetadataError(
            f"{where}: expected YAML, found: {problem}; check colons, quotes and indents."
        ) from error
    except RecursionError as error:
        raise MetadataError(
            f"{place}: expected sections of keys and texts, found YAML that is nested far too deep; "
            "correct the file."
        ) from error
    return _Reader(place).metadata(root)


class _Reader:
    """Converts YAML nodes to :class:`Metadata`; knows the file for its messages."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def metadata(self, root: yaml.Node | None) -> Metadata:
        single: dict[str, Any] = {}
        for name, node in self._items(root, {*SINGLE, *LISTS}, "the file"):
            if name in SINGLE:
                single[name] = self._section(node, SINGLE[name], name)
            else:
                entries = (self._section(entry, LISTS[name], name) for entry in self._entries(node, name))
                single[name] = tuple(entry for entry in entries if entry is not None)
        try:
            return Metadata(**{name: value for name, value in single.items() if value is not None})
        except MetadataError as error:
            raise MetadataError(f"{self._path}: {error}") from error

    def _section(self, node: yaml.Node, section: type[SectionT], name: str) -> SectionT | None:
        """Return a section, or None if all its values are empty."""
        keys = {key.name: key for key in fields(section)}
        values: dict[str, Any] = {}
        for key_name, value_node in self._items(node, keys, name):
            value = self._value(value_node, keys[key_name], f"{name}.{key_name}")
            if value not in (None, ()):
                values[key_name] = value
        if not values:
            return None
        missing = [key.name for key in keys.values() if key.metadata["required"] and key.name not in values]
        if missing:
            raise self._error(
                node, f"expected '{missing[0]}' in each entry of {name}, found none; fill it in"
            )
        return section(**values)

    def _value(self, node: yaml.Node, key: Field[Any], name: str) -> str | tuple[str, ...] | None:
        if key.default == ():
            return tuple(
                self._text(entry, name) or "" for entry in self._entries(node, name) if not _is_null(entry)
            )
        text = self._text(node, name)
        check = key.metadata["check"]
        complaint = check(text) if check and text is not None else None
        if complaint:
            raise self._error(node, f"{name}: {complaint}")
        return text

    def _text(self, node: yaml.Node, name: str) -> str | None:
        if _is_null(node):
            return None
        if not isinstance(node, yaml.ScalarNode):
            found = "a list" if isinstance(node, yaml.SequenceNode) else "further keys"
            raise self._error(
                node, f"{name}: expected one text, found {found}; write it after the colon, in quotes"
            )
        return str(node.value).strip() or None

    def _entries(self, node: yaml.Node, name: str) -> list[yaml.Node]:
        if _is_null(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            found = "further keys" if isinstance(node, yaml.MappingNode) else repr(node.value)
            raise self._error(node, f"{name}: expected a list, found {found}; begin each entry with '- '")
        return list(node.value)

    def _items(self, node: yaml.Node | None, known: Iterable[str], name: str) -> list[tuple[str, yaml.Node]]:
        if node is None or _is_null(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            raise self._error(
                node, f"expected keys with values in {name}, found something else; write 'key: value'"
            )
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key not in known:
                nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                advice = (
                    f"did you mean '{nearest[0]}'?"
                    if nearest
                    else f"known keys are {', '.join(sorted(known))}."
                )
                raise self._error(
                    key_node, f"expected a known key in {name}, found '{key}'; {advice}", stop=""
                )
            if key in seen:
                raise self._error(
                    key_node, f"expected each key of {name} once, found '{key}' twice; drop one"
                )
            seen.add(key)
        return [(str(key_node.value), value_node) for key_node, value_node in node.value]

    def _error(self, node: yaml.Node, complaint: str, *, stop: str = ".") -> MetadataError:
        return MetadataError(f"{self._path} line {node.start_mark.line + 1}: {complaint}{stop}")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def metadata_template() -> str:
    """Return a commented metadata file to fill in; unchanged, it states nothing.

    Examples
    --------
    >>> print(metadata_template()[:148])
    # Metadata of your recordings. Fill in what you know and leave the rest empty: empty
    # keys are not written to the NWB file, and nothing is guessed.
    """
    lines = [
        "# Metadata of your recordings. Fill in what you know and leave the rest empty: empty",
        "# keys are not written to the NWB file, and nothing is guessed.",
    ]
    for name, section in (SINGLE | LISTS).items():
        about = (section.__doc__ or "").strip().splitlines()[0]
        first, further = ("  - ", "    ") if name in LISTS else ("  ", "  ")
        lines += ["", f"# {about}", f"{name}:"]
        if name in LISTS:
            lines[-2] += " Repeat the block from '- ' on for each one."
        for number, key in enumerate(fields(section)):
            wanted = " Required." if key.metadata["required"] else ""
            example = f"- {key.metadata['example']}" if key.default == () else key.metadata["example"]
            lines.append(f"{further}# {key.metadata['help']}{wanted} For example: {example}")
            lines.append(f"{first if number == 0 else further}{key.name}:")
    return "\n".join(lines) + "\n"
