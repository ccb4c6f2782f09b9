"""The server answers the page of its review, and nobody else."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import struct
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

import nwb_mepp
from nwb_mepp.core.errors import MissingDependencyError, OutputError, ReadError
from nwb_mepp.curation.desk import Wishes
from nwb_mepp.curation.serving import RunningReview, review_until_stopped

NAME = "<img src=x onerror=alert(1)>.nwb"


@pytest.fixture(scope="module")
def folder(annotated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviewed")
    for name in ("a.nwb", NAME):
        shutil.copy(annotated, folder / name)
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[RunningReview]:
    with RunningReview([folder / "a.nwb", folder / NAME], Wishes()) as review:
        yield review


def get(url: str, **headers: str) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): one for name, one in headers.items()}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def wish(running: RunningReview, *wishes: Any, origin: str | None = None) -> list[dict[str, Any]]:
    """Send wishes on the socket, and return the answers."""

    async def ask() -> list[dict[str, Any]]:
        headers = {} if origin is None else {"Origin": origin}
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{running.url}follow", headers=headers) as follow,
        ):
            answers = []
            for one in wishes:
                await follow.send_str(one if isinstance(one, str) else json.dumps(one))
                while (answer := await follow.receive_json(timeout=30))["type"] in ("files", "envelope"):
                    pass
                answers.append(answer)
            return answers

    return asyncio.run(ask())


def test_it_listens_on_the_loopback_address_behind_a_random_token(running: RunningReview) -> None:
    host, port = running.url.split("/")[2].split(":")
    assert host == "127.0.0.1"
    assert len(running.url.split("/")[3]) >= 32
    for wrong in ("", "page/main.js", "x" * 32 + "/", "state"):
        assert get(f"http://127.0.0.1:{port}/{wrong}")[0] == 404
    assert get(running.url)[0] == 200


def test_other_hosts_origins_and_sites_are_refused(running: RunningReview) -> None:
    port = running.url.split("/")[2].split(":")[1]
    assert get(running.url, Host="evil.example")[0] == 403
    assert get(running.url, Host=f"evil.example:{port}")[0] == 403
    assert get(f"{running.url}state", Origin="https://evil.example")[0] == 403
    assert get(f"{running.url}state", Origin="null")[0] == 403
    assert get(f"{running.url}state", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert get(f"{running.url}state", Origin=f"http://127.0.0.1:{port}")[0] == 200
    # A notebook shows the page in a frame.
    assert get(running.url, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    with pytest.raises(aiohttp.WSServerHandshakeError):
        wish(running, {"do": "undo"}, origin="http://evil.example")


def test_no_file_but_the_parts_of_the_page_can_be_reached(running: RunningReview) -> None:
    assert get(f"{running.url}page/main.js")[0] == 200
    for name in ("__init__.py", "..%2fserver.py", "%2e%2e/%2e%2e/secret.txt", "secret.txt", "a.nwb"):
        assert get(f"{running.url}page/{name}")[0] == 404
        assert get(f"{running.url}{name}")[0] == 404


def test_the_page_may_load_nothing_from_elsewhere(running: RunningReview) -> None:
    _, page, headers = get(running.url)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")
    assert b"https://" not in page


def test_the_state_names_files_as_text_without_their_folders(running: RunningReview, folder: Path) -> None:
    status, body, _ = get(f"{running.url}state")
    state = json.loads(body)
    assert status == 200
    assert [one["name"] for one in state["files"]] == ["a.nwb", NAME]
    assert str(folder) not in body.decode()


def test_a_trace_has_its_samples_or_the_extremes_of_stretches(running: RunningReview) -> None:
    body = get(f"{running.url}trace?from=1&to=1.01&columns=800")[1]
    n_parts, x, step, n_points, pairs = struct.unpack_from("<IddII", body)
    assert (n_parts, x, step, n_points, pairs) == (1, 1.0, pytest.approx(1e-4), 100, 0)
    values = np.frombuffer(body, "<f4", offset=28)
    assert len(values) == 100
    assert values.mean() == pytest.approx(-70e-3, abs=1e-3)
    body = get(f"{running.url}trace?from=0&to=4&columns=100")[1]
    _, _, _, n_points, pairs = struct.unpack_from("<IddII", body)
    extremes = np.frombuffer(body, "<f4", offset=28).reshape(n_points, 2)
    assert pairs == 1
    assert n_points >= 100
    assert np.all(extremes[:, 0] < extremes[:, 1])
    assert extremes.max() > -69.3e-3  # no MEPP vanishes
    assert get(f"{running.url}trace?from=a&to=4&columns=100")[0] == 400


def test_small_traces_the_average_and_the_fit_are_given(running: RunningReview) -> None:
    snippets = np.frombuffer(get(f"{running.url}snippets?ids=1,none")[1], "<f4").reshape(2, -1)
    assert np.nanmax(snippets[0]) == pytest.approx(1e-3, rel=0.2)
    assert np.isnan(snippets[1]).all()
    average = json.loads(get(f"{running.url}average")[1])
    assert max(average["values"]) == pytest.approx(1e-3, rel=0.1)
    fit = json.loads(get(f"{running.url}fit?id=2")[1])
    assert max(fit["values"]) - fit["values"][0] == pytest.approx(1e-3, rel=0.15)
    assert json.loads(get(f"{running.url}fit?id=99")[1])["values"] == []


def test_what_cannot_be_done_is_said_and_what_is_not_understood_too(running: RunningReview) -> None:
    answers = wish(
        running,
        {"do": "accept", "ids": ["99"]},
        {"do": "accept"},
        {"do": "fly"},
        "no JSON",
        "[]",
        {"do": "open", "number": 7},
        {"do": "choose", "threshold": "a"},
    )
    assert [one["type"] for one in answers] == ["error"] * 7
    words = [one["message"] for one in answers]
    assert "found no event '99'" in words[0]
    assert "expected all that 'accept' needs" in words[1]
    assert "expected one of accept, reject" in words[2]
    assert words[3] == "not understood: no JSON"
    assert "expected a recording from 1 to 2, found 8" in words[5]


def test_two_tabs_follow_each_other(running: RunningReview) -> None:
    async def both() -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{running.url}follow") as one,
            client.ws_connect(f"{running.url}follow") as other,
        ):
            await one.send_json({"do": "note", "ids": ["1"], "note": "seen"})
            while (answer := await other.receive_json(timeout=30))["type"] != "change":
                pass
            return dict(answer)

    assert "seen" in asyncio.run(both())["rows"]["1"]


def test_it_goes_from_one_recording_to_the_next_and_keeps_the_counts(running: RunningReview) -> None:
    accepted, opened = wish(running, {"do": "accept", "ids": ["1", "2"]}, {"do": "open", "number": 1})
    assert accepted["counts"] == {"todo": 6, "accepted": 2, "rejected": 0, "added": 0}
    assert opened == {"type": "opened"}
    state = json.loads(get(f"{running.url}state")[1])
    assert (state["number"], state["files"][0]["counts"]["accepted"]) == (1, 2)
    wish(running, {"do": "open", "number": 0})


def test_a_lower_threshold_is_seen_before_it_is_applied(running: RunningReview) -> None:
    (refused,) = wish(running, {"do": "doubted"})
    assert "expected a detector that gives probabilities, found matched_filter" in refused["message"]


def test_blind_nothing_names_the_recording_or_its_probabilities(folder: Path, tmp_path: Path) -> None:
    for name in ("wild_type.nwb", "mutant.nwb", "other.nwb"):
        (tmp_path / "group_2").mkdir(exist_ok=True)
        shutil.copy(folder / "a.nwb", tmp_path / "group_2" / name)
    paths = sorted(tmp_path.glob("*/*.nwb"))
    orders, hidden = [], ("wild_type", "mutant", "group_2")
    for _ in range(2):
        with RunningReview(paths, Wishes(seed=5)) as running:
            (changed,) = wish(running, {"do": "accept", "ids": ["1"]})
            body = get(f"{running.url}state")[1].decode()
            orders.append(list(running._server._desk.paths))
        assert not any(name in body for name in hidden)
    state = json.loads(body)
    assert state["notes"] == ["1 decision was taken up from the recording.review.jsonl."]
    assert [one["name"] for one in state["files"]] == ["recording 1", "recording 2", "recording 3"]
    column = state["columns"].index("probability")
    assert {row[column] for row in state["rows"]} == {None}
    assert changed["rows"]["1"][column] is None
    assert orders[0] == orders[1] != paths
    with RunningReview(paths, Wishes(seed=5)) as running:
        running._server._desk.session.path.unlink()
        (refused,) = wish(running, {"do": "save"})
    assert refused["type"] == "error"
    assert not any(name in refused["message"] for name in hidden)


def test_a_port_in_use_and_a_file_that_is_none_are_told(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "a.nwb", tmp_path / "b.nwb")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            OutputError, match=rf"expected to listen on port {port}, .*choose another with `port`"
        ):
            RunningReview([tmp_path / "b.nwb"], Wishes(), port=port)
    with pytest.raises(ReadError, match=r"expected an NWB file, found nothing"):
        RunningReview([tmp_path / "none.nwb"], Wishes())
    with pytest.raises(OutputError, match=r"expected a recording to review, found none"):
        RunningReview([], Wishes())


def test_without_aiohttp_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nwb_mepp.curation.serving.find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nwb-mepp\[review\]'"):
        RunningReview([folder / "a.nwb"], Wishes())


def test_a_notebook_is_shown_the_page_in_a_frame(running: RunningReview) -> None:
    assert f'<iframe src="{running.url}"' in running._repr_html_()


def test_a_cell_that_is_run_again_takes_the_review_up_anew(folder: Path, tmp_path: Path) -> None:
    path = shutil.copy(folder / "a.nwb", tmp_path / "b.nwb")
    first = nwb_mepp.review(path)
    second = nwb_mepp.review(path)  # not refused because of the first one
    assert second.url != first.url
    first.close()  # it is closed already, and nothing happens
    second.close()


def test_without_a_browser_the_address_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(folder / "a.nwb", tmp_path / "b.nwb"))
    monkeypatch.setattr("nwb_mepp.curation.serving.webbrowser.open", lambda _: False)
    told: list[str] = []

    def tell(words: str) -> None:
        told.append(words)
        if len(told) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        review_until_stopped([path], Wishes(), tell=tell)
    assert told[0].startswith("http://127.0.0.1:")
    assert told[1] == "no browser was found: open the address above in one on this computer"
    with RunningReview([path], Wishes()):  # the file is free again
        pass
