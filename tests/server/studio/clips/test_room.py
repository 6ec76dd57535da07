"""The Clips room and the Jobs room, in a real browser: the buttons that a person would press."""

import io
import json
import re
import signal
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import CHROMIUM, PATIENCE, Visit, studio_in
from tests.server.studio.test_frame import violations
from understudy.testing import ClipSpec, portrait, portrait_path, write_clip
from understudy.testing.situations import PEOPLE

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]

#: Two who change sides with each cut.
SITUATION = next(one for one in PEOPLE if one.name == "two who change sides with each cut")


def pictures(numbers):
    return [SITUATION.scene(number).draw().picture for number in numbers]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A scene of two people with a cut, of whom one is hidden for a while; a long one; photos; and what is none."""
    folder = tmp_path_factory.mktemp("files")
    shots = pictures([*range(30), *range(40, 60)])
    for picture in shots[12:20]:
        height, width = picture.shape[:2]
        face = picture[int(0.05 * height) : int(0.75 * height), int(0.12 * width) : int(0.45 * width)]
        face[:] = face.mean((0, 1))
    write_clip(folder / "scene.mp4", shots, ClipSpec(rate=25))
    write_clip(folder / "long.mp4", [*pictures(range(30))] * 8, ClipSpec(rate=25, audio=()))
    write_clip(folder / "empty.mp4", [shots[0] * 0 + 90] * 10, ClipSpec(rate=25, audio=()))
    (folder / "notes.mp4").write_bytes(b"these are notes" * 1000)
    for name in ("hopper", "astronaut"):
        (folder / f"{name}.png").write_bytes(portrait_path(name).read_bytes())
    assert portrait("hopper").any()
    return folder


def opened(page, file):
    """Open a file; its people are there then."""
    page.locator(".door input[type=file]").set_input_files(file)
    page.get_by_role("heading", name=Path(file).name).wait_for()


def put_away(page):
    """Have another file asked for, and what was decided of this one forgotten."""
    page.locator("dialog[open]").wait_for(state="hidden")
    page.get_by_role("button", name="Another file").click()
    page.get_by_role("heading", name="Drop a picture or a clip here").wait_for()
    for left in reversed(range(page.locator(".earlier-row").count())):
        forget(page, left)


def forget(page, left):
    """Forget the first of what one can go on with; so many are left."""
    page.locator(".earlier-row").first.get_by_role("button", name=re.compile("^Forget ")).click()
    page.get_by_role("button", name="Forget it").click()
    page.wait_for_function(f"() => document.querySelectorAll('.earlier-row').length === {left}")


def add_photo(page, file):
    before = page.locator(".tray-button").count()
    page.get_by_label("Faces", exact=True).locator(".picker input[type=file]").set_input_files(file)
    page.locator(".tray-button").nth(before).wait_for()


def drop_face(page, face, person):
    page.locator(".tray-button", has_text=face).drag_to(page.locator(".person").nth(person - 1))


def consent(page, ground="It is no real person"):
    page.locator("dialog[open]").get_by_text(ground).click()
    page.get_by_role("button", name="Save and use this face").click()
    page.locator("dialog[open]").wait_for(state="hidden")


def inspected(studio, file):
    command = [sys.executable, "-m", "understudy", "inspect", str(file), "--json", "--home", str(studio.home)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def jobs_of(studio):
    command = [sys.executable, "-m", "understudy", "jobs", "list", "--json", "--home", str(studio.home)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["jobs"]


def test_two_faces_on_two_people_rendered_and_checked(tmp_path, browser, files):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        opened(page, files / "scene.mp4")
        page.locator(".person").nth(1).wait_for()
        for name in ("hopper", "astronaut"):
            add_photo(page, files / f"{name}.png")
        render = page.get_by_role("button", name="Render", exact=True)
        assert render.is_disabled()
        for person, name in ((1, "hopper"), (2, "astronaut")):
            drop_face(page, name, person)
            consent(page)
            page.locator(".person").nth(person - 1).locator(".person-gets").wait_for()
        page.get_by_role("slider", name="Wipe").wait_for()
        page.get_by_role("button", name="Next doubtful frame").click()
        page.get_by_role("status").get_by_text("is lost").wait_for()
        page.evaluate(
            """window.videos = new Set();
            new MutationObserver(() => document.querySelectorAll(".job video").forEach((one) => videos.add(one)))
                .observe(document.body, { childList: true, subtree: true })"""
        )
        render.dblclick()
        page.locator(".job").get_by_text("Signed, and unaltered").wait_for()
        page.get_by_label("The result", exact=True).wait_for()
        assert page.evaluate("videos.size") == 1  # it may be played already when the proofs come
        page.locator(".job").get_by_text("Label: AI face swap").wait_for()
        with page.expect_download() as download:
            page.locator(".job").get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "scene swapped.mp4"
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(".job").get_by_role("button", name="Copy its path").click()
        page.locator(".job").get_by_role("status").get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == str(studio.recordings / "scene swapped.mp4")
        saved = tmp_path / "saved.mp4"
        download.value.save_as(saved)
        (job,) = jobs_of(studio)
        found = inspected(studio, saved)
        assert visit.complaints == []
        visit.close()
    assert found["verdict"] == "made by this tool"
    assert found["mark"] is not None
    assert job["report"]["people"] == 2
    assert (studio.recordings / "scene swapped.mp4").read_bytes() == saved.read_bytes()
    # What the job needed is gone with it; what pages handed over went with the server, but for what is open.
    here = {path.name for path in (studio.home / "studio").iterdir()}
    assert here <= {"kept", "set-up.json", "presets.json", "sample-1.mp4", "edits", "faces"}
    (edit,) = (studio.home / "studio" / "edits").iterdir()
    assert sorted(path.suffix for path in edit.iterdir()) == ["", ".json", ".mp4", ".png", ".png"]
    assert [*(studio.home / "studio" / "kept").iterdir()] == []


def test_a_face_is_put_on_somebody_by_keyboard_and_taken_back(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    choice = page.get_by_label("What Person 2 gets")
    choice.select_option("Face: Eileen Collins")
    page.locator(".person").nth(1).locator(".person-gets").wait_for()
    wipe = page.get_by_role("slider", name="Wipe")
    wipe.wait_for()
    wipe.focus()
    page.keyboard.press("Home")
    assert wipe.input_value() == "0"
    page.get_by_label("What Person 1 gets").select_option("Blurred")
    for left in (("leave", "sample", "leave"), ("leave", "leave", "leave")):
        page.get_by_role("button", name="Undo").click()
        page.wait_for_function(
            "wanted => [...document.querySelectorAll('.person select')].map(one => one.value).join() === wanted",
            arg=",".join(left),
        )
    page.get_by_role("button", name="Person 2").click()
    page.locator(".tray-button").first.click()
    page.locator(".person").nth(1).locator(".person-gets").wait_for()
    seek = page.get_by_role("slider", name="Frame")
    seek.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("0:00.04").wait_for()
    put_away(page)
    page.get_by_role("heading", name="Drop a picture or a clip here").wait_for()


def test_a_photo_that_is_dropped_on_somebody_is_asked_about_and_not_used_without_an_answer(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.locator(".person").first.wait_for()
    data = page.evaluate_handle(
        """async bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "somebody.png", { type: "image/png" }));
            return data;
        }""",
        list((files / "hopper.png").read_bytes()),
    )
    page.locator(".person").first.dispatch_event("drop", {"dataTransfer": data})
    page.locator("dialog[open]").get_by_text("Whose face is somebody?").wait_for()
    page.get_by_role("button", name="Save and use this face").click()
    page.get_by_text("Choose what is true of this face.").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="hidden")
    assert page.get_by_label("What Person 1 gets").input_value() == "leave"
    page.get_by_role("button", name="Remove somebody").click()
    page.locator(".tray-button", has_text="somebody").wait_for(state="detached")
    put_away(page)


def test_a_reload_in_the_middle_loses_nothing(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.locator(".person-gets").first.wait_for()
    page.get_by_label("Keep these settings as").fill("Mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Mine", exact=True).wait_for()
    page.wait_for_function("document.querySelector('.preset-new input').value === ''")
    page.wait_for_timeout(300)  # until then it would be a double click
    page.get_by_role("button", name="Keep", exact=True).click()  # with no name: nothing is overwritten
    page.get_by_text("a preset needs a name").wait_for()
    page.get_by_label("Keep these settings as").fill("Another")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Another", exact=True).wait_for()
    page.get_by_label("Keep these settings as").fill("A third")
    page.get_by_role("button", name="Remove the preset Another").click()
    page.get_by_role("button", name="Another", exact=True).wait_for(state="detached")
    assert page.get_by_label("Keep these settings as").input_value() == "A third"
    page.reload()
    page.get_by_role("heading", name="scene.mp4").wait_for()
    assert page.get_by_label("What Person 1 gets").input_value() == "sample"
    page.get_by_role("slider", name="Wipe").wait_for()
    page.get_by_role("button", name="Undo").wait_for()
    page.get_by_role("button", name="Mine", exact=True).wait_for()
    put_away(page)


def test_what_was_decided_of_a_clip_is_there_when_another_file_was_open(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.get_by_role("button", name="Undo").wait_for()
    page.get_by_role("button", name="Another file").click()
    page.locator(".earlier").get_by_text("People changed: 1 · Stretches: 0").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Go on with scene.mp4").click()
    page.wait_for_function("() => document.querySelector('.people select')?.value === 'sample'")
    page.get_by_role("button", name="Undo").click()  # nothing is decided now
    page.get_by_role("button", name="Undo").wait_for(state="hidden")
    page.get_by_role("button", name="Another file").click()
    page.get_by_role("heading", name="Drop a picture or a clip here").wait_for()
    assert page.locator(".earlier:visible").count() == 0
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Blurred")
    page.get_by_role("button", name="Undo").wait_for()
    page.get_by_role("button", name="Another file").click()
    page.get_by_role("button", name="Forget scene.mp4").click()
    page.get_by_role("heading", name="Forget what was decided of scene.mp4?").wait_for()
    page.locator("dialog[open]").get_by_role("button", name="Not now").last.click()
    page.locator("dialog[open]").wait_for(state="hidden")
    assert page.locator(".earlier-row").count() == 1
    forget(page, 0)


@pytest.mark.parametrize(
    ("locale", "file", "said"),
    [
        ("en", "notes.mp4", "This file holds no picture or video that can be read"),
        ("zh-CN", "notes.mp4", "这个文件里没有可以读取的图片或视频"),
        ("ko-KR", "empty.mp4", "사람을 찾지 못했습니다"),
        ("en", "empty.mp4", "Nobody was found here"),
    ],
)
def test_what_can_t_be_used_is_said_in_the_readers_language(visit, files, locale, file, said):
    page = visit("/clips", locale=locale)
    page.locator(".door input[type=file]").set_input_files(files / file)
    page.get_by_text(said).wait_for()
    if file == "empty.mp4":
        assert page.locator(".render .button.primary").is_disabled()
        page.locator(".bench-head .button").last.click()
        page.locator(".door").wait_for()
    else:
        page.locator(".notice-place:visible .notice .button").first.click()
        visit.complaints[:] = [one for one in visit.complaints if "422" not in one]


def test_a_file_that_is_too_large_is_said_so(visit, files):
    """That the server refuses one is shown by ``test_uploads``."""
    page = visit("/clips", locale="ko-KR")
    page.route("**/uploads/target/*", lambda route: route.fulfill(status=200, json={"fault": "fault.file_too_large"}))
    page.locator(".door input[type=file]").set_input_files(files / "scene.mp4")
    page.get_by_text("파일이 너무").wait_for()
    page.locator(".notice:visible .button").click()


def test_a_render_is_cancelled_and_done_again_and_survives_the_servers_death(tmp_path, browser, files):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        opened(page, files / "long.mp4")
        page.locator(".person").first.wait_for(timeout=4 * PATIENCE)
        page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
        page.get_by_role("button", name="Render", exact=True).click()
        page.locator(".job progress[value]").wait_for()
        page.locator(".job").get_by_role("button", name="Cancel").click()
        page.locator(".job").get_by_text("Cancelled").wait_for()
        page.goto(f"{studio.origin}/jobs")
        page.get_by_role("button", name="Try again").click()
        page.locator(".job progress[value]").wait_for()
        page.get_by_text("frames a second").wait_for()
        page.get_by_role("button", name="Pause").click()
        page.locator(".job").get_by_text("Paused").wait_for()
        page.get_by_role("button", name="Go on").click()
        page.locator(".job progress[value]").wait_for()
        studio.process.send_signal(signal.SIGKILL)
        studio.process.wait()
        visit.close()
    for _ in range(600):  # its worker parks the job, and ends
        (job,) = jobs_of(studio)
        if job["state"] == "waiting":
            break
        time.sleep(0.1)
    assert job["state"] == "waiting"
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/jobs")
        page.locator(".job progress[value]").wait_for()
        page.locator(".job").get_by_text("Signed, and unaltered").wait_for(timeout=4 * PATIENCE)
        page.get_by_role("button", name="Remove from the list").click()
        page.get_by_role("heading", name="No jobs yet").wait_for()
        assert visit.complaints == []
        visit.close()
    assert inspected(studio, studio.recordings / "long swapped.mp4")["verdict"] == "made by this tool"
    assert [*(studio.home / "studio" / "kept").iterdir()] == []


def at(page):
    """The time of the frame that is looked at, in seconds."""
    minutes, seconds = page.locator(".timeline-time").inner_text().split("/")[0].strip().split(":")
    return 60 * int(minutes) + float(seconds)


def ready(page, file):
    """Open a clip, put a face on somebody, and wait until all is known of it."""
    opened(page, file)
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.get_by_role("slider", name="Wipe").wait_for()
    page.locator(".timeline-doubt").wait_for()


def look_at(page, frames):
    seek = page.get_by_role("slider", name="Frame", exact=True)
    seek.focus()
    page.keyboard.press("Home")
    for _ in range(frames):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "wanted => document.querySelector('.timeline-range').value == wanted", arg=f"{frames * 0.04:g}"
    )


def pull(page, what, by):
    """Pull something by a share of the timeline."""
    box, track = what.bounding_box(), page.locator(".timeline-area").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by * track["width"] / 2, y, steps=4)
    page.mouse.move(x + by * track["width"], y, steps=4)
    page.mouse.up()


TIMES = "[...document.querySelectorAll('.time')].map(one => one.value).join()"
#: A key, and a time typed before the key has been told to the server.
KEY_AND_TIME = """() => {
    const key = new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true });
    document.querySelector(".part .handle.end").dispatchEvent(key);
    const field = document.querySelectorAll(".time")[1];
    field.value = "1,6";
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name));
}"""


def test_a_part_is_pulled_typed_and_taken_back_and_a_stretch_holds_in_it(tmp_path, browser, files):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        ready(page, files / "scene.mp4")
        begins, ends = page.get_by_label("From", exact=True), page.get_by_label("To", exact=True)
        assert (begins.input_value(), ends.input_value()) == ("0:00.00", "0:02.00")
        pull(page, page.get_by_role("slider", name="Part: beginning"), 0.25)
        page.wait_for_function("document.querySelector('.time').value === '0:00.52'")
        assert at(page) == 0.52  # the frame that is pulled to is shown
        page.get_by_role("slider", name="Part: end").press("ArrowLeft")
        page.wait_for_function("document.querySelectorAll('.time')[1].value === '0:01.96'")
        ends.fill("nonsense")
        ends.press("Enter")
        assert ends.input_value() == "0:01.96"
        page.evaluate(KEY_AND_TIME)
        page.wait_for_function("document.querySelectorAll('.time')[1].value === '0:01.60'")
        look_at(page, 20)
        page.keyboard.press("a")
        page.get_by_role("button", name="0:00.8 to 0:01.8: own look").wait_for()
        page.get_by_role("heading", name="Look, 0:00.8 to 0:01.8").wait_for()
        page.get_by_label("In this stretch").select_option("Blurred")
        stretch = page.get_by_role("button", name="0:00.8 to 0:01.8: Blurred")
        stretch.wait_for()
        page.get_by_role("status").get_by_text("Blurred").wait_for()
        pull(page, page.get_by_role("slider", name="Blurred: end"), -0.3)
        page.get_by_role("button", name="0:00.8 to 0:01.2: Blurred").wait_for()
        page.get_by_role("slider", name="Blurred: beginning").press("ArrowRight")
        page.get_by_role("button", name="0:00.84 to 0:01.2: Blurred").wait_for()
        page.reload()
        page.get_by_role("button", name="0:00.84 to 0:01.2: Blurred").wait_for()
        assert (begins.input_value(), ends.input_value()) == ("0:00.52", "0:01.60")
        page.get_by_role("button", name="Render", exact=True).click()
        page.locator(".job").get_by_text("Signed, and unaltered").wait_for()
        (job,) = jobs_of(studio)
        for left in ("0:00.8 to 0:01.2: Blurred", "0:00.8 to 0:01.8: Blurred", "0:00.8 to 0:01.8: own look"):
            page.get_by_role("button", name="Undo").click()
            page.get_by_role("button", name=left).wait_for()
        page.get_by_role("button", name="Undo").click()
        page.locator(".stretch").wait_for(state="detached")
        whole = f"({TIMES}) === '0:00.00,0:02.00'"
        for _ in range(3):
            if not page.evaluate(whole):
                page.get_by_role("button", name="Undo").click()
                page.wait_for_timeout(1500)
        assert page.evaluate(whole)
        assert visit.complaints == []
        visit.close()
    assert job["settings"]["trim.start"] == 0.52
    assert job["settings"]["trim.end"] == 1.6
    assert job["settings"]["lanes"] == [{"start": 0.84, "end": 1.2, "do": "blur"}]
    assert job["report"]["frames"] == 27
    assert job["report"]["frames_swapped"] == 18
    assert inspected(studio, studio.recordings / "scene swapped.mp4")["verdict"] == "made by this tool"


def test_a_beginning_that_is_typed_behind_the_end_leaves_more_than_a_frame(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    for label, typed, then in (("To", "1", "0:00.00,0:01.00"), ("From", "1.4", "0:01.40,0:02.00")):
        page.get_by_label(label, exact=True).fill(typed)
        page.get_by_label(label, exact=True).press("Enter")
        page.wait_for_function(f"({TIMES}) === '{then}'")
    put_away(page)


def test_what_is_typed_while_a_clip_is_looked_at_stays(visit, files):
    page = visit("/clips")
    opened(page, files / "long.mp4")
    begins = page.locator(".time").first
    begins.fill("0:01.2")
    page.locator(".timeline-doubt").wait_for(timeout=4 * PATIENCE)
    assert begins.input_value() == "0:01.2"
    page.keyboard.press("Enter")
    page.locator(".timeline-edit .icon-close").wait_for()
    assert begins.input_value() == "0:01.20"
    put_away(page)


def test_a_key_that_is_held_moves_an_edge_by_every_step(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    page.get_by_role("slider", name="Part: end").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(400)  # the first step is told; then the key repeats for longer than that takes to settle
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(70)
    page.wait_for_function("document.querySelectorAll('.time')[1].value === '0:01.16'")
    page.wait_for_timeout(1500)
    page.reload()
    page.wait_for_function("document.querySelectorAll('.time')[1]?.value === '0:01.16'")
    put_away(page)


def test_a_stretch_that_is_pressed_right_after_the_part_was_pulled_stays(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    look_at(page, 20)
    page.keyboard.press("a")
    stretch = page.get_by_role("button", name="0:00.8 to 0:01.8: own look")
    stretch.wait_for()
    page.get_by_role("slider", name="Part: beginning").press("ArrowRight")
    box = stretch.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(1500)
    assert stretch.count() == 1
    page.wait_for_function("document.querySelector('.time').value === '0:00.04'")
    put_away(page)


def test_a_stretch_has_a_look_of_its_own_that_is_seen_while_seeking(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    look_at(page, 5)
    page.get_by_role("button", name="Add a stretch").click()
    page.get_by_role("heading", name="Look, 0:00.2 to 0:01.2").wait_for()
    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200) as inside:
        page.keyboard.press("Home")
    with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200) as outside:
        look_at(page, 0)
    page.locator(".timeline-here").wait_for(state="detached")
    swapped_inside, swapped_outside = (
        apart(*(fetched(page, one.value.url.replace("swapped", which)) for which in ("swapped", "original")))
        for one in (inside, outside)
    )
    assert swapped_inside < 1.9  # nothing but the label and the mark
    assert swapped_outside > swapped_inside + 0.3  # one of two faces
    page.get_by_role("button", name="All of the clip").click()
    page.get_by_role("heading", name="Look", exact=True).wait_for()
    assert page.get_by_role("slider", name="Strength").input_value() == "1"
    page.get_by_role("button", name="0:00.2 to 0:01.2: own look").press("Enter")
    page.get_by_role("heading", name="Look, 0:00.2 to 0:01.2").wait_for()
    assert page.get_by_role("slider", name="Strength").input_value() == "0"
    page.get_by_role("button", name="Remove this stretch").click()
    page.locator(".stretch").wait_for(state="detached")
    put_away(page)


def fetched(page, address):
    """What a page gets from the server."""
    code = "async address => [...new Uint8Array(await (await fetch(address)).arrayBuffer())]"
    return bytes(page.evaluate(code, address))


def apart(one, other):
    """How far two JPEGs are apart in their upper two thirds, where there is no label."""
    first, second = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int) for data in (one, other))
    return np.abs(first - second)[: 2 * len(first) // 3].mean()


def test_another_photo_of_somebody_is_seen_once_it_may_be_used(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.locator(".person").first.wait_for()
    photos = []
    for degrees in (5, 10, 15):
        file = io.BytesIO()
        Image.open(files / "hopper.png").convert("RGB").rotate(degrees).save(file, "PNG")
        photos.append({"name": f"turned {degrees}.png", "mimeType": "image/png", "buffer": file.getvalue()})
    add_photo(page, photos[0])
    drop_face(page, "turned 5", 1)
    with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200):
        consent(page)
    page.locator(".tray-face", has_text="turned 5").locator("input[type=file]").set_input_files(photos[1:])
    # In the order in which they were chosen; what came before its question was shown, is asked about with it.
    page.get_by_role("heading", name="Whose face is turned 10?").wait_for()
    asked = page.locator("dialog[open] .consent-top img").count()
    page.locator("dialog[open]").get_by_text("It is no real person").click()
    with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200):
        page.get_by_role("button", name="Save and use this face").click()
    if asked == 1:
        page.get_by_role("heading", name="Whose face is turned 15?").wait_for()
        consent(page)
    page.locator(".tray-face", has_text="3 photos").wait_for()
    assert page.locator(".notice:visible").count() == 0
    page.locator(".tray-face", has_text="turned 5").hover()
    page.get_by_role("button", name="Remove turned 5").click()
    put_away(page)


def test_everybody_else_gets_a_face_or_is_blurred(tmp_path, browser, files):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        opened(page, files / "scene.mp4")
        others = page.locator(".person", has_text="Everybody else")
        others.wait_for()
        gets, render = others.locator("select"), page.get_by_role("button", name="Render", exact=True)
        assert render.is_disabled()
        drop_face(page, "Eileen Collins", page.locator(".person").count())
        page.wait_for_function("[...document.querySelectorAll('.person select')].at(-1).value === 'sample'")
        assert render.is_enabled()
        with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200):
            gets.select_option("Blurred")
        assert render.is_disabled()  # nobody gets a face
        with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200):
            page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
        render.click()
        page.locator(".job").get_by_text("Signed, and unaltered").wait_for()
        for left in ("blur", "sample", "leave"):
            page.get_by_role("button", name="Undo").click()
            wanted = f"[...document.querySelectorAll('.person select')].at(-1).value === {left!r}"
            page.wait_for_function(wanted)
        assert visit.complaints == []
        visit.close()


def test_the_same_is_done_for_more_files(tmp_path, browser, files):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        opened(page, files / "scene.mp4")
        page.locator(".person").first.wait_for()
        more = page.locator(".alike")
        assert not more.is_visible()
        page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
        more.get_by_text("Eileen Collins goes on its largest face").wait_for()
        several = [str(files / name) for name in ("scene.mp4", "notes.mp4", "hopper.png")]
        more.locator("input[type=file]").set_input_files(several)
        more.get_by_text("2 more in the room Jobs").wait_for()
        more.get_by_role("alert").get_by_text("notes.mp4: ").wait_for()
        page.get_by_role("link", name="Jobs", exact=True).click()
        for name in ("scene swapped.mp4", "hopper swapped.png"):
            page.locator(".job", has_text=name).get_by_text("Signed, and unaltered").wait_for()
        assert not [one for one in visit.complaints if "422" not in one]
        visit.close()


def test_a_question_can_be_closed_when_another_page_has_put_the_clip_away(visit, files):
    page, other = visit("/clips"), visit("/clips")
    opened(page, files / "scene.mp4")
    add_photo(page, files / "hopper.png")
    page.get_by_label("What Person 1 gets").select_option("Face: hopper")
    page.locator("dialog[open]").wait_for()
    put_away(other)
    page.get_by_role("heading", name="Drop a picture or a clip here").wait_for(state="attached")
    assert page.locator("dialog[open]").is_visible()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    opened(page, files / "scene.mp4")
    put_away(page)


def test_names_of_all_settings_have_room_beside_what_stands_in_them(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.get_by_text("All settings").click()
    page.locator(".group label").first.wait_for()
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 720})
        widths = page.locator(".group label").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert min(widths) > 60
    put_away(page)


def test_no_word_of_the_page_lies_over_the_picture(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    page.get_by_role("slider", name="Wipe").wait_for()
    picture = page.locator(".wipe-picture").first.bounding_box()
    words = [page.locator(".wipe").get_by_text(one).bounding_box() for one in ("Original", "Result")]
    assert all(one["y"] >= picture["y"] + picture["height"] for one in words)
    assert words[0]["x"] < picture["x"] + picture["width"] / 2 < words[1]["x"]
    put_away(page)


def test_it_is_played_as_it_will_be_and_stops_and_jumps(visit, files):
    page = visit("/clips")
    ready(page, files / "long.mp4")
    with page.expect_response(lambda one: "/playing?" in one.url) as answer:
        page.get_by_role("button", name="Play as it will be").click()
    body = answer.value.body()
    seconds, length = struct.unpack(">dI", body[:12])
    assert seconds == 0
    pictures = [Image.open(io.BytesIO(part)) for part in (body[12 : 12 + length], body[12 + length :])]
    assert pictures[0].size == pictures[1].size == (640, 360)
    page.wait_for_function("+document.querySelector('.wipe').dataset.played > 2")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play as it will be").wait_for()
    stopped = at(page)
    assert stopped > 0
    page.wait_for_timeout(500)
    assert at(page) == stopped
    page.get_by_role("slider", name="Wipe").wait_for()
    page.get_by_role("slider", name="Frame", exact=True).focus()
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("End")  # it goes on from there
    page.get_by_role("button", name="Play as it will be").wait_for()
    assert at(page) > 9
    assert not [one for one in visit.complaints if "422" not in one]
    put_away(page)


def test_a_clip_with_sound_is_heard_from_where_it_is_played(visit, files):
    page = visit("/clips")
    ready(page, files / "scene.mp4")
    look_at(page, 25)
    with page.expect_response(lambda one: "/sound.wav?" in one.url) as answer:
        page.get_by_role("button", name="Play as it will be").click()
    assert "at=1.0000" in answer.value.url
    with wave.open(io.BytesIO(answer.value.body())) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (48000, 2, 192000)
        heard = np.frombuffer(sound.readframes(48000), "<i2").reshape(-1, 2)[:, 0]
    spectrum = np.abs(np.fft.rfft(heard[:24000]))
    assert abs(int(spectrum.argmax()) * 2 - 440) < 6
    page.get_by_role("button", name="Play as it will be").wait_for()
    put_away(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(visit, files, scheme):
    page = visit("/clips", color_scheme=scheme)
    faults = violations(page)
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.get_by_role("slider", name="Wipe").wait_for()
    page.get_by_role("button", name="Next doubtful frame").wait_for()
    page.get_by_role("button", name="Add a stretch").click()
    page.get_by_label("In this stretch").wait_for()
    page.get_by_label("To", exact=True).fill("1")
    page.get_by_label("To", exact=True).press("Enter")
    page.get_by_role("button", name="The whole clip").wait_for()
    faults += violations(page)
    add_photo(page, files / "hopper.png")
    page.get_by_label("What Person 2 gets").select_option("Face: hopper")
    page.locator("dialog[open]").wait_for()
    faults += violations(page)
    page.keyboard.press("Escape")
    put_away(page)
    page.goto(page.url.replace("/clips", "/jobs"))
    page.get_by_role("heading", name="No jobs yet").wait_for()
    assert faults + violations(page) == []
