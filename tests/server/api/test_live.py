"""Live swapping by the API: pictures in, labelled pictures out."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image
from tests.server.api.conftest import server_in
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from understudy.provenance import Home
from understudy.server.access.audit import AuditLog
from understudy.server.access.quotas import Quotas
from understudy.testing import Puppet, portrait, talking

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


@pytest.fixture(scope="module")
def pictures():
    puppet = Puppet(portrait("astronaut"), (640, 360), face_share=0.6)
    return [puppet.render(talking(number / 25)).picture for number in range(12)]


def jpeg(picture):
    return cv2.imencode(".jpg", picture)[1].tobytes()


def session(server, caller):
    address = f"{server.address.replace('http', 'ws')}/api/v1/live/frames"
    return connect(address, additional_headers={"Authorization": caller.headers["Authorization"]}, max_size=10_000_000)


def back(line):
    """The next picture that comes back, and its milliseconds; texts are passed by."""
    while True:
        said = line.recv(60)
        if isinstance(said, bytes):
            return cv2.imdecode(np.frombuffer(said[4:], np.uint8), cv2.IMREAD_COLOR), int.from_bytes(said[:4], "big")
        found = json.loads(said)
        assert "error" not in found, found


def test_a_program_hands_pictures_over_and_gets_them_back_swapped_and_labelled(server, caller, pictures):
    person = caller.somebody(uses=["live"])
    times = []
    with session(server, caller) as line:
        line.send(json.dumps({"person": person}))
        for picture in pictures:
            line.send(jpeg(picture))
            found, milliseconds = back(line)
            times.append(milliseconds)
            assert found.shape == picture.shape
    assert times == sorted(times)
    changed = np.abs(found.astype(int) - picture).mean(axis=2) > 20
    face = changed[100:260, 250:390].mean()
    assert face > 0.1, face  # another face
    assert changed[-30:, :200].mean() > 0.02  # the label
    assert caller.get("/me").json()["used_today"]["live_seconds"] == 10
    log = [one for one in AuditLog(Home(server.home)).entries() if one.action == "WS /live/frames"]
    assert log[0].outcome == "101"


def test_a_session_may_begin_with_nobody_seen(server, caller, pictures):
    person, details = caller.somebody(uses=["live"]), []
    with session(server, caller) as line:
        line.send(json.dumps({"person": person}))
        for covered in (True, False):
            line.send(json.dumps({"covered": covered}))
            line.send(jpeg(pictures[0]))
            found, _ = back(line)
            details.append(np.abs(np.diff(found[:190].astype(int), axis=1)).mean())
    assert details[0] < details[1] / 2


def told(line):
    """What is wrong, before the line is closed."""
    found = {}
    with contextlib.suppress(ConnectionClosed):
        while True:
            said = line.recv(60)
            if isinstance(said, str):
                found |= json.loads(said)
    return found


def test_one_too_many_is_told_so(server, caller, pictures):
    person = caller.somebody(uses=["live"])
    with session(server, caller) as first, session(server, caller) as second, session(server, caller) as third:
        for line in (first, second, third):
            line.send(json.dumps({"person": person}))
            line.send(jpeg(pictures[0]))
            if line is not third:
                back(line)
        assert "at a time" in told(third)["error"]
        first.send(jpeg(pictures[1]))
        back(first)


def test_a_day_is_used_up(server, pictures):
    with server.caller("lena", quotas=Quotas(live_seconds=5)) as lena, session(server, lena) as line:
        line.send(json.dumps({"person": lena.somebody(uses=["live"])}))
        line.send(jpeg(pictures[0]))
        found = told(line)
        assert "live" in found["error"]
        assert 0 < found["retry_after"] <= 86400


@pytest.mark.parametrize("pictures_come", [True, False])
def test_a_server_that_ends_tells_so(tmp_path, pictures, pictures_come):
    with server_in(tmp_path, "--runners", "0") as server, server.caller("olga") as olga, session(server, olga) as line:
        line.send(json.dumps({"person": olga.somebody(uses=["live"])}))
        line.send(jpeg(pictures[0]))
        back(line)
        server.process.send_signal(signal.SIGTERM)
        found = {}
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                if pictures_come:
                    line.send(jpeg(pictures[1]))
                said = line.recv(60)
                found |= json.loads(said) if isinstance(said, str) else {}
        server.process.wait(60)
    assert "the server ends" in found["error"]
    assert found["retry_after"] > 0
    assert closed.value.rcvd.code == 1012
    assert "Traceback" not in server.log.read_text()


def test_who_is_removed_is_shown_no_more(server, caller, pictures):
    person = caller.somebody(uses=["live"])
    with session(server, caller) as line:
        line.send(json.dumps({"person": person}))
        line.send(jpeg(pictures[0]))
        back(line)
        assert caller.delete(f"/people/{person}").status_code == 204
        found, begun = {}, time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            while time.monotonic() - begun < 30:
                line.send(jpeg(pictures[1]))
                said = line.recv(60)
                found |= json.loads(said) if isinstance(said, str) else {}
    assert "photo was removed" in found["error"]
    assert time.monotonic() - begun < 15


def test_what_is_not_opened_is_in_the_audit_log_and_counted(tmp_path):
    with server_in(tmp_path, "--runners", "0") as server, server.caller("pia", "media", name="pias-editor") as pia:
        own = {"Authorization": pia.headers["Authorization"]}
        place = f"{server.address.replace('http', 'ws')}/api/v1/live/frames"
        others = [own | {"Origin": "null"}, own | {"Host": "evil.example"}]
        for header in ({}, {"Authorization": "Bearer x"}, own, *others):
            with pytest.raises((InvalidStatus, ConnectionClosed, EOFError)), connect(place, additional_headers=header):
                pass
        log = [one for one in AuditLog(Home(server.home)).entries() if one.action.startswith("WS ")]
        counts = httpx.get(f"{server.address}/metrics").text
    assert [one.outcome for one in log] == ["403"] * 5
    assert [one.token for one in log] == ["", "", "pias-editor", "", ""]
    assert all(one.address == "127.0.0.1" for one in log)
    assert [one.action for one in log[:3]] == ["WS /live/frames"] * 3
    assert 'method="WS",route="/live/frames",status="403"} 3' in counts


def bomb():
    data = io.BytesIO()
    Image.new("1", (20000, 20000)).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    "messages",
    [
        ["no JSON"],
        ["{}"],
        ['{"person": "0"}'],
        [json.dumps({"person": "0" * 32}), "PICTURE"],
        [b"\xff\xd8"],
        ["PERSON", b"no picture"],
        ["PERSON", '{"covered": 3}'],
        ["PERSON", "BOMB"],
        ["PERSON", "PICTURE", "SMALL"],
        ["SETTINGS", "PICTURE"],
        ["PERSON", "CUT"],
    ],
)
def test_what_is_wrong_is_said(server, caller, pictures, messages):
    person = caller.somebody(uses=["live"])
    known = {
        "PERSON": json.dumps({"person": person}),
        "SETTINGS": json.dumps({"person": person, "settings": {"signing.timestamp": "http://evil.example"}}),
        "PICTURE": jpeg(pictures[0]),
        "SMALL": jpeg(pictures[0][:100, :100]),
        "BOMB": bomb(),
        "CUT": jpeg(pictures[0])[:300],
    }
    with session(server, caller) as line:
        for message in messages:
            line.send(known.get(message, message) if isinstance(message, str) else message)
        found = told(line)
    assert found["error"]
    assert found["hint"]
    assert caller.get("/me").status_code == 200


def test_consent_for_live_is_needed(server, caller, pictures):
    with session(server, caller) as line:
        line.send(json.dumps({"person": caller.somebody("astronaut", uses=["image"])}))
        line.send(jpeg(pictures[0]))
        found = told(line)
    assert "live" in found["error"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
def test_without_a_token_nothing_opens(server, header):
    with (
        pytest.raises(InvalidStatus),
        connect(f"{server.address.replace('http', 'ws')}/api/v1/live/frames", additional_headers=header),
    ):
        pass


@pytest.mark.parametrize("header", [{"Origin": "null"}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_other_pages_open_nothing(server, caller, header):
    with (
        pytest.raises((InvalidStatus, ConnectionClosed, EOFError)),
        connect(
            f"{server.address.replace('http', 'ws')}/api/v1/live/frames",
            additional_headers={"Authorization": caller.headers["Authorization"]} | header,
        ),
    ):
        pass
