"""Pages of others in the same browser, names that want to be HTML, and files and senders that want to break things."""

import base64
import http.server
import json
import re
import socket
import threading
import time
import zipfile

import pytest

from tests.server.bombs import SEEN, memory, png
from tests.server.conftest import studio_in
from tests.waiting import until
from understudy.models.catalogue import OWN_FILE
from understudy.provenance import ConsentClaim, Consents, Home, Ledger
from understudy.provenance.records.consent import Photo
from understudy.provenance.records.ledger import Record

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
pytest.importorskip("nicegui")

NASTY = """"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7*7 }}"""
ROOMS = ("/", "/check", "/models", "/records")
ENTRY = """
[licence.nasty]
name = '{nasty}'
terms = '{nasty}'
[[model]]
name = "nasty"
kind = "upscaler"
title = '{nasty}'
licence = "nasty"
scale = 2
[model.file]
name = "nasty.onnx"
[model.input]
size = 64
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One whose private folder holds texts that want to be HTML, wherever somebody could put some."""
    folder = tmp_path_factory.mktemp("hostile")
    home = Home(folder / "home")
    home.folder()
    (home.root / OWN_FILE).write_text(ENTRY.format(nasty=NASTY))
    claim = ConsentClaim("granted", NASTY)
    Consents(home).grant(Photo(f"{NASTY}.jpg", "a" * 64, "b" * 64), claim)
    kept = Record("a" * 12, "2026-01-01T00:00:00+00:00", NASTY, NASTY, "1", (), "", "c" * 64, (), NASTY, ())
    Ledger(home).append(kept)
    with studio_in(folder) as running:
        yield running


class Elsewhere:
    """A page of somebody else's, on another port of this machine: for cookies it is the same site."""

    def __init__(self):
        self.asked, self.page = [], b""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Referer")))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(outer.page)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def elsewhere():
    found = Elsewhere()
    yield found
    found.server.shutdown()
    found.server.server_close()


# Pages of others.

ATTACKS = """
async (studio) => {
  const tried = {}, seen = (name) => (value) => (tried[name] = value), lost = (name) => () => (tried[name] = "refused");
  const say = (name, answer) => answer.then((one) => one.text()).then(seen(name)).catch(lost(name));
  await say("read", fetch(studio + "/records/ledger.jsonl", { credentials: "include" }));
  await say("post", fetch(studio + "/uploads/photo/a.jpg", { method: "POST", body: "x", credentials: "include" }));
  await fetch(studio + "/uploads/photo/b.jpg", { method: "POST", body: "x", mode: "no-cors", credentials: "include" })
    .then((answer) => seen("blind")(answer.status)).catch(lost("blind"));
  const loaded = [["picture", "img", "/live/faces/sample.jpg"], ["script", "script", "/records/ledger.jsonl"]];
  for (const [name, tag, path] of loaded)
    await new Promise((done) => {
      const element = document.createElement(tag);
      element.onload = () => (seen(name)("loaded"), done());
      element.onerror = () => (lost(name)(), done());
      element.src = studio + path;
      document.body.append(element);
    });
  for (const path of ["/_nicegui_ws/socket.io/?EIO=4&transport=websocket", "/live/preview"])
    await new Promise((done) => {
      const line = new WebSocket(studio.replace("http", "ws") + path);
      line.onopen = () => (seen(path)("open"), done());
      line.onerror = () => (lost(path)(), done());
    });
  return tried;
}
"""


def test_a_page_of_somebody_elses_reads_sends_and_opens_nothing(visit, studio, elsewhere):
    page = visit("/records")
    assert len(page.context.cookies()) >= 1  # the browser holds the key
    visit.complaints.clear()
    page.goto(elsewhere.url)
    tried = page.evaluate(ATTACKS, studio.origin)
    visit.complaints.clear()  # the browser says what it was kept from
    assert tried.pop("blind") in ("refused", 0)  # it was sent, perhaps: what became of it is seen below
    assert set(tried.values()) == {"refused"}
    assert len(tried) == 6
    assert [path for path in (studio.home / "studio").rglob("*.jpg") if path.stat().st_size == 1] == []


