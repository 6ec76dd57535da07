"""The Live room as a person uses it: in a real browser, by its buttons, keys and files."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import CHROMIUM, Visit, studio_in
from tests.server.studio.test_frame import violations
from understudy.provenance import Consents, Home
from understudy.testing import ClipSpec, Motion, Puppet, write_clip

pytestmark = [pytest.mark.loopback, pytest.mark.slow]


@pytest.fixture
def visit(visit):
    """Opens pages as the other one does; afterwards nothing runs."""
    pages = []

    def call(*path, **options):
        pages.append(visit(*path, **options))
        return pages[-1]

    yield call
    if pages and (stop := pages[-1].locator(".button.start:enabled:has(.icon-stop)")).count():
        stop.click()
        pages[-1].locator(".poster:not(.hidden) .icon-arrow").wait_for()
        pages[-1].locator(".button.start:enabled:has(.icon-play)").wait_for()


def press(page, name):
    page.get_by_role("button", name=name).first.click()


def drawn(page, more=3):
    """Wait until so many more pictures were drawn."""
    count = "+(document.querySelector('canvas').dataset.drawn ?? 0)"
    before = page.evaluate(count)
    page.wait_for_function(f"before => {count} >= before + {more}", arg=before)


def seen(page):
    """What the canvas shows, float32 RGB (H, W, 3)."""
    data = page.locator("canvas").screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32)


def detail(picture):
    """How much there is to see, away from label and badges."""
    height, width = picture.shape[:2]
    part = picture[height // 4 : height // 2, width // 4 : 3 * width // 4]
    return float(np.abs(np.diff(part, axis=1)).mean())


def start(page):
    press(page, "Start")
    page.locator(".badge.on").wait_for()
    drawn(page)


def test_the_first_start_is_one_click_from_a_swapped_picture(visit):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    assert not page.locator(".rate").is_visible()
    press(page, "Start")
    drawn(page)
    rate = page.get_by_text(re.compile(r"^[1-9]\d* fps$"))
    rate.wait_for()
    assert rate.get_attribute("aria-hidden") == "true"  # or it would be read out every second
    press(page, "Figures")
    page.wait_for_function("/[1-9]\\d* swapped/.test(document.querySelector('.figures').textContent)")
    assert not page.locator(".rate").is_visible()
    assert detail(seen(page)) > 1
    assert "mesh on CPU" in page.locator(".figures").inner_text()
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()


def test_everything_can_be_done_by_keys(visit):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    page.keyboard.press("s")
    drawn(page)
    page.keyboard.press("m")
    page.locator("button[aria-pressed=true]", has_text="Mirror").wait_for()
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    page.wait_for_timeout(300)  # until then it would be a press in haste
    page.keyboard.press("c")
    page.locator(".badge.on").wait_for()
    page.keyboard.press("m")
    page.get_by_label(re.compile("^Keys")).uncheck()
    page.locator("[data-keys-on=false]").wait_for(state="attached")
    page.keyboard.press("c")
    page.get_by_label(re.compile("^Keys")).check()
    page.locator("[data-keys-on=true]").wait_for(state="attached")
    assert page.get_by_text("Covered: nobody is seen").count() == 0
    page.keyboard.press("s")
    page.get_by_text("Ready when you are").wait_for()


def test_the_key_that_covers_works_in_a_list_and_with_other_letters(visit):
    page = visit()
    start(page)
    language = page.get_by_label("Language", exact=True)
    language.focus()
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    page.keyboard.press("m")  # the list's
    assert page.locator("button[aria-pressed=true]", has_text="Mirror").count() == 0
    assert language.input_value() == "en"
    for key in ("ㅊ", "с", "Process"):
        page.wait_for_timeout(300)  # until then it would be a press in haste
        press(page, "Uncover")
        page.locator(".badge.on").wait_for()
        page.wait_for_timeout(300)
        page.locator("body").dispatch_event("keydown", {"key": key, "code": "KeyC"})
        page.get_by_text("Covered: nobody is seen").wait_for()
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()


def test_why_a_start_failed_stands_where_the_picture_would_be(visit):
    page = visit()
    page.get_by_label("Stream").first.check()
    press(page, "Start")
    page.locator(".poster").get_by_text("Nothing can be received from this address.").wait_for()
    page.wait_for_timeout(500)  # until then the page is still drawn anew, what was chosen before included
    page.get_by_label("Sample clip").check()
    start(page)
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_a_recording_that_fails_is_said_below_the_picture_and_what_is_kept_of_it_at_the_end(browser, tmp_path):
    """A disk that is really full. Where outputs are chosen may be out of sight."""
    disk = tmp_path / "recordings"
    disk.mkdir()
    small = f'mount -t tmpfs -o size=3m tmpfs "{disk}" && exec "$@"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", small, "sh", "true"], check=False).returncode:
        pytest.skip("no file system of its own here")
    with studio_in(tmp_path, before=("unshare", "-rm", "sh", "-c", small, "sh")) as running:
        own = Visit(browser, running)
        page = own()
        page.get_by_label("Recording").check()
        start(page)
        page.locator(".bar").get_by_text("Recording: failed").wait_for()
        assert "Nothing was left behind" not in page.get_by_role("main").inner_text()
        drawn(page)  # it goes on
        press(page, "Stop")
        page.get_by_text("The disk is full.").wait_for()
        page.get_by_role("alert").get_by_text("recording.mp4: labelled and marked, not signed").wait_for()
        own.close()


def removes(page, name):
    """Take a card away, so that the next test finds the faces as they were."""
    page.locator(".face", has_text=name).hover()
    press(page, f"Remove {name}")
    page.locator(".face", has_text=name).wait_for(state="detached")


def test_a_face_whose_consent_is_revoked_is_not_shown_any_longer(visit, studio, hopper_path, tmp_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    Image.open(hopper_path).convert("RGB").rotate(-9).save(tmp_path / "withdrawn.png")
    page.get_by_label("Add a photo").set_input_files(tmp_path / "withdrawn.png")
    page.get_by_label("It is no real person").check()
    page.get_by_role("button", name="Save and use this face").click()
    page.locator("[aria-pressed=true]", has_text="withdrawn").wait_for()
    page.get_by_role("button", name="Start").first.click()
    drawn(page)
    records = Consents(Home(studio.home))
    records.revoke(next(one.id for one in records.all() if one.name == "withdrawn.png"))
    page.get_by_text("consent for withdrawn.png was revoked").first.wait_for()
    page.locator(".poster-title", has_text="Whose face is it?").wait_for()
    page.get_by_text("This face may not be used").first.wait_for()
    page.locator(".face", has_text="withdrawn").get_by_text("Whose is it?").wait_for()  # before it is pressed
    page.get_by_role("button", name=re.compile("^Eileen Collins")).click()
    removes(page, "withdrawn")


def test_behind_a_question_keys_only_cover(visit, hopper_path, tmp_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    Image.open(hopper_path).convert("RGB").rotate(7).save(tmp_path / "asked.png")  # another test's has no card yet
    page.keyboard.press("s")
    drawn(page)
    page.get_by_label("Add a photo").set_input_files(tmp_path / "asked.png")
    page.locator("dialog[open]").wait_for()
    page.locator("dialog[open] h2, dialog[open] button").first.focus()
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    page.wait_for_timeout(400)  # until then it would be a press in haste
    for key in "cs":  # neither seen again nor stopped
        page.keyboard.press(key)
    page.wait_for_timeout(400)
    assert page.get_by_text("Covered: nobody is seen").count() == 1
    page.locator("dialog[open]").get_by_role("button", name="Not now").last.click()
    page.locator("dialog[open]").wait_for(state="hidden")
    page.keyboard.press("c")
    page.locator(".badge.on").wait_for()
    page.keyboard.press("s")
    page.get_by_text("Ready when you are").wait_for()
    removes(page, "asked")


def test_a_double_click_starts_and_a_key_pressed_twice_in_haste_covers(visit):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.locator(".badge.on").wait_for()
    drawn(page)
    page.wait_for_timeout(1000)
    page.keyboard.press("c")
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    page.wait_for_timeout(1000)
    assert page.get_by_text("Covered: nobody is seen").is_visible()
    press(page, "Uncover")
    page.locator(".badge.on").wait_for()
    page.get_by_role("button", name="Stop").dblclick()
    page.get_by_text("Ready when you are").wait_for()
    page.wait_for_timeout(1000)
    assert page.get_by_text("Ready when you are").is_visible()


def test_a_key_pressed_twice_in_haste_covers_however_busy_the_server_is(visit, studio):
    """It hears of the second press half a second after the first."""
    page = visit()
    start(page)
    page.evaluate("window.pressed = []; addEventListener('keydown', (event) => pressed.push(event.timeStamp))")
    for _ in range(9):
        page.keyboard.press("c")
        page.wait_for_timeout(50)
        os.kill(studio.process.pid, signal.SIGSTOP)
        try:
            page.keyboard.press("c")
            page.wait_for_timeout(700)
        finally:
            os.kill(studio.process.pid, signal.SIGCONT)
        first, second = page.evaluate("pressed.splice(0)")
        page.wait_for_timeout(700)
        if second - first < 250:
            break
        if page.get_by_text("Covered: nobody is seen").is_visible():  # pressed late, on a busy machine: once more
            press(page, "Uncover")
        page.locator(".badge.on").wait_for()
    else:
        pytest.fail("no two presses came in haste")
    assert page.get_by_text("Covered: nobody is seen").is_visible()
    press(page, "Uncover")
    page.locator(".badge.on").wait_for()


def test_every_control_is_reached_by_tab_and_has_a_name(visit):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(e => e === document.body ? '' : (e.labels?.[0]?.innerText ?? e.ariaLabel ?? e.innerText).trim())"
            "(document.activeElement)"
        )
        if name == "":
            break
        reached.add(name.splitlines()[0])
    assert reached >= {
        "Start", "Mirror", "Figures", "Eileen Collins", "Add a photo", "Sample clip", "Open a clip", "Recording",
        "Stream to a server", "Delay", "Strength", "Soft edge", "Keep my mouth", "Keys", "All settings",
    }  # fmt: skip


def test_cover_me_hides_all_at_once(visit):
    page = visit()
    start(page)
    plain = detail(seen(page))
    press(page, "Cover me")
    page.get_by_text("Covered: nobody is seen").wait_for()
    drawn(page)
    assert detail(seen(page)) < plain / 2
    press(page, "Uncover")
    drawn(page, 5)
    assert detail(seen(page)) > plain / 2


@pytest.mark.parametrize("locale", ["en", "ko-KR"])
def test_nothing_lies_over_the_picture_whose_label_may_be_in_any_corner(visit, locale):
    page = visit(locale=locale)
    page.locator(".face").first.wait_for()
    page.keyboard.press("s")
    page.locator(".badge.on").wait_for()
    drawn(page)
    page.locator(".button:has(.icon-chart)").click()
    page.wait_for_function("document.querySelector('.figures').textContent.includes('mesh')")
    page.keyboard.press("c")
    page.locator(".badge.covered").wait_for()
    hidden = []
    for width in (320, 420, 640, 920, 1000, 1100, 1400):
        page.set_viewport_size({"width": width, "height": 800})
        hidden += [(width, over) for over in page.evaluate(OVER_THE_PICTURE)]
    assert hidden == []
    page.locator(".button:has(.icon-chart)").click()
    press(page, re.compile("Uncover|가리기 해제"))
    page.locator(".badge.on").wait_for()


#: What is seen in the picture's place at its corners and in its middle, but for itself.
OVER_THE_PICTURE = """() => {
    const canvas = document.querySelector("canvas");
    canvas.scrollIntoView({ block: "center" });
    const box = canvas.getBoundingClientRect();
    return [0.04, 0.5, 0.96].flatMap((x) => [0.06, 0.5, 0.94].map((y) => [x, y]))
        .map(([x, y]) => document.elementFromPoint(box.left + x * box.width, box.top + y * box.height))
        .filter((one) => one !== canvas).map((one) => one?.outerHTML ?? "nothing");
}"""


@pytest.mark.parametrize("size", [(240, 320), (320, 240)])
def test_a_picture_of_any_shape_keeps_it(visit, tmp_path, size):
    clip = tmp_path / f"{size[0]}.mp4"
    write_clip(clip, [np.full((size[1], size[0], 3), 90, np.uint8)] * 25, ClipSpec(rate=25))
    page = visit()
    with page.expect_file_chooser() as chooser:
        page.locator(".pick", has_text="Open a clip").click()
    chooser.value.set_files(clip)
    page.get_by_role("radio", name=clip.name).wait_for()
    start(page)
    assert page.evaluate("(({ width, height }) => [width, height])(document.querySelector('canvas'))") == [*size]
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()
    page.get_by_role("radio", name="Sample clip").check()


def test_a_file_that_is_dropped_beside_its_places_does_not_take_the_page_away(visit):
    page = visit()
    taken = """(where) => {
        const files = new DataTransfer();
        files.items.add(new File(["x"], "clip.mp4"));
        const event = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
        document.querySelector(where).dispatchEvent(event);
        return event.defaultPrevented;
    }"""
    assert [page.evaluate(taken, where) for where in (".stage", "header", "body")] == [True, True, True]


def test_a_reload_in_the_middle_loses_nothing(visit):
    page = visit()
    start(page)
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    page.reload()
    page.get_by_text("Covered: nobody is seen").wait_for()
    drawn(page)
    second = visit()  # and another page sees the same
    second.get_by_text("Covered: nobody is seen").wait_for()
    drawn(second)
    press(second, "Uncover")
    page.locator(".badge.on").wait_for()


def test_a_photo_is_used_after_somebody_said_whose_it_is_and_changed_over_to_while_it_runs(visit, hopper_path):
    page = visit()
    start(page)
    page.get_by_label("Add a photo").set_input_files(hopper_path)
    page.get_by_role("heading", name="Whose face is grace_hopper?").wait_for()
    assert violations(page) == []
    press(page, "Save and use this face")
    page.get_by_text("Choose what is true of this face.").wait_for()
    page.get_by_label("The person is 18 or older and has agreed to this use.").check()
    press(page, "Save and use this face")
    page.get_by_text("Say how the person agreed").wait_for()
    page.get_by_label("How did they agree?").fill("By letter")
    press(page, "Save and use this face")
    page.locator("[aria-pressed=true]", has_text="grace_hopper").wait_for()
    page.locator(".badge.on").wait_for()
    drawn(page)
    page.get_by_role("button", name=re.compile("^Eileen Collins")).click()
    page.locator("[aria-pressed=true]", has_text="Eileen Collins").wait_for()
    drawn(page)
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()
    page.locator(".face", has_text="grace_hopper").hover()
    press(page, "Remove grace_hopper")
    page.locator(".face", has_text="grace_hopper").wait_for(state="detached")


def test_of_several_photos_each_is_asked_about_and_recorded_once(visit, studio, hopper_path, astronaut_path, tmp_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    for name, path in (("one", hopper_path), ("two", astronaut_path)):
        picture = Image.open(path).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(12)
        picture.save(tmp_path / f"{name}.png")
    page.get_by_label("Add a photo").set_input_files([tmp_path / "one.png", tmp_path / "two.png"])
    page.locator(".face", has_text="one").wait_for()
    page.locator(".face", has_text="two").wait_for()
    page.wait_for_timeout(500)  # both were asked about by now
    heading = page.get_by_role("heading", name=re.compile("^Whose face is"))
    first = heading.inner_text()[len("Whose face is ") : -1]
    for name in (first, {"one": "two", "two": "one"}[first]):
        page.get_by_role("heading", name=f"Whose face is {name}?").wait_for()
        page.get_by_label("It is no real person").check()
        page.get_by_role("button", name="Save and use this face").dblclick()
        page.locator("[aria-pressed=true]", has_text=name).wait_for()
        assert page.get_by_text("Choose what is true of this face.").count() == 0  # no click went to the next question
    page.locator("dialog[open]").wait_for(state="hidden")
    names = [record.name for record in Consents(Home(studio.home)).all()]
    assert sorted(name for name in names if name in ("one.png", "two.png")) == ["one.png", "two.png"]
    for name in ("one", "two"):
        page.locator(".face", has_text=name).hover()
        press(page, f"Remove {name}")
        page.locator(".face", has_text=name).wait_for(state="detached")
    page.locator("[aria-pressed=true]", has_text="Eileen Collins").wait_for()


def test_a_double_click_on_not_now_closes_one_question_and_one_whose_end_was_lost_stands_in_nobodys_way(
    visit, hopper_path, astronaut_path, tmp_path
):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    for name, path in (("one", hopper_path), ("two", astronaut_path)):
        picture = Image.open(path).convert("RGB").rotate(3)
        picture.save(tmp_path / f"{name}.png")
    page.get_by_label("Add a photo").set_input_files([tmp_path / "one.png", tmp_path / "two.png"])
    page.locator(".face", has_text="one").wait_for()
    page.locator(".face", has_text="two").wait_for()
    page.wait_for_timeout(500)
    heading = page.get_by_role("heading", name=re.compile("^Whose face is"))
    first = heading.inner_text()
    page.locator("dialog[open]").get_by_role("button", name="Not now").last.dblclick()
    page.wait_for_function("first => document.querySelector('.modal-title').textContent !== first", arg=first)
    page.wait_for_timeout(500)
    assert heading.is_visible()
    page.evaluate(
        """() => {
            const emit = window.socket.emit;
            window.socket.emit = function (name, ...rest) {
                if (name === "event") window.socket.emit = emit;
                return name === "event" ? this : emit.call(this, name, ...rest);
            };
        }"""
    )
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="hidden")
    page.wait_for_timeout(1500)
    page.locator(".face-button", has_text="one").click()
    page.get_by_role("heading", name="Whose face is one?").wait_for()
    page.keyboard.press("Escape")
    for name in ("one", "two"):
        page.locator(".face", has_text=name).hover()
        press(page, f"Remove {name}")
        page.locator(".face", has_text=name).wait_for(state="detached")


def test_a_long_name_does_not_stand_out_of_the_question(visit, hopper_path, tmp_path):
    # A picture of its own: of those that others allowed nothing is asked any more.
    Image.open(hopper_path).convert("RGB").rotate(11).save(tmp_path / f"{'n' * 70}.png")
    page = visit(width=360)
    page.get_by_label("Add a photo").set_input_files(tmp_path / f"{'n' * 70}.png")
    page.locator("dialog[open]").wait_for()
    assert page.evaluate("(one => one.scrollWidth <= one.clientWidth)(document.querySelector('dialog[open]'))")
    press(page, "Not now")
    page.locator("dialog[open]").wait_for(state="hidden")
    page.get_by_role("button", name=re.compile("^Remove n")).click()


def test_which_photo_would_look_better_is_said_where_whose_it_is_is_asked(visit, hopper, perception, tmp_path):
    page, name = visit(), "small and away.png"
    turned = Puppet(hopper, (400, 400), face_share=0.17, perception=perception).render(Motion(yaw=50)).picture
    Image.fromarray(turned[..., ::-1].copy()).save(tmp_path / name)
    page.get_by_label("Add a photo").set_input_files(tmp_path / name)
    page.get_by_text("This head is turned far").wait_for()
    page.get_by_text("This face is small").wait_for()
    press(page, "Not now")
    removes(page, "small and away")


def test_a_photo_about_which_nothing_was_said_is_not_used(visit, hopper_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    data = Image.open(hopper_path).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    file = io.BytesIO()
    data.save(file, "PNG")
    page.get_by_label("Add a photo").set_input_files(
        {"name": "<b onclick=alert(1)>x.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    page.get_by_role("heading", name="Whose face is <b onclick=alert(1)>x?").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Whose is it? Press to say").wait_for()
    page.locator("[aria-pressed=true]", has_text="Eileen Collins").wait_for()
    page.locator(".face", has_text="<b onclick=alert(1)>x").hover()
    press(page, "Remove <b")
    page.get_by_text("Whose is it? Press to say").wait_for(state="detached")


@pytest.mark.parametrize(
    ("locale", "button", "file", "said"),
    [
        ("en", "Add a photo", "wall.png", "No face was found in this photo."),
        ("zh-CN", "添加照片", "wall.png", "这张照片里没有找到脸。"),
        ("ko-KR", "사진 추가", "wall.png", "이 사진에서 얼굴을 찾지 못했습니다."),
        ("en", "Add a photo", "text.png", "This is not a photo that can be read."),
        ("zh-CN", "添加照片", "text.exe", "无法读取这张照片。"),
        ("en", "Add a photo", "huge.png", "This file is too large"),
        ("ko-KR", "영상 열기", "text.mp4", "이 파일에는 재생할 수 있는 영상이 없습니다."),
        ("en", "Open a clip", "list.m3u8", "This file holds no video that can be played."),
    ],
)
def test_files_that_will_not_do_are_said_in_place_in_the_readers_language(
    visit, tmp_path, blank, locale, button, file, said
):
    path = tmp_path / file
    if file == "wall.png":
        Image.fromarray(blank).save(path)
    elif file == "huge.png":
        with path.open("wb") as huge:
            huge.truncate(65_000_000)
    else:
        path.write_text("#EXTM3U\nhttp://127.0.0.1:9/x\n" * 50)
    page = visit(locale=locale)
    page.get_by_label(button).set_input_files(path)
    page.get_by_role("alert").get_by_text(said).wait_for()
    page.locator(".notice:not(.hidden) button").click()


def test_of_several_photos_those_that_will_not_do_are_named(visit, tmp_path, blank, hopper_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    for name in ("wall", "floor"):
        Image.fromarray(blank).save(tmp_path / f"{name}.png")
    Image.open(hopper_path).convert("RGB").rotate(5).save(tmp_path / "seen.png")
    photos = [tmp_path / f"{name}.png" for name in ("wall", "floor", "seen")]
    page.get_by_label("Add a photo").set_input_files(photos)
    page.get_by_role("heading", name="Whose face is seen?").wait_for()
    page.keyboard.press("Escape")
    notice = page.locator(".notice:not(.hidden)")
    assert "No face was found in this photo." in notice.inner_text()
    assert "wall.png, floor.png" in notice.inner_text()
    page.get_by_label("Add a photo").set_input_files(photos[0])
    notice.get_by_text(re.compile(r"^wall\.png$")).wait_for()
    notice.get_by_role("button").click()
    removes(page, "seen")


def test_a_file_that_is_dropped_is_taken(visit, tmp_path, blank):
    page = visit()
    Image.fromarray(blank).save(tmp_path / "wall.png")
    data = (tmp_path / "wall.png").read_bytes().hex()
    page.evaluate(
        """hex => {
            const bytes = Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "wall.png", { type: "image/png" }));
            const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.querySelector(".wardrobe .picker").dispatchEvent(event);
        }""",
        data,
    )
    page.get_by_role("alert").get_by_text("No face was found in this photo.").wait_for()
    press(page, "Dismiss")


def test_a_file_on_its_way_can_be_cancelled_and_nothing_is_left_of_it(visit, studio, tmp_path, hopper_path):
    page = visit()
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    line.send("Network.emulateNetworkConditions", slow)
    (tmp_path / "long.mp4").write_bytes(bytes(20_000_000))
    before = set(studio.home.rglob("*.mp4"))
    page.locator("input[type=file][accept*=mp4]").set_input_files(tmp_path / "long.mp4")
    page.get_by_label("Taking the clip…").wait_for()
    page.get_by_role("button", name="Cancel").press("Enter")
    page.locator(".pick:enabled:focus", has_text="Open a clip").wait_for()
    line.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    for _ in range(200):
        if not (left := set(studio.home.rglob("*.mp4")) - before):
            break
        page.wait_for_timeout(50)
    assert not left
    assert page.get_by_role("radio", name="long.mp4").count() == 0
    assert page.locator(".notice:visible").count() == 0
    # Of several those that had not begun to go do not come either.
    (tmp_path / "large.png").write_bytes(hopper_path.read_bytes() + bytes(20_000_000))
    line.send("Network.emulateNetworkConditions", slow)
    page.locator("input[type=file][accept*=png][multiple]").last.set_input_files([tmp_path / "large.png", hopper_path])
    page.get_by_label("Taking the photo…").wait_for()
    press(page, "Cancel")
    page.locator(".pick:enabled", has_text="Add a photo").wait_for()
    page.wait_for_timeout(500)
    assert page.locator("dialog[open], .notice:visible").count() == 0


def test_a_clip_is_opened_and_played(visit, small_clip):
    page = visit()
    page.get_by_label("Open a clip").set_input_files(small_clip)
    page.get_by_label(re.compile(small_clip.stem)).wait_for()
    page.wait_for_function("[...document.querySelectorAll('input[value^=\"clip:\"]')].at(-1).checked")
    start(page)
    page.get_by_label(re.compile("^Sample clip")).check()
    page.get_by_text("wait for a restart").wait_for()
    press(page, "Restart now")
    page.get_by_text("wait for a restart").wait_for(state="hidden")
    drawn(page)


@pytest.mark.parametrize(
    ("locale", "start_name", "said"),
    [
        ("en", "Start", "Nothing can be received from this address."),
        ("zh-CN", "开始", "无法从这个地址接收。"),
        ("ko-KR", "시작", "이 주소에서 받을 수 없습니다."),
    ],
)
def test_a_stream_that_is_not_there_is_said_in_the_readers_language(visit, locale, start_name, said):
    page = visit(locale=locale)
    page.locator("input[value='stream:']").check()
    page.locator(".indented input:visible").first.fill("rtmp://127.0.0.1:9/live/x")
    page.locator(".indented input:visible").first.blur()
    page.get_by_role("button", name=start_name, exact=True).click()
    page.get_by_role("alert").get_by_text(said).wait_for()
    page.locator("input[value='sample:']").check()
    page.get_by_role("alert").get_by_text(said).wait_for(state="hidden")


def test_the_address_of_a_stream_is_kept_while_another_source_is_chosen(visit):
    page = visit()
    address = page.locator(".indented input:visible").first
    page.locator("input[value='stream:']").check()
    address.fill("rtmp://127.0.0.1:9/live/x")
    address.blur()
    page.locator("input[value='sample:']").check()
    page.locator(".indented").first.wait_for(state="hidden")
    page.locator("input[value='stream:']").check()
    address.wait_for()
    page.wait_for_timeout(500)
    page.reload()
    address.wait_for()
    assert address.input_value() == "rtmp://127.0.0.1:9/live/x"
    page.locator("input[value='sample:']").check()
    address.wait_for(state="hidden")


def test_a_machine_without_a_camera_says_what_to_do(visit):
    page = visit()
    if page.locator("input[value^='camera:']").count():
        pytest.skip("it is here: a camera")
    page.get_by_text("No camera was found on the studio's machine. Plug one in").wait_for()
    press(page, "Look again")
    page.get_by_text("No camera was found on the studio's machine. Plug one in").wait_for()


def test_a_recording_says_how_it_fares_and_can_be_had(visit, studio):
    page = visit()
    page.get_by_label(re.compile("^Recording")).check()
    start(page)
    page.locator(".state.good", has_text="Running").wait_for()
    press(page, "Stop")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Saved: Understudy")).first.click()
    assert download.value.path().stat().st_size > 10_000
    assert len(list(studio.recordings.glob("*.mp4"))) >= 1
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=re.compile("Copy where Understudy .* lies")).first.click()
    page.get_by_role("status").get_by_text("Copied").wait_for()
    assert Path(page.evaluate("navigator.clipboard.readText()")) in studio.recordings.iterdir()
    page.get_by_label(re.compile("^Recording")).uncheck()


def test_sliders_work_while_it_runs_and_what_waits_for_a_new_start_says_so(visit):
    page = visit()
    start(page)
    strength = page.get_by_label("Strength", exact=True)
    strength.press("ArrowLeft")
    page.get_by_text("99 %").wait_for()
    strength.press("End")
    page.get_by_label(re.compile("^Keep my mouth")).check()
    page.get_by_label(re.compile("^Keep my mouth")).uncheck()
    page.get_by_label("Shape of the face *").press("Home")
    page.get_by_text("wait for a restart").wait_for()
    page.get_by_label("Shape of the face *").press("End")
    page.get_by_text("wait for a restart").wait_for(state="hidden")


def test_a_look_is_kept_under_a_name_and_taken_back(visit):
    page = visit()
    strength, back = page.get_by_label("Strength", exact=True), page.get_by_role("button", name="Everything as usual")
    strength.press("ArrowLeft")
    page.get_by_text("99 %").wait_for()
    page.get_by_label("Keep these settings as").fill("Nearly")
    page.get_by_role("button", name="Keep", exact=True).click()
    preset = page.get_by_role("button", name="Nearly", exact=True)
    preset.wait_for()
    back.click()
    page.get_by_text("99 %").wait_for(state="hidden")
    back.wait_for(state="hidden")
    preset.click()
    page.get_by_text("99 %").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Remove the preset Nearly").click()
    preset.wait_for(state="detached")
    back.click()
    back.wait_for(state="hidden")


def test_what_is_being_written_is_kept_while_the_page_changes(visit):
    """The clock alone changes the page every second."""
    page = visit()
    start(page)
    page.get_by_label(re.compile("^Stream to a server")).check()
    address = page.get_by_label("Server", exact=True)
    address.wait_for()  # until then what is typed goes to the room, whose keys do something
    clock = page.locator(".clock").inner_text()
    address.press_sequentially("rtmp://127.0.0.1")
    page.wait_for_function("before => document.querySelector('.clock').textContent !== before", arg=clock)
    address.press_sequentially("/app")
    assert address.input_value() == "rtmp://127.0.0.1/app"
    address.fill("")
    page.get_by_label(re.compile("^Stream to a server")).uncheck()


def test_all_settings_are_there_and_a_wrong_value_is_said(visit):
    page = visit()
    page.get_by_text("All settings").click()
    page.locator("[data-setting='guard.hold_seconds']").fill("many")
    page.locator("[data-setting='guard.hold_seconds']").blur()
    page.get_by_text("'guard.hold_seconds' can't be many").wait_for()
    page.locator("[data-setting='guard.hold_seconds']").fill("0.4")
    page.locator("[data-setting='guard.hold_seconds']").blur()
    page.get_by_text("'guard.hold_seconds' can't be many").wait_for(state="hidden")
    page.locator("[data-setting='guard.hold_seconds']").fill("-5")
    page.locator("[data-setting='guard.hold_seconds']").blur()
    page.locator("[data-setting='guard.hold_seconds'][aria-invalid=true]").wait_for()
    page.locator(".group .wrong:visible", has_text="hold_seconds").wait_for()
    page.locator("[data-setting='guard.hold_seconds']").fill("0.4")
    page.locator("[data-setting='guard.hold_seconds']").blur()
    page.locator("[data-setting='guard.hold_seconds'][aria-invalid=false]").wait_for()
    page.get_by_label("Find a setting").press_sequentially("hold sec")
    page.locator("[data-setting='guard.on_lost']").wait_for(state="hidden")
    page.locator("[data-setting='blend.strength']").wait_for(state="hidden")
    assert page.locator("[data-setting='guard.hold_seconds']").is_visible()
    page.get_by_label("Find a setting").fill("")
    page.locator("[data-setting='blend.strength']").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768), (820, 1180)])
def test_it_meets_wcag_and_fits(visit, scheme, width, height):
    page = visit(width=width, height=height, color_scheme=scheme)
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    start_button = page.get_by_role("button", name="Start", exact=True).bounding_box()
    assert start_button["y"] + start_button["height"] <= height
    small = page.evaluate(
        """[...document.querySelectorAll("button, select, input:not([type=file]), a[href]")]
            .map((e) => [e.closest("label") ?? e, e]).map(([a, e]) => [a.getBoundingClientRect(), e.outerHTML])
            .filter(([r]) => r.width && r.height && (r.width < 24 || r.height < 24)).map(([, html]) => html)"""
    )
    assert [one for one in small if "skip" not in one] == []


def test_it_meets_wcag_while_it_runs(visit):
    page = visit()
    start(page)
    press(page, "Figures")
    page.keyboard.press("c")
    page.get_by_text("Covered: nobody is seen").wait_for()
    assert violations(page) == []


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_recording_is_signed_when_the_studio_is_ended_while_it_runs(browser, tmp_path):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit()
        page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
        page.get_by_label(re.compile("^Recording")).check()
        start(page)
        page.locator(".state.good", has_text="Running").wait_for()
    visit.close()
    assert studio.process.returncode == 0
    assert [path.suffix for path in studio.recordings.iterdir()] == [".mp4"]
    assert not list((studio.home / "studio").glob(".uploads*"))
    assert "Traceback" not in studio.log.read_text()


def tilted(path, degrees, name="tilted", *, flipped=False):
    """Another photo of somebody, as a file that is chosen."""
    file = io.BytesIO()
    picture = Image.open(path).convert("RGB").rotate(degrees)
    (picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flipped else picture).save(file, "PNG")
    return {"name": f"{name}.png", "mimeType": "image/png", "buffer": file.getvalue()}


def add_face(page, path, name):
    """Add a photo and say that it may be used."""
    page.get_by_label("Add a photo").set_input_files(path)
    page.get_by_role("heading", name=f"Whose face is {name}?").wait_for()
    page.get_by_label("It is no real person").check()
    press(page, "Save and use this face")
    page.locator(".face [aria-pressed=true]", has_text=name).wait_for()


def remove_face(page, name):
    page.locator(".face", has_text=name).hover()
    press(page, f"Remove {name}")
    page.locator(".face", has_text=name).wait_for(state="detached")


def test_a_face_that_is_kept_is_there_and_chosen_in_the_next_studio(browser, tmp_path, hopper_path):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit()
        add_face(page, hopper_path, "grace_hopper")
        page.locator(".face", has_text="grace_hopper").hover()
        keep = page.get_by_role("button", name="Keep grace_hopper for the next time")
        assert keep.get_attribute("aria-pressed") == "false"
        keep.click()
        page.locator(".face-keep[aria-pressed=true]").wait_for()
        assert violations(page) == []
        visit.close()
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit()
        page.locator(".face-button[aria-pressed=true]", has_text="grace_hopper").wait_for()
        page.locator(".face-keep[aria-pressed=true]").click()
        page.locator(".face-keep[aria-pressed=false]").wait_for()
        visit.close()
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit()
        page.locator(".face-button[aria-pressed=true]", has_text="Eileen Collins").wait_for()
        assert page.locator(".face").count() == 1
        visit.close()


def test_another_photo_of_the_same_person_is_asked_about_and_one_of_another_is_told(visit, hopper_path, astronaut_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    assert page.get_by_label(re.compile("^Add another photo of Eileen")).count() == 0
    add_face(page, tilted(hopper_path, 25, "first"), "first")
    more = page.locator(".face", has_text="first").locator("input[type=file]")
    more.set_input_files(tilted(hopper_path, 14))
    page.get_by_role("heading", name="Whose face is tilted?").wait_for()
    page.get_by_label("It is no real person").check()
    press(page, "Save and use this face")
    page.locator(".face", has_text="2 photos").wait_for()
    start(page)
    more.set_input_files(tilted(astronaut_path, 14))
    page.get_by_role("heading", name="Whose face is tilted?").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("The new photo looks like somebody else.").wait_for()
    page.locator(".face", has_text="2 photos").wait_for()  # without an answer it does not stay
    drawn(page)
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()
    remove_face(page, "first")


def test_of_several_photos_for_one_card_each_is_asked_about_once_and_only_what_was_answered_stays(
    visit, studio, hopper_path
):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    add_face(page, tilted(hopper_path, 2, "straight", flipped=True), "straight")
    turned = ((-6, "left"), (9, "right"), (18, "far"))
    photos = [tilted(hopper_path, degrees, name, flipped=True) for degrees, name in turned]
    more = page.locator(".face", has_text="straight").locator("input[type=file]")
    more.set_input_files(photos[0])
    page.get_by_role("heading", name="Whose face is left?").wait_for()
    more.set_input_files(photos[1:])
    page.wait_for_timeout(5000)  # the others have come by now
    assert page.locator("dialog[open] .consent-top img").count() == 1
    page.locator("dialog[open]").get_by_role("button", name="Not now").last.click()
    page.get_by_role("heading", name="Whose face is right?").wait_for()
    page.wait_for_function("() => document.querySelectorAll('dialog[open] .consent-top img').length === 2")
    assert page.evaluate("[...document.querySelectorAll('dialog[open] img')].every((one) => one.naturalWidth > 0)")
    page.get_by_label("It is no real person").check()
    press(page, "Save and use this face")
    page.locator(".face", has_text="3 photos").wait_for()
    page.locator("dialog[open]").wait_for(state="hidden")
    names = [record.name for record in Consents(Home(studio.home)).all()]
    assert sorted(name for name in names if name in ("left.png", "right.png", "far.png")) == ["far.png", "right.png"]
    remove_face(page, "straight")


def test_a_card_that_is_removed_while_its_question_is_open_is_said(visit, studio, hopper_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    page.get_by_label("Add a photo").set_input_files(tilted(hopper_path, -20, "brief"))
    page.get_by_role("heading", name="Whose face is brief?").wait_for()
    second = visit()
    remove_face(second, "brief")
    page.get_by_label("It is no real person").check()
    press(page, "Save and use this face")
    page.locator("dialog[open]").get_by_text("This is not here any more.").wait_for()
    assert [record.name for record in Consents(Home(studio.home)).all() if record.name == "brief.png"] == []
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="hidden")
    assert "Traceback" not in studio.log.read_text()


def test_each_person_gets_a_face_of_their_own_by_pressing_or_from_a_list(visit, hopper_path):
    page = visit()
    page.get_by_role("button", name=re.compile("Eileen Collins")).wait_for()
    add_face(page, tilted(hopper_path, -7), "tilted")
    page.get_by_role("button", name=re.compile("^Eileen Collins")).click()
    page.locator(".face [aria-pressed=true]", has_text="Eileen Collins").wait_for()
    page.get_by_label("Whose face is swapped").select_option("each")
    left = page.get_by_label("On the left: which face")
    left.wait_for()
    assert left.input_value() == "sample"
    assert violations(page) == []
    page.get_by_role("button", name="On the right").click()
    page.locator(".face-button", has_text="tilted").click()
    page.locator(".seat", has=page.get_by_label("On the right: which face")).locator("img:not(.hidden)").wait_for()
    assert page.locator(".face [aria-pressed=true]").count() == 2
    start(page)
    left.select_option(label="tilted")
    page.wait_for_function("() => document.querySelectorAll('.face [aria-pressed=true]').length === 1")
    page.locator(".badge.on").wait_for()
    drawn(page)
    page.get_by_label("Everybody else: which face").select_option("leave")
    page.wait_for_timeout(1500)  # the studio has heard of it by now
    page.locator(".badge.on", has_text="Live").wait_for()
    page.reload()
    page.get_by_label("Everybody else: which face").wait_for()
    assert page.get_by_label("Everybody else: which face").input_value() == "leave"
    page.get_by_label("Whose face is swapped").select_option("largest")
    page.locator(".seats").wait_for(state="hidden")
    page.locator(".badge.on").wait_for()
    press(page, "Stop")
    page.get_by_text("Ready when you are").wait_for()
    remove_face(page, "tilted")


def test_sound_and_what_a_camera_is_asked_for_are_chosen_and_kept(visit):
    page = visit()
    page.get_by_role("radio", name="This browser's camera").check()
    page.get_by_label("Size of its pictures").select_option("640x480")
    page.get_by_label("Pictures a second").select_option("15")
    page.get_by_label("Sound", exact=True).select_option("?")
    page.get_by_label("Device", exact=True).fill("no such one")
    page.get_by_role("radio", name=re.compile("Sample clip")).check()
    page.get_by_label("Size of its pictures").wait_for(state="hidden")
    press(page, "Start")
    page.get_by_role("alert").get_by_text("The microphone can't be used.").wait_for()
    page.reload()
    assert page.get_by_label("Device", exact=True).input_value() == "no such one"
    page.get_by_label("Sound", exact=True).select_option("")
    page.get_by_role("radio", name="This browser's camera").check()
    assert page.get_by_label("Size of its pictures").input_value() == "640x480"
    assert page.get_by_label("Pictures a second").input_value() == "15"
    page.get_by_role("radio", name=re.compile("Sample clip")).check()
    start(page)
