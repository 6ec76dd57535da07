"""How a server ends, and what it writes meanwhile."""

import signal
import socket
import time

import pytest

from tests.server.conftest import studio_in

pytestmark = [pytest.mark.loopback, pytest.mark.slow]


@pytest.mark.parametrize("times", [1, 2])
def test_a_file_on_its_way_when_the_studio_is_ended_is_gone_without_a_word(tmp_path, times):
    with studio_in(tmp_path) as studio:
        head = (
            f"POST /uploads/clip/long.mp4 HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nOrigin: {studio.origin}\r\n"
            f"Cookie: {studio.cookie}\r\nContent-Length: 10000000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
            line.sendall(head.encode() + bytes(1_000_000))
            while not any(path.stat().st_size for path in studio.home.rglob(".uploads*/*.mp4")):
                time.sleep(0.05)
            for _ in range(times):
                studio.process.send_signal(signal.SIGINT)
            assert studio.process.wait(60) == 0
    assert not [*studio.home.rglob("*.mp4")]
    assert studio.log.read_text() == "Ctrl-C ends it\n"


def test_who_sends_what_is_no_http_fills_no_log(tmp_path):
    upgrade = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with studio_in(tmp_path) as studio:
        for sent in (b"\x16\x03\x01\x00\x05hello\r\n\r\n", b"garbage\r\n\r\n", upgrade):
            with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
                line.sendall(sent)
                assert line.recv(12).startswith(b"HTTP/1.1 4")
        studio.process.send_signal(signal.SIGINT)
        assert studio.process.wait(60) == 0
    assert studio.log.read_text() == "Ctrl-C ends it\n"
