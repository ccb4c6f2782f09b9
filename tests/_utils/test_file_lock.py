from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nwb_mepp._utils import file_lock as module
from nwb_mepp._utils.file_lock import FileState, attempt_of, file_lock
from nwb_mepp._utils.process_identity import ProcessIdentity
from nwb_mepp.core.errors import OutputError

POSIX = pytest.mark.skipif(os.name != "posix", reason="elsewhere it is not known whether a process has ended")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.2)


def lock_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.nwb-mepp-lock")


def put_lock(target: Path, holder: ProcessIdentity) -> None:
    lock_of(target).write_text(json.dumps(asdict(holder)))


@contextmanager
def other_process(target: Path, after: str = "input()") -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the lock until it is told to go on."""
    program = (
        "import sys, pathlib; from nwb_mepp._utils.file_lock import file_lock\n"
        f"with file_lock(pathlib.Path(sys.argv[1])): print('held', flush=True); {after}"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_lock_says_who_holds_it_and_is_gone_afterwards(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    with file_lock(target):
        assert json.loads(lock_of(target).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_who_holds_a_lock_may_take_it_again(tmp_path: Path) -> None:
    with file_lock(tmp_path / "a.nwb"):
        with file_lock(tmp_path / "a.nwb"):
            pass
        assert lock_of(tmp_path / "a.nwb").exists()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    with (
        other_process(target) as process,
        pytest.raises(OutputError, match=rf"another nwb-mepp \(process {process.pid}\) is writing it; wait"),
        file_lock(target),
    ):
        pass


def test_a_second_thread_is_refused(tmp_path: Path) -> None:
    refused = []

    def take() -> None:
        try:
            with file_lock(tmp_path / "a.nwb"):
                pass
        except OutputError as error:
            refused.append(error)

    with file_lock(tmp_path / "a.nwb"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_second_process_waits_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 60.0)
    with other_process(tmp_path / "a.nwb", "import time; time.sleep(0.3)"), file_lock(tmp_path / "a.nwb"):
        assert json.loads(lock_of(tmp_path / "a.nwb").read_text())["pid"] == os.getpid()


@POSIX
def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    with other_process(tmp_path / "a.nwb") as process:
        process.kill()
        process.wait()
        with file_lock(tmp_path / "a.nwb"):
            pass
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_the_lock_of_a_process_whose_number_was_given_again_is_taken_over(tmp_path: Path) -> None:
    put_lock(tmp_path / "a.nwb", replace(ProcessIdentity.this(), start="another time"))
    with file_lock(tmp_path / "a.nwb"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_another_computer_stays_and_is_named(tmp_path: Path) -> None:
    put_lock(tmp_path / "a.nwb", ProcessIdentity(host="rig2 pid:[1]", pid=4, start="then"))
    with (
        pytest.raises(
            OutputError, match=r"process 4 on the computer rig2 .* remove .*\.a\.nwb\.nwb-mepp-lock"
        ),
        file_lock(tmp_path / "a.nwb"),
    ):
        pass
    assert lock_of(tmp_path / "a.nwb").exists()


@pytest.mark.parametrize("content", ["", "x", "[]", '{"host": "a"}'])
def test_a_lock_without_a_holder_stays_and_is_named(tmp_path: Path, content: str) -> None:
    lock_of(tmp_path / "a.nwb").write_text(content)
    with (
        pytest.raises(
            OutputError, match=r"its lock \.a\.nwb\.nwb-mepp-lock, which does not say who holds it"
        ),
        file_lock(tmp_path / "a.nwb"),
    ):
        pass
    assert lock_of(tmp_path / "a.nwb").read_text() == content


def test_a_file_system_without_hard_links_has_locks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with file_lock(tmp_path / "a.nwb"):
        assert json.loads(lock_of(tmp_path / "a.nwb").read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_a_lost_computer_does_not_keep_its_batch_from_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    elsewhere = asdict(replace(ProcessIdentity.this(), host="node03 pid:[1]"))
    lock_of(target).write_text(json.dumps({**elsewhere, "doing": "writing", "batch": "b1"}))
    with attempt_of("b2"), pytest.raises(OutputError, match="on the computer node03"), file_lock(target):
        pass
    with attempt_of("b1"), file_lock(target):
        held = json.loads(lock_of(target).read_text())
        assert (held["batch"], held["pid"]) == ("b1", os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_of_the_same_batch_is_waited_for(tmp_path: Path) -> None:
    target = tmp_path / "a.nwb"
    lock = lock_of(target)
    lock.write_text(json.dumps({**asdict(ProcessIdentity.this()), "doing": "writing", "batch": "b1"}))
    later = threading.Timer(4 * module.WAIT_S, lock.unlink)
    later.start()
    with attempt_of("b1"), file_lock(target):
        assert not later.is_alive()
    later.join()


def test_a_file_of_another_computer_is_the_same_on_this_one(tmp_path: Path) -> None:
    (tmp_path / "a.nwb").write_bytes(b"1")
    here = FileState.of(tmp_path / "a.nwb")
    assert here is not None
    there = replace(here, device=here.device + 1)
    assert there.as_seen_here(tmp_path / "a.nwb") == here
    assert there.as_seen_here(tmp_path / "missing.nwb") == there


def test_a_lock_that_someone_else_has_taken_over_by_hand_stays(tmp_path: Path) -> None:
    other = ProcessIdentity(host="rig2", pid=4, start="then")
    with file_lock(tmp_path / "a.nwb"):
        lock_of(tmp_path / "a.nwb").rename(tmp_path / "moved")
        put_lock(tmp_path / "a.nwb", other)
    assert lock_of(tmp_path / "a.nwb").exists()


@POSIX
def test_of_many_that_take_over_a_stale_lock_one_at_a_time_holds_it(tmp_path: Path) -> None:
    target = tmp_path / "count"
    target.write_text("0")
    put_lock(target, replace(ProcessIdentity.this(), start="another time"))
    program = (
        "import sys, pathlib; from nwb_mepp._utils import file_lock as m; m.WAIT_S = 60\n"
        "p = pathlib.Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with m.file_lock(p): p.write_text(str(int(p.read_text()) + 1))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(target)]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    assert target.read_text() == "80"
