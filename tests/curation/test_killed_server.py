"""A server that is killed has lost no decision that the page has shown.

NWB_MEPP_KILLS=50 kills it fifty times, which takes some minutes.
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

N_KILLS = int(os.environ.get("NWB_MEPP_KILLS", "1"))


async def decided_until_killed(url: str, process: subprocess.Popen[str], after_s: float) -> list[str]:
    """Write notes as fast as the server takes them, and return those that it has told."""
    told: list[str] = []

    async def write() -> None:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{url}follow") as follow:
            number = 0
            while True:
                number += 1
                note = f"{after_s} {number}"
                await follow.send_json({"do": "note", "ids": [str(1 + number % 8)], "note": note})
                while (answer := await follow.receive_json())["type"] != "change":
                    pass
                told.append(next(iter(answer["rows"].values()))[-1])

    async def kill() -> None:
        await asyncio.sleep(after_s)
        process.send_signal(signal.SIGKILL)

    await asyncio.gather(write(), kill(), return_exceptions=True)
    return told


@pytest.mark.skipif(os.name != "posix", reason="expected a system that can kill a process at once")
def test_a_server_that_is_killed_has_every_decision_that_it_told(annotated: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(annotated, tmp_path / "run07.nwb"))
    rng, expected = random.Random(7), 0
    for _ in range(N_KILLS):
        with subprocess.Popen(
            [sys.executable, "-m", "nwb_mepp", "review", str(path), "--no-browser"],
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            (url,) = re.findall(r"http://\S+", process.stderr.readline())
            told = asyncio.run(decided_until_killed(url, process, rng.uniform(0.05, 0.8)))
        found = read_journal(path.with_name("run07.nwb.review.jsonl"))
        assert found is not None
        expected += len(told)
        assert found.history.n_changes >= expected
        expected = found.history.n_changes
        notes = {row["note"] for row in found.history.now.rows.values()}
        assert set(told[-1:]) <= notes or found.history.undo()
    assert expected > 0
