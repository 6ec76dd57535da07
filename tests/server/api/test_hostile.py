"""Files and senders that want to break the API, and pages that want to use somebody's token."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from tests.server.api.conftest import server_in
from tests.server.bombs import SEEN, clip, gif, memory, padded, png
from tests.waiting import until

from understudy.testing import portrait_path

pytestmark = [pytest.mark.slow, pytest.mark.loopback]

FILES = ["/photos?name=a.jpg", "/media?name=a.mp4", "/inspect?name=a.png"]


def line_to(server):
    """A connection to it."""
    return socket.create_connection(("127.0.0.1", urlsplit(server.address).port), timeout=90)


def head(server, caller, place, *more):
    """The head of a request with a file."""
    lines = [f"POST /api/v1{place} HTTP/1.1", f"Host: {urlsplit(server.address).netloc}", *more]
    if caller is not None:
        lines.append(f"Authorization: {caller.headers['Authorization']}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def kept(server):
    """Files of users that the server has."""
    return list((server.home / "server" / "things").iterdir())


# Files that want to be too much.


@pytest.mark.parametrize("place", FILES)
@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)], ids=["", "asked first"])
def test_ten_gigabytes_are_refused_before_the_first_byte(server, caller, place, expect):
    with line_to(server) as line:
        line.sendall(head(server, caller, place, "Content-Length: 10000000000", *expect))
        said = line.recv(10_000)
    assert said.startswith(b"HTTP/1.1 413 "), said


@pytest.mark.parametrize("place", FILES)
def test_whoever_has_no_token_is_refused_before_the_first_byte(server, place):
    with line_to(server) as line:
        line.sendall(head(server, None, place, "Content-Length: 1000000", "Expect: 100-continue"))
        said = line.recv(10_000)
    assert said.startswith(b"HTTP/1.1 401 "), said


def test_a_stream_without_an_end_is_cut_off_at_the_cap_and_nothing_of_it_is_kept(server, caller):
    before = memory(server.process.pid) if SEEN else None
    sent, piece = 0, bytes(1_000_000)
    with line_to(server) as line:
        line.sendall(head(server, caller, "/photos?name=a.jpg", "Transfer-Encoding: chunked"))
        with contextlib.suppress(ConnectionError, TimeoutError):
            while sent < 500_000_000:
                line.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
                sent += len(piece)
    assert 60_000_000 < sent < 100_000_000
    assert before is None or memory(server.process.pid) - before < 100_000_000
    until(lambda: not [path for path in kept(server) if path.stat().st_size > 1_000_000])
    assert caller.get("/photos").json() == []


def test_a_user_has_no_more_than_their_bytes(server):
    from understudy.server.access.quotas import Quotas

    with server.caller("greta", quotas=Quotas(bytes=100_000)) as greta:
        with line_to(server) as line:
            line.sendall(head(server, greta, "/media?name=a.mp4", "Content-Length: 100001"))
            assert line.recv(10_000).startswith(b"HTTP/1.1 413 ")
        with line_to(server) as line:
            line.sendall(head(server, greta, "/media?name=a.mp4", "Transfer-Encoding: chunked"))
            line.sendall(b"186a1\r\n" + bytes(100_001) + b"\r\n")
            assert line.recv(10_000).startswith(b"HTTP/1.1 413 ")


def test_files_to_be_inspected_have_their_users_bytes_together(server):
    from understudy.server.access.quotas import Quotas

    data, before = portrait_path("hopper").read_bytes(), set(kept(server))
    with server.caller("hugo", quotas=Quotas(bytes=1.5 * len(data))) as hugo:
        with line_to(server) as line:
            line.sendall(head(server, hugo, "/inspect?name=a.jpg", f"Content-Length: {len(data)}") + data[:-1])
            until(lambda: set(kept(server)) - before)
            refused = hugo.post("/inspect", params={"name": "b.jpg"}, content=data)
            assert refused.status_code == 429, refused.text
            assert "one file after the other" in refused.json()["hint"]
            line.sendall(data[-1:])
            assert line.recv(10_000).startswith(b"HTTP/1.1 200 ")
        assert hugo.post("/inspect", params={"name": "b.jpg"}, content=data).status_code == 200
    assert set(kept(server)) <= before


@pytest.mark.skipif(not SEEN, reason="/proc tells what a process holds")
def test_a_large_clip_is_taken_in_without_being_held_in_memory(server, caller, small_clip, tmp_path):
    large = padded(tmp_path / "large.mp4", small_clip, 300_000_000)
    caller.hand_over("media", small_clip)  # what is loaded with the first one is no part of it
    before, most, over = memory(server.process.pid), [0], threading.Event()

    def watch():
        while not over.wait(0.01):
            most[0] = max(most[0], memory(server.process.pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        with large.open("rb") as file:
            taken = caller.post("/media", params={"name": "large.mp4"}, content=iter(lambda: file.read(1 << 20), b""))
    finally:
        over.set()
        thread.join()
    assert taken.status_code == 201, taken.text
    assert taken.json()["bytes"] == large.stat().st_size > 300_000_000
    assert most[0] - before < 100_000_000


@pytest.mark.parametrize("name", ["bomb.png", "bomb.gif", "bomb.avi"])
def test_what_would_fill_the_memory_is_refused_from_its_head(server, caller, tmp_path, name):
    made = {"bomb.png": lambda: png(60_000, 60_000), "bomb.gif": lambda: gif(65_535, 65_535)}
    data = made[name]() if name in made else clip(tmp_path, 16_000, 16_000).read_bytes()
    before = memory(server.process.pid) if SEEN else None
    answer = caller.post("/media", params={"name": name}, content=data)
    assert answer.status_code in (413, 422), answer.text
    assert answer.json()["hint"]
    told = caller.post("/inspect", params={"name": name}, content=data)
    assert told.status_code in (200, 413, 422)
    assert before is None or memory(server.process.pid) - before < 300_000_000
    assert caller.get("/media").json() == []


def test_a_photo_that_would_fill_the_memory_shows_nobody(server, caller):
    photo = caller.post("/photos", params={"name": "bomb.png"}, content=png(60_000, 60_000)).json()
    before = memory(server.process.pid) if SEEN else None
    said = {"photos": [photo["id"]], "consent": {"ground": "self"}}
    assert caller.post("/people", json=said).status_code == 413
    assert before is None or memory(server.process.pid) - before < 300_000_000


def zipped():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clip.mp4", bytes(100_000_000))
    return data.getvalue()


@pytest.mark.parametrize("name", ["a.mp4", "a.png", "a.zip"])
def test_an_archive_is_no_clip_and_is_not_unpacked(server, caller, name):
    answer = caller.post("/media", params={"name": name}, content=zipped())
    assert answer.status_code == 422
    assert caller.get("/media").json() == []


def test_a_form_of_ten_thousand_parts_is_a_file_or_nothing(server, caller):
    form = b"--x\r\nContent-Disposition: form-data; name=a; filename=a.jpg\r\n\r\nb\r\n" * 10_000 + b"--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    begin = time.monotonic()
    for place in ("/media?name=a.mp4", "/people", "/swaps"):
        assert caller.post(place, content=form, headers=kind).status_code in (413, 422)
    assert time.monotonic() - begin < 30
    assert caller.get("/media").json() == []


def test_ten_thousand_small_pieces_are_one_file(server, caller):
    with line_to(server) as line:
        line.sendall(head(server, caller, "/photos?name=a.jpg", "Transfer-Encoding: chunked"))
        line.sendall(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
        assert line.recv(10_000).startswith(b"HTTP/1.1 201 ")
    assert [one["bytes"] for one in caller.get("/photos").json()] == [10_000]


# Files that lead elsewhere.


class Elsewhere:
    """A place that counts who comes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/x.ts"

    def visited(self):
        """Whether somebody came."""
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


LISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "concat of a file": "ffconcat version 1.0\nfile '/etc/passwd'\n",
    "DASH": '<?xml version="1.0"?><MPD><Period><BaseURL>{url}</BaseURL></Period></MPD>',
    "SVG": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
    "an address": "{url}",
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_of_addresses_leads_nowhere(server, caller, kind):
    elsewhere = Elsewhere()
    with contextlib.closing(elsewhere.listener):
        data = LISTS[kind].format(url=elsewhere.url).encode()
        for name in ("a.mp4", "a.mkv", "a.gif", "a.png"):
            answer = caller.post("/media", params={"name": name}, content=data)
            assert answer.status_code == 422, answer.text
            assert "root:" not in answer.text
            caller.post("/inspect", params={"name": name}, content=data)
        assert not elsewhere.visited()
        assert caller.post("/media", params={"name": "a.m3u8"}, content=data).status_code == 422


@pytest.mark.parametrize("place", [{"target": "{url}"}, {"cast": [{"who": 1, "person": "{url}"}]}, {"settings": {}}])
def test_an_address_in_an_order_leads_nowhere(server, caller, place):
    elsewhere = Elsewhere()
    with contextlib.closing(elsewhere.listener):
        text = httpx.Request("POST", "http://x", json=place).content.decode().replace("{url}", elsewhere.url)
        head_said = {"Content-Type": "application/json", "X-Forwarded-Host": elsewhere.url, "Referer": elsewhere.url}
        assert caller.post("/swaps", content=text, headers=head_said).status_code in (404, 422)
        assert not elsewhere.visited()


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="needs strace")
def test_the_server_and_its_runner_connect_to_nobody(tmp_path):
    log = tmp_path / "sockets.log"
    strace = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o", str(log)]
    with server_in(tmp_path, before=strace) as server, server.caller("anna") as anna:
        target = anna.hand_over("media", portrait_path("astronaut"))["id"]
        swap = anna.post("/swaps", json={"target": target, "person": anna.somebody()}).json()["id"]
        assert anna.ended(swap)["state"] == "done"
        anna.get(f"/swaps/{swap}/result")
    assert [line for line in log.read_text().splitlines() if "AF_INET" in line] == []


