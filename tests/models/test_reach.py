"""A download that began outside is not sent on to anything inside this machine or its network."""

from __future__ import annotations

import socket

import pytest

from tests.models.shelf import GOOD, entry
from understudy.errors import FetchError
from understudy.models.download import FetchOptions
from understudy.models.fetching import Fetcher
from understudy.models.reach import Trail, is_public

pytestmark = pytest.mark.loopback

#: An address outside, as the tests have it: what is sent there reaches their own server.
OUTSIDE = "93.184.215.14"
QUICK = FetchOptions(stall_seconds=2, tries=2, pause_seconds=0.01)

INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "not an address",
]


@pytest.mark.parametrize("address", INNER)
def test_addresses_inside_are_known_however_they_are_written(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [OUTSIDE, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_outside_are_known_too(address):
    assert is_public(address)


def test_a_trail_that_has_been_outside_stays_there():
    assert Trail().allowed("x", ["10.0.0.1"]) == ["10.0.0.1"]
    trail = Trail()
    assert trail.allowed("x", ["10.0.0.1", OUTSIDE]) == [OUTSIDE]
    with pytest.raises(FetchError, match="inside this network: y"):
        trail.allowed("y", ["10.0.0.1"])
    assert trail.allowed("x", [OUTSIDE]) == [OUTSIDE]


@pytest.fixture
def names(monkeypatch):
    """What names mean; an answer is used up by each question, the last one stays."""
    known = {"models.example": [OUTSIDE], "inside.example": ["10.0.0.7"], "both.example": ["10.0.0.7"]}
    asked = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def answer(host, port, *rest, **more):
        asked.append(host)
        if host not in known:
            return look_up(host, port, *rest, **more)
        answers = known[host]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return look_up(address, port, *rest, **more)

    def reach(self, address):
        return connect(self, ("127.0.0.1", address[1]) if address[0] == OUTSIDE else address)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket.socket, "connect", reach)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    known["asked"] = asked
    return known


def outside(server, path, host="models.example"):
    return server.url(path).replace("127.0.0.1", host)


def fetch(models):
    with Fetcher(models, QUICK) as fetcher:
        fetcher.fetch(models.catalogue.entries["good"])
    return models.read(models.catalogue.entries["good"])


def test_from_outside_it_goes_on_outside(store, server, names):
    models = store(entry("good", {"url": outside(server, "/moved")}))
    server.files["/moved"], server.manners["/moved"] = b"", [f"to {outside(server, '/good.onnx')}"]
    assert fetch(models) == GOOD


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "inside.example",
    ],
)
def test_from_outside_it_is_not_sent_inside(store, server, names, host):
    models = store(entry("good", {"url": outside(server, "/moved")}))
    server.files["/secret"] = GOOD
    server.files["/moved"], server.manners["/moved"] = b"", [f"to {outside(server, '/secret', host)}"]
    with pytest.raises(FetchError, match=r"inside this network|not known|No address|IPv6|family|resolution"):
        fetch(models)
    assert "/secret" not in [path for path, _ in server.asked]


def test_nor_by_way_of_another_place_outside(store, server, names):
    models = store(entry("good", {"url": server.url("/first")}))
    server.files |= {"/first": b"", "/second": b"", "/secret": GOOD}
    server.manners["/first"] = [f"to {outside(server, '/second')}"]
    server.manners["/second"] = [f"to {server.url('/secret')}"]
    with pytest.raises(FetchError, match="inside this network"):
        fetch(models)
    assert "/secret" not in [path for path, _ in server.asked]


def test_what_begins_inside_may_stay_there(store, server, names):
    models = store(entry("good", {"url": server.url("/moved")}))
    server.files["/moved"], server.manners["/moved"] = b"", [f"to {server.url('/good.onnx')}"]
    assert fetch(models) == GOOD


@pytest.mark.slow
def test_a_name_that_means_something_else_when_it_is_asked_again_is_not_followed(store, server, names):
    names["both.example"] = [OUTSIDE, "127.0.0.1"]
    models = store(entry("good", {"url": outside(server, "/good.onnx", "both.example")}))
    server.manners["/good.onnx"] = ["503", ""]
    with pytest.raises(FetchError, match="inside this network"):
        fetch(models)
    assert len(server.asked) == 1


def test_each_connection_looks_a_name_up_once(store, server, names):
    models = store(entry("good", {"url": outside(server, "/good.onnx")}))
    assert fetch(models) == GOOD
    assert names["asked"].count("models.example") == 1


def test_a_proxy_of_the_users_own_may_be_inside_and_is_not_sent_there(store, server, names, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url(""))
    server.files["http://models.example/good.onnx"] = GOOD
    models = store(entry("good", {"url": "http://models.example/good.onnx"}))
    assert fetch(models) == GOOD
    models.remove(models.catalogue.entries["good"])
    for inner in ("http://inside.example/secret", "http://10.0.0.1/secret", "http://localhost/secret"):
        server.files[inner] = GOOD
        server.manners["http://models.example/good.onnx"] = [f"to {inner}"]
        with pytest.raises(FetchError, match="inside this network"):
            fetch(models)
        assert inner not in [path for path, _ in server.asked]
