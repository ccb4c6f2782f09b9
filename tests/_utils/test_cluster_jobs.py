"""Jobs on a Dask cluster: none is lost, and one that does harm fails alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nwb_mepp._utils import cluster as clusters
from nwb_mepp._utils import cluster_jobs
from nwb_mepp._utils.cluster_jobs import run_on_cluster
from nwb_mepp._utils.limits import Limits
from nwb_mepp.core.errors import ClusterError, MissingDependencyError

# Python's own eval is known to every process, so that none has to import this module.
KILLED = "__import__('os').kill(__import__('os').getpid(), 9)"
# Its parent is the worker of Dask.
WORKER_KILLED = "__import__('os').kill(__import__('os').getppid(), 9) or __import__('time').sleep(60)"


def run(jobs: Sequence[str], scheduler: Any, **stated: Any) -> Iterator[Any]:
    address = scheduler if isinstance(scheduler, str) else scheduler.scheduler_address
    return run_on_cluster(
        jobs,
        work=eval,
        on_crash=lambda job, why: f"gave up {job}: {why}",
        scheduler=address,
        name_of=lambda job: job[:20],
        **stated,
    )


def noted_and_slow(pid_file: Path) -> str:
    """Return a job that writes down its process and takes a minute."""
    return (
        f"(__import__('pathlib').Path({str(pid_file)!r}).write_text(str(__import__('os').getpid())), "
        "__import__('time').sleep(60))"
    )


def waited_for(condition: Callable[[], bool]) -> bool:
    """Return whether something is so within half a minute."""
    end = time.monotonic() + 30.0
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def has_ended(pid: int) -> bool:
    return waited_for(lambda: not Path(f"/proc/{pid}").exists())


def test_every_job_gives_its_result_in_the_folder_where_it_was_asked_for(
    dask_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = set(run(["1 * 1", "2 * 2", "__import__('os').getcwd()"], dask_cluster, shared=[tmp_path]))
    assert results == {1, 4, str(tmp_path)}
    assert list(tmp_path.iterdir()) == []


def test_without_jobs_there_are_no_results(dask_cluster: Any) -> None:
    assert list(run([], dask_cluster)) == []


def test_a_job_that_ends_its_process_fails_alone(dask_cluster: Any) -> None:
    assert set(run(["1", KILLED, "2"], dask_cluster)) == {1, f"gave up {KILLED}: crash", 2}


def test_a_job_that_exceeds_a_limit_fails_alone(dask_cluster: Any) -> None:
    slow, greedy = "__import__('time').sleep(60)", "(bytearray(400 << 20), __import__('time').sleep(60))"
    results = run(
        [slow, greedy, "1"],
        dask_cluster,
        limits=lambda job: Limits(0.5 if job == slow else 60.0, float(300 << 20)),
    )
    expected = {f"gave up {slow}: time", 1}
    if Path("/proc/self/statm").exists():
        assert set(results) == expected | {f"gave up {greedy}: memory"}
    else:
        assert next(results) in expected


def test_an_exception_that_the_work_lets_through_reaches_the_caller(dask_cluster: Any) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(run(["1 / 0"], dask_cluster))


def test_a_child_that_died_while_it_had_no_job_costs_none(dask_cluster: Any) -> None:
    (process,) = run(["__import__('os').getpid()"], dask_cluster)
    os.kill(process, signal.SIGKILL)
    assert set(run(["1", "2", "3"], dask_cluster)) == {1, 2, 3}


def test_a_job_whose_worker_was_killed_is_done_elsewhere(dask_cluster: Any, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    once = f"(p := __import__('pathlib').Path({str(begun)!r})).exists() or (p.touch(), {WORKER_KILLED})"
    assert sorted(run([once, "2", "3"], dask_cluster)) == [True, 2, 3]


def test_a_job_that_kills_its_worker_again_and_again_fails_alone(dask_cluster: Any) -> None:
    results = list(run([WORKER_KILLED, "2", "3"], dask_cluster))
    assert sorted(map(str, results)) == ["2", "3", f"gave up {WORKER_KILLED}: crash"]


def test_after_ctrl_c_what_is_submitted_is_finished(dask_cluster: Any) -> None:
    told: list[str] = []
    results = run(["1"] * 40, dask_cluster, on_interrupt=lambda: told.append("ends"))
    assert next(results) == 1
    signal.raise_signal(signal.SIGINT)
    assert len(list(results)) < 10
    assert told == ["ends"]


def test_a_caller_that_stops_early_ends_the_jobs(dask_cluster: Any, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    results = run([noted_and_slow(pid_file), "__import__('time').sleep(3)"], dask_cluster)
    assert next(results) is None
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert has_ended(int(pid_file.read_text()))


def test_after_the_caller_was_killed_its_jobs_end(dask_cluster: Any, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    caller = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from nwb_mepp._utils.cluster_jobs import run_on_cluster\n"
            "work, named = eval, dict(on_crash=max, name_of=str)\n"
            "list(run_on_cluster(sys.argv[2:], work=work, scheduler=sys.argv[1], **named))\n",
            dask_cluster.scheduler_address,
            noted_and_slow(pid_file),
        ]
    )
    assert waited_for(lambda: pid_file.exists() and pid_file.read_text() != "")
    caller.kill()
    caller.wait()
    assert has_ended(int(pid_file.read_text()))
    # The cluster does the next jobs.
    assert list(run(["6 * 7"], dask_cluster)) == [42]


def test_without_any_worker_left_what_is_not_done_is_listed(
    distributed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "_RECOUNT_S", 0.2)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        results = run(["7", *(f"__import__('time').sleep({60 + n})" for n in range(40))], cluster)
        assert next(results) == 7
        monkeypatch.setattr(clusters, "_WORKERS_S", 1.0)
        cluster.scale(0)
        reasons = Counter(str(one).rpartition(": ")[2] for one in results)
    assert reasons.total() == 40
    assert set(reasons) == {"lost", "unbegun"}


def test_a_worker_that_no_longer_sees_what_is_shared_is_named(dask_cluster: Any, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    remove = f"__import__('os').rmdir({str(shared)!r})"
    results = list(run([remove, *["__import__('time').sleep(0.5)"] * 12], dask_cluster, shared=[shared]))
    assert results.count("gave up __import__('time').sleep(0.5): unseen") > 5


def test_what_a_worker_does_not_see_is_told_before_anything_is_done(
    dask_cluster: Any, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    message = f"expected that all workers see {missing}, found that tcp://.* does not, or another"
    with pytest.raises(ClusterError, match=message):
        list(run(["1"], dask_cluster, shared=[tmp_path, missing]))


def test_a_folder_of_the_same_name_elsewhere_is_not_taken_for_the_shared_one(
    dask_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters.Path, "touch", lambda _: None)  # what is written here is not seen there
    with pytest.raises(ClusterError, match=f"expected that all workers see {tmp_path}, found that tcp://"):
        list(run(["1"], dask_cluster, shared=[tmp_path]))


@pytest.mark.usefixtures("distributed")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_no_scheduler_at_the_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_CONNECT_S", 0.5)
    with pytest.raises(
        ClusterError, match=f"expected a Dask scheduler at {address}, found none within 0.5 s"
    ):
        list(run(["1"], address))


def test_a_cluster_without_workers(distributed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_WORKERS_S", 0.5)
    message = r"expected workers in the cluster at .*, found none within 0.5 s; start some"
    empty = distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0")
    with empty, pytest.raises(ClusterError, match=message):
        list(run(["1"], empty))


@pytest.mark.parametrize(
    ("who", "package", "found"),
    [
        ("scheduler", "distributed", "2025.1.0"),
        ("worker", "nwb-mepp", None),
        ("worker", "python", "3.9.1.final.0"),
    ],
)
def test_another_version_is_named(
    who: str,
    package: str,
    found: str | None,
    distributed: Any,
    dask_cluster: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = distributed.Client.get_versions

    def faked(client: Any, **stated: Any) -> Any:
        versions = ask(client, **stated)
        one = versions["scheduler"] if who == "scheduler" else next(iter(versions["workers"].values()))
        one["packages"][package] = found
        return versions

    monkeypatch.setattr(distributed.Client, "get_versions", faked)
    theirs = {"2025.1.0": "2025.1.0", None: "none", "3.9.1.final.0": "3.9"}[found]
    message = f"expected {package} .* in the whole cluster, as here, found {theirs} in the {who}.*; start the"
    with pytest.raises(ClusterError, match=message):
        list(run(["1"], dask_cluster))


def test_a_cluster_that_cannot_do_the_work_is_told(
    dask_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_jobs, "_do", max)  # takes other arguments
    with pytest.raises(ClusterError, match=r"expected that the cluster at tcp://.* does the work, found: "):
        list(run(["1"], dask_cluster))


def test_without_distributed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"`scheduler` needs distributed; .*nwb-mepp\[cluster\]"):
        list(run(["1"], "tcp://127.0.0.1:9"))
