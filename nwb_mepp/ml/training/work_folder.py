"""The folder that a training works in, and the finished weights: complete or absent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.errors import OutputError, UsageError

__all__ = ["WorkFolder"]

_SETTINGS = "settings.json"
_SUFFIX = ".training"


class WorkFolder:
    """Examples, checkpoints and settings of a training, until its weights are complete.

    Parameters
    ----------
    target : Path
        Folder of the weights; ``<target>.training`` beside it holds examples, checkpoints and the settings
        that the training was started with.

    Raises
    ------
    OutputError
        If something other than an empty folder or exported weights is at ``target``.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}{_SUFFIX}")
        self._exports = self.path / "export"
        if target.exists() and not target.is_dir():
            raise OutputError(
                f"expected a folder or nothing at {target}, found a file; give another `output`."
            )
        if target.is_dir() and any(target.iterdir()) and not (target / "config.json").is_file():
            raise OutputError(
                f"expected an empty folder or nothing at {target}, found one with other content; give "
                "another `output`."
            )

    @property
    def examples(self) -> Path:
        """Simulated examples."""
        return self.path / "examples"

    @property
    def calibration(self) -> Path:
        """Simulated recordings to calibrate on."""
        return self.path / "calibration"

    @property
    def checkpoints(self) -> Path:
        """The state that the training resumes from."""
        return self.path / "checkpoints"

    @property
    def export(self) -> Path:
        """Where the weights are written before they are moved to their place; emptied first."""
        folder = self._exports / self.target.name
        if folder.exists():
            shutil.rmtree(folder)
        return folder

    def finished(self, fingerprint: str) -> bool:
        """Return whether the weights are there already, from the same data and settings.

        Parameters
        ----------
        fingerprint : str
            Fingerprint of data and settings.

        Raises
        ------
        OutputError
            If there are weights from other data or settings: a version is never overwritten.
        """
        config = self.target / "config.json"
        if not config.is_file():
            return False
        try:
            there = json.loads(config.read_text(encoding="utf-8"))["training"]["fingerprint"]
        except (ValueError, KeyError, TypeError):
            there = None
        if there == fingerprint:
            return True
        raise OutputError(
            f"expected nothing at {self.target}, found weights from other data or settings; a version is "
            "never overwritten: give another `output`."
        )

    def begin(self, settings: Mapping[str, object]) -> bool:
        """Record the settings of the training, or check that they are the same as before.

        Parameters
        ----------
        settings : mapping
            Everything that the weights depend on, ready for JSON.

        Returns
        -------
        bool
            Whether an earlier training is resumed.

        Raises
        ------
        UsageError
            If it was started with other settings or data.
        """
        file = self.path / _SETTINGS
        if not file.exists():
            with complete_or_absent(file) as temporary:
                temporary.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
            return False
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            before = {}
        now = json.loads(json.dumps(settings))
        differing = [name for name in now | before if now.get(name) != before.get(name)]
        if differing:
            name = differing[0]
            others = f" (and {', '.join(differing[1:])})" if len(differing) > 1 else ""
            raise UsageError(
                f"expected the data and settings that {self.path} was started with, {name} "
                f"{before.get(name)}, found {now.get(name)}{others}; give the same to resume, or remove that "
                "folder to start again."
            )
        return True

    def finish(self, exported: Path) -> None:
        """Move exported weights to their place, all at once, and remove the work folder.

        Parameters
        ----------
        exported : Path
            The folder :attr:`export`.

        Raises
        ------
        OutputError
            If the file system refuses.
        """
        try:
            if self.target.is_dir():
                self.target.rmdir()  # an empty one
            exported.replace(self.target)
        except OSError as error:
            raise OutputError(
                f"expected to write {self.target}, found: {error.strerror or error}; the weights are in "
                f"{exported}."
            ) from error
        shutil.rmtree(self.path, ignore_errors=True)
