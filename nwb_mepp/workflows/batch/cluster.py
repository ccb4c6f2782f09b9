"""The files of a batch on a cluster: what its workers must see, and why a file has no outcome there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nwb_mepp.workflows.batch.plan import Job

__all__ = ["REASONS", "shared_by"]

# Why a file failed that has no outcome, and whose limits were kept.
REASONS: Mapping[str, str] = {
    "crash": "the process that worked on it was killed or ran out of memory; run it alone, without "
    "`scheduler`.",
    "unseen": "a worker of the cluster does not see the current folder, or that of inputs or outputs; share "
    "them with all computers of the cluster, and run the same command again.",
    "lost": "the cluster went away while it was worked on, and it is not known whether it is done; run the "
    "same command again: what is done is kept.",
    "unbegun": "the cluster went away before it was begun; run the same command again.",
}


def shared_by(jobs: Sequence[Job]) -> list[Path]:
    """Return folders that all workers must see: where outputs go, the current one, and that of an input."""
    folder = jobs[0].output.absolute().parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    source = jobs[0].path.absolute().parent
    return [folder, Path.cwd(), *([source] if source.is_dir() else [])]
