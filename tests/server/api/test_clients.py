"""Both clients for Python, against a real server."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import websockets.sync.server
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.protocol import State

from understudy import Understudy
from understudy.client import ApiError, AsyncClient, Client
from understudy.client.sockets import Frame
from understudy.errors import OutputError, UnderstudyError, UsageError
from understudy.provenance import Home
from understudy.server.access.quotas import Quotas
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.testing import portrait_path

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


@pytest.fixture
def token(server):
    return Tokens(Home(server.home)).add(f"client-{time.time_ns()}", f"client-{time.time_ns()}", list(SCOPES), 1)[1]


def test_from_a_photo_to_a_finished_file(server, token, tmp_path, small_clip):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", name="hopper")
        clip = client.hand_over(small_clip)
        said = list(client.watch(client.swap(clip["id"], me["id"], settings={"blend.strength": 0.9})["id"]))
        assert said[-1]["state"] == "done"
        made = client.fetch(said[-1]["id"], tmp_path / "made.mp4")
        with pytest.raises(FileExistsError):
            client.fetch(said[-1]["id"], made)
        assert client.inspect(made)["verdict"] == "made by this tool"
        assert [one["id"] for one in client.swaps()] == [said[-1]["id"]]
        assert client.people() == [me]
        assert "blend.strength" in client.settings()
        assert any(one["name"] == "inswapper_128" for one in client.models())
        client.remove("swaps", said[-1]["id"])
        assert client.swaps() == []
    with Understudy() as app:
        assert app.inspect(made).mark.identifier == int(said[-1]["identifier"], 16)


def test_two_at_once_without_waiting_for_each_other(server, token, tmp_path):
    async def both():
        async with AsyncClient(server.address, token) as client:
            me = await client.add_person([portrait_path("hopper")], ground="sample")
            picture = await client.hand_over(portrait_path("astronaut"))
            swaps = await asyncio.gather(*(client.swap(picture["id"], me["id"]) for _ in range(2)))
            done = await asyncio.gather(*(client.wait(one["id"]) for one in swaps))
            return [await client.fetch(one["id"], tmp_path / f"{one['id']}.png") for one in done]

    first, second = asyncio.run(both())
    assert first.stat().st_size > 0
    assert second.stat().st_size > 0


def test_what_is_wrong_is_an_error_with_a_hint(server, token, tmp_path):
    with Client(server.address, token) as client:
        with pytest.raises(UsageError, match="no file"):
            client.hand_over(tmp_path / "gone.mp4")
        (tmp_path / "no.mp4").write_bytes(b"no clip")
        with pytest.raises(ApiError) as refused:
            client.hand_over(tmp_path / "no.mp4")
        assert refused.value.status == 422
        assert refused.value.hint
        with pytest.raises(ApiError) as refused:
            client.fetch("0" * 32, tmp_path / "made.mp4")
        assert refused.value.status == 404
        with pytest.raises(ApiError) as refused:
            client.fetch_credentials("0" * 32, tmp_path / "made.webm.c2pa")
        assert refused.value.status == 404
        with pytest.raises(OutputError, match="does not exist"):
            client.fetch("0" * 32, tmp_path / "no" / "made.mp4")
        assert [one.name for one in tmp_path.iterdir()] == ["no.mp4"]
    with Client(server.address, "x") as stranger, pytest.raises(ApiError, match="token"):
        stranger.me()
    with Client("http://127.0.0.1:9", "x") as lost, pytest.raises(ApiError, match="reached"):
        lost.me()
    with Client("http://127.0.0.1:9", "x") as lost, pytest.raises(ApiError, match="reached"):
        lost.fetch("0" * 32, tmp_path / "made.mp4")
    for wrong in ("", "tökén", "two\nlines"):
        with pytest.raises(UsageError, match="no token"):
            Client("http://127.0.0.1:9", wrong)
    for wrong in (tmp_path / "none.pem", tmp_path / "no.mp4"):
        with pytest.raises(UsageError, match="no certificates"):
            Client("https://127.0.0.1:9", "x", verify=str(wrong))
    for wrong in ("", "127.0.0.1", "ftp://a", "http://a/b?c", "file:///etc/passwd", "http://u:p@a"):
        with pytest.raises(UsageError, match="no address"):
            Client(wrong, "x")


def test_a_used_up_quota_says_when_to_come_back(server):
    secret = Tokens(Home(server.home)).add("poor", "poor", list(SCOPES), 1, Quotas(clips=0))[1]
    with Client(server.address, secret) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample")
        picture = client.hand_over(portrait_path("astronaut"))
        with pytest.raises(ApiError) as refused:
            client.swap(picture["id"], me["id"])
    assert refused.value.status == 429
    assert 0 < refused.value.retry_after <= 86400


def jpeg():
    """A portrait as a camera would give it."""
    picture = cv2.resize(cv2.imread(str(portrait_path("astronaut"))), (320, 240))
    return cv2.imencode(".jpg", picture)[1].tobytes()


def seen(frame):
    """The picture of a frame that came back."""
    return cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_COLOR).astype(int)


def has_label(frame):
    given = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR)
    return bool(np.abs(seen(frame) - given)[-40:].max() > 60)


def detail(frame):
    """How much is to be seen above the label."""
    return float(np.abs(np.diff(seen(frame)[:190], axis=1)).mean())


def test_live_pictures_come_back_labelled_and_the_session_says_how_it_does(server, token):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])
        with client.live(me["id"], settings={"blend.strength": 0.9}) as live:
            live.give(jpeg())
            times = []
            for frame in live:
                assert has_label(frame)
                times.append(frame.milliseconds)
                live.give(jpeg())
                if live.figures and len(times) > 3:
                    break
            assert times == sorted(times)
            assert set(live.figures) == {"fps", "latency_ms"}
            plain, until = detail(frame), time.monotonic() + 60
            live.cover(True)
            live.give(jpeg())
            for covered in live:
                if detail(covered) < plain / 2:
                    break
                assert time.monotonic() < until
                live.give(jpeg())
            assert has_label(covered)
        assert list(live) == []
        with pytest.raises(ApiError, match="ended"):
            live.give(jpeg())


def test_what_the_documentation_shows_of_it_runs(server, token, tmp_path, monkeypatch):
    (tmp_path / "me.jpg").write_bytes(portrait_path("hopper").read_bytes())
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "client.live" in block]
    shown = {}
    exec(compile(block, "docs/api.md", "exec"), shown)
    made = list(shown["live"](server.address, token, [jpeg()] * 3))
    assert len(made) == 3
    assert all(has_label(Frame(0, picture)) for picture in made)


def test_a_live_session_without_waiting_for_it(server, token):
    async def session():
        async with AsyncClient(server.address, token) as client:
            me = await client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])
            async with await client.live(me["id"]) as live:
                await live.give(jpeg())
                async for frame in live:
                    return has_label(frame)
        return None

    assert asyncio.run(session()) is True


def test_of_somebody_who_could_not_be_added_no_photo_stays(server, token, tmp_path):
    (tmp_path / "none.jpg").write_bytes(b"no picture")

    async def adds(photos):
        async with AsyncClient(server.address, token) as client:
            await client.add_person(photos, ground="sample")

    with Client(server.address, token) as client, server.caller(client.me()["user"]) as people:
        before = people.get("/photos").json()
        for photos in (
            [portrait_path("hopper"), tmp_path / "none.jpg"],
            [portrait_path("hopper"), tmp_path / "gone.jpg"],
        ):
            with pytest.raises(UnderstudyError):
                client.add_person(photos, ground="sample")
            with pytest.raises(UnderstudyError):
                asyncio.run(adds(photos))
        assert people.get("/photos").json() == before
        assert client.add_person(portrait_path("hopper"), ground="sample")["photos"]  # one needs no list


def test_what_is_wrong_with_a_live_session_is_an_error_with_a_hint(server, token):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])["id"]
        for person, first, status in ((me, b"no picture", 422), ("0" * 32, jpeg(), 422), ("nobody", jpeg(), 422)):
            with client.live(person) as live, pytest.raises(ApiError) as refused:
                live.give(first)  # it may be over already
                next(live)
            assert refused.value.status == status
            assert refused.value.hint
        with client.live(me, settings={"no.such": 1}) as live, pytest.raises(ApiError, match=r"no\.such"):
            live.give(jpeg())
            next(live)
    poor = Tokens(Home(server.home)).add("still", "still", list(SCOPES), 1, Quotas(live_seconds=0))[1]
    with Client(server.address, poor) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])["id"]
        with client.live(me) as live, pytest.raises(ApiError) as refused:
            live.give(jpeg())
            next(live)
        assert refused.value.status == 429
        assert refused.value.retry_after > 0
    with Client(server.address, "x") as stranger, pytest.raises(ApiError, match="403") as refused:
        stranger.live(me)
    assert refused.value.status == 403
    with Client("http://127.0.0.1:9", "x") as lost, pytest.raises(ApiError, match="reached"):
        lost.live(me)


def test_a_live_session_that_is_cut_off_is_told(server, token):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])["id"]
        with client.live(me) as live:
            live.give(jpeg())
            next(live)
            Tokens(Home(server.home)).revoke(client.me()["name"])
            with pytest.raises(ApiError):
                while True:
                    live.give(jpeg())
                    next(live)


def test_a_live_session_whose_photo_was_removed_says_so_in_its_users_words(server, token):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])
        with client.live(me["id"]) as live:
            live.give(jpeg())
            next(live)
            client.remove("photos", me["photos"][0])
            with pytest.raises(ApiError, match="photo was removed") as ended:
                while True:
                    live.give(jpeg())
                    next(live)
        assert me["photos"][0] not in str(ended.value)


@pytest.fixture
def strange():
    """A server of another kind, that does what the test says with the first message of each session."""
    servers = []

    def call(handle, **options):
        running = websockets.sync.server.serve(handle, "127.0.0.1", 0, compression=None, **options)
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        servers.append((running, thread))
        return f"http://127.0.0.1:{running.socket.getsockname()[1]}"

    yield call
    for running, thread in servers:
        running.shutdown()
        thread.join()


def closed(live):
    """Wait until the server has hung up."""
    until = time.monotonic() + 60
    while vars(live)["_line"].protocol.state is not State.CLOSED:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_why_a_session_ended_is_told_to_whoever_only_gives(strange):
    def handle(line):
        line.recv()
        line.send('{"error": "the day is over", "hint": "Wait.", "retry_after": 7}')
        line.close(1008)

    with Client(strange(handle), "x") as client, client.live("a") as live:
        closed(live)
        with pytest.raises(ApiError, match="the day is over") as refused:
            live.give(b"x")
    assert (refused.value.status, refused.value.retry_after, refused.value.hint) == (429, 7, "Wait.")


def test_the_newest_picture_counts_for_whoever_reads_slowly(strange):
    def handle(line):
        line.recv()
        for number in range(1, 9):
            line.send(number.to_bytes(4, "big") + b"jpeg")
        line.send('{"fps": 30, "latency_ms": {}}')
        line.recv()

    address = strange(handle)

    async def read():
        async with AsyncClient(address, "x") as client, await client.live("a") as live:
            await asyncio.sleep(0.5)
            return await live.__anext__(), live.figures

    with Client(address, "x") as client, client.live("a") as live:
        time.sleep(0.5)
        assert next(live) == Frame(8, b"jpeg")
        assert live.figures["fps"] == 30
    assert asyncio.run(read()) == (Frame(8, b"jpeg"), live.figures)


def test_no_face_goes_to_where_a_server_leads(strange):
    led, left = [], []

    def is_led(line):
        try:
            led.append(line.recv())
        except ConnectionClosed:
            left.append(line)

    elsewhere = strange(is_led)

    def leads(_, __):
        return Response(307, "", Headers(Location=f"ws{elsewhere.removeprefix('http')}/x"), b"")

    address = strange(lambda line: line.recv(), process_request=leads)

    async def begins():
        async with AsyncClient(address, "x") as client:
            await client.live("a")

    with Client(address, "x") as client, pytest.raises(ApiError):
        client.live("a")
    with pytest.raises(ApiError):
        asyncio.run(begins())
    until = time.monotonic() + 60
    while len(left) < 2 and time.monotonic() < until:  # and no connection is left open
        time.sleep(0.01)
    assert (led, len(left)) == ([], 2)


@pytest.mark.parametrize("said", ["[1]", "no JSON", b"abc"])
def test_what_is_no_session_is_told(strange, said):
    def handle(line):
        line.recv()
        line.send(said)
        line.recv()

    with (
        Client(strange(handle), "x") as client,
        client.live("a") as live,
        pytest.raises(ApiError, match="no part of a session"),
    ):
        next(live)


def test_a_picture_that_is_too_large_is_said_to_be(server, token):
    with Client(server.address, token) as client:
        me = client.add_person([portrait_path("hopper")], ground="sample", uses=["live"])["id"]
        with client.live(me) as live:
            live.give(jpeg())
            next(live)
            with pytest.raises(ApiError, match="MB at most"):
                for _ in range(100):
                    live.give(bytes(4_500_000))
                    next(live)


def test_the_asynchronous_client_is_the_other_ones_text():
    tool = Path(__file__).parents[3] / "tools" / "async_client.py"
    assert subprocess.run([sys.executable, str(tool), "--check"], check=False).returncode == 0


def test_the_clients_import_nothing_heavy():
    code = "import sys, understudy.client; print([m for m in ('numpy', 'cv2', 'av', 'fastapi') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
