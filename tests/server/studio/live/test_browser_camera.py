"""The camera of the browser that looks at the studio, in real browsers with cameras of their own."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.evidence import has_label
from tests.server.api.cameras import BLOCKED, LOSSY, REFUSED, browser_with, seen_in, write_camera
from tests.server.conftest import CHROMIUM, PATIENCE, Visit, studio_in
from understudy.server.studio.live.browser_camera import FAULTS, BrowserCamera, BrowserCameraError
from understudy.testing import Puppet, portrait, talking

pytestmark = [pytest.mark.slow, pytest.mark.loopback]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    puppet = Puppet(portrait("hopper"), (640, 360), face_share=0.6)
    pictures = [puppet.render(talking(number / 15)).picture for number in range(30)]
    return write_camera(tmp_path_factory.mktemp("camera") / "camera.y4m", pictures, 15)


@contextlib.contextmanager
def visiting(playwright, studio, **options):
    with browser_with(playwright, CHROMIUM, **options) as browser:
        visit = Visit(browser, studio)
        try:
            yield visit
        finally:  # nothing runs for the next one
            page = visit.contexts[-1].pages[-1]
            if (stop := page.locator(".button.start:enabled:has(.icon-stop)")).count():
                stop.click()
                page.get_by_text("Ready when you are").wait_for()
            visit.close()
        assert visit.complaints == []


def choose(page):
    page.get_by_role("radio", name="This browser's camera").check()
    page.get_by_role("button", name="Eileen Collins").wait_for()


def drawn(page, more=3):
    count = "+(document.querySelector('canvas').dataset.drawn ?? 0)"
    before = page.evaluate(count)
    page.wait_for_function(f"before => {count} >= before + {more}", arg=before)


def end(page):
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Ready when you are").wait_for()


@needs_chromium
@pytest.mark.parametrize("script", [BLOCKED, REFUSED], ids=["silent", "refused"])
def test_where_webrtc_does_not_get_through_single_pictures_are_sent(playwright, studio, camera, script):
    with visiting(playwright, studio, camera=camera) as visit:
        page = visit()
        page.add_init_script(script)
        page.reload()
        choose(page)
        page.get_by_role("button", name="Start").first.click()
        drawn(page)
        assert page.evaluate("window.blocked") == 1  # tried once, and not again
        assert has_label(seen_in(page, "canvas")[:360, :640])
        end(page)


@needs_chromium
@pytest.mark.parametrize(
    "script", ["", "delete window.RTCPeerConnection", LOSSY], ids=["webrtc", "pictures", "lost pictures"]
)
def test_oneself_is_seen_swapped_and_the_camera_is_let_go(playwright, studio, camera, script):
    with visiting(playwright, studio, camera=camera) as visit:
        page = visit()
        if script:
            page.add_init_script(script)
            page.reload()
        choose(page)
        page.get_by_role("button", name="Start").first.click()
        drawn(page)
        # The canvas has a size of its own, and the picture stands in its corner.
        assert has_label(seen_in(page, "canvas")[:360, :640])
        page.locator("[data-sending=true]").wait_for(state="attached")
        page.reload()  # the same tab goes on
        drawn(page, 25)
        end(page)
        page.locator("[data-sending=false]").wait_for(state="attached")


#: A camera that can be unplugged.
PLUG = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    if (window.unplugged) throw new DOMException("", "NotFoundError");
    return (window.stream = await open(wanted));
};
window.unplug = () => {
    window.unplugged = true;
    const [track] = window.stream.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event("ended"));
};
"""


@needs_chromium
@pytest.mark.parametrize("script", ["", "delete window.RTCPeerConnection"], ids=["webrtc", "pictures"])
def test_a_camera_that_is_unplugged_is_used_again_when_it_is_back(playwright, studio, camera, script):
    with visiting(playwright, studio, camera=camera) as visit:
        page = visit()
        page.add_init_script(PLUG + script)
        page.reload()
        choose(page)
        page.get_by_role("button", name="Start").first.click()
        drawn(page)
        page.evaluate("window.unplug()")
        page.locator("[data-sending=false]").wait_for(state="attached")
        page.wait_for_timeout(2500)  # it is asked for, and not there
        assert page.locator("[data-sending=false]").count() == 1
        page.evaluate("window.unplugged = false")
        page.locator("[data-sending=true]").wait_for(state="attached")
        drawn(page, 5)
        end(page)


