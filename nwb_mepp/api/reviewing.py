"""The review of recordings from Python, beside a notebook."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from nwb_mepp.curation.desk import Wishes
from nwb_mepp.curation.serving import RunningReview, require_server
from nwb_mepp.workflows.batch import find_nwb_files

__all__ = ["review"]

# A cell of a notebook is often run again, while the page of the last time still holds the file.
_running: list[tuple[set[Path], RunningReview]] = []


def review(
    path: str | PathLike[str],
    *,
    table: str | None = None,
    reviewer: str = "",
    blind_seed: int | None = None,
    extension: bool = False,
    port: int = 0,
) -> RunningReview:
    """Show the page on which a person looks at MEPPs, corrects them and decides.

    In a notebook the page appears as the result; elsewhere open ``url`` in a browser of this computer. Every
    decision is written to a journal beside the file before the page shows it. A review of the same file that
    goes on in this process is closed first.

    Parameters
    ----------
    path : path-like
        NWB file, or folder of NWB files.
    table : str, optional
        Table to begin with, such as ``"mepps_miniunet"``; by default that of the first detector.
    reviewer : str, optional
        Who decides; the decisions are then saved as ``mepps_curated_<reviewer>``.
    blind_seed : int, optional
        Hide names and probabilities, and show the recordings in an order drawn with this seed.
    extension : bool, default False
        Save tables of the extension ``ndx-mepp``.
    port : int, default 0
        Port to listen on; 0 takes a free one.

    Returns
    -------
    RunningReview
        It goes on until ``close()`` is called or the process ends.

    Raises
    ------
    ReadError
        If no recording can be read.
    OutputError
        If the file is being reviewed or written by another process, or the port is in use.
    MissingDependencyError
        If aiohttp is not installed: ``pip install 'nwb-mepp[review]'``.
    """
    require_server()
    wishes = Wishes(table=table, reviewer=reviewer, seed=blind_seed, extension=extension)
    paths = find_nwb_files([Path(path)])
    files = {one.resolve() for one in paths}
    for one in [one for one in _running if one[0] & files]:
        one[1].close()
        _running.remove(one)
    page = RunningReview(paths, wishes, port=port)
    _running.append((files, page))
    return page
