"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

from builders.command_line import STATED, Call, Called
from builders.known_mepps import mepp_trace, write_text
from nwb_mepp.cli import main

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"

# How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


# Files that take long, the longest first, so that at the end no process is left alone with one of them.
LONG = (
    "faults/test_faults.py",
    "cli/test_detect_many.py",
    "end_to_end/test_foreign_nwb.py",
    "nwb/test_linked_files.py",
    "curation/test_session.py",
    "end_to_end/test_what_is_no_mepp.py",
    "workflows/test_files.py",
    "end_to_end/test_safe_writing.py",
    "nwb/test_extension.py",
    "nwb/test_replacement.py",
    "end_to_end/test_limits.py",
    "_utils/test_process_pool.py",
    "nwb/test_stored_file.py",
    "workflows/batch/test_runner.py",
)


# What takes long to start, and is started once where the files that need it stay together: TensorFlow is
# imported for 10 s, a cluster has two processes that import everything.
SHARED_STARTS = {
    "tensorflow": re.compile(r"\btensorflow: None|usefixtures\(\"tensorflow\"\)"),
    "cluster": re.compile(r"\bdask_cluster: Any"),
}


@functools.cache
def group_of(place: str) -> str:
    """Return what the tests of a file are kept together by, of which the path within the project is given."""
    text = (PROJECT / place).read_text(encoding="utf-8")
    return next((name for name, needs in SHARED_STARTS.items() if needs.search(text)), place)


def rank_of(place: str) -> int:
    """Return when the tests of a file are begun."""
    first = [*SHARED_STARTS, *(f"tests/{name}" for name in LONG)]
    group = group_of(place)
    return first.index(group) if group in first else len(first)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: rank_of(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together in one process, and the files that share what takes long to start."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Let no search for garbage go through what was imported and collected, which stays."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings that lies beside the project, not in it."""
    folder = SHARED / "data"
    if not (folder / "recordings").is_dir():
        reason = (
            f"expected real recordings in ../shared/data beside the project, found none in {folder.name}/"
        )
        if os.environ.get("CI") == "true" and SHARED.exists():
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared_cases(shared_data: Path) -> Path:
    """Folder of small inputs that once came out wrong; it lies beside that of real recordings."""
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("expected small inputs in ../shared/cases beside the project, found none")
    return folder


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """Skip where TensorFlow is not installed; fail in continuous integration, where it must be."""
    if importlib.util.find_spec("tensorflow") is None:
        reason = "expected TensorFlow, found none; install it with pip install 'nwb-mepp[train]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def distributed() -> ModuleType:
    """The package of Dask clusters; skip where it is not installed, fail in continuous integration."""
    if importlib.util.find_spec("distributed") is None:
        reason = "expected distributed, found none; install it with pip install 'nwb-mepp[cluster]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return importlib.import_module("distributed")


@pytest.fixture(scope="session")
def _dask_cluster(distributed: ModuleType) -> Iterator[Any]:
    """A cluster of two processes with a thread each, whose scheduler blames a task for each lost worker."""
    import dask

    # What Dask sets for its workers, it sets here.
    unset = {"distributed.nanny.pre-spawn-environ": {}}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0, **unset}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def dask_cluster(_dask_cluster: Any) -> Any:
    """The cluster when both of its workers are there, which another test may have killed."""
    _dask_cluster.wait_for_workers(2)
    return _dask_cluster


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line with arguments."""

    def call_main(*arguments: object) -> Called:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Called(code, printed.out, printed.err)

    return call_main


@pytest.fixture(scope="session")
def lab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file with MEPPs, in volts."""
    return write_text(tmp_path_factory.mktemp("lab") / "run07.txt", mepp_trace())


@pytest.fixture(scope="session")
def annotated(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NWB file that ``run`` made of it; not to be changed."""
    folder = tmp_path_factory.mktemp("out")
    assert main(["run", str(lab_file), "-o", str(folder), *STATED]) == 0
    return folder / "run07.txt.nwb"
