"""The pages at /live and /live/view, in real browsers with cameras of their own."""

from __future__ import annotations

import contextlib
import json
import re
import time
from urllib.parse import urlsplit

import cv2
import httpx
import numpy as np
import pytest
from tests.evidence import has_label
from tests.server.api.cameras import BLOCKED, LOSSY, browser_with, seen_in, write_camera
from tests.server.api.conftest import PATIENCE, server_in
from tests.server.conftest import CHROMIUM

import understudy
from understudy.provenance import Home
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.testing import Puppet, portrait, portrait_path, talking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.loopback,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
]
#: Whose face is put onto whom.
ONTO = {"hopper": "astronaut", "astronaut": "hopper"}


@pytest.fixture(scope="module")
def shows():
    """What the camera of each of the two shows."""
    puppets = {name: Puppet(portrait(name), (640, 360), face_share=0.6) for name in ONTO}
    return {
        name: [puppet.render(talking(number / 15)).picture for number in range(30)] for name, puppet in puppets.items()
    }


@pytest.fixture(scope="module")
def cameras(tmp_path_factory, shows):
    """A camera that each of the two is in front of."""
    folder = tmp_path_factory.mktemp("cameras")
    return {name: write_camera(folder / f"{name}.y4m", pictures, 15) for name, pictures in shows.items()}


def wait(page, expression):
    """Wait until a page finds something true. Playwright's own way evaluates text there, which its policy forbids."""
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(100)


class Visitor:
    """Somebody with a token before a page, and all that it asked for and complained of."""

    def __init__(self, server, browser, *, scopes=None, script=None):
        self.server = server
        self.name = f"visitor-{time.time_ns()}"
        _, self.secret = Tokens(Home(server.home)).add(self.name, self.name, scopes or list(SCOPES), 1)
        self.caller = server.caller(self.name)
        self.context = browser.new_context(viewport={"width": 1100, "height": 900})
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        if script:
            self.page.add_init_script(script)
        self.asked, self.complaints = [], []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on("console", self.hear)

    def hear(self, said):
        # What is refused or not reached is an answer like any other; the browser's console thinks otherwise.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.complaints.append(said.text)

    def somebody(self, portrait="hopper"):
        return self.caller.somebody(portrait, uses=["live"])

    def enters(self):
        self.page.goto(f"{self.server.address}/live")
        self.page.get_by_label("Token", exact=True).fill(self.secret)
        self.page.get_by_role("button", name="Enter").click()

    def starts(self):
        self.page.get_by_role("button", name="Start").click()

    def drawn(self, more=3):
        """Wait until so many more pictures were drawn."""
        before = int(self.page.evaluate("document.body.dataset.drawn || 0"))
        wait(self.page, f"(document.body.dataset.drawn || 0) >= {before + more}")

    def goes_live(self):
        """Somebody's face, and a picture that moves."""
        self.somebody()
        self.enters()
        self.starts()
        self.drawn()

    def told(self, words):
        self.page.get_by_role("alert").filter(has_text=re.compile(words)).wait_for()

    def session(self):
        return next(one for one in self.caller.get("/live").json()["sessions"] if one["state"] != "ended")

    def close(self):
        self.page.unroute_all(behavior="wait")  # what is still held up would fail in the next test
        self.context.close()  # before its sessions end: a page whose session has ended begins another
        for one in self.caller.get("/live").json().get("sessions", []):
            self.caller.delete(f"/live/{one['id']}")
        self.caller.close()


@contextlib.contextmanager
def visiting(server, browser, **options):
    found = Visitor(server, browser, **options)
    try:
        yield found
        # The token is in no address.
        assert [url for url in found.asked if found.secret in url] == []
        assert {urlsplit(url).netloc for url in found.asked} <= {urlsplit(server.address).netloc}
        assert found.complaints == []
    finally:
        found.close()


@pytest.fixture(scope="module")
def browser(playwright, cameras):
    with browser_with(playwright, CHROMIUM, camera=cameras["astronaut"]) as found:
        yield found


@pytest.fixture
def visitor(server, browser):
    with visiting(server, browser) as found:
        yield found


