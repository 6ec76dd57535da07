"""Who is let in, and what is sent along."""

import asyncio
import base64
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.server.conftest import studio_in

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
pytest.importorskip("nicegui")

SOCKETS = ("/_nicegui_ws/socket.io/?EIO=4&transport=websocket", "/live/preview?")


def handshake(studio, path, **headers):
    """The first line that is answered to whoever wants a WebSocket."""
    sent = {
        "Host": f"127.0.0.1:{studio.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **headers,
    }
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value is not None)]
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return line.recv(1000).split(b"\r\n")[0].decode()


def test_health_answers_anybody_who_has_the_right_host(studio):
    status, headers, body = studio.ask("/health")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b'"ok"' in body


@pytest.mark.parametrize("path", ["/", "/assets/studio.css", "/uploads/photo/a.jpg", "/_nicegui/x", "/nowhere"])
def test_nothing_is_shown_without_the_token(studio, path):
    status, _, body = studio.ask(path)
    assert status == 401
    assert b"understudy studio" in body
    assert studio.ask(f"{path}?token={'x' * 43}")[0] == 401
    assert studio.ask(path, Cookie=f"understudy-{studio.port}=wrong")[0] == 401
    assert studio.ask(path, Cookie=f"understudy-{studio.port}={studio.token}")[0] == 401


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address(studio):
    status, headers, body = studio.ask(f"/?token={studio.token}&a=b%22%3E")
    assert status == 200
    name, *attributes = headers["set-cookie"].split("; ")
    assert name.startswith(f"understudy-{studio.port}=")
    assert studio.token not in name
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert studio.token.encode() not in body
    assert b'content="0;url=/?a=b%22%3E"' in body
    assert studio.ask("/", Cookie=name)[0] == 200


def test_the_token_leaves_the_address_also_where_the_cookie_is_there_already(studio):
    _, headers, body = studio.ask(f"/?token={studio.token}", Cookie=studio.cookie)
    assert b'url=/"' in body
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "other",
    [
        'prefs={"theme":"dark"}',
        "a=b c",
        "x y=1",
        "name=J\xfcrgen",
        "theme",
        "a[0]=1",
        "path=/foo",
        "expires=1",
        "secure=1",
        "",
        "=",
        "understudy-{port}=of+another+program",
        "understudy-{port}",
    ],
)
def test_other_programs_cookies_do_not_hide_the_studios_own(studio, other):
    other = other.replace("{port}", str(studio.port))
    for cookies in (f"{other}; {studio.cookie}", f"{studio.cookie}; {other}"):
        assert studio.ask("/nowhere", Cookie=cookies)[0] != 401
    assert studio.ask("/nowhere", Cookie=other)[0] == 401


def test_no_address_leads_elsewhere(studio):
    body = studio.ask(f"//example.org/?token={studio.token}")[2]
    assert b'url=/example.org/"' in body


