"""Links of a file that pynwb cannot carry through a change: to other files, and second names of objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import h5py

from nwb_mepp.core.errors import OutputError
from nwb_mepp.nwb.summary_table import ICEPHYS

__all__ = [
    "leave_out_missing",
    "missing_targets",
    "refuse_broken_links",
    "refuse_foreign_places",
    "set_aside",
]

_UNTYPED = frozenset(
    {"/", "/acquisition", "/analysis", "/general", "/intervals", "/processing", "/scratch", "/stimulus"}
    | {"/stimulus/presentation", "/stimulus/templates"}
    | {f"/general/{name}" for name in ("devices", "extracellular_ephys", "intracellular_ephys")}
    | {f"/general/{name}" for name in ("optogenetics", "optophysiology")}
)

# Where a link to a group can be left out while the file is read: it is a series, a container or a module.
_CONTENT = re.compile(
    r"/(acquisition|analysis|scratch|stimulus/presentation|stimulus/templates|processing(/[^/]+)?)/[^/]+"
)
_TABLE_PLACES = ("/intervals", "/processing", f"/processing/{ICEPHYS}")


def refuse_broken_links(source: Path, target: Path) -> None:
    """Refuse to write a copy of a file into another folder if it names other files relative to its own.

    HDF5 would look for them beside the copy, and give zeros for what it does not find.

    Parameters
    ----------
    source, target : Path

    Raises
    ------
    OutputError
        If a link, a virtual dataset or external samples would lead elsewhere.
    """
    if source.resolve().parent == target.resolve().parent:
        return
    with h5py.File(source, "r") as handle:
        for place, one in _named_files(handle):
            if not (PurePosixPath(one).is_absolute() or PureWindowsPath(one).is_absolute()):
                raise OutputError(
                    f"expected {source} to hold its samples itself or to name other files by absolute paths, "
                    f"found that {place} lies in {one!r} beside it, which would not be found from "
                    f"{target.parent}; write the output to the folder of the file."
                )


def missing_targets(handle: h5py.File) -> dict[str, str]:
    """Return what the series of ``/acquisition`` name that is not there.

    HDF5 says nothing of it, or gives zeros for samples of such a file.

    Parameters
    ----------
    handle : h5py.File

    Returns
    -------
    dict of str to str
        The place that is missing by the path that leads to it.
    """
    group = handle.get("acquisition")
    if not isinstance(group, h5py.Group):
        return {}
    folder = Path(handle.filename).parent
    missing = {}
    for path, link in _links(group):
        if not isinstance(link, h5py.HardLink):
            if _opened(handle, path) is None:
                inner = link.path
                missing[path] = (
                    f"{inner} of {link.filename}" if isinstance(link, h5py.ExternalLink) else inner
                )
        elif isinstance(handle[path], h5py.Dataset):
            names = _files_of(handle[path])
            lost = [one for one in names if "%" not in one and not (folder / one).exists()]
            if lost:
                missing[path] = lost[0]
    return missing


def leave_out_missing(missing: Mapping[str, str], found: Set[str], left_out: dict[str, str]) -> list[str]:
    """Say what is missing of each series, in ``left_out`` if its samples are and else in a sentence.

    Parameters
    ----------
    missing : mapping of str to str
        From :func:`missing_targets`.
    found : set of str
        Names of the series that were found.
    left_out : dict of str to str
        The reason by the name of each series that is left out.
    """
    sentences = []
    names = found | left_out.keys()
    for path, target in missing.items():
        name = path.removeprefix("/acquisition/").removesuffix("/data")
        reason = f"it leads to {target}, which is not there; get what is missing from whoever gave the file"
        if path.endswith("/data") and name in names:
            left_out[name] = reason
        else:
            sentences.append(f"Series {name!r} was left out: {reason}.")
    return sentences


def refuse_foreign_places(source: Path, series: Iterable[str]) -> None:
    """Refuse to annotate a file whose tables would lie in another one, or whose series have other names.

    Parameters
    ----------
    source : Path
    series : iterable of str
        Paths by which tables are going to name series that are links to another file.

    Raises
    ------
    OutputError
        If the group of a table is a link to another file, or a path does not exist: pynwb gives a series the
        name that it has in the other file.
    """
    with h5py.File(source, "r") as handle:
        for place in _TABLE_PLACES:
            link = handle.get(place, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise OutputError(
                    f"expected {place} in {source} itself, where MEPPs are written, found a link to "
                    f"{link.filename!r}, which is never changed; rename that link."
                )
        for path in series:
            if path not in handle:
                raise OutputError(
                    f"expected a link {path} in {source}, named as the series in the other file, found it "
                    "under another name; rename the link."
                )


@contextmanager
def set_aside(handle: h5py.File, source: Path) -> Iterator[None]:
    """Hide links that pynwb cannot carry through a change of a file, and put them back as they were.

    The other file must not be opened for writing, so a dataset that lies there is replaced by an empty one of
    its shape, and a link to a series or a module is removed, unless an object of this file needs what is
    there. A second name of an object in a group that NWB does not know is removed too.

    Parameters
    ----------
    handle : h5py.File
        A copy of ``source``, open for writing.
    source : Path
    """
    with h5py.File(source, "r") as original:
        links = {path: link for path, link in _links(original) if not isinstance(link, h5py.HardLink)}
        groups = _linked_contents(original, links)
        linked = _linked_datasets(original, links, groups)
    second = _second_names(handle)
    for path in groups:
        del handle[path]
    for path, one in linked.items():
        del handle[path]
        stand_in = handle.create_dataset(
            path, shape=one.shape, dtype=one.dtype, chunks=one.shape != () or None
        )
        stand_in.attrs.update(one.attributes)
    for path in second:
        del handle[path]
    yield
    for path, one in linked.items():
        del handle[path]
        handle[path] = one.link
    for path, link in groups.items():
        handle[path] = link
    for path, first in second.items():
        handle[path] = handle[first]


@dataclass(frozen=True, kw_only=True)
class _Linked:
    link: h5py.ExternalLink | h5py.SoftLink
    shape: tuple[int, ...]
    dtype: Any
    attributes: dict[str, Any]


def _linked_datasets(
    handle: h5py.File, links: Mapping[str, Any], groups: Iterable[str]
) -> dict[str, _Linked]:
    """Return links to datasets of other files, directly or through one of the linked ``groups``."""
    found = {}
    for path, link in links.items():
        if isinstance(link, h5py.ExternalLink) or any(_leads_into(one, link) for one in groups):
            dataset = _opened(handle, path)
            if isinstance(dataset, h5py.Dataset):
                found[path] = _Linked(
                    link=link,
                    shape=dataset.shape,
                    dtype=dataset.dtype,
                    attributes={
                        name: value
                        for name, value in dataset.attrs.items()
                        if not isinstance(value, h5py.Reference)
                    },
                )
    return found


def _linked_contents(handle: h5py.File, links: Mapping[str, Any]) -> dict[str, h5py.ExternalLink]:
    """Return links to whole groups among the contents of a file that no object of the file needs."""
    needed = [
        link
        for path, link in links.items()
        if isinstance(link, h5py.SoftLink)
        and not _CONTENT.fullmatch(path)
        and not isinstance(_opened(handle, path), h5py.Dataset)
    ]
    return {
        path: link
        for path, link in links.items()
        if isinstance(link, h5py.ExternalLink)
        and _CONTENT.fullmatch(path)
        and isinstance(_opened(handle, path), h5py.Group)
        and not any(_leads_into(path, one) for one in needed)
    }


def _leads_into(group: str, link: Any) -> bool:
    """Return whether a link is a soft one to a group or to something in it."""
    return isinstance(link, h5py.SoftLink) and f"{link.path}/".startswith(f"{group}/")


def _opened(handle: h5py.File, path: str) -> Any:
    try:
        return handle[path]
    except (KeyError, OSError):  # the other file is not there
        return None


def _second_names(handle: h5py.File) -> dict[str, str]:
    """Map each name in a group that NWB does not know to the name where NWB expects the object."""
    names: dict[Any, list[str]] = {}
    for path, link in _links(handle):
        if isinstance(link, h5py.HardLink):
            names.setdefault(h5py.h5o.get_info(handle[path].id).addr, []).append(path)
    second: dict[str, str] = {}
    for paths in (one for one in names.values() if len(one) > 1):
        known = [path for path in paths if _is_known(handle, path)]
        if known:
            second |= {path: known[0] for path in paths if path not in known}
    return second


def _is_known(handle: h5py.File, path: str) -> bool:
    parent = path.rpartition("/")[0] or "/"
    return all(
        place in _UNTYPED or "neurodata_type" in handle[place].attrs
        for place in ("/", *(str(one) for one in PurePosixPath(parent).parents), parent)
    )


def _links(start: h5py.Group) -> Iterator[tuple[str, Any]]:
    """Return the path and the kind of every link below a group; the content of a group is listed once."""
    seen, waiting = set(), [start["/"] if isinstance(start, h5py.File) else start]
    while waiting:
        group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        place = group.name.rstrip("/")
        for name in group:
            link = group.get(name, getlink=True)
            yield f"{place}/{name}", link
            if isinstance(link, h5py.HardLink) and group.get(name, getclass=True) is h5py.Group:
                waiting.append(group[name])


def _named_files(handle: h5py.File) -> Iterator[tuple[str, str]]:
    """Return the place and the name of every other file that a file names."""
    for path, link in _links(handle):
        if isinstance(link, h5py.ExternalLink):
            yield path, link.filename
        elif isinstance(link, h5py.HardLink) and isinstance(handle[path], h5py.Dataset):
            yield from ((path, name) for name in _files_of(handle[path]))


def _files_of(dataset: h5py.Dataset) -> list[str]:
    """Return the names of other files that hold samples of a dataset."""
    virtual = dataset.virtual_sources() if dataset.is_virtual else ()
    names = [one.file_name for one in virtual if one.file_name != "."]
    return names + [name for name, _, _ in dataset.external or ()]