def swapped_still(picture, face, folder):
    """A picture with somebody's face put onto it, by itself."""
    before, after = folder / f"{face}-before.png", folder / f"{face}-after.png"
    cv2.imwrite(str(before), picture)
    understudy.swap(portrait_path(face), before, after, consent="sample")
    return cv2.imread(str(after))


def test_two_at_once_each_with_a_camera_and_a_face_of_their_own(server, playwright, browser, cameras, shows, tmp_path):
    with (
        browser_with(playwright, CHROMIUM, camera=cameras["hopper"]) as other,
        visiting(server, browser) as first,
        visiting(server, other) as second,
    ):
        for visitor, face in ((first, "hopper"), (second, "astronaut")):
            visitor.somebody(face)
            visitor.enters()
            visitor.starts()
        for visitor in (first, second):
            visitor.drawn(4)
        for visitor, face in ((first, "hopper"), (second, "astronaut")):
            visitor.drawn(2)
            picture = seen_in(visitor.page)
            assert has_label(picture)
            # It is what their own camera shows, not the other's, but for the face.
            apart = {
                name: [float(np.abs(one.astype(int) - picture).mean()) for one in pictures]
                for name, pictures in shows.items()
            }
            assert min(apart[ONTO[face]]) < min(apart[face]) / 2, (face, min(apart[ONTO[face]]), min(apart[face]))
            # The face is as it is in a picture onto which their own person's was put, not as the camera shows it.
            before = shows[ONTO[face]][int(np.argmin(apart[ONTO[face]]))]
            there = np.s_[100:260, 250:390]
            with_own = swapped_still(before, face, tmp_path)[there].astype(int)
            own, raw = (np.abs(picture[there] - one).mean() for one in (with_own, before[there].astype(int)))
            assert own < raw, (face, own, raw)
            assert visitor.page.locator(".figures").text_content()


def test_it_is_covered_by_a_key_and_changed_over(visitor):
    visitor.somebody("hopper")
    visitor.enters()
    visitor.starts()
    visitor.drawn()

    def sharp():
        picture = seen_in(visitor.page)[:200].astype(int)
        return float(np.abs(np.diff(picture, axis=1)).mean())

    before = sharp()
    visitor.page.keyboard.press("c")
    visitor.page.get_by_text("Covered: nobody is seen").wait_for()
    deadline = time.monotonic() + PATIENCE
    while sharp() > before / 2:
        assert time.monotonic() < deadline
    assert visitor.session()["covered"]
    visitor.page.get_by_role("button", name="Uncover").click()
    while sharp() < before / 2:
        assert time.monotonic() < deadline
    visitor.page.get_by_role("button", name="Stop").click()
    visitor.page.get_by_text("Choose a face and a camera").wait_for()
    assert visitor.page.locator("video").evaluate("(video) => video.srcObject") is None


