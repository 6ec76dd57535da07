"""Engines, finishes, all settings and how a file is written, chosen in a real browser; models are small twins."""

from __future__ import annotations

import re

import av
import pytest

from tests.server.conftest import CHROMIUM, Visit, studio_in
from tests.server.studio.test_frame import violations
from understudy.testing import ClipSpec, Puppet, portrait, twins, write_puppet_clip
from understudy.testing.shelf import stock

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]

GRAPHS = {
    "inswapper_128": twins.inswapper_twin((8, 16, 32, 64), blocks=1),
    "arcface_w600k_r50": twins.arcface_twin(),
    "nsfw_384": twins.classifier_twin(),
    "gfpgan_1.4": twins.restorer_twin(512),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("look")
    stock(folder / "home", GRAPHS)
    with studio_in(folder) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_puppet_clip(path, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 1.0, ClipSpec(rate=15, audio=()))
    return path


def opened(page, clip):
    page.locator(".door input[type=file]").set_input_files(clip)
    page.get_by_label("What Person 1 gets").select_option("Face: Eileen Collins")
    page.locator(".person-gets").wait_for()


def swapped(page, change):
    """What is changed makes another picture."""
    with page.expect_response(lambda one: "swapped.jpg" in one.url and one.status == 200) as made:
        change()
    code = "async address => [...new Uint8Array(await (await fetch(address)).arrayBuffer())]"
    return bytes(page.evaluate(code, made.value.url))


def test_a_clip_is_rendered_by_an_engine_that_is_here_beside_the_original(visit, studio, clip):
    page = visit("/clips")
    opened(page, clip)
    engine = page.get_by_label("Engine")
    assert engine.locator("option").all_inner_texts() == ["Built in: at once", "inswapper_128"]
    before = swapped(page, lambda: page.get_by_role("slider", name="Soft edge").press("ArrowRight"))
    assert swapped(page, lambda: engine.select_option("inswapper_128")) != before
    page.get_by_label("Finish", exact=True).select_option("gfpgan_1.4")
    page.get_by_role("slider", name="Strength of the finish").press("End")
    page.get_by_text("How it is written").click()
    page.get_by_label("Beside the result").select_option("side-by-side")
    page.locator("select:disabled", has=page.locator("option[value='9:16']")).wait_for()
    page.get_by_label("Words in the picture").fill("Day one")
    page.get_by_label("Size of the file").select_option("medium")
    assert violations(page) == []
    page.get_by_role("button", name="Render", exact=True).click()
    page.locator(".job").get_by_text("Signed, and unaltered").wait_for()
    with av.open(str(studio.recordings / "clip swapped.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (640, 240)
    page.reload()
    assert page.get_by_label("Engine").input_value() == "inswapper_128"
    assert page.get_by_role("slider", name="Strength of the finish").input_value() == "1"
    page.get_by_text("How it is written").click()
    assert page.get_by_label("Words in the picture").input_value() == "Day one"
    page.get_by_label("Beside the result").select_option("no")
    page.get_by_role("button", name="Another file").click()


def test_all_settings_of_a_clip_are_there_and_of_a_stretch_those_that_it_can_have(visit, clip):
    page = visit("/clips")
    opened(page, clip)
    page.locator(".panel", has=page.get_by_role("heading", name="Look")).get_by_text("All settings").click()
    page.locator("[data-setting='label.text']").wait_for()
    assert page.locator("[data-setting='encode.quality']").count() == 1
    assert page.locator("[data-setting^='signing'], [data-setting='home'], [data-setting='label.font']").count() == 0
    page.locator("[data-setting='blend.mask.feather']").fill("7")
    page.locator("[data-setting='blend.mask.feather']").press("Tab")
    page.locator(".notice", has_text="feather").wait_for()
    page.locator("[data-setting='blend.strength']").fill("0.5")
    page.locator("[data-setting='blend.strength']").press("Tab")
    page.wait_for_function("() => document.querySelector('.look-controls input[type=range]').value === '0.5'")
    page.get_by_role("button", name="Add a stretch").click()
    page.get_by_role("heading", name=re.compile("^Look, ")).wait_for()
    page.locator("[data-setting='label.text']").wait_for(state="detached")
    assert page.get_by_label("Engine").count() == 0
    assert page.locator("[data-setting='enhance.weight']").count() == 1
    page.get_by_role("button", name="Another file").click()


def test_engine_and_finish_are_chosen_for_live_output(visit):
    page = visit()
    page.get_by_label("Engine *").select_option("inswapper_128")
    page.get_by_label("Finish *").select_option("sharpen")
    page.get_by_role("slider", name="Strength of the finish").press("End")
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".badge.on").wait_for()
    page.get_by_role("button", name="Figures").click()
    page.get_by_text("engine inswapper_128 on").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Ready when you are").wait_for()
    page.reload()
    assert page.get_by_label("Engine *").input_value() == "inswapper_128"
    assert page.get_by_role("slider", name="Strength of the finish").input_value() == "1"


def test_without_models_the_engine_is_the_one_that_is_built_in(browser, tmp_path):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit()
        assert page.get_by_label("Engine *").locator("option").all_inner_texts() == ["Built in: at once"]
        page.get_by_text("Photoreal engines are fetched in the room Models.").wait_for()
        assert visit.complaints == []
        visit.close()
