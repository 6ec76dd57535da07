"""A studio that runs, and a real browser before it."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.server.processes import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: Milliseconds that a page has for anything: many, for the machine may do a lot besides.
PATIENCE = 60_000


class Running(NamedTuple):
    """A studio in a process of its own."""

    address: str
    log: Path
    home: Path
    recordings: Path
    process: subprocess.Popen

    @property
    def port(self):
        return urlsplit(self.address).port

    @property
    def token(self):
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(self, path, method="GET", body=None, **headers):
        """Its answer: status, headers, body. Headers with _ for -."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": f"127.0.0.1:{self.port}"} | sent).items():
            for one in value if isinstance(value, list) else [value]:
                line.putheader(name, one)
        if body is not None and "Transfer-Encoding" not in sent:
            line.putheader("Content-Length", str(len(body)))
        line.endheaders(body)
        answer = line.getresponse()
        found = answer.status, dict(answer.headers.items()), answer.read()
        line.close()
        return found

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie(self):
        """The cookie that a browser has once it was let in."""
        return self.ask(f"/?token={self.token}")[1]["set-cookie"].split(";")[0]


@contextlib.contextmanager
def studio_in(folder, *words, before=(), **environment):
    """A studio whose private folder, recordings and log are in ``folder``."""
    log, recordings = folder / "log.txt", folder / "recordings"
    command = [*before, sys.executable, "-m", "understudy", "studio", "--no-browser", "--json"]
    command += ["--home", str(folder / "home"), "--recordings", str(recordings), *words]
    with serving(command, log, folder, **environment) as (process, said):
        yield Running(said["address"], log, folder / "home", recordings, process)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One for all tests of a file, with nothing in its private folder."""
    with studio_in(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def playwright():
    """What drives browsers. For one file's tests: it is a loop of asyncio, and a thread has one."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright):
    """A browser without a window."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    found = playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--mute-audio"]
    )
    yield found
    found.close()


class Visit:
    """Opens pages, and knows what they asked for and complained of."""

    def __init__(self, browser, studio):
        self.browser, self.studio = browser, studio
        self.asked, self.complaints, self.contexts = [], [], []

    def __call__(self, path="/", *, width=1280, height=720, **options):
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        self.watch(page)
        page.goto(f"{self.studio.origin}{path}?token={self.studio.token}")
        page.wait_for_url(self.studio.origin + path)
        page.get_by_role("main").wait_for()
        page.wait_for_function("window.did_handshake === true")  # until then what is done to it may be in vain
        return page

    def watch(self, page):
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("console", self.hear)
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def hear(self, said):
        # A file that is refused is an answer like any other; the browser's console thinks otherwise.
        if said.type == "error" and "the server responded with a status of 4" not in said.text:
            self.complaints.append(said.text)

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def visit(browser, studio):
    """Opens a page of the studio in a browser that has never been there; no page complains of anything."""
    found = Visit(browser, studio)
    yield found
    found.close()
    assert found.complaints == []
