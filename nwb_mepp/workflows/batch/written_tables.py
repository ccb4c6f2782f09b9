"""What a batch has put into its outputs, kept until the tables of the folder are written."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import IO, Self

from nwb_mepp._utils.file_lock import FileState
from nwb_mepp.nwb import FileTables
from nwb_mepp.workflows.outcomes import Written

__all__ = ["WrittenTables"]

# Of thousands of recordings, or of a day, tables take more than memory should.
_IN_MEMORY_BYTES = 8_000_000


class WrittenTables:
    """Tables by output, within a ``with`` block; beyond 8 MB they lie in a temporary file without a name."""

    def __init__(self) -> None:
        # Nobody else can write to it, so what is unpickled is what was put there.
        self._store: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        self._places: dict[Path, tuple[int, FileState | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def add(self, output: Path, written: Written, *, elsewhere: bool = False) -> None:
        """Keep what an output holds; a file that was written elsewhere is known by another device there."""
        state = written.state
        if elsewhere and state is not None:
            state = state.as_seen_here(output)
        place = self._store.seek(0, 2)
        pickle.dump(written.tables, self._store, protocol=pickle.HIGHEST_PROTOCOL)
        self._places[output] = place, state

    def of(self, output: Path) -> FileTables | None:
        """Return what an output holds; None if that is not known, or the file has been changed since."""
        if output not in self._places:
            return None
        place, state = self._places[output]
        if state is None or FileState.of(output) != state:
            return None
        self._store.seek(place)
        tables: FileTables = pickle.load(self._store)
        return tables