#: Keeps what the camera gives where a test can see it.
CAMERA = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => (window.camera = await open(wanted));
"""
SENT = "window.camera.getVideoTracks()[0].enabled"


def until(visitor, expected, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while visitor.session()["covered"] is not expected:
        assert time.monotonic() < deadline
        visitor.page.wait_for_timeout(100)


def test_a_cover_that_the_server_did_not_hear_of_is_told_again_and_no_camera_is_sent_until_then(server, browser):
    with visiting(server, browser, script=CAMERA) as visitor:
        visitor.goes_live()
        visitor.page.route("**/cover", lambda route: route.abort())
        visitor.page.keyboard.press("c")
        visitor.told("does not answer")
        assert visitor.page.evaluate(SENT) is False
        assert visitor.session()["covered"] is False
        visitor.page.get_by_text("Covered: nobody is seen").wait_for()
        visitor.page.unroute("**/cover")
        until(visitor, True)
        wait(visitor.page, SENT)
        visitor.page.keyboard.press("c")
        until(visitor, False)


#: Has the second word about the cover leave late.
LATE = """
const fetched = window.fetch.bind(window);
let words = 0;
window.fetch = async (path, how) => {
    if (path.endsWith("/cover") && ++words === 2) await new Promise((done) => setTimeout(done, 1500));
    return await fetched(path, how);
};
"""


#: Has the list of people come late.
SLOW = """
const fetched = window.fetch.bind(window);
window.fetch = async (path, how) => {
    if (path.endsWith("/people")) await new Promise((done) => setTimeout(done, 1500));
    return await fetched(path, how);
};
"""


def test_nothing_begins_before_it_is_known_with_whom(server, browser):
    with visiting(server, browser, script=SLOW) as visitor:
        visitor.somebody()
        visitor.enters()
        visitor.page.get_by_role("button", name="Start").wait_for()
        assert visitor.page.get_by_role("button", name="Start").is_disabled()
        visitor.starts()
        visitor.drawn()
        assert visitor.page.get_by_role("alert").count() == 0


def test_the_last_of_several_quick_presses_holds(server, browser):
    with visiting(server, browser, script=LATE) as visitor:
        visitor.goes_live()
        visitor.page.keyboard.press("c")
        until(visitor, True)
        visitor.page.keyboard.press("c")
        visitor.page.keyboard.press("c")
        visitor.page.wait_for_timeout(3500)
        visitor.page.get_by_text("Covered: nobody is seen").wait_for()
        assert visitor.session()["covered"] is True


def test_who_is_covered_stays_so_when_the_page_is_loaded_anew(visitor):
    visitor.goes_live()
    visitor.page.keyboard.press("c")
    until(visitor, True)
    visitor.page.reload()
    visitor.page.get_by_text("Covered: nobody is seen").wait_for()
    visitor.drawn()
    assert visitor.session()["covered"] is True


def test_who_is_covered_stays_so_when_the_server_has_ended_the_session(visitor):
    """Another takes its place, and hears of the cover before it gets a camera's picture."""
    visitor.goes_live()
    visitor.page.keyboard.press("c")
    until(visitor, True)
    ended = visitor.session()["id"]
    visitor.asked.clear()
    visitor.caller.delete(f"/live/{ended}")

    def another():
        return [url.rsplit("/", 2)[1:] for url in visitor.asked if f"/live/{ended}" not in url]

    deadline = time.monotonic() + PATIENCE
    while not any(what == "whep" for _, what in another()):
        assert time.monotonic() < deadline
        visitor.page.wait_for_timeout(100)
    (found,) = {session for session, what in another() if what in ("cover", "whip", "whep")}
    words = [what for session, what in another() if session == found]
    assert words.index("cover") < words.index("whip")
    visitor.drawn()
    assert (visitor.session()["id"], visitor.session()["covered"]) == (found, True)


def test_cover_holds_from_before_a_session_without_webrtc_begins(server, browser):
    with visiting(server, browser, script="delete window.RTCPeerConnection") as visitor:
        visitor.somebody()
        visitor.enters()
        wait(visitor.page, "!document.getElementById('start').disabled")
        visitor.page.evaluate(
            """() => {
              document.getElementById("start").click();
              document.getElementById("cover").click();
            }"""
        )
        wait(visitor.page, "document.querySelector('canvas').width > 300")
        visitor.page.get_by_text("Covered: nobody is seen").wait_for()

        def picture():
            return seen_in(visitor.page, "canvas")[:200].astype(int)

        deadline = time.monotonic() + PATIENCE
        while picture().mean() < 30:  # black, until the server was told
            assert time.monotonic() < deadline
        covered = float(np.abs(np.diff(picture(), axis=1)).mean())
        visitor.page.keyboard.press("c")
        while float(np.abs(np.diff(picture(), axis=1)).mean()) < 2 * covered:
            assert time.monotonic() < deadline


def test_what_is_stopped_while_it_begins_leaves_nothing(visitor):
    visitor.somebody()
    visitor.enters()
    visitor.page.route("**/live/sessions", lambda route: (visitor.page.wait_for_timeout(1500), route.continue_()))
    visitor.starts()
    visitor.page.get_by_role("button", name="Stop").click()
    visitor.page.get_by_text("Choose a face and a camera").wait_for()
    visitor.page.wait_for_timeout(3000)
    assert [one for one in visitor.caller.get("/live").json()["sessions"] if one["state"] != "ended"] == []
    assert visitor.page.get_by_role("button", name="Start").is_enabled()