@pytest.mark.parametrize(
    "host",
    ["example.org", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.:{port}", "[::1]:{port}", "example.org:{port}", ""],
)
def test_another_host_is_refused(studio, host):
    wrong = host.format(port=studio.port)
    assert studio.ask("/", Host=wrong, Cookie=studio.cookie)[0] == 421
    assert studio.ask("/health", Host=wrong)[0] == 421


def test_two_hosts_are_refused(studio):
    assert studio.ask("/health", Host=[f"127.0.0.1:{studio.port}", "example.org"])[0] in (400, 421)


def test_localhost_is_one_of_its_names(studio):
    assert studio.ask("/health", Host=f"localhost:{studio.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["null", "http://example.org", "http://127.0.0.1", "https://127.0.0.1:{port}", "http://localhost:{port}"]
)
def test_another_origin_is_refused(studio, origin):
    wrong, cookie = origin.format(port=studio.port), studio.cookie
    assert studio.ask("/", Origin=wrong, Cookie=cookie)[0] == 403
    assert studio.ask("/uploads/photo/a.jpg", "POST", b"x", Origin=wrong, Cookie=cookie)[0] == 403
    for path in SOCKETS:
        assert " 403 " in handshake(studio, path, Cookie=cookie, Origin=wrong)


def test_what_changes_anything_needs_an_origin(studio):
    assert studio.ask("/uploads/photo/a.jpg", "POST", b"x", Cookie=studio.cookie)[0] == 403


@pytest.mark.parametrize("path", SOCKETS)
def test_a_websocket_needs_the_host_the_origin_and_the_cookie(studio, path):
    cookie = studio.cookie
    assert " 101 " in handshake(studio, path, Cookie=cookie, Origin=studio.origin)
    assert " 403 " in handshake(studio, path, Cookie=cookie)
    assert " 403 " in handshake(studio, path, Origin=studio.origin)
    assert " 403 " in handshake(studio, path, Origin=studio.origin, Cookie="understudy-1=x")
    assert " 403 " in handshake(studio, f"{path}&token={studio.token}", Origin=studio.origin)
    assert " 403 " in handshake(studio, path, Cookie=cookie, Origin="http://example.org", Host="example.org")


def test_pages_may_not_be_framed_and_run_their_own_scripts_only(studio):
    _, headers, body = studio.ask("/", Cookie=studio.cookie)
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert headers["cache-control"] == "no-store"
    nonce = re.search(r"'nonce-([\w-]+)'", policy["script-src"])[1]
    scripts = re.findall(rb"<script\b[^>]*>", body)
    assert len(scripts) > 5
    assert all(f'nonce="{nonce}"'.encode() in script for script in scripts)


def test_each_page_has_another_nonce(studio):
    first, second = (studio.ask("/", Cookie=studio.cookie)[1]["content-security-policy"] for _ in range(2))
    assert first != second


def test_the_headers_are_on_refusals_and_files_too(studio):
    for path in ("/nowhere", "/assets/studio.css", "/health"):
        for cookie in ("", studio.cookie):
            headers = studio.ask(path, Cookie=cookie)[1]
            assert headers["x-frame-options"] == "DENY"
            assert "content-security-policy" in headers


def test_a_body_that_is_announced_as_too_large_is_refused(studio):
    given = {"Cookie": studio.cookie, "Origin": studio.origin}
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert studio.ask(path, "POST", b"x" * 1_000_001, **given)[0] == 413


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end():
    from understudy.server.security import MOST_BYTES, Doorkeeper, Keys

    keys, read, sent = Keys(), [], []

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    async def receive():
        read.append(0x10000)
        return {"type": "http.request", "body": b"x" * 0x10000, "more_body": True}

    async def send(message):
        sent.append(message)

    headers = {"host": "localhost:1", "origin": "http://localhost:1", "cookie": keys.header("understudy-1")}
    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": []}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(Doorkeeper(app, keys, 1)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert sum(read) <= MOST_BYTES + 0x10000


def test_who_goes_before_all_was_asked_troubles_nobody():
    from understudy.server.security import Counted

    sent = []

    async def app(scope, receive, send):
        message = await receive()
        await send({"type": "http.response.start", "status": 200 + len(message["body"]), "headers": []})

    async def gone():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(Counted(app)({"type": "http", "method": "GET", "path": "/_nicegui_ws/x", "headers": []}, gone, send))
    assert sent == []


@pytest.mark.parametrize("path", ["/assets/../page.py", "/assets/%2e%2e/page.py", "/assets/..%2fpage.py", "/assets/"])
def test_files_beside_the_assets_are_not_to_be_had(studio, path):
    status, _, body = studio.ask(path, Cookie=studio.cookie)
    assert status in (400, 404, 405)
    assert b"import" not in body


def test_it_listens_on_this_machine_only(studio):
    for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
        if not address.startswith("127."):
            command = [
                sys.executable,
                "-c",
                f"import socket; socket.create_connection(({address!r}, {studio.port}), 5)",
            ]
            assert "refused" in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_the_token_is_in_no_log_and_no_file(studio):
    studio.ask(f"/?token={studio.token}")
    studio.ask(f"/nowhere?token={studio.token}")
    assert studio.token not in studio.log.read_text()
    kept = [path for path in studio.log.parent.rglob("*") if path.is_file()]
    assert all(studio.token.encode() not in path.read_bytes() for path in kept)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="needs strace")
