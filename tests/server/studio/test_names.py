"""Names of files and a label's text that want to be HTML, in every room that shows them, in a real browser."""

import shutil

import pytest

from tests.server.conftest import CHROMIUM, PATIENCE, Visit, studio_in
from understudy.testing import portrait_path

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]

#: Longer names are cut before they are shown; this one would run as it is.
NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def files(tmp_path_factory, brief_clip):
    folder = tmp_path_factory.mktemp("named")
    shutil.copy(brief_clip, folder / f"{NASTY}.mp4")
    shutil.copy(portrait_path("hopper"), folder / f"{NASTY}.png")
    (folder / "settings.toml").write_text(f'label.text = "{NASTY}"\n', encoding="utf-8")
    return folder


class Watched:
    """A page, and what ran in it that should not."""

    def __init__(self, page):
        self.page, self.dialogs = page, []
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def holds(self, room):
        """The name is there as text, and nothing was made of it."""
        self.page.get_by_text(NASTY, exact=False).first.wait_for(timeout=2 * PATIENCE)
        made = self.page.locator("img[src=x], [onerror]").count()
        assert (room, made, self.dialogs) == (room, 0, [])


def test_no_room_reads_a_name_or_a_label_as_html(tmp_path, browser, files):
    with studio_in(tmp_path, "--settings", str(files / "settings.toml")) as studio:
        visit = Visit(browser, studio)
        page = visit("/clips")
        watched = Watched(page)
        page.locator(".door input[type=file]").set_input_files(files / f"{NASTY}.mp4")
        page.get_by_role("heading", name=NASTY).wait_for()
        page.locator(".person").first.wait_for(timeout=2 * PATIENCE)
        page.get_by_label("Faces", exact=True).locator("input[type=file]").set_input_files(files / f"{NASTY}.png")
        page.locator(".tray-button", has_text=NASTY).wait_for()
        page.get_by_label("What Person 1 gets").select_option(f"Face: {NASTY}")
        page.locator("dialog[open]").get_by_text(NASTY).first.wait_for()
        watched.holds("the question")
        page.locator("dialog[open]").get_by_text("It is no real person").click()
        page.get_by_role("button", name="Save and use this face").click()
        page.locator("dialog[open]").wait_for(state="hidden")
        page.locator(".person-gets").first.wait_for()
        page.get_by_label("Keep these settings as").fill(NASTY)
        page.get_by_role("button", name="Keep", exact=True).click()
        page.get_by_role("button", name="Render", exact=True).click()
        page.locator(".job").get_by_text(f"Label: {NASTY}").wait_for(timeout=4 * PATIENCE)
        watched.holds("/clips")
        with page.expect_download() as download:
            page.locator(".job").get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "img srcx onerroralert1 swapped.mp4"  # no system refuses it
        saved = tmp_path / f"{NASTY} saved.mp4"
        download.value.save_as(saved)
        for room in ("/jobs", "/records", "/check"):
            page.goto(studio.origin + room)
            page.get_by_role("main").wait_for()
            if room == "/check":
                page.locator("main input[type=file]").set_input_files(saved)
                found = page.get_by_role("listitem").filter(has_text=NASTY)
                found.get_by_text("Made by this tool", exact=True).wait_for(timeout=2 * PATIENCE)
                found.get_by_text("All that was looked at").click()
                found.get_by_text(f"label {NASTY}", exact=False).or_(found.get_by_text(NASTY)).first.wait_for()
            watched.holds(room)
        assert visit.complaints == []
        visit.close()
        assert "Traceback" not in studio.log.read_text()