def test_who_is_chosen_while_it_begins_is_used(visitor):
    first, second = visitor.somebody("hopper"), visitor.somebody("astronaut")
    visitor.enters()
    visitor.page.locator("#person").select_option(first)
    visitor.page.route("**/live/sessions", lambda route: (visitor.page.wait_for_timeout(1500), route.continue_()))
    visitor.starts()
    visitor.page.locator("#person").select_option(second)
    visitor.drawn()
    deadline = time.monotonic() + PATIENCE
    while visitor.session()["person"] != second:
        assert time.monotonic() < deadline


def test_a_page_that_is_loaded_anew_goes_on_with_the_same_session(visitor):
    visitor.goes_live()
    session = visitor.session()["id"]
    visitor.page.reload()
    visitor.drawn()
    assert visitor.session()["id"] == session
    assert visitor.page.url == f"{visitor.server.address}/live"


def test_a_server_that_is_started_anew_is_found_again_and_it_is_said(tmp_path, browser):
    with server_in(tmp_path, "--live", "1") as server, contextlib.ExitStack() as later:
        visitor = later.enter_context(visiting(server, browser))
        visitor.goes_live()
        server.process.terminate()
        visitor.told("broke off|does not answer")
        server.process.wait(60)
        port = str(urlsplit(server.address).port)
        with server_in(tmp_path, "--live", "1", "--port", port) as again:
            assert again.address == server.address
            visitor.told("The connection is back")
            visitor.drawn()
            visitor.page.get_by_role("button", name="Stop").click()
            later.close()


def test_a_token_that_is_revoked_is_told_in_the_middle(visitor):
    visitor.goes_live()
    Tokens(Home(visitor.server.home)).revoke(visitor.name)
    visitor.told("revoked")
    visitor.page.get_by_role("button", name="Start").wait_for()


def test_a_server_that_is_full_is_told_with_when_to_come_back(visitor):
    person = visitor.somebody()
    for _ in range(2):
        assert visitor.caller.post("/live/sessions", json={"people": [person]}).status_code == 201
    visitor.enters()
    visitor.starts()
    visitor.told(r"taken\. Press Start again in \d+ seconds")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--use-fake-device-for-media-stream", "--deny-permission-prompts"), "does not let this page see a camera"),
        (("--use-fake-ui-for-media-stream",), "no camera that can be used"),
    ],
)
def test_a_camera_that_can_not_be_had_is_told(server, playwright, words, said):
    with browser_with(playwright, CHROMIUM, words=words) as browser, visiting(server, browser) as visitor:
        visitor.somebody()
        visitor.enters()
        visitor.starts()
        visitor.told(said)
        assert visitor.caller.get("/live").json()["sessions"] == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))",
            "in use",
        ),
        ("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})", "secure addresses only"),
    ],
)
def test_a_camera_that_is_in_use_or_not_given_to_this_address_is_told(server, browser, script, said):
    with visiting(server, browser, script=script) as visitor:
        visitor.somebody()
        visitor.enters()
        visitor.starts()
        visitor.told(said)


@pytest.mark.parametrize(
    ("script", "said"),
    [("delete window.RTCPeerConnection", "has no WebRTC"), (BLOCKED, "WebRTC does not get through")],
    ids=["none", "blocked"],
)
def test_without_webrtc_single_pictures_go_back_and_forth(server, browser, script, said):
    with visiting(server, browser, script=script) as visitor:
        visitor.somebody()
        visitor.enters()
        visitor.starts()
        visitor.told(said)
        wait(visitor.page, "document.querySelector('canvas').width > 300")
        assert has_label(seen_in(visitor.page, "canvas"))
        visitor.page.keyboard.press("c")
        deadline, before = time.monotonic() + PATIENCE, None
        while True:
            picture = seen_in(visitor.page, "canvas")[:200].astype(int)
            sharp = float(np.abs(np.diff(picture, axis=1)).mean())
            before = before or sharp
            if sharp < before / 2:
                break
            assert time.monotonic() < deadline


