"""A server that is killed has lost no decision that the page has shown.

NWB_MEPP_KILLS=50 kills it at fifty random moments besides, which takes some minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from nwb_mepp.curation.journal import read_journal

N_KILLS = int(os.environ.get("NWB_MEPP_KILLS", "0"))
N_DECISIONS = 100


async def decided_until_killed(url: str, process: subprocess.Popen[str], after_s: float | None) -> list[str]:
    """Write notes as fast as the server takes them, and return those that it has told.

    It is killed after a time, or if none is given after a hundred decisions.
    """
    told: list[str] = []

    async def write() -> None:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{url}follow") as follow:
            while after_s is not None or len(told) < N_DECISIONS:
                number = len(told)
                wish = {"do": "note", "ids": [str(1 + number % 8)], "note": f"{after_s} {number}"}
                await follow.send_json(wish)
                while (answer := await follow.receive_json())["type"] != "change":
                    pass
                told.append(next(iter(answer["rows"].values()))[-1])
            process.send_signal(signal.SIGKILL)

    async def kill(after_s: float) -> None:
        await asyncio.sleep(after_s)
        process.send_signal(signal.SIGKILL)

    await asyncio.gather(write(), *([] if after_s is None else [kill(after_s)]), return_exceptions=True)
    return told


@pytest.mark.skipif(os.name != "posix", reason="expected a system that can kill a process at once")
def test_a_server_that_is_killed_has_every_decision_that_it_told(annotated: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(annotated, tmp_path / "run07.nwb"))
    rng, expected = random.Random(7), 0
    moments = [None, *(rng.uniform(0.02, 0.8) for _ in range(N_KILLS))]
    for after_s in moments:
        with subprocess.Popen(
            [sys.executable, "-m", "nwb_mepp", "review", str(path), "--no-browser"],
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            (url,) = re.findall(r"http://\S+", process.stderr.readline())
            told = asyncio.run(decided_until_killed(url, process, after_s))
        found = read_journal(path.with_name("run07.nwb.review.jsonl"))
        assert found is not None
        expected += len(told)
        if after_s is None:
            assert found.history.n_changes == len(told) == N_DECISIONS
        # One more may be on the disk than was told.
        assert expected <= found.history.n_changes <= expected + 1
        expected = found.history.n_changes
        notes = {row["note"] for row in found.history.now.rows.values()}
        assert set(told[-1:]) <= notes
    sys.stdout.write(f"{len(moments)} kills, {expected} decisions, all there\n")
