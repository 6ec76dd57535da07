"""The Models room, in a real browser."""

import re

import pytest

from tests.models.lying import lying_server
from tests.models.shelf import entry, graph
from tests.server.conftest import studio_in
from tests.server.studio.test_frame import violations
from understudy.models.catalogue import OWN_FILE

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

SMALL, LARGE = graph(0), graph(1, 400_000)


@pytest.fixture(scope="module")
def server():
    with lying_server() as one:
        one.files |= {"/small.onnx": SMALL, "/large.onnx": LARGE}
        yield one


@pytest.fixture(scope="module")
def studio(server, tmp_path_factory):
    """Its catalogue has three models more: a small one, a large one, and one whose place answers nobody."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "home").mkdir(mode=0o700)
    entries = [
        entry("small", {"url": server.url("/small.onnx")}, data=SMALL),
        entry("large", {"url": server.url("/large.onnx")}, data=LARGE),
        entry("gone", {"url": "http://127.0.0.1:1/gone.onnx"}, data=SMALL[:-1]),
    ]
    (folder / "home" / OWN_FILE).write_text("\n".join(entries))
    with studio_in(folder) as running:
        yield running


def row(page, name):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True, level=4))


def get(page, name):
    page.get_by_role("button", name=f"Get {name}", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^(Accept and get|Get)$")).click()
    dialog.wait_for(state="hidden")


def remove(page, name):
    page.get_by_role("button", name=f"Remove {name}", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name=f"Get {name}", exact=True).wait_for()


def test_a_model_is_fetched_after_its_licence_was_shown_checked_measured_and_removed(visit):
    page = visit("/models")
    assert "size" in row(page, "inswapper_128").inner_text() or "MB" in row(page, "inswapper_128").inner_text()
    page.get_by_role("button", name="Get small", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Get small?").wait_for()
    said = dialog.inner_text()
    assert "MIT" in said
    assert "commercial use: yes" in said
    assert dialog.get_by_role("link", name="Read the licence").get_attribute("rel") == "noopener noreferrer"
    page.keyboard.press("Escape")  # nothing comes
    dialog.wait_for(state="hidden")
    get(page, "small")
    row(page, "small").get_by_text("Here", exact=True).wait_for()
    assert "not measured here" in row(page, "small").inner_text()
    page.get_by_role("button", name="Check all").click()
    page.get_by_text("Checked: 1. All are as they were").wait_for()
    remove(page, "small")
    page.get_by_text("small was removed.").wait_for()


def test_progress_is_shown_and_a_pull_is_cancelled_and_gone_on_with(visit, server):
    server.manners["/large.onnx"] = ["slow", ""]
    page = visit("/models")
    get(page, "large")
    page.get_by_role("progressbar", name="Getting large").wait_for()
    page.wait_for_function("document.querySelector('.pull progress').value > 0")
    page.get_by_role("button", name="Cancel getting large").click()
    row(page, "large").get_by_text("Begun").wait_for()
    page.reload()
    row(page, "large").get_by_text("Begun").wait_for()
    get(page, "large")
    row(page, "large").get_by_text("Here", exact=True).wait_for()
    remove(page, "large")


def test_without_a_network_it_says_what_is_wrong_and_what_to_do(visit):
    page = visit("/models", locale="ko-KR")
    page.get_by_role("button", name="gone 가져오기").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    alert = page.get_by_role("alert").filter(has_text="가져오지 못했습니다")
    alert.wait_for()
    assert "네트워크" in alert.inner_text()
    assert "could not be fetched" in alert.locator("[lang=en]").inner_text()
    page.get_by_role("button", name="다시 시도").click()
    alert.wait_for()
    page.get_by_role("button", name="그만두기").click()
    alert.wait_for(state="detached")


def test_a_model_is_taken_in_from_a_file_after_its_licence(visit, tmp_path):
    path = tmp_path / "downloaded.onnx"
    path.write_bytes(LARGE)
    page = visit("/models")
    page.locator("main input[type=file]").set_input_files(path)
    page.get_by_text(re.compile("Add large[?]|Added: large")).first.wait_for()
    if page.get_by_role("dialog").is_visible():  # the licence may be accepted already
        page.get_by_role("button", name="Accept and add").click()
    row(page, "large").get_by_text("Here", exact=True).wait_for()
    remove(page, "large")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("notes.onnx", b"hello", "Nothing in this file is a model that the catalogue knows"),
        ("bad.zip", b"PK\x03\x04 broken", None),
        ("small.onnx", SMALL[:-5] + b"xxxxx", "A model's file is not what it should be"),
        ("notes.txt", b"hello", "This is no model file"),
        ("empty.onnx", b"", "This is no model file"),
    ],
)
def test_a_wrong_file_is_refused_with_words(visit, studio, name, data, said):
    page = visit("/models")
    page.locator("main input[type=file]").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data}]
    )
    dialog = page.get_by_role("button", name="Accept and add")
    # Another one may be there, of what could not be fetched before.
    alert = page.get_by_role("alert").filter(has_text=said or "").first
    dialog.or_(alert).first.wait_for()
    if dialog.is_visible():
        dialog.click()
    alert.wait_for()
    assert str(studio.home) not in alert.inner_text()


def test_kinds_are_chosen_and_costs_of_what_is_carried_are_measured(visit):
    page = visit("/models")
    page.get_by_role("button", name="Measure what the studio's own").click()
    page.get_by_text("The studio's own models were measured.").wait_for()
    assert "ms a run" in page.get_by_text("Follows 478 points of a face").locator("..").inner_text()
    page.get_by_label("Kind", exact=True).select_option("Masks")
    row(page, "inswapper_128").wait_for(state="detached")
    row(page, "xseg_1").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(visit, scheme):
    page = visit("/models", color_scheme=scheme, width=820, height=1180)
    row(page, "small").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Get inswapper", exact=True).click()
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
