"""The Clips room and the Jobs room, in a real browser: the buttons that a person would press."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server.conftest import CHROMIUM, PATIENCE, Visit, studio_in
from understudy.testing import ClipSpec, portrait, portrait_path, write_clip
from understudy.testing.situations import PEOPLE

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
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


def add_photo(page, file):
    before = page.locator(".tray-button").count()
    page.get_by_label("Faces", exact=True).locator("input[type=file]").set_input_files(file)
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
        render.click()
        page.locator(".job").get_by_text("Signed, and unaltered").wait_for()
        page.locator(".job").get_by_text("Label: AI face swap").wait_for()
        with page.expect_download() as download:
            page.locator(".job").get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "scene swapped.mp4"
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
    # What the job needed is gone with it; what pages handed over went with the server.
    assert {path.name for path in (studio.home / "studio").iterdir()} <= {"kept", "presets.json", "sample-1.mp4"}
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
    for left in (("leave", "sample"), ("leave", "leave")):
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
    page.get_by_role("button", name="Another file").click()
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
    page.get_by_role("button", name="Another file").click()


def test_a_reload_in_the_middle_loses_nothing(visit, files):
    page = visit("/clips")
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.locator(".person-gets").first.wait_for()
    page.get_by_label("Keep these settings as").fill("Mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Mine", exact=True).wait_for()
    page.reload()
    page.get_by_role("heading", name="scene.mp4").wait_for()
    assert page.get_by_label("What Person 1 gets").input_value() == "sample"
    page.get_by_role("slider", name="Wipe").wait_for()
    page.get_by_role("button", name="Undo").wait_for()
    page.get_by_role("button", name="Mine", exact=True).wait_for()
    page.get_by_role("button", name="Another file").click()


@pytest.mark.parametrize(
    ("locale", "file", "said"),
    [
        ("en", "notes.mp4", "This is not a picture or clip that can be read"),
        ("zh-CN", "notes.mp4", "无法读取这个图片或视频"),
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(visit, files, scheme):
    page = visit("/clips", color_scheme=scheme)
    faults = violations(page)
    opened(page, files / "scene.mp4")
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.get_by_role("slider", name="Wipe").wait_for()
    page.get_by_role("button", name="Next doubtful frame").wait_for()
    faults += violations(page)
    add_photo(page, files / "hopper.png")
    page.get_by_label("What Person 2 gets").select_option("Face: hopper")
    page.locator("dialog[open]").wait_for()
    faults += violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Another file").click()
    page.goto(page.url.replace("/clips", "/jobs"))
    page.get_by_role("heading", name="No jobs yet").wait_for()
    assert faults + violations(page) == []


def violations(page):
    """What axe-core finds against WCAG 2.2 AA, as lines."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
