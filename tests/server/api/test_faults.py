"""What the API survives."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import av
import httpx
import pytest
from tests.server.api.conftest import Caller, server_in
from tests.waiting import until

from understudy import ConsentClaim
from understudy.errors import RecordsError
from understudy.jobs.job import Order
from understudy.provenance import Home
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.server.api.runners import Runners
from understudy.server.api.service import ServeOptions, Service
from understudy.server.api.shelf import Shelf
from understudy.settings import Settings
from understudy.testing import portrait_path

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


def caller_of(server, secret):
    return Caller(base_url=f"{server.address}/api/v1", headers={"Authorization": f"Bearer {secret}"}, timeout=120)


def test_a_server_that_is_killed_under_a_swap_has_it_after_the_next_start(tmp_path, long_clip):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path) as first, caller_of(first, secret) as anna:
        person, target = anna.somebody(), anna.hand_over("media", long_clip)
        swap = anna.post("/swaps", json={"target": target["id"], "person": person}).json()["id"]
        limit = time.monotonic() + 120
        while anna.get(f"/swaps/{swap}").json()["state"] == "waiting" and time.monotonic() < limit:
            time.sleep(0.2)
        beside = Path(f"/proc/{first.process.pid}/task/{first.process.pid}/children")
        runners = [Path("/proc", number) for number in beside.read_text().split()] if beside.exists() else []
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(60)
    limit = time.monotonic() + 60
    while any(runner.exists() for runner in runners):  # none of them goes on by itself
        assert time.monotonic() < limit
        time.sleep(0.2)
    with server_in(tmp_path) as second, caller_of(second, secret) as anna:
        found = anna.ended(swap)
        assert found["state"] == "done", found
        assert anna.get(f"/swaps/{swap}/result").status_code == 200


def test_a_server_that_ends_puts_its_swap_back(tmp_path, long_clip):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path) as first, caller_of(first, secret) as anna:
        person, target = anna.somebody(), anna.hand_over("media", long_clip)
        swap = anna.post("/swaps", json={"target": target["id"], "person": person}).json()["id"]
        limit = time.monotonic() + 120
        while anna.get(f"/swaps/{swap}").json()["state"] == "waiting" and time.monotonic() < limit:
            time.sleep(0.2)
    with server_in(tmp_path, "--runners", "0") as second, caller_of(second, secret) as anna:
        assert anna.get(f"/swaps/{swap}").json()["state"] in ("waiting", "done")
        assert httpx.get(f"{second.address}/ready").status_code == 200


def test_who_follows_a_swap_hears_nothing_more_once_the_token_is_revoked(tmp_path, long_clip):
    tokens = Tokens(Home(tmp_path / "home"))
    secret = tokens.add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as server, caller_of(server, secret) as anna:
        person, target = anna.somebody(), anna.hand_over("media", long_clip)
        swap = anna.post("/swaps", json={"target": target["id"], "person": person}).json()["id"]
        with anna.stream("GET", f"/swaps/{swap}/events") as events:
            lines = events.iter_lines()
            assert next(lines) == "event: swap"
            tokens.revoke("anna")
            begun = time.monotonic()
            for line in lines:
                assert "still here" not in line  # which comes every few seconds otherwise
        assert time.monotonic() - begun < 10


def test_why_no_swap_is_done_is_told_to_who_runs_the_server_only(tmp_path, capfd):
    (tmp_path / "home" / "jobs").mkdir(parents=True, mode=0o700)
    (tmp_path / "home" / "jobs" / "jobs.db").write_bytes(b"no database" * 1000)
    runners = Runners(Home(tmp_path / "home"), 1)
    runners.start()
    try:
        said = until(runners.lost)
    finally:
        runners.stop()
    assert said.startswith("runner 0 ended with ")
    assert str(tmp_path) not in said  # anybody may ask at /ready
    assert f"{said}: " in capfd.readouterr().err


def test_a_server_that_ends_does_not_wait_for_who_looks_at_a_clip(tmp_path, long_clip):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as first, caller_of(first, secret) as anna:
        place = f"/media/{anna.hand_over('media', long_clip)['id']}/people"
        assert anna.post(place).status_code == 202
        until(lambda: 0 < anna.get(place).json()["share"] < 1)
        first.process.send_signal(signal.SIGTERM)
        first.process.wait(60)
    with server_in(tmp_path, "--runners", "0") as later, caller_of(later, secret) as anna:
        assert anna.get(place).status_code == 422
        assert "nobody looked" in anna.get(place).text
        assert "Traceback" not in later.log.read_text()


def ten_times(path, clip):
    """Write a clip ten times on end."""
    with av.open(path, "w") as longer:
        stream = None
        for turn in range(10):
            with av.open(clip) as container:
                pictures = container.streams.video[0]
                stream = stream or longer.add_stream_from_template(pictures)
                for packet in container.demux(pictures):
                    if packet.dts is not None:
                        packet.pts += turn * pictures.duration
                        packet.dts += turn * pictures.duration
                        packet.stream = stream
                        longer.mux(packet)
    return path


def test_who_has_people_looked_for_in_many_clips_keeps_nobody_else_waiting(tmp_path, long_clip):
    clip = ten_times(tmp_path / "clip.mp4", long_clip)
    tokens = Tokens(Home(tmp_path / "home"))
    secrets = [tokens.add(name, name, list(SCOPES), 1)[1] for name in ("anna", "ben")]
    with (
        server_in(tmp_path, "--runners", "0") as server,
        caller_of(server, secrets[0]) as anna,
        caller_of(server, secrets[1]) as ben,
    ):
        clips = [anna.hand_over("media", clip)["id"] for _ in range(3)]
        assert [anna.post(f"/media/{one}/people").status_code for one in clips] == [202, 202, 503]
        assert ben.post(f"/media/{ben.hand_over('media', clip)['id']}/people").status_code == 202
        assert anna.delete(f"/media/{clips[0]}").status_code == 204  # nobody is looked for in it any more
        until(lambda: anna.post(f"/media/{clips[2]}/people").status_code == 202, seconds=10)
        assert anna.get(f"/media/{clips[1]}/people").json()["state"] == "looking"


def test_an_upload_under_which_the_server_ends_is_told_to_come_again(tmp_path):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as server, caller_of(server, secret) as anna:
        begun = threading.Event()

        def slowly():
            for number in range(400):
                yield b"\xff" * 1000
                if number == 3:
                    begun.set()
                time.sleep(0.05)

        answers = []
        upload = threading.Thread(
            target=lambda: answers.append(anna.post("/photos", params={"name": "a.jpg"}, content=slowly()))
        )
        upload.start()
        assert begun.wait(60)
        server.process.send_signal(signal.SIGTERM)
        upload.join(60)
        assert [one.status_code for one in answers] == [503]
        assert answers[0].headers["retry-after"]
        server.process.wait(60)
        assert "Traceback" not in server.log.read_text()
        assert not [*(tmp_path / "home" / "server" / "things").glob("*.jpg")]


def test_who_follows_a_swap_when_the_server_ends_gets_a_stream_that_ends_whole(tmp_path, long_clip):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as server, caller_of(server, secret) as anna:
        person, target = anna.somebody(), anna.hand_over("media", long_clip)
        swap = anna.post("/swaps", json={"target": target["id"], "person": person}).json()["id"]
        with anna.stream("GET", f"/swaps/{swap}/events") as events:
            lines = events.iter_lines()
            assert next(lines) == "event: swap"
            server.process.send_signal(signal.SIGTERM)
            assert not [line for line in lines if line.startswith("event")]  # it raises where the stream is cut off
        server.process.wait(60)
    assert "Traceback" not in server.log.read_text()


def test_a_server_that_ends_does_not_wait_for_who_has_files_inspected(tmp_path, long_clip):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as server, caller_of(server, secret) as anna:
        answers, data = [], long_clip.read_bytes()

        def ask():
            answers.append(anna.post("/inspect", params={"name": "a.mp4"}, content=data))

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for one in asking:
            one.start()
        things = tmp_path / "home" / "server" / "things"
        until(lambda: things.exists() and sum(path.stat().st_size == len(data) for path in things.iterdir()) > 1)
        server.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        for one in asking:
            one.join(60)
        server.process.wait(60)
        assert time.monotonic() - begun < 15
    assert {one.status_code for one in answers} <= {200, 503}
    refused = [one for one in answers if one.status_code == 503]
    assert len(answers) == 4
    assert refused
    assert all("the server ends" in one.json()["error"] and one.headers["retry-after"] for one in refused)
    assert "Traceback" not in server.log.read_text()
    assert list(things.iterdir()) == []


def test_things_go_when_their_time_is_over(tmp_path):
    secret = Tokens(Home(tmp_path / "home")).add("anna", "anna", list(SCOPES), 1)[1]
    with server_in(tmp_path, "--runners", "0") as first, caller_of(first, secret) as anna:
        anna.somebody()
        anna.hand_over("media", portrait_path("astronaut"))
    stray = Shelf(Home(tmp_path / "home"), 7).path(Shelf(Home(tmp_path / "home"), 7).all("anna", "photo")[0])
    left, begun = (stray.with_name(f"{letter * 32}.mp4") for letter in "ab")
    left.write_bytes(b"what a kill left of an upload")
    os.utime(left, (time.time() - 7200,) * 2)
    begun.write_bytes(b"what another server takes in just now")
    with server_in(tmp_path, "--runners", "0", "--retention", "0.00002") as later, caller_of(later, secret) as anna:
        assert len(anna.get("/media").json()) == 1  # its own days were said when it came
        until(lambda: not left.exists())
        assert begun.exists()
        anna.hand_over("media", portrait_path("hopper"))
        time.sleep(2)
    with server_in(tmp_path, "--runners", "0") as last, caller_of(last, secret) as anna:
        limit = time.monotonic() + 60
        while len(found := anna.get("/media").json()) > 1 and time.monotonic() < limit:
            time.sleep(0.2)
        assert [one["name"] for one in found] == [portrait_path("astronaut").name]


def test_a_swap_that_has_not_ended_is_kept_and_its_time_counts_from_its_end(tmp_path):
    service = Service(Settings(home=tmp_path / "home"), ServeOptions(keep_days=1))
    for name in ("waits", "ended"):
        photo = tmp_path / f"{name}.png"
        shutil.copyfile(portrait_path("hopper"), photo)
        order = Order(portrait_path("astronaut"), tmp_path / f"{name}-out.png", (photo,))
        (number,) = service.app.jobs.add(order, consent=ConsentClaim("sample"))
        service.shelf.add("anna", "swap", f"{name}.png", ".png", {"target": "", "job": number})
    waits, ended = service.shelf.all("anna", "swap")
    service.app.jobs.cancel(service.job_of(ended).number)
    days = 86400.0
    clock = [time.time() + 1.5 * days]
    service.shelf = dataclasses.replace(service.shelf, clock=lambda: clock[0])
    assert service.expires(waits, service.job_of(waits)) == clock[0] + days
    assert service.expires(ended, service.job_of(ended)) < clock[0]
    service.open()
    until(lambda: [one.name for one in service.shelf.all("anna", "swap")] == ["waits.png"])
    assert service.job_of(waits).state == "waiting"
    service.close()


def test_that_old_things_can_not_be_removed_is_known(tmp_path, capfd):
    class FullShelf:
        def strays(self):
            return []

        def old(self):
            raise RecordsError("the disk is full", "Free some space.")

    service = Service(Settings(home=tmp_path / "home"))
    service.shelf = FullShelf()
    service.open()
    until(lambda: service.overdue)
    service.close()
    assert "the disk is full" not in service.overdue  # anybody may ask at /ready
    assert f"{service.overdue}: the disk is full" in capfd.readouterr().err
