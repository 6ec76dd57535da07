"""Photographs the studio for the documentation, with the sample's public-domain portraits: into docs/pictures.

python tools/studio_pictures.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from understudy import Settings, Understudy
from understudy.testing import portrait_path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
#: Colours that stay exactly what they are, the page's own, and those to which all others are reduced.
EXACT, OTHERS = 56, 136
#: The Python that a page may name, and what is shown in its place: whoever reads has another.
PYTHONS = [sys.executable, "/home/you/understudy/.venv/bin/python"]
SHOWN = """([own, shown]) => {
  for (const hint of document.querySelectorAll(".hint")) hint.innerHTML = hint.innerHTML.replace(own, shown);
}"""


def visit(browser: Browser, address: str, width: int, height: int, scheme: str, locale: str) -> Page:
    """A page as somebody else would see it."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(address)
    page.locator(".face").first.wait_for()
    return page


def photograph_rooms(browser: Browser, address: str, folder: Path) -> None:
    """Write what the rooms show that are pages to read."""
    room = address.replace("/?", "/{}?").format
    page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light").new_page()
    page.set_default_timeout(120_000)
    page.goto(room("check"))
    page.locator("main input[type=file]").set_input_files([folder / "Grace Hopper.jpg", folder / "swapped.png"])
    page.locator(".verdict.made").wait_for()
    photograph(page, "check", live=False)
    page.goto(room("models"))
    page.get_by_label("Measure what the studio's own").click()
    page.get_by_text("ms a run").first.wait_for()
    photograph(page, "models", live=False)
    page.emulate_media(color_scheme="dark")
    page.goto(room("records"))
    page.locator(".record").first.wait_for()
    photograph(page, "records", live=False)


def fewer_colours(picture: Image.Image) -> Image.Image:
    """A picture with a palette: half the size, and the page's colours as they are."""
    pixels = np.asarray(picture, np.int32).reshape(-1, 3)
    words = pixels @ np.array([65536, 256, 1])
    known, place, counts = np.unique(words, return_inverse=True, return_counts=True)
    order = np.argsort(-counts)
    colours = np.stack([known >> 16, known >> 8 & 255, known & 255], 1).astype(np.float32)
    others = order[EXACT:]
    seen = np.random.default_rng(0).choice(others, 40_000, p=counts[others] / counts[others].sum())
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    _, _, centres = cv2.kmeans(colours[seen], OTHERS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    numbers = np.zeros(len(known), np.uint8)
    numbers[order[:EXACT]] = np.arange(EXACT)
    for some in np.array_split(others, 64):
        numbers[some] = EXACT + np.square(colours[some, None] - centres).sum(2).argmin(1)
    reduced = Image.fromarray(numbers[place].reshape(picture.height, picture.width), "P")
    reduced.putpalette(np.rint([*colours[order[:EXACT]], *centres]).astype(np.uint8).tobytes())
    return reduced


def photograph(page: Page, name: str, *, live: bool = True) -> None:
    """Write what a page shows, in few colours."""
    if live:
        page.wait_for_function("+document.querySelector('canvas').dataset.drawn > 90")
    page.mouse.move(page.viewport_size["width"] / 2, page.viewport_size["height"] - 10)
    page.wait_for_timeout(500)
    page.evaluate(SHOWN, PYTHONS)
    path = PICTURES / f"studio-{name}.png"
    page.screenshot(path=path)
    fewer_colours(Image.open(path).convert("RGB")).save(path, optimize=True)
    print(path.name, path.stat().st_size)


def main() -> None:
    """Photograph all of them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        photo = Path(folder, "Grace Hopper.jpg")
        photo.write_bytes(portrait_path("hopper").read_bytes())
        with Understudy(Settings(home=Path(folder, "home"))) as app:
            app.swap(photo, Path(folder, "swapped.png"), app.person(portrait_path("astronaut"), consent="sample"))
        words = ["--no-browser", "--home", f"{folder}/home", "--recordings", "/home/you/Videos/Understudy"]
        command = [sys.executable, "-m", "understudy", "studio", *words]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            address = server.stdout.readline().split()[1]
            photograph_rooms(browser, address, Path(folder))
            page = visit(browser, address, 1280, 720, "light", "en")
            page.get_by_label("Add a photo").set_input_files(photo)
            page.get_by_label(re.compile("The person is 18")).check()
            page.get_by_label("How did they agree?").fill("A portrait in the public domain")
            photograph(page, "consent", live=False)
            page.get_by_role("button", name="Save and use").click()
            page.locator("[aria-pressed=true]", has_text="Grace Hopper").wait_for()
            page.locator(".face-button", has_text="Eileen Collins").click()
            page.get_by_role("button", name="Start").click()
            photograph(page, "light")
            for name, width, height, scheme, language in (
                ("live", 1280, 720, "dark", "en"),
                ("zh", 1280, 720, "dark", "zh-CN"),
                ("tablet", 820, 1180, "light", "en"),
            ):
                page.context.close()  # several on one machine would take each other's time
                page = visit(browser, address, width, height, scheme, language)
                photograph(page, name)
            server.terminate()


if __name__ == "__main__":
    main()