def test_a_form_of_somebody_elses_is_refused(visit, studio, elsewhere):
    page = visit("/records")
    elsewhere.page = (
        f'<form method=post enctype=multipart/form-data action="{studio.origin}/uploads/photo/form.jpg">'
        "<input name=a value=b></form><script>document.forms[0].submit()</script>"
    ).encode()
    page.goto(elsewhere.url)
    page.wait_for_url(f"{studio.origin}/uploads/photo/form.jpg")
    assert "Other pages may not ask" in page.inner_text("body")
    visit.complaints.clear()


@pytest.mark.parametrize("room", [*ROOMS, "/clips", "/jobs"])
def test_no_room_can_be_framed(visit, studio, elsewhere, room):
    page = visit("/records")
    elsewhere.page = f'<iframe src="{studio.origin}{room}"></iframe>'.encode()
    page.goto(elsewhere.url)
    page.wait_for_load_state("networkidle")
    framed = page.frames[-1]
    assert "Understudy" not in framed.content()
    visit.complaints.clear()  # the browser says that it did not show it


def test_where_one_goes_from_here_learns_nothing(visit, studio, elsewhere):
    page = visit("/records")
    page.evaluate("(url) => { location.href = url; }", elsewhere.url)
    page.wait_for_url(elsewhere.url)
    page.goto("about:blank")  # the other place is closed before the browser, which would ask it for an icon
    assert ("/", None) in elsewhere.asked
    assert all(studio.token not in str(asked) for asked in elsewhere.asked)


