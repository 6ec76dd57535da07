"""The Check room, in a real browser."""

import shutil

import cv2
import pytest

from tests.server.conftest import studio_in
from tests.server.studio.test_frame import violations
from understudy.app import Understudy
from understudy.settings import Settings
from understudy.testing import demo

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

NASTY = '"><img src=x onerror=alert(1)><b>.jpg'


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with files of all sorts, and a private folder that knows where one of them comes from."""
    folder = tmp_path_factory.mktemp("check")
    (picture,) = demo.sample_pictures(1)
    cv2.imwrite(str(folder / "plain.png"), picture)
    with Understudy(Settings(home=folder / "home")) as app:
        app.swap(folder / "plain.png", folder / "swapped.png", app.person(demo.sample_photo(), consent="sample"))
    swapped = cv2.imread(str(folder / "swapped.png"))
    cv2.imwrite(str(folder / "sent on.jpg"), cv2.resize(swapped, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA))
    (folder / "notes.txt").write_text("hello")
    (folder / "empty.png").write_bytes(b"")
    (folder / "broken.jpg").write_bytes((folder / "sent on.jpg").read_bytes()[:2000])
    shutil.copy(folder / "plain.png", folder / "same.png")
    return folder


@pytest.fixture(scope="module")
def studio(files):
    with studio_in(files) as running:
        yield running


def give(page, *paths):
    page.locator("main input[type=file]").set_input_files(paths)


def card(page, name):
    # The newest is first: others of that name may be left of a test before.
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True)).first


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("swapped.png", "Made by this tool"),
        ("sent on.jpg", "Made by this tool, altered since"),
        ("plain.png", "Unknown"),
        ("notes.txt", "Unknown"),
        ("broken.jpg", "Unknown"),
    ],
)
def test_a_file_gets_its_verdict_with_reasons(visit, files, name, verdict):
    page = visit("/check")
    give(page, files / name)
    found = card(page, name)
    found.get_by_text(verdict, exact=True).wait_for()
    assert found.locator(".reasons li").count() >= 1
    found.get_by_text("All that was looked at").click()
    found.get_by_role("rowheader", name="Invisible mark").wait_for()
    if verdict == "Unknown":
        assert "does not mean that it is real" in found.inner_text()
        assert found.locator("td .for").count() == 0
    else:
        assert found.locator("td .for").count() >= 2
    assert found.locator("img").count() == (name.endswith(("png", "on.jpg")))
    page.get_by_role("button", name=f"Remove {name} from the list").click()
    found.wait_for(state="detached")


def test_several_files_are_looked_at_and_none_is_kept(visit, studio, files):
    page = visit("/check")
    give(page, files / "same.png", files / "empty.png", files / "notes.txt")
    card(page, "notes.txt").get_by_text("Unknown", exact=True).wait_for()
    card(page, "same.png").get_by_text("Unknown", exact=True).wait_for()
    # Which of them was refused is said, too.
    alert = page.get_by_role("alert").filter(has_text="This file is empty")
    alert.wait_for()
    assert "empty.png" in alert.inner_text()
    kept = [path for path in (studio.home / "studio").rglob("*") if path.suffix in (".png", ".txt")]
    assert kept == []
    page.reload()
    card(page, "notes.txt").wait_for()
    page.get_by_role("button", name="Clear the list").click()
    card(page, "notes.txt").wait_for(state="detached")


def test_a_file_is_dropped_and_told_in_chinese(visit):
    page = visit("/check", locale="zh-CN")
    data = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['hello'], '说明.txt')); return data; }"
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": data})
    found = card(page, "说明.txt")
    found.get_by_text("未知", exact=True).wait_for()
    assert "这并不表示它是真实的" in found.inner_text()
    # What the program itself says stays in English, and is marked as such.
    assert found.locator("[lang=en]").count() == 1


def test_a_folder_that_is_dropped_is_said_to_be_one_and_files_beside_it_are_taken(visit, files):
    page = visit("/check")
    folder = files / "a folder"
    folder.mkdir()
    box = page.locator(".picker").bounding_box()
    dropped = {"items": [], "files": [str(folder), str(files / "same.png")], "dragOperationsMask": 1}
    hand = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        hand.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 20, "data": dropped})
    card(page, "same.png").get_by_text("Unknown", exact=True).wait_for()
    alert = page.get_by_role("alert").filter(has_text="Is it a folder")
    alert.wait_for()
    assert "a folder" in alert.inner_text()


def test_a_files_name_is_never_read_as_html(visit, files):
    page = visit("/check")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.locator("main input[type=file]").set_input_files(
        [{"name": NASTY, "mimeType": "image/jpeg", "buffer": b"<script>alert(2)</script>"}]
    )
    found = page.get_by_role("listitem").filter(has_text="onerror")
    found.get_by_text("Unknown", exact=True).wait_for()
    assert page.locator("main b, main img[src=x]").count() == 0
    assert dialogs == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(visit, files, scheme):
    page = visit("/check", color_scheme=scheme, width=820, height=1180)
    give(page, files / "swapped.png", files / "empty.png")
    card(page, "swapped.png").get_by_text("Made by this tool", exact=True).wait_for()
    page.get_by_text("What the three answers mean").click()
    card(page, "swapped.png").get_by_text("All that was looked at").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_it_works_from_the_keyboard(visit, files):
    page = visit("/check")
    # That somebody waits for it is told to the browser on the side: a key pressed at once can come before it.
    page.on("filechooser", lambda _: None)
    page.wait_for_timeout(500)
    page.locator("main button.pick").focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(files / "notes.txt")
    found = card(page, "notes.txt")
    found.get_by_text("Unknown", exact=True).wait_for()
    found.get_by_role("button").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    found.get_by_role("rowheader", name="File").wait_for()
