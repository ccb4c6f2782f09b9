"""Files that this program wrote: only these are replaced or removed unasked.

A picture carries a marker, which matplotlib writes from :func:`picture_metadata`. A table is read by other
programs and has no room for one: its SHA-256 stands in the list ``.nwb-mepp.json`` of its folder, so a table
that someone has edited since counts as theirs.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nwb_mepp._utils.atomic_files import complete_or_absent, hold
from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.provenance import sha256_of

__all__ = ["claim", "is_ours", "owned_file", "picture_metadata", "refuse_foreign", "remove_ours"]

LIST_NAME = ".nwb-mepp.json"
_ABOUT = "Files in this folder that nwb-mepp wrote, each with its SHA-256; it replaces no others."
_MARKER_KEY = {".png": "Software", ".pdf": "Creator", ".svg": "Creator"}
_MARKERS = {
    ".png": b"tEXtSoftware\0nwb-mepp",
    ".pdf": b"/Creator (nwb-mepp)",
    ".svg": b"<dc:title>nwb-mepp</dc:title>",
}
# A marker stands near the beginning, in PDF near the end.
_MARKED_BYTES = 1 << 16
# The file that is there and the one that replaces it, whichever an interruption leaves.
_N_REMEMBERED = 2


def picture_metadata(suffix: str) -> dict[str, str]:
    """Return the metadata that mark a picture as ours.

    Parameters
    ----------
    suffix : str
        ``.png``, ``.pdf`` or ``.svg``.

    Examples
    --------
    >>> picture_metadata(".png")
    {'Software': 'nwb-mepp'}
    """
    return {_MARKER_KEY[suffix]: "nwb-mepp"}


def is_ours(path: Path) -> bool:
    """Return whether this program wrote a file, and nobody has changed it since (a table).

    Parameters
    ----------
    path : Path
        Nothing there, a folder and a file that cannot be read are not ours. A link is as what it points to.

    Raises
    ------
    OutputError
        If the list of the folder is damaged.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        return _is_marked(path) or _is_listed(path)
    except OutputError:
        raise
    except OSError:
        return False


def refuse_foreign(path: Path) -> None:
    """Check that a path is free or holds a file of ours.

    Raises
    ------
    OutputError
        If something else stands there.
    """
    if os.path.lexists(path) and not is_ours(path):
        raise OutputError(
            f"expected {path} to be free or written by nwb-mepp, found another file, or one that was changed "
            "since; move or rename it, or choose another output folder."
        )


def claim(path: Path, *, content: Path | None = None) -> None:
    """Enter a file in the list of its folder.

    Parameters
    ----------
    path : Path
    content : Path, optional
        File that will be moved to ``path`` next. It is entered beside what is there now, so that either is
        recognized if the move does not happen.

    Raises
    ------
    OutputError
        If the list is damaged or cannot be written.
    """
    checksum = sha256_of([content or path])
    with hold(path.parent / LIST_NAME):
        files = _read_list(path.parent)
        known = [one for one in files.get(path.name, []) if one != checksum]
        files[path.name] = [*known, checksum][-_N_REMEMBERED:]
        _write_list(path.parent, files)


@contextmanager
def owned_file(path: Path) -> Iterator[Path]:
    """Provide a temporary path, as :func:`complete_or_absent` does, and make the file one of ours.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp(), "mepps.csv")
    >>> with owned_file(table) as temporary:
    ...     _ = temporary.write_text("file,amplitude")
    >>> is_ours(table)
    True

    Raises
    ------
    OutputError
        If a file that is not ours stands at ``path``, or the file system refuses.
    """
    with complete_or_absent(path) as temporary:
        refuse_foreign(path)
        yield temporary
        claim(path, content=temporary)


def remove_ours(path: Path) -> bool:
    """Remove a file if it is ours, and forget it.

    Returns
    -------
    bool
        Whether the path is free now; False where someone else's file stands there, which stays.

    Raises
    ------
    OutputError
        If the list of the folder is damaged or cannot be written.
    """
    if not os.path.lexists(path):
        return True
    with hold(path), hold(path.parent / LIST_NAME):
        if not is_ours(path):
            return False
        path.unlink(missing_ok=True)
        files = _read_list(path.parent)
        if files.pop(path.name, None) is not None:
            _write_list(path.parent, files)
    return True


def _is_marked(path: Path) -> bool:
    marker = _MARKERS.get(path.suffix.lower())
    if marker is None:
        return False
    with path.open("rb") as stream:
        if path.suffix.lower() == ".pdf":
            stream.seek(max(0, path.stat().st_size - _MARKED_BYTES))
        return marker in stream.read(_MARKED_BYTES)


def _is_listed(path: Path) -> bool:
    known = _read_list(path.parent).get(path.name)
    return known is not None and sha256_of([path]) in known


def _read_list(folder: Path) -> dict[str, list[str]]:
    place = folder / LIST_NAME
    if special_kind(place) is not None:
        raise _damaged(place)
    try:
        files = json.loads(place.read_text(encoding="utf-8"))["files"]
        if all(isinstance(name, str) and isinstance(known, list) for name, known in files.items()):
            return dict(files)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(place) from error
    raise _damaged(place)


def _damaged(place: Path) -> OutputError:
    return OutputError(
        f"expected the list of the files that nwb-mepp wrote in {place}, found no such list; remove it, and "
        "move away the tables beside it."
    )


def _write_list(folder: Path, files: dict[str, list[str]]) -> None:
    text = json.dumps({"about": _ABOUT, "files": files}, indent=1, sort_keys=True)
    with complete_or_absent(folder / LIST_NAME) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")