# Pages of others.


@pytest.mark.parametrize("place", ["/me", "/swaps", "/photos?name=a.jpg"])
def test_a_page_of_somebody_elses_is_not_allowed_to_send_a_token(server, place):
    asked = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = httpx.options(f"{server.address}/api/v1{place}", headers=asked)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_what_a_browser_sends_by_itself_opens_nothing(server, caller):
    secret = caller.headers["Authorization"].removeprefix("Bearer ")
    for place in ("/me", f"/me?token={secret}", f"/me?access_token={secret}"):
        with httpx.Client(cookies={"token": secret, "Authorization": f"Bearer {secret}"}) as browser:
            assert browser.get(f"{server.address}/api/v1{place}").status_code == 401
            assert browser.get(f"{server.address}/api/v1{place}", auth=("anna", secret)).status_code == 401


def test_two_hosts_or_two_origins_are_none(server, caller):
    host = urlsplit(server.address).netloc
    for more in (f"Host: {host}\r\nHost: evil.example", f"Host: {host}\r\nOrigin: null\r\nOrigin: http://{host}"):
        with line_to(server) as line:
            line.sendall(f"GET /health HTTP/1.1\r\n{more}\r\n\r\n".encode())
            assert line.recv(1000).split()[1] in (b"400", b"403", b"421")


def test_what_is_given_out_is_not_shown_as_a_page(server, caller):
    media = caller.hand_over("media", portrait_path("astronaut"), "<script>alert(1)<script>.png")
    given = caller.get(f"/media/{media['id']}/content")
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-disposition"].startswith("attachment")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["referrer-policy"] == "no-referrer"


# Senders that never come to an end.


def letter_by_letter(server):
    """What a body is answered of which a letter comes each second, and after how many seconds.

    Without a token: what is no file is read before it is asked for.
    """
    begin, said = time.monotonic(), b""
    with line_to(server) as line:
        line.sendall(head(server, None, "/people", "Content-Type: application/json", "Content-Length: 1000"))
        line.settimeout(1)
        while not said and time.monotonic() - begin < 120:
            with contextlib.suppress(ConnectionError):
                line.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                said = line.recv(1000)
        with contextlib.suppress(ConnectionError):  # it is cut off, as a TimeoutError would say that it is not
            while more := line.recv(1000):
                said += more
    return said, time.monotonic() - begin


def test_whoever_never_ends_asking_is_not_waited_for_and_holds_up_nobody(server, caller):
    lines = []
    with ThreadPoolExecutor(1) as beside, contextlib.ExitStack() as later:
        body = beside.submit(letter_by_letter, server)
        for _ in range(200):
            lines.append(later.enter_context(line_to(server)))
            lines[-1].sendall(b"GET / HTTP/1.1\r\nHost: ")
        begin = time.monotonic()
        assert caller.get("/me").status_code == 200
        assert time.monotonic() - begin < 10
        for line in lines:
            with contextlib.suppress(ConnectionError):
                assert line.recv(1000) == b""
        assert 5 < time.monotonic() - begin < 60
        said, seconds = body.result()
    assert said.startswith(b"HTTP/1.1 408 "), said
    assert b'"hint"' in said
    assert seconds < 90


def test_a_body_that_turns_out_too_large_is_cut_off(server, caller):
    answer = caller.post("/people", content=iter([b"[" * 100_000] * 20))
    assert answer.status_code == 413
    assert set(answer.json()) == {"error", "hint", "status"}


def test_a_head_without_an_end_is_not_read_on(server):
    sent = 0
    with line_to(server) as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError, TimeoutError):
            while sent < 50_000_000:
                line.sendall(b"X-Long: " + b"y" * 10_000 + b"\r\n")
                sent += 10_000
    assert sent < 10_000_000


def test_a_server_that_was_attacked_says_no_traceback(server):
    assert "Traceback" not in server.log.read_text()