def test_another_face_is_put_on_where_single_pictures_go_back_and_forth(server, browser):
    with visiting(server, browser, script="delete window.RTCPeerConnection") as visitor:
        first, other = visitor.somebody(), visitor.somebody("astronaut")
        begun = []

        def sent(message):
            begun.append(message)

        visitor.page.on("websocket", lambda line: line.on("framesent", sent))
        visitor.enters()
        visitor.starts()
        visitor.drawn()
        visitor.page.keyboard.press("c")
        visitor.page.locator("#person").select_option(other)
        visitor.drawn(10)
        people = [
            one["person"] for one in (json.loads(one) for one in begun if isinstance(one, str)) if "person" in one
        ]
        assert people == [first, other]
        picture = seen_in(visitor.page, "canvas")[:200].astype(int)
        assert float(np.abs(np.diff(picture, axis=1)).mean()) < 3  # who was covered stays so


def test_a_single_picture_that_is_lost_is_not_the_last(server, browser):
    with visiting(server, browser, script=LOSSY) as visitor:
        visitor.somebody()
        visitor.enters()
        visitor.starts()
        wait(visitor.page, "document.querySelector('canvas').width > 300")
        wait(visitor.page, "window.pictures > 25")


def test_a_photo_is_added_after_the_question_whose_it_is(visitor):
    visitor.enters()
    visitor.told("no face yet")
    visitor.page.get_by_role("button", name="Add a photo").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Photo of one person").set_input_files(portrait_path("astronaut"))
    dialog.get_by_role("button", name="Save").click()
    assert visitor.caller.get("/people").json() == []  # nothing is said of it yet
    dialog.get_by_label("has agreed to this use").check()
    dialog.get_by_label("How did they agree?").fill("A signed form.")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    (person,) = visitor.caller.get("/people").json()
    assert (person["name"], person["ground"], person["uses"]) == ("astronaut", "granted", ["live"])
    visitor.starts()
    visitor.drawn()


@pytest.mark.parametrize("place", ["photos", "people"])
def test_not_now_is_heeded_while_the_photo_is_on_its_way(visitor, place):
    visitor.enters()
    visitor.page.route(f"**/api/v1/{place}*", lambda route: (visitor.page.wait_for_timeout(1500), route.continue_()))
    visitor.page.get_by_role("button", name="Add a photo").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Photo of one person").set_input_files(portrait_path("astronaut"))
    dialog.get_by_label("It is my own face").check()
    with visitor.page.expect_response(lambda one: one.request.method == "DELETE") as gone:
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_role("button", name="Not now").click()
    assert gone.value.status == 204
    assert visitor.caller.get("/people").json() == []
    assert visitor.caller.get("/photos").json() == []


def test_a_bad_token_opens_nothing(server, browser):
    with visiting(server, browser) as visitor:
        visitor.secret = "understudy_000000000000_" + "A" * 43
        visitor.enters()
        visitor.told("not good")
    with visiting(server, browser, scopes=["people"]) as visitor:
        visitor.enters()
        visitor.told("not for live")


def test_the_page_for_obs_shows_the_session_and_nothing_else(visitor):
    visitor.goes_live()
    visitor.page.get_by_role("button", name="Link for OBS").click()
    visitor.told("four hours")
    address = visitor.page.get_by_label("Link for OBS").input_value()
    key = address.partition("#")[2]
    view = visitor.context.new_page()
    view.goto(address)
    wait(view, "document.body.dataset.state === 'visible'")
    assert has_label(seen_in(view))
    assert view.locator("body").inner_text().strip() == ""
    assert [url for url in visitor.asked if key.partition(".")[2] in url.partition("#")[0]] == []
    # Nobody sends: it shows nothing, and what is behind it is seen. Then it goes on by itself.
    visitor.page.goto("about:blank")
    wait(view, "document.body.dataset.state === 'hidden'")
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    visitor.page.goto(f"{visitor.server.address}/live")
    visitor.page.bring_to_front()  # a page that nobody sees draws nothing
    visitor.drawn()
    view.bring_to_front()
    wait(view, "document.body.dataset.state === 'visible'")


def test_the_pages_speak_the_readers_language_and_let_nothing_else_in(server):
    for language, title in (
        ("zh-CN", "在此浏览器中直播"),
        ("ko", "이 브라우저에서 라이브"),
        ("fr", "Live in this browser"),
    ):
        assert title in httpx.get(f"{server.address}/live", headers={"Accept-Language": language}).text
    for place in ("/live", "/live/view"):
        answer = httpx.get(f"{server.address}{place}")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["permissions-policy"].startswith("camera=(self), microphone=()")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"https?://", answer.text)
