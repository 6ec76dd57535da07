"""Photographs the studio's Clips and Jobs rooms for the documentation, with puppets of public-domain portraits.

python tools/studio_clips_pictures.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from studio_pictures import PYTHONS, SHOWN

from understudy.testing import ClipSpec, portrait_path, write_clip
from understudy.testing.situations import PEOPLE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS = 160
SITUATION = next(one for one in PEOPLE if one.name == "two who change sides with each cut")


def write_scene(path: Path) -> None:
    """A clip of two people with two cuts; one of them is hidden for a while."""
    pictures = [SITUATION.scene(number).draw().picture for number in [*range(40), *range(38, 10, -1), *range(40, 120)]]
    for picture in pictures[30:42]:
        height, width = picture.shape[:2]
        face = picture[int(0.05 * height) : int(0.75 * height), int(0.12 * width) : int(0.45 * width)]
        face[:] = face.mean((0, 1))
    write_clip(path, pictures, ClipSpec(rate=25))


def photograph(page: Page, name: str) -> None:
    """Write what a page shows, in few colours."""
    page.evaluate(
        "for (const one of document.querySelectorAll('.path, .switch .hint'))"
        " one.textContent = one.textContent.replace(/\\/\\S+?\\/Understudy/, '/home/you/Videos/Understudy')"
    )
    page.mouse.move(5, 5)
    page.wait_for_timeout(800)
    path = PICTURES / f"studio-{name}.png"
    page.evaluate(SHOWN, PYTHONS)
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path.name, path.stat().st_size)


def decide(page: Page) -> None:
    """Have a part of the clip rendered, with two stretches in it, and look at a frame of one."""
    page.get_by_label("To", exact=True).fill("0:05.6")
    page.get_by_label("To", exact=True).press("Enter")
    for seconds, what in ((4.0, "blur"), (2.2, "swap")):
        page.get_by_role("slider", name="Frame", exact=True).fill(str(seconds))
        page.get_by_role("button", name="Add a stretch").click()
        page.get_by_role("heading", name=f"Look, 0:0{seconds:g}".removesuffix(".0")).wait_for()
        page.get_by_label("In this stretch").select_option(what)
    page.get_by_role("slider", name="Strength").fill("0.6")
    page.get_by_role("slider", name="Soft edge").wait_for()
    page.wait_for_timeout(4000)
    page.get_by_role("slider", name="Wipe").fill("34")


def share(page: Page, clip: Path) -> None:
    """Have each of two people get a face of their own, live."""
    page.get_by_role("link", name="Live").click()
    page.get_by_label("Open a clip").set_input_files(clip)
    page.get_by_role("radio", name=re.compile("interview")).wait_for()
    page.get_by_label("Whose face is swapped").select_option("each")
    page.get_by_label("On the left: which face").select_option(label="Eileen Collins")
    page.get_by_label("On the right: which face").select_option(label="Grace Hopper")
    page.get_by_label("The person is 18").check()
    page.get_by_label("How did they agree?").fill("A portrait in the public domain")
    page.get_by_role("button", name="Save and use").click()
    page.locator("dialog[open]").wait_for(state="hidden")
    page.get_by_role("button", name="Start").click()
    page.locator(".badge.on").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.wait_for_timeout(600)
    photograph(page, "several")


def main() -> None:
    """Photograph both rooms, and two people live."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        photo, clip = Path(folder, "Grace Hopper.png"), Path(folder, "interview.mp4")
        photo.write_bytes(portrait_path("hopper").read_bytes())
        write_scene(clip)
        words = ["--no-browser", "--home", f"{folder}/home", "--recordings", f"{folder}/Understudy"]
        command = [sys.executable, "-m", "understudy", "studio", *words]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            address = server.stdout.readline().split()[1]
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(240_000)
            page.goto(address)
            page.get_by_role("link", name="Clips").click()
            page.locator(".door input[type=file]").set_input_files(clip)
            page.get_by_label("Faces", exact=True).locator("input[type=file]").set_input_files(photo)
            page.locator(".tray-button", has_text="Grace Hopper").wait_for()
            page.get_by_role("button", name="Next doubtful frame").wait_for()
            other = page.locator(".person").nth(1)
            page.get_by_label("What Person 1 gets").select_option("Face: Grace Hopper")
            page.get_by_text("The person is 18").click()
            page.get_by_label("How did they agree?").fill("A portrait in the public domain")
            page.get_by_role("button", name="Save and use").click()
            page.get_by_label("What Person 2 gets").select_option("Face: Eileen Collins")
            other.locator(".person-gets").wait_for()
            page.get_by_role("slider", name="Wipe").wait_for()
            decide(page)
            photograph(page, "clips")
            for _ in range(3):
                page.get_by_role("button", name="Render", exact=True).click()
                page.locator(".job").wait_for()
                page.wait_for_timeout(1500)
            page.get_by_role("link", name="Jobs", exact=True).click()
            page.get_by_text("Signed, and unaltered").wait_for()
            page.get_by_text("frames a second").wait_for()
            photograph(page, "jobs")
            share(page, clip)
            server.terminate()


if __name__ == "__main__":
    main()