# Texts that want to be HTML.


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_is_read_as_html(visit, studio, room):
    page = visit(room)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    if room == "/records":
        page.get_by_text(NASTY, exact=False).first.wait_for()
        page.get_by_role("button", name=re.compile("^Revoke the consent")).click()
        page.get_by_role("dialog").get_by_text("onerror").wait_for()
        page.keyboard.press("Escape")
    if room == "/models":
        page.get_by_role("button", name="Get nasty", exact=True).click()
        page.get_by_role("dialog").get_by_text("onerror").first.wait_for()
        page.keyboard.press("Escape")
    for picker in page.locator("main input[type=file]").all():
        picker.set_input_files([{"name": f"{NASTY}.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}])
        page.get_by_role("alert").or_(page.get_by_text("onerror")).first.wait_for()
    page.wait_for_function("document.querySelectorAll('.picker progress').length === 0")
    assert page.locator("img[src=x]").count() == 0
    assert page.get_by_text("49", exact=True).count() == 0
    assert dialogs == []


# Names that want to be paths.


@pytest.mark.parametrize("number", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "x", "%00", "a" * 5000, "..\\..\\x"])
@pytest.mark.parametrize("place", ["/check/pictures/", "/records/photos/"])
def test_an_id_is_a_number_that_the_server_made(studio, place, number):
    status, _, body = studio.ask(f"{place}{number.replace(chr(92), '%5c')}.jpg", Cookie=studio.cookie)
    assert status == 404
    assert b"root:" not in body


# Files that want to be too much.


def test_a_picture_that_would_fill_the_memory_is_refused_from_its_head(visit, studio):
    page = visit("/records")
    before = memory(studio.process.pid) if SEEN else None
    page.locator("main input[type=file]").set_input_files(
        [{"name": "bomb.png", "mimeType": "image/png", "buffer": png(60_000, 60_000)}]
    )
    page.get_by_role("alert").get_by_text("too many pixels").wait_for()
    page = visit("/check")
    page.locator("main input[type=file]").set_input_files(
        [{"name": "bomb.png", "mimeType": "image/png", "buffer": png(60_000, 60_000)}]
    )
    page.get_by_text("It can't be opened as a picture or a video").first.wait_for()
    assert before is None or memory(studio.process.pid) - before < 300_000_000


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_refused(visit, studio, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nasty.onnx", bytes(200_000_000))
    page = visit("/models")
    page.locator("main input[type=file]").set_input_files(tmp_path / "bomb.zip")
    page.get_by_role("alert").filter(has_text=re.compile("not what it should be|Nothing in this file")).wait_for()
    kept = sum(path.stat().st_size for path in studio.home.rglob("*") if path.is_file())
    assert kept < 20_000_000


def given(studio):
    return {"Cookie": studio.cookie, "Origin": studio.origin}


def test_ten_gigabytes_are_refused_before_the_first_byte(studio):
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        line.sendall(head(studio, "/uploads/file/a.bin", "Content-Length: 10000000000"))
        said = line.recv(10_000)
    assert b" 422 " in said


def head(studio, path, *more):
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{studio.port}", *more]
    lines += [f"{name}: {value}" for name, value in given(studio).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_stream_without_an_end_is_cut_off_at_the_cap_and_nothing_of_it_is_kept(studio):
    before = memory(studio.process.pid) if SEEN else None
    sent, piece = 0, bytes(1_000_000)
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        line.sendall(head(studio, "/uploads/photo/a.jpg", "Transfer-Encoding: chunked"))
        try:
            while sent < 500_000_000:
                line.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
                sent += len(piece)
        except (ConnectionError, TimeoutError):
            pass
    assert 60_000_000 < sent < 100_000_000
    assert before is None or memory(studio.process.pid) - before < 100_000_000
    until(lambda: not list((studio.home / "studio").rglob("*.jpg")))


@pytest.mark.skipif(not SEEN, reason="/proc tells what a process holds")
def test_a_large_file_is_taken_in_without_being_held_in_memory(studio):
    assert studio.ask("/uploads/target/a.mp4", "POST", b"x", **given(studio))[0] == 200
    before, most, count, piece = memory(studio.process.pid), 0, 300, bytes(1_000_000)
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        line.sendall(head(studio, "/uploads/target/a.mp4", f"Content-Length: {count * len(piece)}"))
        for _ in range(count):
            line.sendall(piece)
            most = max(most, memory(studio.process.pid))
        said = line.recv(10_000)
    assert b" 200 " in said
    assert any(path.stat().st_size == count * len(piece) for path in (studio.home / "studio").rglob("*.mp4"))
    assert most - before < 100_000_000


def test_ten_thousand_small_pieces_are_one_file(studio):
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        line.sendall(head(studio, "/uploads/file/a.bin", "Transfer-Encoding: chunked"))
        line.sendall(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
        said = line.recv(10_000)
    assert b" 200 " in said
    assert any(path.stat().st_size == 10_000 for path in (studio.home / "studio").rglob("*.bin"))


def test_a_form_of_ten_thousand_parts_is_read_by_nobody(studio):
    part = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
    form = part * 10_000 + b"--x--\r\n"
    for path in ("/", "/check", "/records"):
        status = studio.ask(path, "POST", form, **given(studio), Content_Type="multipart/form-data; boundary=x")[0]
        assert status in (404, 405)


# Senders that never come to an end.


def upgrade(studio):
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    wanted["Sec-WebSocket-Key"] = base64.b64encode(bytes(16)).decode()
    lines = ["GET /live/preview HTTP/1.1", f"Host: 127.0.0.1:{studio.port}"]
    lines += [f"{name}: {value}" for name, value in (given(studio) | wanted).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_whoever_never_ends_asking_is_not_waited_for_and_holds_up_nobody(studio):
    lines, kept = [], socket.create_connection(("127.0.0.1", studio.port), timeout=60)
    try:
        kept.sendall(upgrade(studio))
        assert b" 101 " in kept.recv(10_000)
        for _ in range(200):
            line = socket.create_connection(("127.0.0.1", studio.port), timeout=60)
            line.sendall(b"GET / HTTP/1.1\r\nHost: ")
            lines.append(line)
        begin = time.monotonic()
        assert studio.ask("/health")[0] == 200
        assert time.monotonic() - begin < 10
        ended = 0
        for line in lines:
            try:
                ended += line.recv(1000) == b""
            except ConnectionError:
                ended += 1
        assert ended == len(lines)
        assert 5 < time.monotonic() - begin < 60
        # A WebSocket that has been quiet for as long is none of those.
        kept.setblocking(False)
        with pytest.raises(BlockingIOError):
            while kept.recv(10_000):  # what it was told meanwhile; nothing at all would be its end
                pass
    finally:
        kept.close()
        for line in lines:
            line.close()


def test_a_head_without_an_end_is_not_read_on(studio):
    sent = 0
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        try:
            while sent < 50_000_000:
                line.sendall(b"X-Long: " + b"y" * 10_000 + b"\r\n")
                sent += 10_000
        except (ConnectionError, TimeoutError):
            pass
    assert sent < 10_000_000


def test_what_is_kept_and_said_holds_no_token(studio):
    logged = studio.log.read_text()
    assert studio.token not in logged
    assert json.dumps(NASTY)[1:-1] not in logged  # nor what was handed over
    assert "Traceback" not in logged