@needs_chromium
def test_another_tab_takes_the_camera_over_only_when_that_is_pressed(playwright, studio, camera):
    with visiting(playwright, studio, camera=camera) as visit:
        first = visit()
        choose(first)
        first.get_by_role("button", name="Start").first.click()
        drawn(first)
        second = visit()
        second.get_by_text("Another tab sends its camera").wait_for()
        drawn(second)  # it sees the same
        assert first.locator("[data-sending=true]").count() == 1
        assert second.locator("[data-sending=true]").count() == 0
        second.get_by_role("button", name="Use this tab's camera").click()
        second.locator("[data-sending=true]").wait_for(state="attached")
        first.locator("[data-sending=false]").wait_for(state="attached")
        first.get_by_text("Another tab sends its camera").wait_for()
        drawn(second)
        second.goto("about:blank")
        first.get_by_text("The other tab sends no picture any more").first.wait_for()
        claim = first.locator(".silent").get_by_role("button", name="Use this tab's camera")
        assert claim.evaluate("one => getComputedStyle(one).color") == "rgb(255, 255, 255)"  # on nearly black
        claim.click()
        drawn(first)
        end(first)


@needs_chromium
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--use-fake-device-for-media-stream", "--deny-permission-prompts"), "does not let this page see a camera"),
        (("--use-fake-ui-for-media-stream",), "This browser has no camera"),
    ],
)
def test_a_camera_that_can_not_be_had_is_told_where_it_is_chosen(playwright, studio, words, said):
    with visiting(playwright, studio, words=words) as visit:
        page = visit()
        choose(page)
        page.get_by_role("button", name="Start").first.click()
        page.get_by_role("alert").filter(has_text=said).wait_for()
        page.get_by_text("That did not work").wait_for()


def test_who_is_not_let_in_sends_nothing(tmp_path):
    with studio_in(tmp_path) as studio:
        assert studio.ask("/live/camera?tab=x", "POST", b"v=0")[0] in (401, 403)
        known = {"Cookie": studio.cookie, "Origin": studio.origin}
        status, _, body = studio.ask("/live/camera?tab=", "POST", b"v=0", **known)
        assert (status, b"other_tab" in body) == (409, True)


@pytest.mark.parametrize("what", [*FAULTS, "anything else"])
def test_a_session_is_told_at_once_why_there_is_no_picture(what):
    camera = BrowserCamera()
    camera.claim("a" * 32)
    source = camera.source()
    camera.fail("b" * 32, "NotAllowedError")  # another tab has no say
    camera.fail("a" * 32, what)
    begun = time.monotonic()
    with pytest.raises(BrowserCameraError) as told:
        source.open()
    assert time.monotonic() - begun < PATIENCE / 10_000
    assert told.value.text == FAULTS.get(what, "fault.browser_none")


_ASKED = """
    window.formats = [];
    const media = navigator.mediaDevices;
    const getUserMedia = media.getUserMedia.bind(media);
    media.getUserMedia = (wanted) => {
        const { width, height, frameRate } = wanted.video;
        formats.push([width.ideal, height.ideal, frameRate.ideal]);
        return getUserMedia(wanted);
    };
"""


@needs_chromium
def test_another_format_is_asked_of_the_camera_when_the_session_begins_anew(playwright, studio, camera):
    with visiting(playwright, studio, camera=camera) as visit:
        page = visit()
        page.add_init_script(_ASKED)
        page.reload()
        choose(page)
        page.get_by_role("button", name="Start").first.click()
        drawn(page)
        page.get_by_label("Size of its pictures").select_option("640x480")
        page.get_by_label("Pictures a second").select_option("15")
        page.get_by_role("button", name="Restart now").click()
        page.wait_for_function("() => formats.length === 2")
        drawn(page, 5)
        assert page.evaluate("formats[1]") == [640, 480, 15]
        page.locator(".stale").wait_for(state="hidden")
        end(page)
        page.get_by_label("Size of its pictures").select_option("")
        page.get_by_label("Pictures a second").select_option("")