def test_the_server_connects_to_nobody(tmp_path):
    log = tmp_path / "sockets.log"
    strace = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o", str(log)]
    with studio_in(tmp_path, before=strace) as studio:
        cookie = studio.cookie
        for path in ("/", "/health", "/assets/studio.css", "/live/faces/sample.jpg", "/nowhere"):
            studio.ask(path, Cookie=cookie)
    assert studio.process.returncode == 0
    reached = [line for line in log.read_text().splitlines() if "AF_INET" in line]
    assert reached == []


def test_files_are_handed_over_by_the_page_only(studio, hopper_path):
    given = {"Cookie": studio.cookie, "Origin": studio.origin}
    photo = hopper_path.read_bytes()
    status, _, body = studio.ask("/uploads/photo/me.jpg", "POST", photo, **given)
    assert status == 200
    assert re.fullmatch(rb'{"id":"[0-9a-f]{32}"}', body)
    assert studio.ask("/uploads/photo/me.exe", "POST", photo, **given)[0] == 422
    assert studio.ask("/uploads/other/me.jpg", "POST", photo, **given)[0] == 404
    assert studio.ask("/uploads/photo/..%2f..%2fme.jpg", "POST", photo, **given)[0] == 404
    assert studio.ask("/uploads/photo/me.jpg", "GET", **given)[0] in (404, 405)
    assert studio.ask("/uploads/photo/me.jpg", "POST", photo, Origin=studio.origin)[0] == 401


@pytest.mark.parametrize(
    "path", ["/live/faces/x.jpg", "/live/recordings/0", "/live/recordings/x", "/live/faces/..%2fx"]
)
def test_what_was_not_handed_over_is_not_to_be_had(studio, path):
    assert studio.ask(path, Cookie=studio.cookie)[0] == 404


def test_a_port_that_is_taken_is_said(studio, capfd, tmp_path):
    from understudy.cli.main import main

    assert main(["studio", "--no-browser", "--port", str(studio.port), "--home", str(tmp_path)]) == 2
    err = capfd.readouterr().err
    assert f"port {studio.port} of 127.0.0.1 can't be used" in err
    assert "--port" in err


def test_a_missing_library_is_said_with_what_to_install():
    code = (
        "import importlib.util, sys\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'nicegui' else real(name, *more)\n"
        "from understudy.cli.main import main\n"
        "sys.exit(main(['studio']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'understudy[studio]'" in done.stderr


def test_a_window_of_its_own_ends_the_studio_when_it_is_closed(monkeypatch, tmp_path, capfd):
    """With a stand-in for pywebview, which needs a screen."""
    from understudy.cli.main import main

    opened = []

    def start():
        place = urlsplit(opened[0])
        line = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
        line.request("GET", f"/?{place.query}")
        assert "understudy-" in line.getresponse().headers["set-cookie"]

    window = SimpleNamespace(
        windows=[], start=start, create_window=lambda _, address, **more: opened.append(address), __spec__=object()
    )
    monkeypatch.setitem(sys.modules, "webview", window)
    assert main(["studio", "--native", "--home", str(tmp_path / "home")]) == 0
    printed = capfd.readouterr().out
    assert opened[0] not in printed  # the code in it is good once, and another than the token


def test_a_code_opens_the_door_once_and_not_for_long(monkeypatch):
    from understudy.server import security

    keys = security.Keys()
    code = keys.once()
    assert keys.admits(code)
    assert not keys.admits(code)
    late, now = keys.once(), time.monotonic()
    monkeypatch.setattr(security.time, "monotonic", lambda: now + 61)
    assert not keys.admits(late)
    assert keys.admits(keys.token)
